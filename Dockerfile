# The image of `make image`, for who builds with a container engine: of the same files, which it leaves.
#   make image && docker build -t probehound .
# Nothing is compiled here and there is no base image, so that none has to be pinned. No engine has run
# this in the tests, which run the archive itself (make e2e-node); tests/image.rs holds it to the archive.
FROM scratch
ARG TARGETARCH=amd64
ADD target/image/common.tar /
ADD target/image/${TARGETARCH}.tar /
USER 65532:65532
WORKDIR /
EXPOSE 8080/tcp
ENTRYPOINT ["/usr/local/bin/probehound"]
