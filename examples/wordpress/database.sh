#!/bin/sh
# MariaDB on a socket; makes its files at the first start
set -eu
data=${DATABASE_DIR:-/data/database} socket=${DATABASE_SOCKET:-/run/mysqld/mysqld.sock}
[ -d "$data/mysql" ] || mariadb-install-db --datadir="$data" --skip-test-db >/dev/null
exec mariadbd --datadir="$data" --socket="$socket" --skip-networking --innodb-buffer-pool-size=64M
