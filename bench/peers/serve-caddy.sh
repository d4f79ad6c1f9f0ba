#!/bin/sh
# serve-caddy.sh CADDY CADDYFILE PORT...: as serve.sh, with Caddy in front.
set -eu
caddy=$1
conf=$2
shift 2
for port in "$@"; do
  PORT=$port node server.js &
done
exec "$caddy" run --adapter caddyfile --config "$conf"
