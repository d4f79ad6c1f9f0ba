#!/usr/bin/env bash
# Builds the image under test from the sources as they are now, on the engine that `docker` reaches.
set -euo pipefail
cd "$(dirname "$0")/../.."
export DOCKER_BUILDKIT=0
test/image/base-image.sh
# The build stage gets a name too, so that pruning leaves its layers to the next build.
timeout 900 docker build --label monohull.test=image --target build --tag monohull-build:test .
timeout 900 docker build --label monohull.test=image --tag monohull:test .
docker image prune --force --filter label=monohull.test=image >/dev/null
