#!/usr/bin/env bash
# Sees to it that the engine has the Dockerfile's base image. Where no registry answers, it makes a stand-in of the same
# name from Debian's archive, the project's own Node and npm; the stand-in trusts the certificate authorities of this machine.
set -euo pipefail

image=node:24-trixie-slim
home=$(cd "$(dirname "$0")/../.." && pwd)

! docker image inspect "$image" >/dev/null 2>&1 || exit 0
! timeout 300 docker pull --quiet "$image" 2>/dev/null || exit 0

echo "no registry answers for $image: making a stand-in" >&2
case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) echo "no stand-in for $(uname -m)" >&2; exit 1 ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
authorities=/etc/ssl/certs/ca-certificates.crt

debootstrap --variant=minbase trixie "$root" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
chroot "$root" useradd --uid 1000 --user-group --create-home --shell /bin/bash node
install -m 755 "$home/node_modules/node-linux-$arch/bin/node" "$root/usr/local/bin/node"
npm install --global --prefix "$root/usr/local" --no-audit --no-fund --loglevel=error npm@11 >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
# As Debian's own images have it: packages do not start their services.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
install -D -m 644 "$authorities" "$root$authorities"

tar -C "$root" -c . | docker import \
  --change 'LABEL monohull.stand-in=true' \
  --change "ENV NODE_EXTRA_CA_CERTS=$authorities" \
  --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  --change 'CMD ["node"]' \
  - "$image" >/dev/null
