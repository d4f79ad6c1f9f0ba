#!/usr/bin/env bash
# bench/run.sh [measure]... [--rounds N]: installs what is missing, builds what is out of date, measures, and prints tables.
# bench/README.md says what is measured.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=test/image/engine.sh
. test/image/engine.sh

say() { printf '== %s\n' "$*" >&2; }

missing=()
command -v wrk >/dev/null || missing+=(wrk)
command -v h2load >/dev/null || missing+=(nghttp2-client)
command -v openssl >/dev/null || missing+=(openssl)
[ -x /usr/bin/gunicorn ] || missing+=(gunicorn)
[ -x /usr/bin/s6-svscan ] || missing+=(s6)
command -v redis-server >/dev/null || missing+=(redis-server)
compgen -G '/usr/sbin/php-fpm*' >/dev/null || missing+=(php-fpm)
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || { say "missing: sudo apt-get install --no-install-recommends ${missing[*]}"; exit 69; }
  say "installing ${missing[*]}"
  apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
say "monohull $(./start.sh version)"

case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) arch=none ;; esac
PATH=$PWD/node_modules/node-linux-$arch/bin:$PATH
wanted=$(node --import tsx bench/run.ts --list "$@")

trap stop_engine EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if grep -qxE 'container|deploy' <<<"$wanted" && command -v docker >/dev/null; then
  if start_engine; then test/image/base-image.sh; else say 'no Docker engine: container and deploy are left out'; fi
fi

node --import tsx bench/run.ts "$@"
