# shellcheck shell=bash
# Sourced by run.sh. start_engine: sees to it that `docker` reaches an engine; where none answers it starts one of its own,
# on its own socket, with its images kept in the cache folder. stop_engine: ends what start_engine started.

engine_cache=${XDG_CACHE_HOME:-$HOME/.cache}/monohull-test
engine_pid=
engine_run=

start_engine() {
  export DOCKER_BUILDKIT=0
  ! docker version >/dev/null 2>&1 || return 0
  [ "$(id -u)" = 0 ] || { echo 'cannot start a Docker engine: run as root, or start one yourself' >&2; return 1; }
  mkdir -p "$engine_cache"
  exec 9>"$engine_cache/lock"
  flock --nonblock 9 || { echo 'waiting for another test run to end' >&2 && flock --timeout 1500 9; }
  engine_run=$(mktemp -d /tmp/monohull-engine.XXXXXX)
  export DOCKER_HOST=unix://$engine_run/docker.sock
  # A process group of its own: Ctrl-C is for run.sh, which stops the engine after the tests.
  setsid dockerd --data-root "$engine_cache/docker" --exec-root "$engine_run/exec" --pidfile "$engine_run/pid" \
    --host "$DOCKER_HOST" >"$engine_run/log" 2>&1 9>&- &
  engine_pid=$!
  local deadline=$((SECONDS + 60))
  until docker version >/dev/null 2>&1; do
    if ! kill -0 "$engine_pid" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      tail -n 30 "$engine_run/log" >&2
      echo "cannot start dockerd: see its log above (its data: $engine_cache/docker)" >&2
      return 1
    fi
    sleep 0.2
  done
}

stop_engine() {
  [ -n "$engine_pid" ] || return 0
  # Only what no name and no build refers to any more; the rest makes the next run quick.
  docker image prune --force >/dev/null 2>&1 || true
  kill "$engine_pid" 2>/dev/null || true
  wait "$engine_pid" || true
  # A network namespace that a container left is still mounted there.
  awk -v folder="$engine_run/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | xargs --no-run-if-empty umount || true
  rm -rf "$engine_run"
}
