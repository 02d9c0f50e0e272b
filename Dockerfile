# The server as an image: production dependencies, source and pages; run as `node`, who can write only /data.
#   docker build -t rookery .
#   docker run --read-only --cap-drop=ALL -p 2567:2567 -v rookery-data:/data rookery

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Nothing here needs an install script, and the one optional dependency is a native decoder that is not wanted.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-bookworm-slim AS pages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY shared shared
COPY client-sim client-sim
RUN node client-sim/web/build.ts

FROM node:24-bookworm-slim
ENV NODE_ENV=production PORT=2567 DATA_DIR=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY shared shared
COPY server server
COPY --from=pages /app/client-sim/web/dist client-sim/web/dist
RUN install --directory --owner=node --group=node --mode=0700 /data
VOLUME /data
USER node
EXPOSE 2567
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "server/main.ts"]
