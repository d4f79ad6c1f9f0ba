FROM node:24-trixie-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY tools tools
COPY supervisor supervisor
COPY app app
COPY page page
COPY nginx nginx
COPY php php
RUN npm run build


FROM node:24-trixie-slim

RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    libnginx-mod-http-brotli-filter libnginx-mod-http-brotli-static libnginx-mod-http-lua nginx openssl \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/log/apt /var/log/dpkg.log

# /app belongs to root: a user who can write there could replace monohull.yaml for the next reload.
# /run is writable for any user (--tmpfs /run keeps this mode). The state directory is writable for root, and for a user
# given only by its number, whose group is root; app is neither.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin app \
  && install -d /app /certs \
  && install -d -m 775 /var/lib/monohull \
  && chmod 1777 /run

COPY LICENSE package.json start.sh /opt/monohull/
COPY --from=build /src/nginx /opt/monohull/nginx
COPY --from=build /src/php /opt/monohull/php
COPY --from=build /src/dist /opt/monohull/dist
ENV MONOHULL_IMAGE=1
WORKDIR /app

# A real start and stop, which also fills the compile cache. The cache directory's name contains the user's number, and app uses root's;
# other users start without it. Files left elsewhere, including a private key, are removed.
RUN chmod -R go=rX /opt/monohull \
  && ln -s /opt/monohull/start.sh /usr/local/bin/monohull \
  && export MONOHULL_HTTP_PORT=0 MONOHULL_HTTPS_PORT=0 MONOHULL_RUN_DIR=/tmp/run MONOHULL_STATE_DIR=/tmp/state \
  && sh -euc ' \
    monohull run & \
    timeout 60 sh -c "until /opt/monohull/start.sh healthcheck 2>/dev/null; do sleep 0.1; done"; \
    kill "$!"; \
    wait "$!"' \
  && cd /opt/monohull/dist/cache \
  && for filled in *-0; do ln -s "$filled" "${filled%0}$(id -u app)"; done \
  && chmod -R u=rwX,go=rX . \
  && rm -rf /tmp/run /tmp/state

EXPOSE 80 443 443/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/opt/monohull/start.sh", "healthcheck"]
ENTRYPOINT ["/opt/monohull/start.sh"]
CMD ["monohull", "run"]

ARG VERSION=0.1.0
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="monohull" \
  org.opencontainers.image.description="nginx in front, your app's workers behind it, HTTPS, zero failed requests through crashes and reloads" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.base.name="docker.io/library/node:24-trixie-slim" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$REVISION" \
  org.opencontainers.image.created="$CREATED"
