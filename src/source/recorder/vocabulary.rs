//! The vocabulary of Kubernetes, kubelets, runtimes, shells and network libraries: not secret, and needed
//! to distinguish failures.

use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Whether a word, in lower case, is one of them.
pub(super) fn has(word: &str) -> bool {
    static ALL: LazyLock<BTreeSet<&str>> = LazyLock::new(|| WORDS.split_ascii_whitespace().collect());
    ALL.contains(word)
}

/// Whether the key of a label, an annotation or a resource belongs to Kubernetes or a widespread tool: it
/// has a meaning for controllers.
pub(super) fn is_known_key(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').unwrap_or(("", key));
    DOMAINS
        .iter()
        .any(|domain| prefix == *domain || prefix.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
        || prefix.is_empty() && KEYS.contains(&name)
}

const DOMAINS: [&str; 6] = ["kubernetes.io", "k8s.io", "argoproj.io", "fluxcd.io", "helm.sh", "nvidia.com"];

/// Keys without a domain prefix.
const KEYS: [&str; 12] = [
    "app",
    "controller-revision-hash",
    "controller-uid",
    "cpu",
    "ephemeral-storage",
    "job-name",
    "k8s-app",
    "memory",
    "pod-template-generation",
    "pod-template-hash",
    "rollouts-pod-template-hash",
    "tier",
];

const WORDS: &str = "\
    a abort aborted accept access actuator address addresses admission admit after again alive all allowed already \
    also an and answer answered any apiserver applied apply are argo argocd argoproj argument as ash assigned at \
    atoi attempt attempting authentication authorization authorized available bad bash be because been before begin \
    below between bin body both break broke broken browser busybox but by call called can canceled cancelled cannot \
    case cat cd certificate cgroup change changed check cli client close closed cluster cmd cni code combined come \
    command completed condition config configmap configuration configured connect connected connecting connection \
    container containercannotrun containerd containers containerstatusunknown content context continue control \
    controller cookie could count cp crashloopbackoff create createcontainerconfigerror createcontainererror \
    created creating creation cri crio critical cronjob curl current daemon daemonset dash date dd dead deadline \
    deadlineexceeded default definition delete deleted deleting denied deployment desc describe dev dial did \
    directory disk dns do docker does done down due during ec echo edit either elif else end ended ending endpoint \
    endpoints endpointslice env eof ephemeralcontainers err errimageneverpull errimagepull error errored errors \
    esac etc euo eux eval even event events evicted ex exceeded exceeding exec executable execute executing \
    execution exist exists exit exited exiting expected export fail failed failedpoststarthook failedprestophook \
    failing fails failure false fatal fi file files find finished first flux fluxcd for forbidden format found from \
    function gave get given go gone grep grpc h2c had handshake has hash have head header headers health healthy \
    healthz helm hook host hosts http http1 http2 https identifier if image imageinspecterror imagepullbackoff \
    images implement implemented import in inaccessible index init initcontainers inspect internal interrupt \
    interrupted into invalid invalidimagename io ip ipv4 ipv6 is it its java job jq json k8s kept key kill killed \
    killing kind ksh kube kubectl kubelet kubepods kubernetes kustomization kustomize last lc lib lib64 limit line \
    list live liveness livez ln load local localhost lock logger lookup lost ls machine malformed manager many max \
    maximum may memory message method metrics mime min minimum missing mkdir mksh mnt mode more most mount \
    mountvolume multiple must mv name named names namespace nc near need network never new next nice no node \
    nodelost nodes nohup none nonroot nor not notfound nothing null number object obtain oci octet odd of off \
    offset old omitted on once one only oom oomkilled open opened operation operator opt option options or other \
    out output over own parse parsing pass passed path pause pending per perl permission permitted pgrep php pid \
    pids ping pod podman pods podsandbox port ports post poststarthook preempt preempted preempting present prestop \
    prestophook prevent printf probe probed probes proc process processes protocol ps pull pulled pulling \
    pullsecret pwd python python3 quit re reached reaching read readiness ready readyz reason receive received \
    recreated redirect redirects refused register registryunavailable regular rejected release remote remove \
    removed replace replica replicas replicaset replication reply request requested requests required requires \
    reset resize resolution resolve resource resources respond responded responding response restart restarted \
    restarting result resulted results retry return returned returning revision right rm rollout rollouts root \
    route rpc ruby run runc runcontainererror running runtime sandbox sbin scaled schedule scheduled scheduler \
    scheme second seconds secret sed see send sending sent server service services serving set setsid sh sha256 \
    shell shift shim short should shutdown side sigabrt sigbus sigfpe sigill sigint sigkill signal sigsegv sigterm \
    similar since size sleep so socket some something source spec specified srv ssl start started starterror \
    starting startup stat state statefulset status statuscode stdbuf step stop stopped stopping strconv stream \
    string subpath success successful successfully such sudo svc sync syntax sys syscall system tail take target \
    task tcp tee template terminate terminated terminating termination test text than that the their them then \
    there this threshold throttled through time timed timeout times tls tmp to token too took toolkit touch \
    transport trap true truncated try two type udp unable unavailable unbound undefined unexpected unhealthy \
    unimplemented unknown unless unreachable unrecognized unset unsupported until up updated updating uri url usage \
    use used user using valid var variable version volume wait waiting want warning was watch were wget what when \
    where which while who will with within without would write writing wrong x509 yet you your zero zsh";
