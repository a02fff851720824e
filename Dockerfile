# Samsa in a container: docker build -t samsa . ; docker-compose.yml starts a cluster of it.
# The tools are in /opt/kafka/bin, with and without .sh. Settings are KAFKA_* variables, as in KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181.
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/kafka
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run -s build:programs && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
WORKDIR /opt/kafka
COPY --from=build /opt/kafka/package.json /opt/kafka/LICENSE ./
COPY --from=build /opt/kafka/node_modules node_modules
COPY --from=build /opt/kafka/dist/programs dist/programs
COPY --from=build /opt/kafka/etc etc
COPY --from=build /opt/kafka/bin bin
RUN mkdir -p /var/lib/kafka/data && chown 1000:1000 /var/lib/kafka/data
ENV PATH=/opt/kafka/bin:$PATH
USER 1000:1000
VOLUME /var/lib/kafka/data
EXPOSE 9092
# A stop hands over leaderships before the broker goes (controlled shutdown): docker stop --time 30 leaves it the time.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=6 CMD ["kafka-container-health"]
CMD ["kafka-server-start", "/opt/kafka/etc/container.properties"]
