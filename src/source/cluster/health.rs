//! The state of the watches: for metrics, readiness and the log.

use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::trouble::Trouble;
use super::wire::Encoding;
use crate::time::Time;

/// How often a continuing failure is logged.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// Timestamps up to this far ahead come from a different clock; beyond that they are forged.
const AHEAD: Duration = Duration::from_secs(5);

/// A watched resource.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Resource {
    /// Pods.
    Pods,
    /// Kubelet events on pods.
    Events,
    /// Anything else, for a recording: its health is not a metric.
    Recorded(&'static str),
}

impl Resource {
    /// Those watched by the operator.
    pub const ALL: [Self; 2] = [Self::Pods, Self::Events];

    /// The metric's label.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pods => "pods",
            Self::Events => "events",
            Self::Recorded(plural) => plural,
        }
    }
}

/// The state of the watches; written by them, read by anyone at any time.
#[derive(Debug)]
pub struct WatchHealth {
    clock: fn() -> Time,
    pods: ResourceHealth,
    events: ResourceHealth,
    recorded: ResourceHealth,
}

impl WatchHealth {
    /// The state of watches that are not running yet.
    pub fn new(clock: fn() -> Time) -> Self {
        let [pods, events, recorded] = [(); 3].map(|()| ResourceHealth::new(clock()));
        Self { clock, pods, events, recorded }
    }

    /// The state of the watches of one resource.
    pub const fn of(&self, resource: Resource) -> &ResourceHealth {
        match resource {
            Resource::Pods => &self.pods,
            Resource::Events => &self.events,
            Resource::Recorded(_) => &self.recorded,
        }
    }

    /// Whether the first list of every watch is complete.
    pub fn is_ready(&self) -> bool {
        Resource::ALL.into_iter().all(|resource| self.of(resource).is_listed())
    }
}

/// The state of the watches of one resource, over all namespaces.
#[derive(Debug)]
pub struct ResourceHealth {
    streams: AtomicUsize,
    up: AtomicUsize,
    listed: AtomicUsize,
    seeing: AtomicUsize,
    turned: AtomicI64,
    answered: AtomicI64,
    last_event: AtomicI64,
    newest_stamp: AtomicI64,
    lag: AtomicU64,
    events: AtomicU64,
    requests: AtomicU64,
    in_protobuf: AtomicU64,
    relists: AtomicU64,
    skipped: AtomicU64,
    passed_over: AtomicU64,
    errors: [AtomicU64; Trouble::ALL.len()],
    told: LogThrottle,
}

impl ResourceHealth {
    fn new(now: Time) -> Self {
        Self {
            streams: AtomicUsize::default(),
            up: AtomicUsize::default(),
            listed: AtomicUsize::default(),
            seeing: AtomicUsize::default(),
            turned: AtomicI64::new(now.as_millis()),
            answered: AtomicI64::default(),
            last_event: AtomicI64::default(),
            newest_stamp: AtomicI64::default(),
            lag: AtomicU64::default(),
            events: AtomicU64::default(),
            requests: AtomicU64::default(),
            in_protobuf: AtomicU64::default(),
            relists: AtomicU64::default(),
            skipped: AtomicU64::default(),
            passed_over: AtomicU64::default(),
            errors: Default::default(),
            told: LogThrottle::default(),
        }
    }

    /// Whether it is watched, and the last request of each watch was answered.
    pub fn is_up(&self) -> bool {
        let streams = self.streams.load(Ordering::Relaxed);
        streams > 0 && self.up.load(Ordering::Relaxed) == streams
    }

    /// Whether nothing of it is currently observed: none of its watches is up.
    pub fn is_blind(&self) -> bool {
        self.up.load(Ordering::Relaxed) == 0
    }

    /// Since when it has been up or down.
    pub fn since(&self) -> Time {
        Time::from_millis(self.turned.load(Ordering::Relaxed))
    }

    /// Whether the first list of each watch is complete.
    pub fn is_listed(&self) -> bool {
        let streams = self.streams.load(Ordering::Relaxed);
        streams > 0 && self.listed.load(Ordering::Relaxed) == streams
    }

    /// Whether nothing is missed: each watch with a complete first list is up, and there is at least one.
    ///
    /// A namespace that may not be watched at all does not count.
    pub fn sees(&self) -> bool {
        let listed = self.listed.load(Ordering::Relaxed);
        listed > 0 && self.seeing.load(Ordering::Relaxed) == listed
    }

    /// When the server last answered a request of a watch: at least every ten seconds in normal operation,
    /// however quiet the cluster is.
    pub fn last_answer(&self) -> Option<Time> {
        stamp(&self.answered)
    }

