#!/usr/bin/env bash
# ./test/run.sh [-t PATTERN] [--list] [TESTS]...: runs these tests; without TESTS also the type check and the lint.
#
# TESTS       a directory or file of test/, by its path or by its name alone:
#             unit, test/process/routes.test.ts, process/routes, routes; world: public programs and suites, which
#             are downloaded; release: world and the files that say `// before a release`, which are not part of a run
#             without TESTS
# -t PATTERN  only tests whose names match (node's --test-name-pattern)
# --list      shows the files and the Debian packages each of them needs, and runs nothing
#
# As root on Debian it installs the packages that these tests need. Otherwise it names those that are missing, and exits 69.
# The last lines and the exit code are the test runner's.
set -euo pipefail
caller=$PWD
cd -P "$(dirname "$0")/.."

say() { printf '== %s\n' "$*" >&2; }

# Runs a command and prints its output only if it fails.
quietly() {
  local log
  log=$(mktemp)
  "$@" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; return 1; }
  rm -f "$log"
}

print_help() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' test/run.sh; }

# The test files below a path, one per line.
tests_below() { find "$1" -name '*.test.ts' -not -path '*/fixtures/*' | sort; }

# The test files that are not part of the suite.
files_of_release() { tests_below test/world; tests_below test | xargs grep -l '^// before a release'; }

# The test files of one argument of TESTS. A path may be relative to the current directory, the repository or test/.
tests_of() {
  local word=$1 start path starts=("$caller/" './' 'test/')
  # An unset variable, for example, must not select everything.
  if [ -z "$word" ]; then return; fi
  if [ "$word" = release ]; then files_of_release && return; fi
  if [[ $word = /* ]]; then starts=(''); fi
  for start in "${starts[@]}"; do
    for path in "$start$word" "$start$word.test.ts"; do
      path=$(realpath --canonicalize-existing --relative-to=. -- "$path" 2>/dev/null) || continue
      [[ $path/ = test/* ]] || continue
      path=$(tests_below "$path")
      if [ -n "$path" ]; then echo "$path" && return; fi
    done
  done
  if [[ $word = */* ]]; then return; fi
  tests_below test | while IFS= read -r path; do
    # shellcheck disable=SC2053 # the word may be a pattern
    if [[ ${path##*/} = $word || ${path##*/} = $word.test.ts ]]; then echo "$path"; fi
  done
}

# Exits after printing names similar to an unknown one, or else the directories.
fail_unknown() {
  local name similar
  name=$(basename -- "$1" .ts)
  similar=$(tests_below test | awk -F / -v name="${name%.test}" 'name != "" && index($NF, name)')
  say "no tests in '$1'"
  if [ -n "$similar" ]; then
    say 'similar names:' && echo "$similar" >&2
  else
    say "directories: $(tests_below test | cut -d/ -f2 | sort -u | paste -sd ' '); ./test/run.sh --list shows every file"
  fi
  exit 64
}

# Sets the options and `files`.
read_arguments() {
  local found
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) print_help && exit ;;
      --list) lists=true ;;
      -t | --test-name-pattern)
        [ $# -gt 1 ] || { say "$1 needs a pattern" && exit 64; }
        patterns+=("--test-name-pattern=$2")
        shift
        ;;
      --test-name-pattern=*) patterns+=("$1") ;;
      -*) say "unknown option $1" && print_help >&2 && exit 64 ;;
      *) words+=("$1") ;;
    esac
    shift
  done
  for word in "${words[@]}"; do
    found=$(tests_of "$word")
    [ -n "$found" ] || fail_unknown "$word"
    files+=("$found")
  done
  [ ${#words[@]} -gt 0 ] || files=("$(tests_below test | grep -v '^test/world/' | xargs grep -L '^// before a release')")
  mapfile -t files < <(printf '%s\n' "${files[@]}" | sort -u)
}

# Whether one of the files is in a directory of test/.
has_tests_in() { case " ${files[*]}" in *" test/$1/"*) ;; *) return 1 ;; esac; }

# Lines `FILE PACKAGE`, for the Debian packages that test files need: those of a whole directory, and those that a file names in a
# line `// needs: PACKAGE...`. test/unit/test-packages.test.ts checks these lines.
needs_of() {
  # docker top runs ps
  awk '
    FNR == 1 && FILENAME ~ /^test\/(process|world)\// { print FILENAME, "nginx\n" FILENAME, "libnginx-mod-http-lua\n" FILENAME, "openssl" }
    FNR == 1 && FILENAME ~ /^test\/image\// { print FILENAME, "procps" }
    sub(/^\/\/ needs: /, "") { for (i = 1; i <= NF; i++) print FILENAME, $i }
    FNR > 2 { nextfile }
  ' "$@" | sort -u
}

