//! The parts of pods, and events, as messages: the fields of the lean types, and all of `env` and `envFrom`,
//! whose hash has to be that of the JSON.
//!
//! Numbers and names are those of `core/v1/generated.proto` and `meta/v1/generated.proto`, what is shown
//! those of the tags in `types.go`. A new field of a lean type needs its line here.

use super::message::Kind::{Flag, Inline, IntOrString, List, Map, MicroTime, Number, Object, Quantity, Text, Time};
use super::message::{Field, Message};

/// An event of the core group.
pub static EVENT: Message = Message::new(&[
    Field::new(1, "metadata", Object(&OBJECT_META)),
    Field::new(2, "involvedObject", Object(&OBJECT_REFERENCE)),
    Field::new(3, "reason", Text),
    Field::new(4, "message", Text),
    Field::new(5, "source", Object(&EVENT_SOURCE)),
    Field::new(6, "firstTimestamp", Time),
    Field::new(7, "lastTimestamp", Time),
    Field::new(8, "count", Number),
    Field::new(10, "eventTime", MicroTime),
    Field::new(11, "series", Object(&EVENT_SERIES)),
    Field::shown(14, "reportingComponent", Text),
]);

/// The metadata of a list.
pub static LIST_META: Message =
    Message::new(&[Field::new(2, "resourceVersion", Text), Field::new(3, "continue", Text)]);

/// The object of a bookmark.
pub static BOOKMARK: Message = Message::new(&[Field::new(1, "metadata", Object(&BOOKMARK_META))]);

/// A status, which is the answer to a request that failed.
pub static STATUS: Message = Message::new(&[
    Field::new(2, "status", Text),
    Field::new(3, "message", Text),
    Field::new(4, "reason", Text),
    Field::new(6, "code", Number),
]);

static BOOKMARK_META: Message =
    Message::new(&[Field::new(6, "resourceVersion", Text), Field::new(12, "annotations", Map(&Text))]);

/// The metadata of an object.
pub static OBJECT_META: Message = Message::new(&[
    Field::new(1, "name", Text),
    Field::new(3, "namespace", Text),
    Field::new(5, "uid", Text),
    Field::new(6, "resourceVersion", Text),
    Field::new(7, "generation", Number),
    Field::new(8, "creationTimestamp", Time),
    Field::new(9, "deletionTimestamp", Time),
    Field::new(11, "labels", Map(&Text)),
    Field::new(12, "annotations", Map(&Text)),
    Field::new(13, "ownerReferences", List(&Object(&OWNER_REFERENCE))),
]);

/// The labels of an object, in its metadata.
pub static LABELS: Message = Message::new(&[Field::new(11, "labels", Map(&Text))]);

static OWNER_REFERENCE: Message =
    Message::new(&[Field::shown(1, "kind", Text), Field::shown(3, "name", Text), Field::shown(6, "controller", Flag)]);

static OBJECT_REFERENCE: Message = Message::new(&[
    Field::new(1, "kind", Text),
    Field::new(2, "namespace", Text),
    Field::new(3, "name", Text),
    Field::new(4, "uid", Text),
    Field::new(7, "fieldPath", Text),
]);

static EVENT_SOURCE: Message = Message::new(&[Field::new(1, "component", Text)]);

static EVENT_SERIES: Message =
    Message::new(&[Field::new(1, "count", Number), Field::new(2, "lastObservedTime", MicroTime)]);

/// The spec of a pod, without the name of its node.
pub static COMMON_SPEC: Message = Message::new(&[
    Field::new(2, "containers", List(&Object(&CONTAINER))),
    Field::new(3, "restartPolicy", Text),
    Field::shown(4, "terminationGracePeriodSeconds", Number),
    Field::new(11, "hostNetwork", Flag),
    Field::new(20, "initContainers", List(&Object(&CONTAINER))),
]);

