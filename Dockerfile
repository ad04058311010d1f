# syntax=docker/dockerfile:1.12
# All images are made by this file, from one build:
#
#   docker build --build-arg SERVICE=gateway -t agentlattice/gateway .
#   docker build --build-arg SERVICE=migrate --target migrate -t agentlattice/migrate .
#
# Tags name the versions here. A release passes BUILD_IMAGE and RUNTIME_IMAGE with the digests of these tags
# (docs/operations/images.md).
ARG BUILD_IMAGE=node:24.21.0-bookworm-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs24-debian12:nonroot

# Packages and compiled programs; the same for every image, so it is built once.
FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY . .
# `install` also builds everything. The lock file must not change by it: then it would not be what was reviewed.
RUN sha256sum package-lock.json > /tmp/lock.sha256 \
  && node tools/bootstrap.mjs install \
  && sha256sum --check /tmp/lock.sha256

# What the image of one program holds.
FROM build AS root
ARG SERVICE
RUN node tools/image-root.mjs "${SERVICE:?name a service with --build-arg SERVICE=}" /image && mkdir /data

# Node without a shell or a package manager. The files belong to root, so the program cannot change itself.
FROM ${RUNTIME_IMAGE} AS runtime
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="AgentLattice Approvals" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
ENV NODE_ENV=production
# Numeric, so that Kubernetes can see that it is not root.
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/nodejs/bin/node"]

# Roles, schemas, migrations and the first workspace: a job that ends.
FROM runtime AS migrate
COPY --from=root /image /app
HEALTHCHECK NONE
CMD ["tools/launcher/dist/migrate.js"]

FROM runtime AS service
ARG SERVICE
COPY --from=root /image /app
# A volume takes this owner when it is new.
COPY --from=root --chown=65532:65532 /data /var/lib/agentlattice
ENV AL_SERVICE_NAME=${SERVICE} \
  AL_DATA_DIR=/var/lib/agentlattice \
  HOST=0.0.0.0 \
  PORT=3000 \
  AL_HEALTH_HOST=0.0.0.0 \
  AL_HEALTH_PORT=8081
EXPOSE 3000 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["/nodejs/bin/node", "-e", "fetch(`http://127.0.0.1:${process.env.AL_SERVICE_NAME === 'gateway' ? process.env.PORT : process.env.AL_HEALTH_PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# A deployment puts the limits of memory before these (deploy/memory.json).
CMD ["--import", "./tools/service-preload.mjs", "main.js"]
