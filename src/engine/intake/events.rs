//! A kubelet event → the history of the container that it is about.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use crate::diagnosis::Blocked;
use crate::engine::Settings;
use crate::engine::intake::container_status::history;
use crate::engine::memory::history::{Kill, KillReason, ProbeEvent, ProbeEventKind};
use crate::engine::memory::pods::{Phase, Pod};
use crate::engine::observation::KubeletEvent;
use crate::kubelet::{EventMessage, Failure, Handler, Killing, ProbeKind, asked_port, dialed};
use crate::template::{ContainerSpec, Role};

/// How long a pod may wait for its sandbox and its volumes.
const STILL_COMING: Duration = Duration::from_secs(30);

/// What an event showed.
#[derive(Default)]
pub struct EventUpdate {
    /// The container that it is about, if the event is new.
    pub container: Option<usize>,
    /// A probe that could not run.
    pub errored: Option<ProbeKind>,
    /// A probe that failed, and how many of the failures are new.
    pub failed: Option<(ProbeKind, u32)>,
}

/// Takes in an event on a pod.
pub fn take_in(pod: &mut Pod, event: &KubeletEvent, settings: &Settings) -> EventUpdate {
    let mut probed = |probe, kind, output| probed(pod, event, settings, probe, kind, output);
    match &event.said {
        EventMessage::ProbeFailed { probe, output } => probed(*probe, ProbeEventKind::Failed, output),
        EventMessage::ProbeErrored { probe, output } => probed(*probe, ProbeEventKind::Errored, output),
        EventMessage::ProbeWarning { probe } => probed(*probe, ProbeEventKind::Warned, &Arc::from("")),
        EventMessage::Killing(killing) => killed(pod, event, killing),
        EventMessage::HookFailed => hook_failed(pod, event),
        EventMessage::StartFailed { .. } => EventUpdate::default(),
        EventMessage::SandboxFailed { reason, output } => no_sandbox(pod, event, reason, output),
    }
}

fn probed(
    pod: &mut Pod,
    event: &KubeletEvent,
    settings: &Settings,
    probe: ProbeKind,
    kind: ProbeEventKind,
    output: &Arc<str>,
) -> EventUpdate {
    let Some(at) = speaks_of(pod, event, probe, output) else {
        return EventUpdate::default();
    };
    let template = Arc::clone(&pod.template);
    let spec = &template.containers[at];
    let (Some(probe_spec), false) = (spec.probe(probe), pod.deleting) else {
        return EventUpdate::default();
    };
    let failure = match kind {
        ProbeEventKind::Failed => Failure::of_failed(&probe_spec.handler, &spec.ports, output),
        ProbeEventKind::Errored => Failure::of_errored(&probe_spec.handler, output),
        ProbeEventKind::Warned => Failure::Unrecognised,
    };
    if failure == Failure::NotRunning {
        return EventUpdate::default();
    }
    let text = kept(&probe_spec.handler, kind, output, settings);
    let heard = history(&mut pod.containers[at]).hear(ProbeEvent {
        event: event.id,
        probe,
        kind,
        failure,
        dialed: if kind == ProbeEventKind::Failed { dialed(&text).map(Box::new) } else { None },
        text,
        mark: mark(output),
        count: event.count,
        first: event.first,
        last: event.last,
    });
    EventUpdate {
        container: (heard > 0).then_some(at),
        errored: (kind == ProbeEventKind::Errored).then_some(probe),
        failed: (kind == ProbeEventKind::Failed).then_some((probe, heard)),
    }
}

/// The part of a probe's message that is kept for reports.
fn kept(handler: &Handler, kind: ProbeEventKind, output: &Arc<str>, settings: &Settings) -> Arc<str> {
    let printed = matches!(handler, Handler::Exec(_)) && kind == ProbeEventKind::Failed;
    if !printed || settings.exec_output || output.is_empty() {
        return Arc::clone(output);
    }
    Arc::from(format!("(output of {} bytes left out)", output.len()))
}

