#!/bin/sh
# ./start.sh [ARGUMENTS]: runs monohull from this directory with these arguments. Default: run.
# On a host, it first installs missing packages and rebuilds outdated files. It exits with 69 (EX_UNAVAILABLE)
# if that fails. `--npm-only` installs the npm packages and starts nothing, for tests that need no build. In the image it is the
# entry point, PID 1, and the command `monohull`: it installs nothing and runs any other command unchanged.
set -eu

# Until monohull has its own handlers, a reload or restart is not needed, and a stop is done at once.
guard_signals() {
  trap '' HUP USR1 USR2 TTIN TTOU
  trap 'exit 0' TERM
}

unguard_signals() { trap - HUP USR1 USR2 TTIN TTOU TERM; }

# Open files and processes that even one worker needs: the supervisor, nginx and a Node app.
min_files=64
min_tasks=40

# Exits with 78 (EX_CONFIG) below these limits: the supervisor could not start, or not say why.
expect_limits() {
  # shellcheck disable=SC3045 # dash and every other shell of Debian has it
  files=$(ulimit -n)
  if [ "$files" != unlimited ] && [ "$files" -lt $min_files ]; then
    say "cannot start: the limit of open files is $files"
    printf '  fix: raise it to at least 1024 (ulimit -n; docker: --ulimit nofile=1024:65536)\n' >&2
    exit 78
  fi
  for limit in /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max; do
    [ -r "$limit" ] || continue
    read -r tasks <"$limit" || continue
    if [ "$tasks" != max ] && [ "$tasks" -lt $min_tasks ]; then
      say "cannot start: the limit of processes and threads is $tasks"
      printf '  fix: raise it to at least %s, and by about 12 for each further worker (docker: --pids-limit)\n' $min_tasks >&2
      exit 78
    fi
  done
}

# Puts the environment as it was given into variables that monohull, and `become`, read: this shell drops variables whose names are
# not its own, and sets others. A variable holds 128 KiB at most.
hand_over() {
  count=0
  for part in $(base64 -w 100000 "/proc/$$/environ" 2>/dev/null); do
    count=$((count + 1))
    export "MONOHULL_ENVIRONMENT_$count=$part"
  done
}

# Becomes another program, in the environment as it was given.
become() {
  unguard_signals
  hand_over
  [ "$count" -gt 0 ] || exec "$@"
  # variables of the program must not affect Perl
  unset PERL5OPT PERL5LIB PERLLIB PERL5DB PERLIO PERL_UNICODE
  export LC_ALL=C
  exec /usr/bin/perl -e "$restore" "$@"
}

# shellcheck disable=SC2016 # Perl's variables. It decodes base64 without a module.
restore='
my ($text, $number) = ("", 0);
while (defined(my $part = $ENV{"MONOHULL_ENVIRONMENT_" . ++$number})) { $text .= $part }
$text =~ tr|A-Za-z0-9+/||cd;
$text =~ tr|A-Za-z0-9+/| -_|;
my $bytes = join "", map { unpack "u", chr(32 + int(length($_) * 3 / 4)) . $_ } $text =~ /(.{1,60})/gs;
# a shell ignores them in what it starts in the background
$SIG{INT} = $SIG{QUIT} = "DEFAULT";
%ENV = ();
for (split /\0/, $bytes) { my ($name, $value) = split /=/, $_, 2; $ENV{$name} = $value }
{ exec { $ARGV[0] } @ARGV }
print STDERR "monohull: cannot run $ARGV[0]: $!\n";
exit($! == 2 ? 127 : 126)'

# Becomes a program of monohull under NODE. What the environment has for the Node of the app does not affect it.
start() {
  unset NODE_OPTIONS NODE_PATH NODE_V8_COVERAGE NODE_REPL_EXTERNAL_MODULE NODE_DEBUG NODE_DEBUG_NATIVE NODE_NO_WARNINGS \
    NODE_REDIRECT_WARNINGS NODE_PENDING_DEPRECATION NODE_PRESERVE_SYMLINKS NODE_PRESERVE_SYMLINKS_MAIN NODE_COMPILE_CACHE \
    NODE_DISABLE_COMPILE_CACHE NODE_TLS_REJECT_UNAUTHORIZED NODE_CHANNEL_FD NODE_UNIQUE_ID OPENSSL_CONF \
    UV_THREADPOOL_SIZE UV_USE_IO_URING
  exec "$@"
}

