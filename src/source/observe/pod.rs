//! Pods → snapshots.

use std::sync::Arc;

use super::{Observer, template};
use crate::engine::{
    ContainerId, ContainerSnapshot, Owner, PodId, PodSnapshot, PodTemplate, Role, Seen, State, Terminated,
};
use crate::source::mask::{self, MAX_NAME};
use crate::source::objects::{
    ContainerStatusLite, List, Maybe, Meta, Oddity, PodLite, PodStatusLite, StateLite, TerminatedLite, WaitingLite,
    check_kind, time,
};
use crate::source::uid::uid;
use crate::text::cut;
use crate::text::hash::mark;

/// Maximum restart count of a container: one less than the maximum of a 32-bit integer.
const MAX_RESTARTS: u32 = i32::MAX as u32 - 1;

/// Implements [`Observer::pod`].
pub fn snapshot(observer: &mut Observer, pod: &PodLite, seen: Seen) -> Result<PodSnapshot, Oddity> {
    let id = identity(observer, pod)?;
    let template = template::of_pod(observer, pod)?;
    let spec = pod.spec.required("spec")?;
    let node = observer.within("spec", |observer| observer.text(&spec.node_name, "nodeName"));
    let mut snapshot = PodSnapshot {
        id,
        event_uid: None,
        is_static: false,
        owner: None,
        template,
        node: Some(node).filter(|node| !node.is_empty()).map(|node| observer.name(cut(node, MAX_NAME))),
        ip: None,
        created: None,
        start_time: None,
        deleting: false,
        ended_by: None,
        containers: Vec::new(),
        version: 0,
        seen,
    };
    observer.read(&pod.metadata, "metadata", |observer, meta| read_metadata(observer, meta, &mut snapshot));
    observer.read(&pod.status, "status", |observer, status| read_status(observer, status, &mut snapshot));
    Ok(snapshot)
}

/// Implements [`Observer::pod_id`].
pub fn identity(observer: &mut Observer, pod: &PodLite) -> Result<PodId, Oddity> {
    check_kind(&pod.kind, "Pod", "pods")?;
    let meta = pod.metadata.required("metadata")?;
    let under = |oddity: Oddity| oddity.under("metadata");
    let (namespace, name) = meta.identity().map_err(under)?;
    let text = meta.uid.known("uid").map_err(under)?;
    Ok(PodId { namespace: observer.name(namespace), name: Arc::from(name), uid: uid(text.map_or("", String::as_str)) })
}

fn read_metadata(observer: &mut Observer, meta: &Meta, snapshot: &mut PodSnapshot) {
    let owner = observer.controller(meta);
    let mirror = owner.as_ref().is_some_and(|owner| mirrors(owner, snapshot));
    snapshot.event_uid = meta.annotation(|all| &all.config_hash).filter(|_| mirror).map(uid);
    // A node does not control its static pods: each is a workload of its own.
    snapshot.is_static = owner.as_ref().is_some_and(|owner| &*owner.kind == "Node");
    snapshot.owner = owner.filter(|_| !snapshot.is_static);
    snapshot.created = observer.time(&meta.creation_timestamp, "creationTimestamp");
    // An unreadable timestamp still shows that it is being deleted.
    let unread = time(&meta.deletion_timestamp, "deletionTimestamp").is_err();
    snapshot.deleting = observer.time(&meta.deletion_timestamp, "deletionTimestamp").is_some() || unread;
    snapshot.version = observer.text(&meta.resource_version, "resourceVersion").parse().unwrap_or(0);
}

/// Whether a pod with that controller mirrors a static pod of its node: the kubelet appends the node's
/// name.
fn mirrors(owner: &Owner, pod: &PodSnapshot) -> bool {
    let named_after = |node: &str| pod.id.name.strip_suffix(node).is_some_and(|name| name.ends_with('-'));
    &*owner.kind == "Node" && pod.node.as_ref() == Some(&owner.name) && named_after(&owner.name)
}

