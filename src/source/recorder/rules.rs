//! Which fields of which objects are recorded: anything not listed here is not.

use super::Resource;

/// How a field is recorded.
#[derive(Copy, Clone, Debug)]
pub(super) enum Rule {
    /// A number, a flag, or a text chosen by Kubernetes itself: unchanged.
    Keep,
    /// A text chosen by people.
    Name,
    /// A text written by programs: secrets are masked.
    Text,
    /// A path or a host of a probe: secrets are masked.
    Path,
    /// The words of a command: secrets are masked.
    Words,
    /// Only a hash, by which equal values are recognised.
    Secret,
    /// An object of which these fields are recorded.
    Fields(&'static [(&'static str, Rule)]),
    /// An object of labels.
    Labels,
    /// An object with arbitrary keys, chosen by Kubernetes or a device plug-in.
    Each(&'static Rule),
    /// A list.
    List(&'static Rule),
    /// `managedFields`: who changed the pod template, and when.
    Managed,
}

use Rule::{Each, Fields, Keep, Labels, List, Managed, Name, Path, Secret, Text, Words};

/// The rules for a resource's objects.
pub(super) const fn of(resource: Resource) -> Rule {
    match resource {
        Resource::Pods => POD,
        Resource::Events => EVENT,
        Resource::Deployments | Resource::StatefulSets | Resource::DaemonSets => WORKLOAD,
        Resource::ReplicaSets => REPLICA_SET,
        Resource::ControllerRevisions => CONTROLLER_REVISION,
        Resource::Jobs => JOB,
        Resource::CronJobs => CRON_JOB,
        Resource::Services => SERVICE,
        Resource::EndpointSlices => ENDPOINT_SLICE,
    }
}

const POD: Rule =
    Fields(&[("apiVersion", Keep), ("kind", Keep), ("metadata", METADATA), ("spec", POD_SPEC), ("status", POD_STATUS)]);

const EVENT: Rule = Fields(&[
    ("apiVersion", Keep),
    ("kind", Keep),
    ("metadata", METADATA),
    ("involvedObject", REFERENCE),
    ("reason", Keep),
    ("message", Text),
    ("type", Keep),
    ("count", Keep),
    ("firstTimestamp", Keep),
    ("lastTimestamp", Keep),
    ("eventTime", Keep),
    ("series", Fields(&[("count", Keep), ("lastObservedTime", Keep)])),
    ("source", Fields(&[("component", Keep)])),
    ("reportingComponent", Keep),
]);

const WORKLOAD: Rule = Fields(&[
    ("apiVersion", Keep),
    ("kind", Keep),
    ("metadata", METADATA),
    (
        "spec",
        Fields(&[
            ("replicas", Keep),
            ("selector", SELECTOR),
            ("template", TEMPLATE),
            ("paused", Keep),
            ("minReadySeconds", Keep),
            ("progressDeadlineSeconds", Keep),
            ("revisionHistoryLimit", Keep),
            ("podManagementPolicy", Keep),
            ("serviceName", Name),
            ("strategy", STRATEGY),
            ("updateStrategy", STRATEGY),
        ]),
    ),
    ("status", WORKLOAD_STATUS),
]);

const REPLICA_SET: Rule = Fields(&[
    ("apiVersion", Keep),
    ("kind", Keep),
    ("metadata", METADATA),
    ("spec", Fields(&[("replicas", Keep), ("selector", SELECTOR), ("template", TEMPLATE)])),
    ("status", WORKLOAD_STATUS),
]);

const CONTROLLER_REVISION: Rule = Fields(&[
    ("apiVersion", Keep),
    ("kind", Keep),
    ("metadata", METADATA),
    ("data", Fields(&[("spec", Fields(&[("template", TEMPLATE)]))])),
    ("revision", Keep),
]);

const JOB: Rule = Fields(&[
    ("apiVersion", Keep),
    ("kind", Keep),
    ("metadata", METADATA),
    ("spec", JOB_SPEC),
    (
        "status",
        Fields(&[
            ("active", Keep),
            ("succeeded", Keep),
            ("failed", Keep),
            ("startTime", Keep),
            ("completionTime", Keep),
            ("conditions", CONDITIONS),
        ]),
    ),
]);

const CRON_JOB: Rule = Fields(&[
    ("apiVersion", Keep),
    ("kind", Keep),
    ("metadata", METADATA),
    (
        "spec",
        Fields(&[
            ("schedule", Keep),
            ("suspend", Keep),
            ("concurrencyPolicy", Keep),
            ("jobTemplate", Fields(&[("spec", JOB_SPEC)])),
        ]),
    ),
    ("status", Fields(&[("lastScheduleTime", Keep), ("lastSuccessfulTime", Keep)])),
]);

const SERVICE: Rule = Fields(&[
    ("apiVersion", Keep),
    ("kind", Keep),
    ("metadata", METADATA),
    (
        "spec",
        Fields(&[
            ("selector", Labels),
            ("type", Keep),
            ("publishNotReadyAddresses", Keep),
            ("ports", List(&Fields(&[("name", Name), ("port", Keep), ("targetPort", Name), ("protocol", Keep)]))),
        ]),
    ),
]);

const ENDPOINT_SLICE: Rule = Fields(&[
    ("apiVersion", Keep),
    ("kind", Keep),
    ("metadata", METADATA),
    ("addressType", Keep),
    (
        "endpoints",
        List(&Fields(&[
            ("addresses", List(&Name)),
            ("conditions", Fields(&[("ready", Keep), ("serving", Keep), ("terminating", Keep)])),
            ("targetRef", REFERENCE),
            ("nodeName", Name),
        ])),
    ),
    ("ports", List(&Fields(&[("name", Name), ("port", Keep), ("protocol", Keep)]))),
]);

const METADATA: Rule = Fields(&[
    ("name", Name),
    ("namespace", Name),
    ("uid", Keep),
    ("resourceVersion", Keep),
    ("generation", Keep),
    ("creationTimestamp", Keep),
    ("deletionTimestamp", Keep),
    ("deletionGracePeriodSeconds", Keep),
    ("labels", Labels),
    (
        "annotations",
        Fields(&[
            ("kubernetes.io/config.hash", Keep),
            ("deployment.kubernetes.io/revision", Keep),
            ("deployment.kubernetes.io/revision-history", Keep),
            ("rollout.argoproj.io/revision", Keep),
            ("argocd.argoproj.io/tracking-id", Name),
            ("meta.helm.sh/release-name", Name),
            ("kubectl.kubernetes.io/restartedAt", Keep),
        ]),
    ),
    (
        "ownerReferences",
        List(&Fields(&[("apiVersion", Keep), ("kind", Keep), ("name", Name), ("uid", Keep), ("controller", Keep)])),
    ),
    ("managedFields", Managed),
]);

const REFERENCE: Rule =
    Fields(&[("kind", Keep), ("namespace", Name), ("name", Name), ("uid", Keep), ("fieldPath", Name)]);

const SELECTOR: Rule = Fields(&[("matchLabels", Labels)]);

const STRATEGY: Rule = Fields(&[
    ("type", Keep),
    ("rollingUpdate", Fields(&[("maxSurge", Keep), ("maxUnavailable", Keep), ("partition", Keep)])),
]);

const WORKLOAD_STATUS: Rule = Fields(&[
    ("observedGeneration", Keep),
    ("replicas", Keep),
    ("readyReplicas", Keep),
    ("updatedReplicas", Keep),
    ("availableReplicas", Keep),
    ("currentRevision", Name),
    ("updateRevision", Name),
    ("desiredNumberScheduled", Keep),
    ("currentNumberScheduled", Keep),
    ("numberReady", Keep),
    ("updatedNumberScheduled", Keep),
    ("conditions", CONDITIONS),
]);

const JOB_SPEC: Rule = Fields(&[
    ("parallelism", Keep),
    ("completions", Keep),
    ("backoffLimit", Keep),
    ("activeDeadlineSeconds", Keep),
    ("template", TEMPLATE),
]);

const TEMPLATE: Rule = Fields(&[
    (
        "metadata",
        Fields(&[("labels", Labels), ("annotations", Fields(&[("kubectl.kubernetes.io/restartedAt", Keep)]))]),
    ),
    ("spec", POD_SPEC),
]);

const POD_SPEC: Rule = Fields(&[
    ("containers", List(&CONTAINER)),
    ("initContainers", List(&CONTAINER)),
    ("restartPolicy", Keep),
    ("terminationGracePeriodSeconds", Keep),
    ("activeDeadlineSeconds", Keep),
    ("nodeName", Name),
    ("hostNetwork", Keep),
    ("shareProcessNamespace", Keep),
]);

const CONTAINER: Rule = Fields(&[
    ("name", Name),
    ("image", Name),
    ("imagePullPolicy", Keep),
    ("restartPolicy", Keep),
    (
        "restartPolicyRules",
        List(&Fields(&[("action", Keep), ("exitCodes", Fields(&[("operator", Keep), ("values", List(&Keep))]))])),
    ),
    ("command", Words),
    ("args", Words),
    ("workingDir", Name),
    (
        "env",
        List(&Fields(&[
            ("name", Name),
            ("value", Secret),
            (
                "valueFrom",
                Fields(&[
                    ("configMapKeyRef", KEY_OF),
                    ("secretKeyRef", KEY_OF),
                    ("fieldRef", Fields(&[("fieldPath", Name)])),
                    ("resourceFieldRef", Fields(&[("resource", Keep), ("containerName", Name)])),
                ]),
            ),
        ])),
    ),
    (
        "envFrom",
        List(&Fields(&[
            ("prefix", Name),
            ("configMapRef", Fields(&[("name", Name), ("optional", Keep)])),
            ("secretRef", Fields(&[("name", Name), ("optional", Keep)])),
        ])),
    ),
    ("ports", List(&Fields(&[("name", Name), ("containerPort", Keep), ("hostPort", Keep), ("protocol", Keep)]))),
    ("resources", Fields(&[("limits", Each(&Keep)), ("requests", Each(&Keep))])),
    ("lifecycle", Fields(&[("postStart", HANDLER), ("preStop", HANDLER)])),
    ("livenessProbe", PROBE),
    ("readinessProbe", PROBE),
    ("startupProbe", PROBE),
    ("terminationMessagePolicy", Keep),
]);

const KEY_OF: Rule = Fields(&[("name", Name), ("key", Name), ("optional", Keep)]);

const PROBE: Rule = Fields(&[
    ("httpGet", HTTP_GET),
    ("tcpSocket", TCP_SOCKET),
    ("grpc", Fields(&[("port", Name), ("service", Name)])),
    ("exec", EXEC),
    ("initialDelaySeconds", Keep),
    ("periodSeconds", Keep),
    ("timeoutSeconds", Keep),
    ("successThreshold", Keep),
    ("failureThreshold", Keep),
    ("terminationGracePeriodSeconds", Keep),
]);

const HANDLER: Rule = Fields(&[
    ("exec", EXEC),
    ("httpGet", HTTP_GET),
    ("tcpSocket", TCP_SOCKET),
    ("sleep", Fields(&[("seconds", Keep)])),
]);

const EXEC: Rule = Fields(&[("command", Words)]);

const HTTP_GET: Rule = Fields(&[
    ("scheme", Keep),
    ("host", Path),
    ("port", Name),
    ("path", Path),
    ("httpHeaders", List(&Fields(&[("name", Name), ("value", Secret)]))),
]);

const TCP_SOCKET: Rule = Fields(&[("host", Path), ("port", Name)]);

const POD_STATUS: Rule = Fields(&[
    ("phase", Keep),
    ("reason", Keep),
    ("message", Text),
    ("podIP", Name),
    ("startTime", Keep),
    ("qosClass", Keep),
    ("conditions", CONDITIONS),
    ("containerStatuses", List(&CONTAINER_STATUS)),
    ("initContainerStatuses", List(&CONTAINER_STATUS)),
]);

const CONTAINER_STATUS: Rule = Fields(&[
    ("name", Name),
    ("image", Name),
    ("restartCount", Keep),
    ("containerID", Keep),
    ("ready", Keep),
    ("started", Keep),
    ("state", STATE),
    ("lastState", STATE),
]);

const STATE: Rule = Fields(&[
    ("waiting", Fields(&[("reason", Keep), ("message", Text)])),
    ("running", Fields(&[("startedAt", Keep)])),
    (
        "terminated",
        Fields(&[
            ("containerID", Keep),
            ("exitCode", Keep),
            ("signal", Keep),
            ("reason", Keep),
            ("message", Text),
            ("startedAt", Keep),
            ("finishedAt", Keep),
        ]),
    ),
]);

const CONDITIONS: Rule = List(&Fields(&[
    ("type", Keep),
    ("status", Keep),
    ("reason", Keep),
    ("message", Text),
    ("lastTransitionTime", Keep),
]));