# start_monohull NODE ARGUMENTS...: Node's inspector, which SIGUSR1 opens, is off, except in the supervisor: there the signal reopens
# logs, and --disable-sigusr1 would block it for good. The launcher closes an inspector that an early signal has opened.
start_monohull() {
  hand_over
  # shellcheck disable=SC3045 # dash and every other shell of Debian has it
  MONOHULL_OPEN_FILES=$(ulimit -Sn)
  export MONOHULL_OPEN_FILES
  node=$1
  shift
  # shellcheck disable=SC2086 # no word, if Node lacks the option
  case $1 in
    run | dev | -*) start "$node" "$home/dist/launcher.cjs" "$@" ;;
    *) start "$node" $no_inspector "$home/dist/launcher.cjs" "$@" ;;
  esac
}

in_image() {
  case $1 in
    monohull) shift ;;
    run | dev | check | render | version | help | -* | '') ;;
    healthcheck) start node --disable-sigusr1 "$home/dist/healthcheck.cjs" ;;
    sh | bash | dash | */sh | */bash | */dash) in_shell "$@" ;;
    *) become "$@" ;;
  esac
  guard_signals
  expect_limits
  start_monohull node "$@"
}

# PID 1 of the container: starts the command, passes signals on to it, reaps the processes that are left to it, and exits as it does.
as_init() {
  case $1 in monohull) word=${2-} ;; *) word=$1 ;; esac
  case $word in run | dev | -* | '') is_run=yes ;; *) is_run=no ;; esac
  # a terminal sends these to the command itself
  if [ -t 0 ]; then trap has_passed=yes INT QUIT TSTP; else pass_on_each INT QUIT TSTP; fi
  pass_on_each HUP USR1 USR2 PIPE ALRM TERM CONT TTIN TTOU URG VTALRM PROF WINCH PWR
  child=
  # a shell gives /dev/null to what it starts in the background
  exec 3<&0
  (in_image "$@") <&3 3<&- &
  child=$!
  exec 3<&-
  last=
  while :; do
    has_passed=no
    code=0
    wait "$child" || code=$?
    if [ "$code" = 127 ] && [ -n "$last" ] && ! kill -0 "$child" 2>/dev/null; then exit "$last"; fi
    [ "$has_passed" = yes ] || exit "$code"
    last=$code
  done
}

pass_on_each() {
  # shellcheck disable=SC2064 # the name of now
  for signal; do trap "pass_on $signal" "$signal"; done
}

# Passes a signal on. Before monohull can handle it, there is nothing to reload or reopen, and a stop ends it at once.
pass_on() {
  has_passed=yes
  # a fork of this shell has its traps, and forgets a signal that comes before it drops them
  if [ "$is_run" = no ] && [ -n "$child" ] && cmp -s "/proc/$$/cmdline" "/proc/$child/cmdline"; then
    case $1 in TERM | INT | QUIT) exit 143 ;; *) return ;; esac
  fi
  if ! is_ready; then
    case $1 in TERM | INT | QUIT) exit 0 ;; *) return ;; esac
  fi
  kill -s "$1" "$child" 2>/dev/null || true
}

# Whether the command has its handlers. Only those of monohull are waited for: SIGHUP's, the lowest bit of SigCgt, is one of them.
is_ready() {
  [ -n "$child" ] || return
  [ "$is_run" = yes ] || grep -aqE 'launcher\.cjs.(run|dev|-)' "/proc/$child/cmdline" 2>/dev/null || return 0
  while read -r name value; do
    case $name$value in SigCgt:*[13579bdf]) return 0 ;; SigCgt:*) return 1 ;; esac
  done <"/proc/$child/status"
}

# Runs a shell, such as that of `CMD monohull run node server.js`, which Docker runs as `/bin/sh -c TEXT`. In the text, `monohull run`
# replaces the shell: as its child it would get no signal, and a stop would cut requests.
in_shell() {
  place=before
  for word; do
    shift
    case $place:$word in
      before:--*) ;;
      before:-*c) place=text ;;
      text:*monohull*)
        word="monohull() { case \${1-run} in run | dev | -*) exec monohull \"\$@\" ;; *) command monohull \"\$@\" ;; esac; }
$word"
        place=after
        ;;
      text:*) place=after ;;
    esac
    set -- "$@" "$word"
  done
  become "$@"
}

say() { printf 'monohull: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 69
}

