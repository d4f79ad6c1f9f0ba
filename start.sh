#!/bin/sh
# ./start.sh [monohull's arguments]: runs monohull from this folder; without arguments: run.
# On a host it first installs what is missing and builds what is out of date, and exits 69 (EX_UNAVAILABLE)
# when it cannot. In the image it is the entry point: it installs nothing, and runs any other command as it is.
set -eu

in_image() {
  case $1 in
    monohull) shift ;;
    run | dev | check | render | version | help | -* | '') ;;
    *) exec "$@" ;;
  esac
  exec "${0%/*}/dist/launcher.cjs" "$@"
}

say() { printf 'monohull: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 69
}

# Runs a command with its output held back: shown when it fails. It does not hold the lock: what it leaves running would.
quietly() {
  log=$(mktemp)
  status=0
  "$@" >"$log" 2>&1 9<&- || status=$?
  [ "$status" = 0 ] || cat "$log" >&2
  rm -f "$log"
  return "$status"
}

# is_node NODE MAJOR: whether it runs and is at least that new.
is_node() { "$1" -e 'process.exit(+(parseInt(process.versions.node) < process.argv[1]))' "$2" 2>/dev/null; }

# is_newer THAN PATH...: whether one of the paths, relative to home, has changed since.
is_newer() {
  than=$1
  shift
  [ -n "$(cd "$home" && find "$@" -newer "$than" 2>/dev/null | head -n 1)" ]
}

# apt-get install, with the packages' services started neither now nor at boot: only the programs are wanted, and
# Debian's nginx would take port 80.
install_debian_packages() (
  policy=/usr/sbin/policy-rc.d
  kept=$policy.before-monohull
  trap 'if [ -e "$kept" ]; then mv -f "$kept" "$policy"; else rm -f "$policy"; fi' EXIT
  trap 'exit 130' INT TERM HUP
  [ ! -e "$policy" ] || mv "$policy" "$kept"
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  export DEBIAN_FRONTEND=noninteractive
  # A repository that does not answer is no reason to stop: the others may have the packages.
  quietly apt-get update || true
  # Good to have; not every release has them.
  case " $* " in *' nginx '*)
    for module in libnginx-mod-http-brotli-filter libnginx-mod-http-brotli-static; do
      if apt-cache show "$module" >/dev/null 2>&1; then set -- "$@" "$module"; fi
    done
    ;;
  esac
  quietly apt-get install -y --no-install-recommends "$@" || exit
  case " $* " in *' nginx '*) quietly update-rc.d nginx disable || true ;; esac
)

install_nginx() {
  packages=
  command -v nginx >/dev/null || packages="$packages nginx"
  command -v openssl >/dev/null || packages="$packages openssl"
  if command -v apt-get >/dev/null; then
    [ -e /usr/lib/nginx/modules/ngx_http_lua_module.so ] || packages="$packages libnginx-mod-http-lua"
  fi
  [ -n "$packages" ] || return 0
  command -v apt-get >/dev/null || fail "cannot find$packages: install nginx with its Lua module, and openssl"
  [ "$(id -u)" = 0 ] ||
    fail "cannot find$packages: run this once as root, or: sudo apt-get install --no-install-recommends$packages"
  say "installing$packages"
  # shellcheck disable=SC2086 # a list of names
  install_debian_packages $packages || fail "cannot install$packages: see apt-get's message above"
}

install_npm_packages() {
  if ! command -v npm >/dev/null || ! is_node node 20; then
    fail 'cannot install npm packages: Node 20 or newer with npm is needed: https://nodejs.org (Debian 13: apt-get install nodejs npm)'
  fi
  [ ! -L "$home/node_modules" ] ||
    fail "cannot install npm packages: $home/node_modules is a link, and npm ci would empty the folder it leads to: install there, or remove the link"
  say 'installing npm packages'
  (cd "$home" && quietly npm ci --no-audit --no-fund --loglevel=error) || fail "cannot install npm packages: npm ci failed in $home"
}

# Sets node: the project's own, else the machine's.
find_node() {
  case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) arch=none ;; esac
  node=$home/node_modules/node-linux-$arch/bin/node
  [ ! -x "$node" ] || return 0
  node=$(command -v node || true)
  is_node "$node" 22 || fail 'cannot find Node 22 or newer: install it from https://nodejs.org'
}

build() {
  say 'building'
  (cd "$home" && PATH=${node%/*}:$PATH quietly npm run build) || fail 'cannot build: see the message above'
}

must_install() { [ ! -e "$home/$installed" ] || is_newer "$installed" package-lock.json; }

must_build() {
  [ ! -e "$home/$bundle" ] || { [ -w "$home/dist" ] && is_newer "$bundle" supervisor app tools package-lock.json; }
}

# Waits while another start.sh installs or builds here. The kernel ends the lock with whoever has it.
wait_for_others() {
  if ! command -v flock >/dev/null || flock --nonblock 9; then return 0; fi
  say 'waiting for another start.sh, which installs or builds'
  flock --timeout 600 9 || fail "cannot install or build: another start.sh has been at it in $home for 10 minutes"
}

prepare() {
  wait_for_others
  if must_install; then install_npm_packages; fi
  find_node
  if must_build; then build; fi
}

on_host() {
  home=$(dirname -- "$(readlink -f -- "$0")")
  # Where Debian keeps nginx; the PATH of ordinary users leaves it out.
  PATH=$PATH:/usr/sbin:/sbin
  installed=node_modules/.package-lock.json
  bundle=dist/monohull.cjs

  install_nginx
  if must_install || must_build; then (prepare) 9<"$home"; fi
  find_node
  exec "$node" "$home/dist/launcher.cjs" "$@"
}

[ $# -gt 0 ] || set -- run
if [ "${MONOHULL_IMAGE-}" = 1 ]; then in_image "$@"; else on_host "$@"; fi
