use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use prometheus::Registry;
use serde_json::json;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::config::Source;
use crate::engine::{ChangeKind, Scope, Seen};
use crate::operator::testing::{at, finding};
use crate::runtime::stop::Stopper;

#[tokio::test(start_paused = true)]
async fn what_was_said_before_is_shown_before_anything_is_seen() {
    let mut operator = Operator::start(stream::pending());
    operator.remember(vec![finding("web")]).await;
    assert_eq!(operator.shown(), [ChangeKind::Confirmed]);
}

#[tokio::test(start_paused = true)]
async fn what_was_over_before_is_not_shown_again() {
    let mut operator = Operator::start(stream::pending());
    operator.remember(vec![Finding { resolved_at: Some(at(60)), ..finding("web") }]).await;
    assert_eq!(operator.shown(), []);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_watched_any_more_is_withdrawn() {
    let config = Source::default().load_text("watch: {excludeNamespaces: [pro*]}").expect("it is right").config;
    let mut operator = Operator::with(&config, stream::pending());
    let other = Finding { namespace: "shop".into(), ..finding("web") };
    operator.remember(vec![finding("web"), other, Finding { resolved_at: Some(at(0)), ..finding("api") }]).await;
    assert_eq!(operator.shown(), [ChangeKind::Withdrawn, ChangeKind::Confirmed]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_over_while_the_cluster_is_not_seen() {
    let mut operator = Operator::start(stream::pending());
    operator.sees.store(false, Ordering::Relaxed);
    operator.remember(vec![finding("web")]).await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(operator.shown(), [ChangeKind::Confirmed]);
    operator.sees.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(operator.shown(), [ChangeKind::Confirmed], "what happened meanwhile has to come in first");
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(operator.shown(), [ChangeKind::Resolved]);
}

#[tokio::test(start_paused = true)]
async fn what_is_long_over_is_taken_down() {
    let mut operator = Operator::start(stream::pending());
    operator.remember(vec![finding("web")]).await;
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert_eq!(operator.shown(), [ChangeKind::Resolved]);
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(operator.shown(), []);
}

#[tokio::test(start_paused = true)]
async fn an_odd_object_is_counted_and_harms_nothing() {
    let odd = pod(&json!({"metadata": {"name": "odd", "namespace": "prod"}, "spec": {"containers": 3}}));
    let good =
        pod(&json!({"metadata": {"name": "good", "namespace": "prod"}, "spec": {"containers": [{"name": "app"}]}}));
    let inputs = [Input::ListStarted(Scope::All), odd, good, Input::ListFinished(Scope::All)];
    let operator = Operator::start(stream::iter(inputs).chain(stream::pending()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(operator.skipped.load(Ordering::Relaxed), 1);
    assert!(!operator.task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_watch_is_an_error_and_a_stop_is_none() {
    let operator = Operator::start(stream::iter([Input::ListStarted(Scope::All)]));
    assert_eq!(operator.task.await.expect("it does not panic"), Err(Ended));
    let operator = Operator::start(stream::pending());
    operator.stopper.stop();
    assert_eq!(operator.task.await.expect("it does not panic"), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn at_the_end_the_counts_that_waited_are_shown() {
    let crashes = (0..=8).map(|restarts| crashing(restarts, 2 * i64::from(restarts)));
    let inputs = [Input::ListStarted(Scope::All)].into_iter().chain(crashes);
    let paced = stream::iter(inputs).then(|input| async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        input
    });
    let operator = Operator::start(Box::pin(paced.chain(stream::pending())));
    tokio::time::sleep(Duration::from_secs(25)).await;
    let restarts = || operator.board.all().iter().map(|entry| entry.finding.restarts).collect::<Vec<_>>();
    assert_eq!((operator.shown(), restarts()), (vec![ChangeKind::Confirmed], vec![3]));
    operator.stopper.stop();
    while !operator.task.is_finished() {
        tokio::task::yield_now().await;
    }
    assert_eq!((operator.shown(), restarts()), (vec![ChangeKind::Counted], vec![8]));
}

#[tokio::test(start_paused = true)]
async fn other_settings_silence_what_is_shown() {
    let mut operator = Operator::start(stream::pending());
    operator.remember(vec![finding("web"), finding("api")]).await;
    let silences = "silences: [{name: known, workload: Deployment/web, until: 2027-01-15T08:00:30Z}]";
    let config = Source::default().load_text(silences).expect("it is right").config;
    operator.config.send_replace(Arc::new(config));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(operator.silenced(), [None, Some("known".to_owned())]);
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(operator.silenced(), [None, None], "a silence ends by itself");
}

struct Operator {
    task: JoinHandle<Result<(), Ended>>,
    board: Arc<Board>,
    sees: Arc<AtomicBool>,
    skipped: Arc<AtomicUsize>,
    stopper: Stopper,
    config: watch::Sender<Arc<Config>>,
    memories: mpsc::Sender<Memory>,
    _answers: mpsc::Sender<Answer>,
}

impl Operator {
    fn start(observations: impl Stream<Item = Input> + Send + 'static) -> Self {
        Self::with(&Config::default(), observations)
    }

    fn with(settings: &Config, observations: impl Stream<Item = Input> + Send + 'static) -> Self {
        let (stopper, stop) = Stopper::new();
        let (config, config_inlet) = watch::channel(Arc::default());
        let (memories, memories_inlet) = mpsc::channel(1);
        let (answers, answers_inlet) = mpsc::channel(1);
        let (board, sees, skipped) = (Arc::default(), Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let instruments = Arc::new(Instruments::new(&Registry::new()).expect("names of its own"));
        let counter = Arc::clone(&skipped);
        let count = Box::new(move |_, _| _ = counter.fetch_add(1, Ordering::Relaxed));
        let driver = Driver::new(settings, Arc::clone(&board), instruments, count);
        let inlets = Inlets {
            stop,
            config: config_inlet,
            memories: memories_inlet,
            answers: answers_inlet,
            namespaces: mpsc::channel(1).1,
            asks: mpsc::channel(1).1,
            observations,
        };
        let world = World { started: Instant::now(), sees: Arc::clone(&sees) };
        let task = tokio::spawn(run(driver, inlets, world));
        Self { task, board, sees, skipped, stopper, config, memories, _answers: answers }
    }

    async fn remember(&mut self, findings: Vec<Finding>) {
        let (taken, notified) = oneshot::channel();
        self.memories.send(Memory { findings, taken }).await.expect("it runs");
        notified.await.expect("it is taken");
    }

    fn shown(&self) -> Vec<ChangeKind> {
        self.board.all().iter().map(|entry| entry.kind).collect()
    }

    fn silenced(&self) -> Vec<Option<String>> {
        self.board.all().iter().map(|entry| entry.silenced_by.as_deref().map(str::to_owned)).collect()
    }
}

struct World {
    started: Instant,
    sees: Arc<AtomicBool>,
}

impl Surroundings for World {
    fn now(&self) -> Time {
        at(0).plus(self.started.elapsed())
    }

    fn sees(&self) -> bool {
        self.sees.load(Ordering::Relaxed)
    }

    fn ask(&mut self, _: Need) {}

    fn ask_namespace(&mut self, _: Arc<str>) {}

    fn loop_completed(&mut self, _: usize) {}
}

/// A pod whose container has crashed that many times, most recently that many seconds after the start.
fn crashing(restarts: u32, seconds: i64) -> Input {
    let end = |number: u32| {
        json!({"containerID": format!("c://{number}"), "exitCode": 1, "reason": "Error",
            "startedAt": at(seconds - 1), "finishedAt": at(seconds)})
    };
    let last = restarts.checked_sub(1).map(|last| json!({"terminated": end(last)}));
    let status = json!({"name": "app", "restartCount": restarts, "containerID": format!("c://{restarts}"),
        "state": {"running": {"startedAt": at(seconds)}}, "lastState": last});
    let version = (restarts + 1).to_string();
    let json = json!({
        "metadata": {"name": "web", "namespace": "prod", "uid": "u", "resourceVersion": version},
        "spec": {"nodeName": "n", "containers": [{"name": "app", "image": "i"}]},
        "status": {"phase": "Running", "containerStatuses": [status]},
    });
    Input::Pod(serde_json::from_value(json).expect("lean types take everything"), Seen::Changed)
}

fn pod(json: &serde_json::Value) -> Input {
    Input::Pod(serde_json::from_value(json.clone()).expect("lean types take everything"), Seen::Listed)
}