# Runs a command and prints its output only if it fails. The lock (fd 9) is closed for it: its background processes would keep it.
quietly() {
  log=$(mktemp) || fail 'cannot write to /tmp: free space there, or set TMPDIR'
  status=0
  "$@" >"$log" 2>&1 9<&- || status=$?
  [ "$status" = 0 ] || cat "$log" >&2
  full=no
  if [ "$status" != 0 ] && grep -qE 'ENOSPC|No space left' "$log"; then full=yes; fi
  rm -f "$log"
  return "$status"
}

# is_node NODE MAJOR: whether NODE runs and has at least this major version.
is_node() { "$1" -e 'process.exit(+(parseInt(process.versions.node) < process.argv[1]))' "$2" 2>/dev/null; }

# is_newer THAN PATH...: whether one of the paths, relative to home, has changed since THAN.
is_newer() {
  than=$1
  shift
  [ -n "$(cd "$home" && find "$@" -newer "$than" 2>/dev/null | head -n 1)" ]
}

# apt-get install without starting the packages' services, now or at boot: only the programs are needed, and
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
  # Continue if a repository does not respond: the others may have the packages.
  quietly apt-get update || true
  # Optional: not every release has them.
  case " $* " in *' nginx '*)
    for module in libnginx-mod-http-brotli-filter libnginx-mod-http-brotli-static; do
      if apt-cache show "$module" >/dev/null 2>&1; then set -- "$@" "$module"; fi
    done
    ;;
  esac
  quietly apt-get install -y --no-install-recommends "$@" || exit
  case " $* " in *' nginx '*) quietly update-rc.d nginx disable || true ;; esac
)

install_packages() {
  packages=
  command -v nginx >/dev/null || packages="$packages nginx"
  if command -v apt-get >/dev/null; then
    [ -e /usr/lib/nginx/modules/ngx_http_lua_module.so ] || packages="$packages libnginx-mod-http-lua"
  fi
  if must_install && lacks_node; then packages="$packages nodejs npm"; fi
  [ -n "$packages" ] || return 0
  unguard_signals
  command -v apt-get >/dev/null || fail "cannot find$packages: install nginx with its Lua module, and Node 20 or newer with npm"
  [ "$(id -u)" = 0 ] ||
    fail "cannot find$packages: run this once as root, or: sudo apt-get install --no-install-recommends$packages"
  say "installing$packages"
  # shellcheck disable=SC2086 # a list of names
  install_debian_packages $packages || fail "cannot install$packages: see apt-get's message above"
}

# Whether there is neither Node nor npm, so that Debian's cannot get in the way of another Node.
lacks_node() { ! command -v node >/dev/null && ! command -v npm >/dev/null; }

# Before anything is installed. Debian 12 has Node 18.
expect_npm() {
  if lacks_node && command -v apt-get >/dev/null; then return; fi
  present=$(node --version 2>/dev/null) || present='no Node'
  command -v npm >/dev/null || present="$present without npm"
  if ! command -v npm >/dev/null || ! is_node node 18; then
    fail "cannot install npm packages: Node 18 or newer with npm is needed, this machine has $present: https://nodejs.org"
  fi
}

# npm leaves out the packages of the build that do not support the Node it runs on. The project's own Node is a package as well.
use_own_node() {
  ! is_node node 20 || return 0
  package=node-linux-$arch
  version=$(sed -n "/\"node_modules\/$package\"/,/version/s/.*\"version\": \"\(.*\)\".*/\1/p" "$home/package-lock.json")
  say "installing Node $version, because this machine has $(node --version)"
  own_node=$(mktemp -d) || fail 'cannot write to /tmp: free space there, or set TMPDIR'
  # shellcheck disable=SC2086 # no word, if the registry responds
  quietly npm install --prefix "$own_node" $offline --no-audit --no-fund --loglevel=error "$package@$version" ||
    fail "cannot install Node $version: see the message above"
  PATH=$own_node/node_modules/$package/bin:$PATH
}

