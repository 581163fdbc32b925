# Tallystick as one static binary in an otherwise empty image.
#
#   docker build --build-arg VERSION=v0.1.0 -t tallystick .
#   docker run -v tally:/data tallystick init
#   docker run -v tally:/data -p 26656:26656 tallystick
#
# The JSON-RPC and metrics servers listen on loopback unless told otherwise. To
# reach them from outside the container, set TALLY_RPC_LISTEN=0.0.0.0:8545 and
# TALLY_METRICS_LISTEN=0.0.0.0:9464, and publish the ports where you want them.

FROM golang:1.26-bookworm AS build
ENV GOTOOLCHAIN=local
WORKDIR /src

# The modules alone first: they change less often than the sources.
COPY go.mod go.sum ./
RUN go mod download

COPY . .
ARG VERSION=unknown
# cgo is on, for libsecp256k1, and everything is linked statically.
RUN CGO_ENABLED=1 go build -trimpath -buildvcs=false -tags netgo,osusergo \
    -ldflags "-s -w -X main.version=${VERSION} -linkmode external -extldflags -static" \
    -o /out/tally ./cmd/tally
RUN mkdir /out/data

FROM scratch
COPY LICENSE NOTICE /
COPY --from=build /out/tally /tally
# The node's directory belongs to a user that can do nothing else.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV TALLY_HOME=/data
VOLUME /data
EXPOSE 26656 8545 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["/tally", "health"]
# A node stops cleanly within 5 seconds of SIGTERM, before Docker's 10.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/tally"]
CMD ["start", "--home", "/data"]