fn read_status(observer: &mut Observer, status: &PodStatusLite, snapshot: &mut PodSnapshot) {
    snapshot.ip = observer.text(&status.pod_ip, "podIP").parse().ok();
    snapshot.start_time = observer.time(&status.start_time, "startTime");
    let failed = observer.text(&status.phase, "phase") == "Failed";
    let reason = observer.text(&status.reason, "reason");
    let ended_by = Some(reason).filter(|reason| failed && !reason.is_empty());
    snapshot.ended_by = ended_by.map(|reason| observer.name(cut(reason, MAX_NAME)));
    read_statuses(observer, &status.init_container_statuses, "initContainerStatuses", snapshot);
    read_statuses(observer, &status.container_statuses, "containerStatuses", snapshot);
    snapshot.containers.sort_by_key(|container| container.index);
    snapshot.containers.dedup_by_key(|container| container.index);
}

fn read_statuses(
    observer: &mut Observer,
    statuses: &Maybe<List<ContainerStatusLite>>,
    field: &'static str,
    snapshot: &mut PodSnapshot,
) {
    let template = Arc::clone(&snapshot.template);
    let of_app = field == "containerStatuses";
    observer.each(statuses, field, |observer, status| {
        let index = observer.needed(&status.name, "name").and_then(|name| place(&template, name, of_app));
        snapshot.containers.extend(index.and_then(|index| container(observer, index, status)));
    });
}

/// The index of a container in the template.
fn place(template: &PodTemplate, name: &str, of_app: bool) -> Option<usize> {
    let name = cut(name, MAX_NAME);
    template.containers.iter().position(|container| (container.role == Role::App) == of_app && &*container.name == name)
}

/// A container's status; `None` if its restart count is invalid: any substitute would be taken for
/// restarts, or hide some.
fn container(observer: &mut Observer, index: usize, status: &ContainerStatusLite) -> Option<ContainerSnapshot> {
    let restarts = match &status.restart_count {
        Maybe::Absent => 0,
        count => observer.count(count, "restartCount", MAX_RESTARTS)?,
    };
    let state = observer.read(&status.state, "state", current).flatten();
    let last = observer.read(&status.last_state, "lastState", terminated);
    Some(ContainerSnapshot {
        index,
        restarts,
        id: container_id(observer, &status.container_id),
        state: state.unwrap_or_else(|| waiting(observer)),
        last: last.flatten(),
        ready: observer.flag(&status.ready, "ready") == Some(true),
        started: observer.flag(&status.started, "started") == Some(true),
    })
}

fn container_id(observer: &mut Observer, field: &Maybe<String>) -> Option<ContainerId> {
    let text = observer.text(field, "containerID");
    (!text.is_empty()).then(|| ContainerId(mark(text)))
}

fn current(observer: &mut Observer, state: &StateLite) -> Option<State> {
    if let Some(ended) = terminated(observer, state) {
        return Some(State::Terminated(ended));
    }
    let running =
        observer.read(&state.running, "running", |observer, running| observer.time(&running.started_at, "startedAt"));
    if let Some(since) = running {
        return Some(State::Running { since });
    }
    observer.read(&state.waiting, "waiting", |observer, waits| waiting_for(observer, waits))
}

fn terminated(observer: &mut Observer, state: &StateLite) -> Option<Terminated> {
    observer.read(&state.terminated, "terminated", |observer, end| ended(observer, end))
}

fn waiting_for(observer: &mut Observer, waits: &WaitingLite) -> State {
    State::Waiting { reason: reason(observer, &waits.reason), message: message(observer, &waits.message) }
}

/// The state of a container whose status has none.
fn waiting(observer: &mut Observer) -> State {
    State::Waiting { reason: observer.name(""), message: None }
}

fn ended(observer: &mut Observer, end: &TerminatedLite) -> Terminated {
    Terminated {
        id: container_id(observer, &end.container_id),
        exit: observer.whole(&end.exit_code, "exitCode").unwrap_or(0),
        reason: reason(observer, &end.reason),
        started: observer.time(&end.started_at, "startedAt"),
        finished: observer.time(&end.finished_at, "finishedAt"),
        message: message(observer, &end.message),
    }
}

fn reason(observer: &mut Observer, field: &Maybe<String>) -> Arc<str> {
    let text = observer.text(field, "reason");
    observer.name(cut(text, MAX_NAME))
}

fn message(observer: &mut Observer, field: &Maybe<String>) -> Option<Arc<str>> {
    let text = observer.text(field, "message");
    (!text.is_empty()).then(|| Arc::from(mask::message(text)))
}