packages_of() { needs_of "$@" | cut -d ' ' -f 2 | sort -u; }

# Additional packages for the type check and the lint.
lint_packages=(lua-check shellcheck)
engine_packages=(containerd debootstrap docker.io iptables runc util-linux)

list_files() {
  needs_of "${files[@]}" | awk '
    isList { printf "%-50s%s\n", $1, packages[$1]; next }
    { packages[$1] = packages[$1] " " $2 }
  ' - isList=1 <(printf '%s\n' "${files[@]}")
}

# Whether a package is installed, or its program by other means.
is_installed() {
  [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] || command -v "$1" >/dev/null
}

# Prints a directory of apt sources: the machine's own, and the backports of its Debian. Nothing is left enabled.
sources_with_backports() {
  local directory codename uri
  directory=$(mktemp -d)
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  # shellcheck disable=SC2016 # apt's own variables
  uri=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $codename" 'Created-By: Packages' | sed -n 1p)
  cp /etc/apt/sources.list.d/* "$directory" 2>/dev/null || true
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $codename-backports main" >"$directory/backports.list"
  echo "$directory"
}

install_packages() {
  local sources package apt=(apt-get)
  local wanted missing=()
  mapfile -t wanted < <(packages_of "${files[@]}")
  ! $everything || wanted+=("${lint_packages[@]}")
  if has_tests_in image && ! docker version >/dev/null 2>&1; then wanted+=("${engine_packages[@]}"); fi
  for package in "${wanted[@]}"; do is_installed "$package" || missing+=("$package"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    say "cannot check packages: this is not Debian; these may be missing: ${missing[*]}"
    return 0
  fi
  if [ "$(id -u)" != 0 ]; then
    say "missing: sudo apt-get install --no-install-recommends ${missing[*]}"
    exit 69
  fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  quietly apt-get update || true
  # Debian 13 has the docker command in a package of its own.
  case " ${missing[*]} " in *' docker.io '*) ! apt-cache show docker-cli >/dev/null 2>&1 || missing+=(docker-cli) ;; esac
  for package in "${missing[@]}"; do
    # Debian 12 has Valkey only there.
    if ! apt-cache show "$package" >/dev/null 2>&1; then
      sources=$(sources_with_backports)
      apt=(apt-get -o "Dir::Etc::SourceParts=$sources")
      quietly "${apt[@]}" update || true
      break
    fi
  done
  quietly "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
  rm -rf "${sources:-}"
}

# The npm packages and, for tests that run nginx, nginx and dist/.
build() {
  local version
  if packages_of "${files[@]}" | grep -qx nginx; then
    version=$(test/build.sh)
    say "$version"
  else
    ./start.sh --npm-only
  fi
}

# start.sh installs nginx, without its service. It needs root for that, as do the other packages.
prepare() {
  if [ "$(id -u)" = 0 ]; then
    build
    install_packages
  else
    install_packages
    build
  fi
}

clean_up() {
  local status=$? containers images
  trap - EXIT
  if kill "$runner" 2>/dev/null; then wait "$runner" || true; fi
  if has_tests_in image; then
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

words=()
patterns=()
files=()
lists=false
read_arguments "$@"
if $lists; then list_files && exit; fi
everything=false
if [ ${#words[@]} = 0 ] && [ ${#patterns[@]} = 0 ]; then everything=true; fi

# Debian's location of nginx, which is not in the PATH of ordinary users.
PATH=$PATH:/usr/sbin:/sbin
if has_tests_in image; then . test/image/engine.sh; fi
# Shows the tests that everything they run has been built.
export TEST_RUN_LABEL=$$
runner=
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

prepare
case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) arch=none ;; esac
PATH=$PWD/node_modules/node-linux-$arch/bin:$PATH
if $everything; then
  say 'types, lint'
  npm run --silent typecheck
  npm run --silent lint
  luacheck --quiet nginx/lua test/unit/nginx/lua
  shellcheck -x start.sh .ci/run test/*.sh test/image/*.sh deploy/*/*.sh
fi
if has_tests_in image; then
  start_engine
  say 'building the image'
  quietly test/image/build.sh
fi

if [ ${#files[@]} -gt 5 ]; then say "tests: ${words[*]:-all} (${#files[@]} files)"; else say "tests: ${files[*]}"; fi
deadline=()
if $everything; then deadline=(--import ./test/file-deadline.ts); fi
# In the background, so that this script handles signals immediately.
node --import tsx "${deadline[@]}" --test --test-concurrency=3 --test-timeout=120000 --test-reporter=spec "${patterns[@]}" "${files[@]}" &
runner=$!
wait "$runner"
