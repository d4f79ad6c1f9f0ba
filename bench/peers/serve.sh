#!/bin/sh
# serve.sh NGINX_CONF PORT...: the shell script that one writes instead of a supervisor.
set -eu
conf=$1
shift
for port in "$@"; do
  PORT=$port node server.js &
done
exec nginx -e stderr -c "$conf"
