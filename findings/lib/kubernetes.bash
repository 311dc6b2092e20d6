# Sourced: makes the current folder a Go module that may import k8s.io/kubernetes, whose parts
# are modules of their own that its go.mod takes from a folder of its repository.

# kubernetes_module VERSION: for example v1.37.2, whose parts are v0.37.2.
kubernetes_module() {
    local version=$1 requirements part
    local parts=("-require=k8s.io/kubernetes@$version")
    export GOFLAGS=-mod=mod CGO_ENABLED=0
    go mod init finding 2>/dev/null
    requirements=$(go mod download -json "k8s.io/kubernetes@$version" | sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p')
    for part in $(sed -n 's|.*\(k8s.io/[a-z-]*\) => ./staging/.*|\1|p' "$requirements"); do
        parts+=("-replace=$part=$part@v0.${version#v1.}")
    done
    go mod edit "${parts[@]}"
}
