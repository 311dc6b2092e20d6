//! A container's status → its history.

use std::sync::Arc;
use std::time::Duration;

use crate::diagnosis::{Blocked, CameUp};
use crate::engine::memory::history::{History, Incarnation, Termination};
use crate::engine::memory::node_clock::Clock;
use crate::engine::memory::pods::{Container, Phase, Readiness};
use crate::engine::observation::{ContainerSnapshot, Seen, State, Terminated};
use crate::engine::view::termination::RESTARTING_ALL;
use crate::kubelet::{ProbeKind, ProbeSpec};
use crate::template::{ContainerSpec, Role};
use crate::time::Time;

/// A container that is not running for longer than this is visible in the status.
const UNTOLD: Duration = Duration::from_secs(5);

/// How a status was observed.
#[derive(Copy, Clone)]
pub struct Sight {
    /// As an item of a list, or as a change.
    pub seen: Seen,
    /// Whether the pod was ending as a whole when it was seen.
    pub with_pod: bool,
    /// When it was seen.
    pub now: Time,
    /// The offset of its node's clock.
    pub clock: Clock,
}

/// What a new status showed.
#[derive(Default)]
pub struct StatusUpdate {
    /// Restarts since the last one.
    pub restarts: u32,
    /// Whether anything changed that a finding may rest on.
    pub matters: bool,
    /// How long it took to come up, if that was watched.
    pub came_up: Option<CameUp>,
    /// The latest new timestamp from the node.
    pub stamp: Option<Time>,
}

/// Takes in a status that is not older than the known one.
pub fn take_in(
    container: &mut Container,
    spec: &ContainerSpec,
    status: &ContainerSnapshot,
    sight: Sight,
) -> StatusUpdate {
    let mut news = StatusUpdate::default();
    let was_ready = container.is_ready();
    let first = container.phase == Phase::Absent;
    let unbroken = !first && sight.seen == Seen::Changed;
    if !first {
        news.restarts = status.restarts.saturating_sub(container.restarts);
    }
    let gap = unbroken && shows_a_gap(container, status);
    news.stamp = new_stamp(container, status).filter(|_| sight.seen == Seen::Changed);
    take_in_ends(container, spec, status, sight, unbroken, &mut news);
    // A relisted status may have been written before the watch broke.
    let shown_until = if first || unbroken { Some(sight.now) } else { None };
    take_in_state(container, spec, status, sight, shown_until, &mut news);
    if container.history.is_none() && (status.restarts > 0 || is_blocked(status)) {
        history(container);
        news.matters = true;
    }
    note_block(container, status, sight.now, &mut news);
    if let Some(history) = container.history.as_mut().filter(|_| gap) {
        history.gap = Some(sight.now);
    }
    news.matters |= container.history.is_some() && (news.restarts > 0 || was_ready != status.ready);
    container.restarts = status.restarts;
    if let Some(history) = container.history.as_mut() {
        history.restarts = status.restarts;
    }
    container.started = status.started;
    news
}

/// The latest timestamp that the node has written into a status since the last one was seen.
fn new_stamp(container: &Container, status: &ContainerSnapshot) -> Option<Time> {
    let began = match &status.state {
        State::Running { since } => *since,
        // A restarted kubelet shows again how a container that waits for its next start had terminated.
        State::Terminated(ended) => ended.finished.filter(|_| container.phase == Phase::Running),
        State::Waiting { .. } => None,
    };
    let restarted = status.restarts > container.restarts;
    let ended = status.last.as_ref().and_then(|last| last.finished).filter(|_| restarted);
    began.filter(|_| restarted || container.phase != Phase::Running || container.id() != status.id).max(ended)
}

/// Whether changes between the known status and this one were missed: it restarted more than once, or was
/// not running for a while between two runs.
fn shows_a_gap(container: &Container, status: &ContainerSnapshot) -> bool {
    let State::Running { since: Some(since) } = status.state else {
        return false;
    };
    let ended = status.last.as_ref().and_then(|last| last.finished);
    let paused = ended.is_some_and(|ended| since.since(ended) > UNTOLD);
    let replaced = container.phase == Phase::Running && container.id() != status.id;
    status.restarts > container.restarts.saturating_add(1) || (replaced && paused)
}

