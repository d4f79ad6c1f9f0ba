#!/bin/sh
# Replaces the container of an app behind a Monohull front, on one machine, without a failed request. Needs only docker.
#
#   HOST=shop.example.com ./deploy.sh IMAGE [OPTION OF docker run]...
#   HOST=shop.example.com ./deploy.sh registry.example.com/shop:2 --env-file shop.env --memory 512m
#
# The new container starts beside the old one and must be ready. Then the front sends all requests to it, the old one finishes what
# it has, and stops. On a failure the old one stays, and the new one is removed. To roll back, deploy the former image.
set -eu

host=${HOST:?set HOST to the host name of the app}
name=${NAME:-app}                                # containers are called NAME-a and NAME-b
front=${FRONT:-front}                            # container of the front
network=${NETWORK:-web}                          # network of both
addresses=${ADDRESSES:-172.30.0.10 172.30.0.11}  # of NAME-a and NAME-b, outside of the network's --ip-range
port=${PORT:-80}                                 # port of the app
check=${CHECK:-/readyz}                          # path that responds when the app is ready
timeout=${TIMEOUT:-60s}                          # time in which it has to
drain=${DRAIN:-30s}                              # time for the requests and WebSockets of the old container
stop_seconds=${STOP_SECONDS:-15}                 # time for the old container to stop after that

fail() { echo "deploy: $*" >&2; exit 1; }

[ $# -gt 0 ] || fail 'name an image, such as registry.example.com/shop:2'
image=$1
shift
# shellcheck disable=SC2086 # two words
set -- $addresses -- "$@"
[ "$3" = -- ] || fail "ADDRESSES needs two addresses, got: $addresses"
first=$1 second=$2
shift 3

# Where the front leads is what counts, whatever runs.
target() { docker exec "$front" monohull routes get "$host" 2>/dev/null | sed -n 's/^target *//p'; }
docker exec "$front" monohull status >/dev/null || fail "the front does not serve: docker logs $front"
case " $(target)" in
  *" $first:"*) old=$name-a new=$name-b address=$second ;;
  *" $second:"*) old=$name-b new=$name-a address=$first ;;
  *) old='' new=$name-a address=$first ;;
esac
[ -z "$(docker ps --all --quiet --filter "name=^$new\$")" ] ||
  fail "$new exists: another deploy runs, or one was interrupted; then remove it: docker rm --force $new"

echo "deploy: starting $new ($image) at $address"
undo() {
  [ -n "$new" ] || return 0
  case " $(target)" in
    *" $address:"*) echo "deploy: $new serves $host already; stop ${old:-the former container} yourself" >&2; return 0 ;;
  esac
  docker logs --tail 20 "$new" >&2 2>&1 || true
  docker rm --force --volumes "$new" >/dev/null 2>&1 || true
}
trap undo EXIT
trap 'exit 130' INT TERM HUP
docker run --detach --name "$new" --network "$network" --ip "$address" --restart unless-stopped "$@" "$image" >/dev/null

docker exec "$front" monohull routes set "$host" "$address:$port" --check "$check" --timeout "$timeout" --drain "$drain" ||
  fail "${old:-nothing} still serves $host; $new is removed, its last lines follow"
new=''

if [ -n "$old" ] && former=$(docker inspect --format '{{.Config.Image}}' "$old" 2>/dev/null); then
  docker stop --time "$stop_seconds" "$old" >/dev/null
  docker rm --volumes "$old" >/dev/null
  echo "deploy: done; to roll back: $0 $former"
else
  echo 'deploy: done'
fi
