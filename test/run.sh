#!/usr/bin/env bash
# ./test/run.sh [folder of test/]...: installs what the tests need, builds, and runs everything, or the tests of these folders.
# Without root it installs nothing and says what is missing. The last lines and the exit code are the test runner's.
set -euo pipefail
cd "$(dirname "$0")/.."
. test/image/engine.sh

say() { printf '== %s\n' "$*" >&2; }

# Runs a command with its output held back: shown when it fails.
quietly() {
  local log
  log=$(mktemp)
  "$@" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; return 1; }
  rm -f "$log"
}

# Whether the tests that were asked for need a Docker engine.
needs_engine() { case " ${folders[*]} " in *' image '*) ;; *) return 1 ;; esac; }

install_packages() {
  local wanted=(chromium gcc golang-go gunicorn libc6-dev libnginx-mod-http-brotli-filter libnginx-mod-http-brotli-static libnss3-tools lua-check lua5.1
    openssl pebble procps psmisc python3 python3-flask shellcheck slowhttptest testssl.sh tini uvicorn wrk) missing=() package
  ! needs_engine || wanted+=(chromium docker-compose)
  if needs_engine && ! docker version >/dev/null 2>&1; then
    wanted+=(containerd debootstrap docker.io iptables runc util-linux)
  fi
  for package in "${wanted[@]}"; do
    [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    say "missing: sudo apt-get install --no-install-recommends ${missing[*]}"
    exit 69
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  quietly apt-get update || true
  # Debian 13 has the docker command in a package of its own.
  case " ${missing[*]} " in *' docker.io '*) ! apt-cache show docker-cli >/dev/null 2>&1 || missing+=(docker-cli) ;; esac
  quietly apt-get install -y --no-install-recommends "${missing[@]}"
}

build_image() {
  say 'building the image'
  quietly test/image/base-image.sh
  # The build stage gets a name too, so that pruning leaves its layers to the next build.
  quietly timeout 900 docker build --label monohull.test=image --target build --tag monohull-build:test .
  quietly timeout 900 docker build --label monohull.test=image --tag monohull:test .
  docker image prune --force --filter label=monohull.test=image >/dev/null
}

clean_up() {
  local status=$? containers images
  trap - EXIT
  if kill "$runner" 2>/dev/null; then wait "$runner" || true; fi
  if needs_engine; then
    containers=$(docker ps --all --quiet --filter "label=monohull.test=$TEST_RUN_LABEL" 2>/dev/null || true)
    # shellcheck disable=SC2086 # a list of ids
    [ -z "$containers" ] || docker rm --force --volumes $containers >/dev/null
    images=$(docker images --quiet --filter "label=monohull.test=$TEST_RUN_LABEL" 2>/dev/null | sort -u || true)
    # shellcheck disable=SC2086 # a list of ids
    [ -z "$images" ] || docker rmi --force $images >/dev/null
    stop_engine
  fi
  exit "$status"
}

export TEST_RUN_LABEL=$$
runner=
folders=("$@")
everything=false
if [ $# = 0 ]; then
  everything=true
  mapfile -t folders < <(find test -name '*.test.ts' -not -path '*/fixtures/*' -printf '%P\n' | cut -d/ -f1 | sort -u)
fi
mapfile -t files < <(find "${folders[@]/#/test/}" -name '*.test.ts' -not -path '*/fixtures/*' | sort)
[ ${#files[@]} -gt 0 ] || { say "no tests in ${folders[*]}"; exit 64; }

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

install_packages
version=$(./start.sh version)
say "$version"
case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) arch=none ;; esac
PATH=$PWD/node_modules/node-linux-$arch/bin:$PATH
if $everything; then
  say 'types, lint'
  npm run --silent typecheck
  npm run --silent lint
  luacheck --quiet nginx/lua test/unit/lua
  shellcheck -x start.sh .ci/run test/run.sh test/image/*.sh
fi
if needs_engine; then
  start_engine
  build_image
fi

say "tests: ${folders[*]}"
# In the background, so that a signal to this script is acted on at once.
node --import tsx --test --test-concurrency=2 --test-timeout=120000 --test-reporter=spec "${files[@]}" &
runner=$!
wait "$runner"