    /// When an object last arrived.
    pub fn last_event(&self) -> Option<Time> {
        stamp(&self.last_event)
    }

    /// The age of the newest change when it arrived, by the objects' timestamps, which are whole seconds.
    pub fn lag(&self) -> Duration {
        Duration::from_millis(self.lag.load(Ordering::Relaxed))
    }

    /// Number of objects received, including listed ones.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// Number of answered requests: lists, pages and watches, including resumed ones.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Number of answers that came in protobuf.
    pub fn in_protobuf(&self) -> u64 {
        self.in_protobuf.load(Ordering::Relaxed)
    }

    /// Number of lists after the first one of each watch.
    pub fn relists(&self) -> u64 {
        self.relists.load(Ordering::Relaxed)
    }

    /// Number of failures of a kind.
    pub fn errors(&self, trouble: Trouble) -> u64 {
        self.errors[trouble as usize].load(Ordering::Relaxed)
    }

    /// Number of objects that could not be used.
    pub fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    /// Counts an object that could not be used.
    pub fn skip(&self) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    /// Number of fields that could not be used.
    pub fn passed_over(&self) -> u64 {
        self.passed_over.load(Ordering::Relaxed)
    }

    /// Counts a field that could not be used, of an object that could.
    pub fn pass_over(&self) {
        self.passed_over.fetch_add(1, Ordering::Relaxed);
    }

    /// Applies a change, and notes if the state changed between up and down.
    fn turn(&self, change: impl FnOnce(), now: Time) {
        let before = self.is_up();
        change();
        if before != self.is_up() {
            self.turned.store(now.as_millis(), Ordering::Relaxed);
        }
    }

    fn shift(&self, before: State, after: State) {
        shift(&self.up, before.up, after.up);
        shift(&self.listed, before.listed, after.listed);
        shift(&self.seeing, before.up && before.listed, after.up && after.listed);
    }
}

/// Updates a count of watches for which something holds.
fn shift(count: &AtomicUsize, before: bool, after: bool) {
    match (before, after) {
        (false, true) => _ = count.fetch_add(1, Ordering::Relaxed),
        (true, false) => _ = count.fetch_sub(1, Ordering::Relaxed),
        _ => {}
    }
}

fn stamp(of: &AtomicI64) -> Option<Time> {
    Some(of.load(Ordering::Relaxed)).filter(|millis| *millis != 0).map(Time::from_millis)
}

/// The reports of one watch; it counts for its resource until it is dropped.
#[derive(Debug)]
pub(super) struct StreamHealth {
    all: Arc<WatchHealth>,
    resource: Resource,
    namespace: Arc<str>,
    state: Mutex<State>,
}

#[derive(Copy, Clone, Default, Debug)]
struct State {
    up: bool,
    listed: bool,
    told_down: bool,
}

impl StreamHealth {
    /// A watch that starts; `namespace` is empty for the watch of all.
    pub fn new(all: &Arc<WatchHealth>, resource: Resource, namespace: &Arc<str>) -> Self {
        let of = all.of(resource);
        of.turn(|| _ = of.streams.fetch_add(1, Ordering::Relaxed), (all.clock)());
        Self { all: Arc::clone(all), resource, namespace: Arc::clone(namespace), state: Mutex::default() }
    }

    /// A request was answered.
    pub fn answered(&self, encoding: Encoding) {
        let of = self.of();
        let now = (self.all.clock)();
        of.requests.fetch_add(1, Ordering::Relaxed);
        of.in_protobuf.fetch_add(u64::from(encoding != Encoding::Json), Ordering::Relaxed);
        of.answered.store(now.as_millis(), Ordering::Relaxed);
        let told_down = self.change(|state| {
            state.up = true;
            std::mem::take(&mut state.told_down)
        });
        if told_down {
            let resource = self.resource.word();
            tracing::info!(resource, namespace = &*self.namespace, "A watch is back");
        }
    }

    /// An object arrived; `said_at` is when it last changed, if known.
    pub fn object(&self, said_at: Option<Time>) {
        let of = self.of();
        let now = (self.all.clock)();
        of.events.fetch_add(1, Ordering::Relaxed);
        of.last_event.store(now.as_millis(), Ordering::Relaxed);
        let Some(at) = said_at.filter(|at| *at <= now.plus(AHEAD)) else {
            return;
        };
        // Other changes of an object keep its timestamps: only a newer one is a relevant change.
        if of.newest_stamp.fetch_max(at.as_millis(), Ordering::Relaxed) < at.as_millis() {
            of.lag.store(now.since(at).as_millis() as u64, Ordering::Relaxed);
        }
    }