fn mark(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The container that a probe event is about: by its field path or, if that cannot be trusted, by its
/// content.
fn speaks_of(pod: &Pod, event: &KubeletEvent, probe: ProbeKind, output: &str) -> Option<usize> {
    let specs = &pod.template.containers;
    if !event.aggregated {
        let name = event.container.as_deref()?;
        return specs.iter().position(|spec| &*spec.name == name);
    }
    let mut with_probe = specs.iter().enumerate().filter(|(_, spec)| spec.probe(probe).is_some());
    let (at, _) = with_probe.next()?;
    if with_probe.next().is_none() {
        return Some(at);
    }
    let port = i32::from(asked_port(output)?);
    let mut asking = specs.iter().enumerate().filter(|(_, spec)| asks(spec, probe, port));
    let (at, _) = asking.next()?;
    asking.next().is_none().then_some(at)
}

fn asks(spec: &ContainerSpec, probe: ProbeKind, port: i32) -> bool {
    spec.probe(probe).and_then(|probe| spec.port_number(probe.handler.port()?)) == Some(port)
}

fn killed(pod: &mut Pod, event: &KubeletEvent, killing: &Killing) -> EventUpdate {
    let (named, why) = match killing {
        Killing::ProbeFailed { container, probe } => (Some(container), KillReason::Probe(*probe)),
        Killing::Stopping { container } => (Some(container), KillReason::Stopping),
        Killing::HookFailed => (event.container.as_ref(), KillReason::Hook),
        Killing::Deliberate => (event.container.as_ref(), KillReason::Deliberate),
    };
    let at = named.and_then(|name| pod.template.containers.iter().position(|spec| spec.name == *name));
    // A deletion stops every container: no need to remember that for a healthy one.
    let Some(at) = at.filter(|at| why != KillReason::Stopping || pod.containers[*at].history.is_some()) else {
        return EventUpdate::default();
    };
    if let KillReason::Probe(probe) = why
        && pod.template.containers[at].probe(probe).is_none()
    {
        return EventUpdate::default();
    }
    let news = history(&mut pod.containers[at]).killing(Kill { at: event.last, why, count: event.count });
    EventUpdate { container: news.then_some(at), ..EventUpdate::default() }
}

/// No container of a pod can start while its sandbox or its volumes cannot be created: that is recorded for
/// its first container.
fn no_sandbox(pod: &mut Pod, event: &KubeletEvent, reason: &str, output: &Arc<str>) -> EventUpdate {
    let begun = pod.containers.iter().any(|container| matches!(container.phase, Phase::Running | Phase::Terminated));
    let first = pod.template.containers.iter().position(|spec| spec.role == Role::App);
    let Some(at) = first.filter(|_| !begun) else { return EventUpdate::default() };
    let known = history(&mut pod.containers[at]);
    let since = known.no_sandbox_since.map_or(event.first, |since| since.min(event.first));
    known.no_sandbox_since = Some(since);
    // One event is not enough: volumes and addresses take their time.
    if event.last.since(since) < STILL_COMING {
        return EventUpdate::default();
    }
    let blocked = &mut known.blocked;
    let known = blocked.take().filter(|known| !known.of_pod);
    *blocked = known
        .or_else(|| Some(Blocked { reason: reason.into(), message: Some(Arc::clone(output)), since, of_pod: true }));
    EventUpdate { container: Some(at), ..EventUpdate::default() }
}

fn hook_failed(pod: &mut Pod, event: &KubeletEvent) -> EventUpdate {
    let at =
        event.container.as_ref().and_then(|name| pod.template.containers.iter().position(|spec| spec.name == *name));
    let Some(at) = at else { return EventUpdate::default() };
    let news = history(&mut pod.containers[at]).hook_failed(event.last);
    EventUpdate { container: news.then_some(at), ..EventUpdate::default() }
}
