#!/bin/sh
# Builds dist/ when it is older than its sources, and prints the version. Exits 69 rather than leave an older build to a test.
set -eu
cd "$(dirname "$0")/.."
./start.sh version
[ ! -w dist ] || exit 0
# start.sh runs an older build when the user cannot write a new one.
newer=$(find supervisor app page tools package-lock.json tsconfig.json -newer dist/monohull.cjs | head -n 1)
[ -z "$newer" ] || { echo "cannot build: dist/ is older than $newer, and this user cannot write it" >&2 && exit 69; }