/// The status of a pod.
pub static POD_STATUS: Message = Message::new(&[
    Field::new(1, "phase", Text),
    Field::new(4, "reason", Text),
    Field::new(6, "podIP", Text),
    Field::new(7, "startTime", Time),
    Field::new(8, "containerStatuses", List(&Object(&CONTAINER_STATUS))),
    Field::new(10, "initContainerStatuses", List(&Object(&CONTAINER_STATUS))),
]);

static CONTAINER: Message = Message::new(&[
    Field::shown(1, "name", Text),
    Field::new(2, "image", Text),
    Field::new(3, "command", List(&Text)),
    Field::new(4, "args", List(&Text)),
    Field::new(6, "ports", List(&Object(&CONTAINER_PORT))),
    Field::new(7, "env", List(&Object(&ENV_VAR))),
    Field::new(8, "resources", Object(&RESOURCES)),
    Field::new(10, "livenessProbe", Object(&PROBE)),
    Field::new(11, "readinessProbe", Object(&PROBE)),
    Field::new(12, "lifecycle", Object(&LIFECYCLE)),
    Field::new(14, "imagePullPolicy", Text),
    Field::new(19, "envFrom", List(&Object(&ENV_FROM))),
    Field::new(22, "startupProbe", Object(&PROBE)),
    Field::shown(24, "restartPolicy", Text),
    Field::new(25, "restartPolicyRules", List(&Object(&RESTART_RULE))),
]);

static RESTART_RULE: Message =
    Message::new(&[Field::new(1, "action", Text), Field::new(2, "exitCodes", Object(&EXIT_CODES))]);

static EXIT_CODES: Message = Message::new(&[Field::new(1, "operator", Text), Field::new(2, "values", List(&Number))]);

static CONTAINER_PORT: Message = Message::new(&[Field::new(1, "name", Text), Field::shown(3, "containerPort", Number)]);

static RESOURCES: Message = Message::new(&[Field::new(1, "limits", Map(&Quantity))]);

static LIFECYCLE: Message = Message::new(&[Field::new(1, "postStart", Object(&UNREAD))]);

/// An object of which only the presence matters.
static UNREAD: Message = Message::new(&[]);

static PROBE: Message = Message::new(&[
    Field::new(1, "handler", Inline(&PROBE_HANDLER)),
    Field::new(2, "initialDelaySeconds", Number),
    Field::new(3, "timeoutSeconds", Number),
    Field::new(4, "periodSeconds", Number),
    Field::new(6, "failureThreshold", Number),
    Field::shown(7, "terminationGracePeriodSeconds", Number),
]);

static PROBE_HANDLER: Message = Message::new(&[
    Field::new(1, "exec", Object(&EXEC)),
    Field::new(2, "httpGet", Object(&HTTP_GET)),
    Field::new(3, "tcpSocket", Object(&TCP_SOCKET)),
    Field::new(4, "grpc", Object(&GRPC)),
]);

static EXEC: Message = Message::new(&[Field::new(1, "command", List(&Text))]);

static HTTP_GET: Message = Message::new(&[
    Field::new(1, "path", Text),
    Field::shown(2, "port", IntOrString),
    Field::new(3, "host", Text),
    Field::new(4, "scheme", Text),
    Field::new(5, "httpHeaders", List(&Object(&HTTP_HEADER))),
]);

static HTTP_HEADER: Message = Message::new(&[Field::shown(1, "name", Text), Field::shown(2, "value", Text)]);

static TCP_SOCKET: Message = Message::new(&[Field::shown(1, "port", IntOrString), Field::new(2, "host", Text)]);

static GRPC: Message = Message::new(&[Field::shown(1, "port", Number), Field::shown(2, "service", Text)]);

static ENV_VAR: Message = Message::new(&[
    Field::shown(1, "name", Text),
    Field::new(2, "value", Text),
    Field::new(3, "valueFrom", Object(&ENV_VAR_SOURCE)),
]);

