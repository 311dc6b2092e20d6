# Sourced: makes the current folder a Go module that may import k8s.io/client-go, and k8s.io/api and
# k8s.io/apimachinery with it, which have the same versions.

# client_go_module VERSION: for example v0.37.2.
client_go_module() {
    local version=$1
    export GOFLAGS=-mod=mod CGO_ENABLED=0
    go mod init finding 2>/dev/null
    go mod edit -require="k8s.io/client-go@$version" -require="k8s.io/api@$version" -require="k8s.io/apimachinery@$version"
}
