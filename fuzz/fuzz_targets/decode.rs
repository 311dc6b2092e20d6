//! The lean decoder beside `k8s_openapi`'s full `Pod`, on the same bytes.
//!
//! 1. What the full type takes, the lean one takes.
//! 2. What the lean one takes is JSON.
//! 3. Where both give a pod and the observer makes a snapshot of it, they agree on all that the
//!    engine decides by. Where the observer refuses it, or a field of it, the pod is one that no API
//!    server serves.
#![no_main]

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use probehound::engine::{ContainerSnapshot, Observation, PodSnapshot, Role, Seen, State, Terminated};
use probehound::source::objects::{EventLite, PodLite};
use probehound::source::{Input, Observer};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    probehound_fuzz::mutate(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let lean = serde_json::from_slice::<PodLite>(data);
    let full = serde_json::from_slice::<Pod>(data);
    if lean.is_ok() {
        assert!(serde_json::from_slice::<serde::de::IgnoredAny>(data).is_ok(), "the lean type takes what is no JSON");
    }
    let mut observer = Observer::new();
    let read =
        lean.as_ref().ok().map(|lean| observer.observe(&Input::<&PodLite, &EventLite>::Pod(lean, Seen::Changed)));
    let Ok(full) = full else { return };
    let lean = lean.expect("the full type takes what the lean one refuses");
    match read.expect("there is a lean pod") {
        Ok(observed) => match (observed.odd.first(), observed.observation) {
            (None, Some(Observation::Pod(snapshot))) => agree(&snapshot, &full),
            (odd, _) => assert!(is_impossible(&full), "{odd:?}\n{lean:?}"),
        },
        Err(oddity) => assert!(is_impossible(&full), "{oddity}\n{lean:?}"),
    }
});

fn agree(snapshot: &PodSnapshot, full: &Pod) {
    let meta = &full.metadata;
    assert_eq!(&*snapshot.id.namespace, cut(meta.namespace.as_deref().unwrap_or("")));
    assert_eq!(&*snapshot.id.name, cut(meta.name.as_deref().unwrap_or("")));
    assert_eq!(snapshot.deleting, meta.deletion_timestamp.as_ref().is_some_and(|time| !is_zero(time)));
    let spec = full.spec.as_ref().expect("a snapshot needs a spec");
    assert_eq!(snapshot.node.as_deref(), spec.node_name.as_deref().filter(|name| !name.is_empty()).map(cut));
    let init = spec.init_containers.as_deref().unwrap_or(&[]);
    let names = init.iter().chain(&spec.containers).map(|container| cut(&container.name));
    assert!(snapshot.template.containers.iter().map(|container| &*container.name).eq(names));
    for (index, container) in snapshot.template.containers.iter().enumerate() {
        assert_eq!(container.role == Role::App, index >= init.len());
    }
    let status = full.status.clone().unwrap_or_default();
    let of_app = status.container_statuses.unwrap_or_default();
    let of_init = status.init_container_statuses.unwrap_or_default();
    for container in &snapshot.containers {
        let spec = &snapshot.template.containers[container.index];
        let statuses = if spec.role == Role::App { &of_app } else { &of_init };
        // Of several of one name the first counts.
        let of_full = statuses.iter().find(|status| cut(&status.name) == &*spec.name).expect("a status of that name");
        agree_on_container(container, of_full);
    }
}

fn agree_on_container(lean: &ContainerSnapshot, full: &ContainerStatus) {
    assert_eq!(i64::from(lean.restarts), i64::from(full.restart_count));
    assert_eq!(lean.ready, full.ready);
    assert_eq!(lean.started, full.started.unwrap_or(false));
    assert_eq!(lean.id.is_some(), full.container_id.as_deref().is_some_and(|id| !id.is_empty()));
    let none = ContainerState::default();
    let state = full.state.as_ref().unwrap_or(&none);
    match (&lean.state, state) {
        (State::Terminated(ended), ContainerState { terminated: Some(full), .. }) => agree_on_end(ended, full),
        (State::Running { since }, ContainerState { terminated: None, running: Some(full), .. }) => {
            let full = full.started_at.as_ref().filter(|time| !is_zero(time));
            assert_eq!(since.map(|time| time.as_millis()), full.map(|time| time.0.as_millisecond()));
        }
        (State::Waiting { reason, .. }, ContainerState { terminated: None, running: None, waiting }) => {
            let full = waiting.as_ref().and_then(|waits| waits.reason.as_deref()).unwrap_or("");
            assert_eq!(&**reason, cut(full));
        }
        (lean, full) => panic!("{lean:?} is not {full:?}"),
    }
    let last = full.last_state.as_ref().and_then(|last| last.terminated.as_ref());
    assert_eq!(lean.last.is_some(), last.is_some());
    if let (Some(lean), Some(full)) = (&lean.last, last) {
        agree_on_end(lean, full);
    }
}

