#!/usr/bin/env bash
# bench/acme-schedules.sh [RUNS [SEED]]: lets a CA in front of Pebble fail and lie in that many ways (default: 500, from a random seed),
# and prints the shortest one that breaks a rule, with its seed.
set -euo pipefail
cd "$(dirname "$0")/.."
./start.sh --npm-only
case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) arch=none ;; esac
PATH=$PWD/node_modules/node-linux-$arch/bin:$PATH
export ACME_SCHEDULES=${1:-500} ACME_SEED=${2:-$RANDOM}
exec node --import tsx --test --test-timeout=$((ACME_SCHEDULES * 20000)) test/process/acme-schedules.test.ts
