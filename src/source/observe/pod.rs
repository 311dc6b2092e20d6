//! Pods → snapshots.

use std::sync::Arc;

use super::{Observer, template};
use crate::engine::{ContainerId, ContainerSnapshot, Ended, Owner, PodId, PodSnapshot, PodTemplate, Role, Seen, State};
use crate::source::hash::{mark, uid};
use crate::source::mask::{self, MAX_NAME, cut};
use crate::source::objects::{
    ContainerStatusLite, List, Maybe, Oddity, PodLite, PodStatusLite, StateLite, TerminatedLite, WaitingLite,
    check_kind, time,
};

/// Most restarts that a container can have had: one less than what a 32-bit count holds.
const MAX_RESTARTS: u32 = i32::MAX as u32 - 1;

/// What [`Observer::pod`] does.
pub fn snapshot(observer: &mut Observer, pod: &PodLite, seen: Seen) -> Result<PodSnapshot, Oddity> {
    let id = identity(observer, pod)?;
    let template = template::of_pod(observer, pod)?;
    let spec = pod.spec.required("spec")?;
    let mut snapshot = PodSnapshot {
        id,
        event_uid: None,
        owner: None,
        template,
        node: (spec.node_name.known("nodeName").map_err(|oddity| oddity.under("spec"))?)
            .filter(|node| !node.is_empty())
            .map(|node| observer.name(cut(node, MAX_NAME))),
        ip: None,
        created: None,
        start_time: None,
        deleting: false,
        ended_by: None,
        containers: Vec::new(),
        version: 0,
        seen,
    };
    read_metadata(observer, pod, &mut snapshot)?;
    pod.status.read("status", |status| read_status(observer, status, &mut snapshot))?;
    Ok(snapshot)
}

/// What [`Observer::pod_id`] does.
pub fn identity(observer: &mut Observer, pod: &PodLite) -> Result<PodId, Oddity> {
    check_kind(&pod.kind, "Pod", "pods")?;
    let meta = pod.metadata.required("metadata")?;
    let under = |oddity: Oddity| oddity.under("metadata");
    let (namespace, name) = meta.identity().map_err(under)?;
    let text = meta.uid.known("uid").map_err(under)?;
    Ok(PodId { namespace: observer.name(namespace), name: Arc::from(name), uid: uid(text.map_or("", String::as_str)) })
}

fn read_metadata(observer: &mut Observer, pod: &PodLite, snapshot: &mut PodSnapshot) -> Result<(), Oddity> {
    let under = |oddity: Oddity| oddity.under("metadata");
    let meta = pod.metadata.required("metadata")?;
    snapshot.event_uid = meta.annotation(|all| &all.config_hash).map(uid);
    snapshot.owner = meta
        .controller()
        .map_err(under)?
        .map(|(kind, name)| Owner { kind: observer.name(kind), name: observer.name(name) });
    snapshot.created = meta.created().map_err(under)?;
    snapshot.deleting = time(&meta.deletion_timestamp, "deletionTimestamp").map_err(under)?.is_some();
    snapshot.version = (meta.resource_version.known("resourceVersion").map_err(under)?)
        .and_then(|version| version.parse().ok())
        .unwrap_or(0);
    Ok(())
}

fn read_status(observer: &mut Observer, status: &PodStatusLite, snapshot: &mut PodSnapshot) -> Result<(), Oddity> {
    snapshot.ip = status.pod_ip.known("podIP")?.and_then(|ip| ip.parse().ok());
    snapshot.start_time = time(&status.start_time, "startTime")?;
    let failed = status.phase.known("phase")?.is_some_and(|phase| phase == "Failed");
    snapshot.ended_by = (status.reason.known("reason")?)
        .filter(|reason| failed && !reason.is_empty())
        .map(|reason| observer.name(cut(reason, MAX_NAME)));
    let init = (&status.init_container_statuses, "initContainerStatuses", false);
    let app = (&status.container_statuses, "containerStatuses", true);
    for (statuses, name, of_app) in [init, app] {
        read_statuses(observer, statuses, name, of_app, snapshot)?;
    }
    snapshot.containers.sort_by_key(|container| container.index);
    snapshot.containers.dedup_by_key(|container| container.index);
    Ok(())
}