install_npm_packages() {
  expect_npm
  [ ! -L "$home/node_modules" ] ||
    fail "cannot install npm packages: $home/node_modules is a link, and npm ci would empty its target: install there, or remove the link"
  for path in "$home" "$home/node_modules"; do
    [ ! -e "$path" ] || [ -w "$path" ] ||
      fail "cannot install npm packages: user $(id -un) may not write to $path: sudo chown -R $(id -un) '$home', or run this once as its owner"
  done
  say 'installing npm packages'
  offline=
  registry_answers || offline=--offline
  own_node=
  use_own_node
  # NODE_ENV=production and npm's omit would leave out packages that the build needs.
  (cd "$home" && quietly npm ci --include=dev --include=optional $offline --no-audit --no-fund --loglevel=error || {
    [ "$full" = no ] || fail "cannot install npm packages: the disk of $home or of npm's cache is full"
    [ -z "$offline" ] || fail "cannot install npm packages: $(npm config get registry) does not respond, and npm's cache does not have them all: check the network and npm's registry and proxy settings"
    fail "cannot install npm packages: npm ci failed in $home"
  }) || exit 69
  [ -z "$own_node" ] || rm -rf "$own_node"
}

# Whether the npm registry responds. npm ci would try a dead one for minutes.
registry_answers() {
  answer=$(cd "$home" && npm ping --fetch-timeout=8000 --fetch-retries=0 2>&1 9<&-) && return
  case $answer in *ENOTFOUND* | *ECONN* | *ETIMEDOUT* | *EAI_AGAIN* | *ENETUNREACH* | *EHOSTUNREACH* | *timeout*) return 1 ;; esac
}

# Sets node to the project's own Node, or else the machine's.
find_node() {
  node=$home/node_modules/node-linux-$arch/bin/node
  [ ! -x "$node" ] || return 0
  node=$(command -v node || true)
  is_node "$node" 22 || fail 'cannot find Node 22 or newer: install it from https://nodejs.org'
  # Node 22.14 has it
  "$node" --disable-sigusr1 -e '' 2>/dev/null || no_inspector=
}

build() {
  say 'building'
  (cd "$home" && PATH=${node%/*}:$PATH quietly npm run build) || fail 'cannot build: see the message above'
}

# An installation without the packages for the build is repaired.
must_install() {
  [ ! -e "$home/$installed" ] || is_newer "$installed" package-lock.json ||
    { [ -d "$home/node_modules/.bin" ] && [ ! -e "$home/node_modules/.bin/tsx" ]; }
}

is_outdated() { is_newer "$bundle" supervisor app page tools package-lock.json tsconfig.json; }

must_build() { [ ! -e "$home/$bundle" ] || { [ -w "$home/dist" ] && is_outdated; }; }

# Waits while another start.sh installs or builds here. The kernel releases the lock when its holder exits.
wait_for_others() {
  if ! command -v flock >/dev/null || flock --nonblock 9; then return 0; fi
  say 'waiting for another start.sh, which installs or builds'
  flock --timeout 600 9 || fail "cannot install or build: another start.sh has held the lock on $home for 10 minutes"
}

prepare_packages() {
  wait_for_others
  if must_install; then install_npm_packages; fi
}

prepare() {
  prepare_packages
  find_node
  if must_build; then build; fi
}

on_host() {
  # The usual directories, and Debian's for nginx, which is not in the PATH of ordinary users.
  PATH=${PATH-}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
  home=$(dirname -- "$(readlink -f -- "$0")")
  case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) arch=none ;; esac
  installed=node_modules/.package-lock.json
  bundle=dist/monohull.cjs

  if [ "$1" = --npm-only ]; then
    if must_install; then (prepare_packages) 9<"$home"; fi
    return
  fi
  guard_signals
  expect_limits
  if must_install; then expect_npm; fi
  install_packages
  guard_signals
  if must_install || must_build; then
    unguard_signals
    (prepare) 9<"$home"
    guard_signals
  fi
  find_node
  if [ ! -w "$home/dist" ] && is_outdated; then
    say "running an old build: the sources in $home are newer, but user $(id -un) may not write to dist; run ./start.sh version as its owner"
  fi
  start_monohull "$node" "$@"
}

home=${0%/*}
no_inspector=--disable-sigusr1
if [ -L "$0" ]; then
  home=$(readlink -f -- "$0")
  home=${home%/*}
fi
# in the image, where other names are commands of their own
if [ "${MONOHULL_IMAGE-}" = 1 ] && [ "${0##*/}" = monohull ]; then set -- monohull "$@"; fi
[ $# -gt 0 ] || set -- run
if [ "${MONOHULL_IMAGE-}" != 1 ]; then on_host "$@"; elif [ $$ = 1 ]; then as_init "$@"; else in_image "$@"; fi