    /// A list begins.
    pub fn list_started(&self) {
        let again = self.change(|state| state.listed);
        self.of().relists.fetch_add(u64::from(again), Ordering::Relaxed);
    }

    /// A list is complete.
    pub fn listed(&self) {
        self.change(|state| state.listed = true);
    }

    /// A request failed; it is retried after `wait`.
    pub fn failed(&self, trouble: Trouble, cause: &str, wait: Duration) {
        let of = self.of();
        of.errors[trouble as usize].fetch_add(1, Ordering::Relaxed);
        // These are answers: the connection works, and the watch continues.
        self.change(|state| state.up &= matches!(trouble, Trouble::Decode | Trouble::Gone));
        let (resource, namespace, error) = (self.resource.word(), &*self.namespace, trouble.word());
        let next_in_ms = wait.as_millis() as u64;
        if trouble == Trouble::Gone {
            // In a quiet cluster this is the normal way to resume a watch after a while.
            tracing::debug!(resource, namespace, error, cause, next_in_ms, "A watch has to list anew");
        } else if of.told.may_tell() {
            self.change(|state| state.told_down = !state.up);
            let hint = hint(trouble);
            tracing::warn!(resource, namespace, error, cause, next_in_ms, hint, "A watch fails");
        }
    }

    /// The first list takes too long as a stream.
    pub fn falls_back(&self, why: &str) {
        let (resource, namespace) = (self.resource.word(), &*self.namespace);
        tracing::debug!(resource, namespace, why, "A list is read in pages from now on");
    }

    fn of(&self) -> &ResourceHealth {
        self.all.of(self.resource)
    }

    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *state;
        let result = change(&mut state);
        let of = self.of();
        of.turn(|| of.shift(before, *state), (self.all.clock)());
        result
    }
}

impl Drop for StreamHealth {
    fn drop(&mut self) {
        self.change(|state| *state = State::default());
        let of = self.of();
        of.turn(|| _ = of.streams.fetch_sub(1, Ordering::Relaxed), (self.all.clock)());
    }
}

/// A hint, if a person has to act.
const fn hint(trouble: Trouble) -> Option<&'static str> {
    match trouble {
        Trouble::Forbidden => Some(
            "its ServiceAccount needs list and watch of it: `kubectl apply -k manifests/base` gives them, \
             `kubectl auth can-i watch RESOURCE -A --as USER` shows whether it has them",
        ),
        Trouble::Unauthorized => Some("the token or certificate may have expired, or the ServiceAccount be gone"),
        _ => None,
    }
}

/// Limits a log message: at once the first time, then at most once a minute.
#[derive(Debug, Default)]
pub(super) struct LogThrottle {
    last: Mutex<Option<Instant>>,
}

impl LogThrottle {
    /// Whether it is to be logged now.
    pub fn may_tell(&self) -> bool {
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let may = last.is_none_or(|last| now.duration_since(last) >= TOLD_EVERY);
        if may {
            *last = Some(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health() -> Arc<WatchHealth> {
        Arc::new(WatchHealth::new(|| Time::from_millis(1_000_000)))
    }

    fn stream(health: &Arc<WatchHealth>) -> StreamHealth {
        StreamHealth::new(health, Resource::Pods, &Arc::from(""))
    }

    #[tokio::test]
    async fn a_namespace_that_may_not_be_watched_blinds_nobody() {
        let health = health();
        let (mine, other) = (stream(&health), stream(&health));
        let of = health.of(Resource::Pods);
        assert!(!of.sees());
        mine.answered(Encoding::Json);
        mine.listed();
        other.failed(Trouble::Forbidden, "", Duration::ZERO);
        assert!(of.sees() && !of.is_up() && !of.is_listed());
        mine.failed(Trouble::Connection, "", Duration::ZERO);
        assert!(!of.sees());
    }

    #[test]
    fn what_comes_late_is_the_lag_and_what_is_forged_is_not() {
        let health = health();
        let stream = stream(&health);
        let lag = |millis: i64| {
            stream.object(Some(Time::from_millis(millis)));
            health.of(Resource::Pods).lag().as_millis()
        };
        assert_eq!(lag(999_000), 1000);
        assert_eq!(lag(998_000), 1000, "an older stamp is no news");
        assert_eq!(lag(99_999_000), 1000, "a stamp of the future is forged");
        assert_eq!(lag(1_001_000), 0, "clocks differ");
    }
}
