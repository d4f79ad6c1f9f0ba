#!/bin/sh
# beside.sh NGINX_CONF COMMAND...: a program with nginx beside it, which ends with nobody but itself.
set -eu
conf=$1
shift
"$@" &
exec nginx -e stderr -c "$conf"
