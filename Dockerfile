# The whole system in one image; the servers stand outside (docker-compose.yml).
FROM node:24-slim
WORKDIR /app
COPY . .
RUN node tools/bootstrap.mjs install && mkdir -p /data && chown node:node /data && chown -R node:node /app
# 1000 is the image's user `node`.
USER 1000
ENV AL_DATA_DIR=/data HOST=0.0.0.0 PORT=3000
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:3000/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "tools/bootstrap.mjs", "start"]