/// Extracts terminations that were missed from a status older than the known one.
pub fn take_in_late(container: &mut Container, status: &ContainerSnapshot) -> bool {
    let (State::Terminated(ended), Some(history)) = (&status.state, container.history.as_mut()) else {
        return false;
    };
    let Some(end) = history.run_mut(ended.id, ended.started).and_then(|run| run.end.as_mut()) else {
        return false;
    };
    let news = end.by_itself != Some(true);
    end.by_itself = Some(true);
    news
}

/// The history of a container, created with the current incarnation.
pub fn history(container: &mut Container) -> &mut History {
    let (id, since, phase, ready) = (container.id(), container.since, container.phase, container.readiness);
    container.history.get_or_insert_with(|| {
        let mut history = History::default();
        if phase == Phase::Running {
            let mut run = Incarnation::begun(id, since);
            run.ready = since.filter(|_| ready != Readiness::NotYet);
            history.incarnations.push_back(run);
        }
        Box::new(history)
    })
}

fn take_in_ends(
    container: &mut Container,
    spec: &ContainerSpec,
    status: &ContainerSnapshot,
    sight: Sight,
    unbroken: bool,
    news: &mut StatusUpdate,
) {
    let was_running = container.phase == Phase::Running;
    let now_ended = match &status.state {
        State::Terminated(ended) => Some((ended, true)),
        _ => None,
    };
    for (ended, stands) in status.last.iter().map(|ended| (ended, false)).chain(now_ended) {
        if spec.role == Role::Init && ended.exit == 0 && container.history.is_none() {
            continue;
        }
        let same = ended.id.is_none() || container.id().is_none() || ended.id == container.id();
        let by_itself = match (stands, unbroken) {
            // A restarted kubelet shows the last termination again as the state while the container waits
            // for its next start.
            (true, true) => was_running.then_some(true),
            (true, false) => (status.restarts == 0 || status.last.is_some()).then_some(true),
            (false, _) => (unbroken && was_running && same).then_some(false),
        };
        let mut ended = ended.clone();
        if &*ended.reason == RESTARTING_ALL {
            // The status no longer identifies what terminated; it was the running incarnation.
            ended.id = container.id();
            ended.started = ended.started.or(container.since);
            if container.id().is_none() || stands || status.restarts <= container.restarts {
                continue;
            }
        }
        let end = Termination { ended, seen_at: sight.now, by_itself, with_pod: sight.with_pod, hook: false };
        note_end(history(container), end, news);
    }
}

fn note_end(history: &mut History, end: Termination, news: &mut StatusUpdate) {
    let Terminated { id, started, .. } = end.ended;
    match history.run_mut(id, started) {
        Some(run) if run.end.is_some() => return,
        Some(run) => {
            run.started = run.started.or(started);
            run.end = Some(end);
        }
        None => history.insert(Incarnation::ended(end)),
    }
    history.ends = history.ends.saturating_add(1);
    news.matters = true;
}

fn take_in_state(
    container: &mut Container,
    spec: &ContainerSpec,
    status: &ContainerSnapshot,
    sight: Sight,
    shown_until: Option<Time>,
    news: &mut StatusUpdate,
) {
    let same_run = container.phase == Phase::Running && container.id() == status.id;
    let came_up = same_run && shown_until.is_some();
    match &status.state {
        State::Running { since } => {
            container.since = *since;
            container.phase = Phase::Running;
        }
        State::Waiting { reason, .. } => {
            container.phase = Phase::Waiting;
            if let Some(last) = status.last.as_ref().filter(|_| &**reason == "PostStartHookError") {
                let end = history(container).run_mut(last.id, last.started).and_then(|run| run.end.as_mut());
                if let Some(end) = end {
                    news.matters |= !end.hook;
                    end.hook = true;
                }
            }
        }
        State::Terminated(_) => container.phase = Phase::Terminated,
    }
    let was_ready = same_run && container.readiness != Readiness::NotYet;
    container.readiness = match (status.ready, was_ready) {
        (true, _) => Readiness::Ready,
        (false, true) => Readiness::Lost,
        (false, false) => Readiness::NotYet,
    };
    container.take_id(status.id);
    let now_ready = status.ready && !was_ready && spec.readiness.is_some();
    let now_started = status.started && !(same_run && container.started) && spec.startup.is_some();
    if container.phase != Phase::Running {
        container.from_start = false;
        return;
    }
    if !same_run {
        container.from_start = shown_until.is_some() && sight.seen == Seen::Changed;
    }
    if container.from_start && came_up && (now_ready || now_started) {
        let probe = if now_started { ProbeKind::Startup } else { ProbeKind::Readiness };
        news.came_up = spec.probe(probe).and_then(|spec| came_up_after(container, sight, probe, spec));
    }
    let (id, since) = (container.id(), container.since);
    let Some(history) = container.history.as_mut() else {
        return;
    };
    if history.run_mut(id, since).is_none() {
        history.insert(Incarnation::begun(id, since));
        news.matters = true;
    }
    if let Some(run) = history.run_mut(id, since) {
        run.started = run.started.or(since);
        run.seen_running = run.seen_running.max(shown_until.or(since));
        run.has_started |= status.started;
        if status.ready {
            run.ready = run.ready.or(Some(sight.now));
        }
        if now_ready && came_up {
            run.became_ready = run.became_ready.or(Some(sight.now));
        }
        if now_started && came_up {
            run.came_up = run.came_up.or(Some(sight.now));
        }
    }
}