static ENV_VAR_SOURCE: Message = Message::new(&[
    Field::new(1, "fieldRef", Object(&FIELD_REF)),
    Field::new(2, "resourceFieldRef", Object(&RESOURCE_FIELD_REF)),
    Field::new(3, "configMapKeyRef", Object(&KEY_REF)),
    Field::new(4, "secretKeyRef", Object(&KEY_REF)),
    Field::new(5, "fileKeyRef", Object(&FILE_KEY_REF)),
]);

static FIELD_REF: Message = Message::new(&[Field::new(1, "apiVersion", Text), Field::shown(2, "fieldPath", Text)]);

static RESOURCE_FIELD_REF: Message = Message::new(&[
    Field::new(1, "containerName", Text),
    Field::shown(2, "resource", Text),
    Field::shown(3, "divisor", Quantity),
]);

static KEY_REF: Message = Message::new(&[
    Field::new(1, "localObjectReference", Inline(&LOCAL_OBJECT_REFERENCE)),
    Field::shown(2, "key", Text),
    Field::shown(3, "optional", Flag),
]);

static FILE_KEY_REF: Message = Message::new(&[
    Field::shown(1, "volumeName", Text),
    Field::shown(2, "path", Text),
    Field::shown(3, "key", Text),
    Field::shown(4, "optional", Flag),
]);

static LOCAL_OBJECT_REFERENCE: Message = Message::new(&[Field::new(1, "name", Text)]);

static ENV_FROM: Message = Message::new(&[
    Field::new(1, "prefix", Text),
    Field::new(2, "configMapRef", Object(&ENV_SOURCE)),
    Field::new(3, "secretRef", Object(&ENV_SOURCE)),
]);

static ENV_SOURCE: Message = Message::new(&[
    Field::new(1, "localObjectReference", Inline(&LOCAL_OBJECT_REFERENCE)),
    Field::shown(2, "optional", Flag),
]);

static CONTAINER_STATUS: Message = Message::new(&[
    Field::shown(1, "name", Text),
    Field::new(2, "state", Object(&CONTAINER_STATE)),
    Field::new(3, "lastState", Object(&CONTAINER_STATE)),
    Field::shown(4, "ready", Flag),
    Field::shown(5, "restartCount", Number),
    Field::new(8, "containerID", Text),
    Field::shown(9, "started", Flag),
]);

static CONTAINER_STATE: Message = Message::new(&[
    Field::new(1, "waiting", Object(&WAITING)),
    Field::new(2, "running", Object(&RUNNING)),
    Field::new(3, "terminated", Object(&TERMINATED)),
]);

static WAITING: Message = Message::new(&[Field::new(1, "reason", Text), Field::new(2, "message", Text)]);

static RUNNING: Message = Message::new(&[Field::new(1, "startedAt", Time)]);

static TERMINATED: Message = Message::new(&[
    Field::shown(1, "exitCode", Number),
    Field::new(3, "reason", Text),
    Field::new(4, "message", Text),
    Field::new(5, "startedAt", Time),
    Field::new(6, "finishedAt", Time),
    Field::new(7, "containerID", Text),
]);

#[cfg(test)]
mod tests {
    use super::super::message::Kind;
    use super::*;

    #[test]
    fn a_message_is_read_in_one_pass() {
        for message in [&OBJECT_META, &LABELS, &COMMON_SPEC, &POD_STATUS, &EVENT, &LIST_META, &BOOKMARK, &STATUS] {
            check(message);
        }
    }

    /// Whether the lists that were read fit into the bits that tell so, and no list is inside of an inline message.
    fn check(message: &Message) {
        assert!(message.fields.len() <= 64);
        for field in message.fields {
            if let Inline(inner) = &field.kind {
                assert!(!inner.fields.iter().any(|field| matches!(field.kind, List(_) | Map(_) | Inline(_))));
            }
            assert_eq!(message.fields.iter().filter(|other| other.number == field.number).count(), 1, "{field:?}");
            check_kind(&field.kind);
        }
    }

    fn check_kind(kind: &Kind) {
        match kind {
            Object(inner) | Inline(inner) => check(inner),
            List(item) | Map(item) => check_kind(item),
            _ => {}
        }
    }
}
