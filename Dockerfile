FROM node:22-bookworm-slim AS build
WORKDIR /app

# Dependencies are a layer of their own: they change less often than the code.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts

COPY tsconfig.json ./
COPY src ./src
COPY sql ./sql
COPY config ./config
# No install script of a package is run. The only one there is completes the embedded Postgres, which the program does itself;
# here, as whoever runs it later may not write to its files.
RUN npm run build && npm prune --omit=dev --ignore-scripts \
    && node --eval "import('./dist/src/db/embedded-binaries.js').then(({ embeddedBinaries }) => embeddedBinaries(undefined))"

FROM node:22-bookworm-slim
ENV NODE_ENV=production \
    USER_SYNC_CONFIG=/app/config/container/user-sync.yaml
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist/src /app/dist/src
COPY src/http/assets /app/src/http/assets
COPY sql /app/sql
COPY config /app/config
COPY LICENSE /app/LICENSE

# Batch files are personal data: nobody else in the container may read them.
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/user-sync \
    && ln -s /app/dist/src/main.js /usr/local/bin/user-sync \
    && chmod 0755 /app/dist/src/main.js
VOLUME /var/lib/user-sync
WORKDIR /var/lib/user-sync
USER node
EXPOSE 8080

HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((response) => process.exit(response.ok ? 0 : 1), () => process.exit(1))"]

ENTRYPOINT ["node", "/app/dist/src/main.js"]
CMD ["serve"]