/// How long a container took to come up that has just been observed to be up: at least until the probe's
/// last failure before it passed, at most until now.
fn came_up_after(container: &Container, sight: Sight, probe: ProbeKind, spec: &ProbeSpec) -> Option<CameUp> {
    let (since, now) = (container.since?, sight.clock.nodes(sight.now));
    // The pass that shows now came a period after a failure; one that is nearer came after the pass, as when the
    // container is already being stopped. Events say whole seconds.
    let is_before = |failed: Time| failed.plus(spec.period) <= now.plus(Duration::from_secs(1));
    let samples = container.history.iter().flat_map(|history| history.samples.iter());
    let failed = samples.filter(|sample| sample.probe == probe && sample.at >= since).map(|sample| sample.at);
    let not_before = failed.filter(|at| is_before(*at)).max().map_or(Duration::ZERO, |failed| failed.since(since));
    Some(CameUp { not_before, within: now.since(since).max(not_before) })
}

fn note_block(container: &mut Container, status: &ContainerSnapshot, now: Time, news: &mut StatusUpdate) {
    let Some(history) = container.history.as_mut() else {
        return;
    };
    match blocked(status) {
        Some((reason, message)) => {
            news.matters = true;
            match &mut history.blocked {
                // "Back-off pulling image" is less informative than the error before it.
                Some(known) if is_backoff(&reason) && !is_backoff(&known.reason) => {}
                Some(known) => {
                    known.reason = reason;
                    known.message = message.or_else(|| known.message.take());
                }
                None => history.blocked = Some(Blocked { reason, message, since: now, of_pod: false }),
            }
        }
        None if matches!(status.state, State::Running { .. }) => {
            news.matters |= history.blocked.take().is_some();
        }
        None => {}
    }
}

fn is_blocked(status: &ContainerSnapshot) -> bool {
    blocked(status).is_some()
}

fn is_backoff(reason: &str) -> bool {
    matches!(reason, "ImagePullBackOff" | "CrashLoopBackOff")
}

/// Why a container cannot start, if its status gives a reason.
fn blocked(status: &ContainerSnapshot) -> Option<(Arc<str>, Option<Arc<str>>)> {
    let start_error = |ended: &Terminated| {
        matches!(&*ended.reason, "StartError" | "ContainerCannotRun")
            .then(|| (Arc::clone(&ended.reason), ended.message.clone()))
    };
    match &status.state {
        State::Waiting { reason, message } => match &**reason {
            "CrashLoopBackOff" => status.last.as_ref().and_then(start_error),
            "ErrImagePull"
            | "ImagePullBackOff"
            | "ErrImageNeverPull"
            | "InvalidImageName"
            | "ImageInspectError"
            | "RegistryUnavailable"
            | "SignatureValidationFailed"
            | "CreateContainerConfigError"
            | "CreateContainerError"
            | "RunContainerError" => Some((Arc::clone(reason), message.clone())),
            other if other.starts_with("ErrImage") || (other.starts_with("Create") && other.ends_with("Error")) => {
                Some((Arc::clone(reason), message.clone()))
            }
            _ => None,
        },
        State::Terminated(ended) => start_error(ended),
        State::Running { .. } => None,
    }
}
