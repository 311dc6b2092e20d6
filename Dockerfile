# syntax=docker/dockerfile:1
# The operator: docker build --build-arg REVISION=$(git rev-parse HEAD) -t probehound .
# A recording is replayed with: docker run --rm -i IMAGE replay - < incident.jsonl.gz

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
# The image's own toolchain is the pinned one: rustup need not fetch lints and formatter.
ENV RUSTUP_TOOLCHAIN=1.95.0
COPY Cargo.toml Cargo.lock ./
# The dependencies alone, in a layer that changes only with Cargo.lock.
# Cargo wants the targets that Cargo.toml names to be there, though it does not build them.
RUN mkdir -p src benches/cost tests/cluster tests/node && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs benches/cost/main.rs tests/cluster/main.rs tests/node/main.rs \
    && cargo build --release --locked && rm -r src
COPY src src
# What probehound_build_info says.
ARG REVISION=unknown
ENV PROBEHOUND_REVISION=$REVISION
# Cargo goes by the time of a file: what was just copied may be older than the stand-in.
RUN touch src/main.rs src/lib.rs && cargo build --release --locked

# glibc and CA certificates, no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /build/target/release/probehound /usr/local/bin/probehound
COPY LICENSE /usr/share/doc/probehound/LICENSE
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/probehound"]