fn agree_on_end(lean: &Terminated, full: &k8s_openapi::api::core::v1::ContainerStateTerminated) {
    assert_eq!(lean.exit, full.exit_code);
    assert_eq!(&*lean.reason, cut(full.reason.as_deref().unwrap_or("")));
    let finished = full.finished_at.as_ref().filter(|time| !is_zero(time));
    assert_eq!(lean.finished.map(|time| time.as_millis()), finished.map(|time| time.0.as_millisecond()));
}

/// Whether an API server would never serve it, although the type can hold it.
fn is_impossible(pod: &Pod) -> bool {
    let meta = &pod.metadata;
    let Some(spec) = &pod.spec else { return true };
    let status = pod.status.clone().unwrap_or_default();
    let controllers = meta.owner_references.iter().flatten();
    let containers = || spec.init_containers.iter().flatten().chain(&spec.containers);
    let statuses = [status.container_statuses, status.init_container_statuses].into_iter().flatten().flatten();
    let probes =
        containers().flat_map(|it| [&it.liveness_probe, &it.readiness_probe, &it.startup_probe].into_iter().flatten());
    meta.name.as_deref().unwrap_or("").is_empty()
        || spec.containers.is_empty()
        || containers().any(|it| it.name.is_empty())
        || containers().flat_map(|it| it.ports.iter().flatten()).any(|port| !(1..=65535).contains(&port.container_port))
        || statuses
            .into_iter()
            .any(|it| it.name.is_empty() || !(0..i32::MAX).contains(&it.restart_count) || odd_times(&it))
        || controllers.into_iter().any(|it| it.kind.is_empty() || it.name.is_empty())
        || probes.into_iter().any(odd_probe)
        || [&meta.creation_timestamp, &meta.deletion_timestamp].into_iter().flatten().any(odd_time)
}

fn odd_probe(probe: &Probe) -> bool {
    let counts = [probe.period_seconds, probe.timeout_seconds, probe.failure_threshold, probe.initial_delay_seconds];
    let handlers = [probe.http_get.is_some(), probe.tcp_socket.is_some(), probe.grpc.is_some(), probe.exec.is_some()];
    counts.into_iter().flatten().any(|count| count < 0)
        || handlers.into_iter().filter(|set| *set).count() != 1
        || odd_port(probe)
}

/// A port that is none, which is also what the full type makes of one that is absent.
fn odd_port(probe: &Probe) -> bool {
    let named = [probe.http_get.as_ref().map(|get| &get.port), probe.tcp_socket.as_ref().map(|tcp| &tcp.port)];
    let is_odd = |port: &IntOrString| match port {
        IntOrString::Int(number) => !(1..=65535).contains(number),
        IntOrString::String(name) => name.is_empty(),
    };
    named.into_iter().flatten().any(is_odd) || probe.grpc.as_ref().is_some_and(|grpc| !(1..=65535).contains(&grpc.port))
}

fn odd_times(status: &ContainerStatus) -> bool {
    [&status.state, &status.last_state].into_iter().flatten().any(|state| {
        let ended = state.terminated.iter().flat_map(|end| [&end.started_at, &end.finished_at]);
        let running = state.running.iter().map(|running| &running.started_at);
        ended.chain(running).flatten().any(odd_time)
    })
}

/// A year in which no cluster ran, but for Go's zero time and the epoch, which mean none.
fn odd_time(time: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Time) -> bool {
    let first = 946_684_800_000;
    let end = 7_258_118_400_000;
    !(first..end).contains(&time.0.as_millisecond()) && !is_zero(time)
}

fn is_zero(time: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Time) -> bool {
    time.0.as_second() == -62_135_596_800 || time.0.as_nanosecond() == 0
}

/// Names are cut to what one can be.
fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(253)]
}