fn read_statuses(
    observer: &mut Observer,
    statuses: &Maybe<List<ContainerStatusLite>>,
    field: &str,
    of_app: bool,
    snapshot: &mut PodSnapshot,
) -> Result<(), Oddity> {
    let template = Arc::clone(&snapshot.template);
    statuses.each(field, |_, status| {
        let name = status.name.required("name")?;
        if let Some(index) = place(&template, name, of_app) {
            snapshot.containers.push(container(observer, index, status)?);
        }
        Ok(())
    })
}

/// The place of a container of that name in the template.
fn place(template: &PodTemplate, name: &str, of_app: bool) -> Option<usize> {
    let name = cut(name, MAX_NAME);
    template.containers.iter().position(|container| (container.role == Role::App) == of_app && &*container.name == name)
}

fn container(observer: &mut Observer, index: usize, status: &ContainerStatusLite) -> Result<ContainerSnapshot, Oddity> {
    let state = status.state.read("state", |state| current(observer, state))?;
    let last =
        status.last_state.read("lastState", |last| last.terminated.read("terminated", |last| ended(observer, last)))?;
    Ok(ContainerSnapshot {
        index,
        restarts: restarts(status)?,
        id: container_id(&status.container_id)?,
        state: state.unwrap_or_else(|| waiting(observer)),
        last: last.flatten(),
        ready: status.ready.known("ready")? == Some(&true),
        started: status.started.known("started")? == Some(&true),
    })
}

fn restarts(status: &ContainerStatusLite) -> Result<u32, Oddity> {
    let count = *status.restart_count.known("restartCount")?.unwrap_or(&0);
    u32::try_from(count)
        .ok()
        .filter(|count| *count <= MAX_RESTARTS)
        .ok_or_else(|| Oddity::value("restartCount", format!("{count} is out of range")))
}

fn container_id(field: &Maybe<String>) -> Result<Option<ContainerId>, Oddity> {
    let text = field.known("containerID")?.filter(|text| !text.is_empty());
    Ok(text.map(|text| ContainerId(mark(text.as_str()))))
}

fn current(observer: &mut Observer, state: &StateLite) -> Result<State, Oddity> {
    let ended = state.terminated.read("terminated", |end| ended(observer, end))?;
    if let Some(ended) = ended {
        return Ok(State::Ended(ended));
    }
    let running = state.running.read("running", |running| time(&running.started_at, "startedAt"))?;
    if let Some(since) = running {
        return Ok(State::Running { since });
    }
    let waits = state.waiting.read("waiting", |waits| waiting_for(observer, waits))?;
    Ok(waits.unwrap_or_else(|| waiting(observer)))
}

fn waiting_for(observer: &mut Observer, waits: &WaitingLite) -> Result<State, Oddity> {
    Ok(State::Waiting { reason: reason(observer, &waits.reason)?, message: message(&waits.message)? })
}

/// The state of a container whose status has none.
fn waiting(observer: &mut Observer) -> State {
    State::Waiting { reason: observer.name(""), message: None }
}

fn ended(observer: &mut Observer, end: &TerminatedLite) -> Result<Ended, Oddity> {
    let exit = *end.exit_code.known("exitCode")?.unwrap_or(&0);
    Ok(Ended {
        id: container_id(&end.container_id)?,
        exit: i32::try_from(exit).map_err(|_| Oddity::value("exitCode", format!("{exit} is out of range")))?,
        reason: reason(observer, &end.reason)?,
        started: time(&end.started_at, "startedAt")?,
        finished: time(&end.finished_at, "finishedAt")?,
        message: message(&end.message)?,
    })
}

fn reason(observer: &mut Observer, field: &Maybe<String>) -> Result<Arc<str>, Oddity> {
    let text = field.known("reason")?.map_or("", String::as_str);
    Ok(observer.name(cut(text, MAX_NAME)))
}

fn message(field: &Maybe<String>) -> Result<Option<Arc<str>>, Oddity> {
    let text = field.known("message")?.filter(|text| !text.is_empty());
    Ok(text.map(|text| Arc::from(mask::message(text))))
}
