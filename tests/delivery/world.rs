//! A cluster, receivers, and delivery running between them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use probehound::config::{Config, Source};
use probehound::delivery::run as delivery;
use probehound::delivery::settings::Settings;
use probehound::engine::{ChangeKind, Finding};
use probehound::finding::Identity;
use probehound::findings::asked::Asked;
use probehound::findings::board::{Board, Entry};
use probehound::findings::ledger::Ledger;
use probehound::metrics::Metrics;
use probehound::operator::driver::Memory;
use probehound::operator::keeper::{self, Store};
use probehound::report::object::{FindingState, Notification, Notified};
use probehound::runtime::leadership::Leadership;
use probehound::runtime::stop::{Stop, Stopper};
use probehound::time::Time;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::samples::{at, finding};
use crate::support::findings_api::FindingsApi;
use crate::support::slack::{Judge, Seen, Slack};

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

/// A cluster, a Slack, and settings.
pub struct World {
    outer: Runtime,
    pub api: FindingsApi,
    pub slack: Slack,
    pub config: watch::Sender<Arc<Config>>,
    file: std::path::PathBuf,
    /// The engine's view of the cluster, and the boards on which it is published.
    content: Mutex<BTreeMap<Identity, Entry>>,
    boards: Mutex<Vec<Arc<Board>>>,
}

/// A running operator's delivery, in a runtime of its own that can be killed.
pub struct Replica {
    runtime: Option<Runtime>,
    pub board: Arc<Board>,
    metrics: Arc<Metrics>,
    leads: watch::Sender<Option<Instant>>,
    stopper: Stopper,
    ended: std::sync::mpsc::Receiver<()>,
}

impl World {
    pub fn new() -> Self {
        Self::with("receivers: [{name: slack, slack: {urlFile: URL_FILE}}]")
    }

    pub fn with(notifications: &str) -> Self {
        Self::granting(notifications, "")
    }

    /// The same, and what annotations may ask for.
    pub fn granting(notifications: &str, annotations: &str) -> Self {
        let world = Self::of(notifications, annotations, |slack| slack.block_on(Slack::start([])));
        world.set_url(&world.slack.url());
        world
    }

    /// One with a service that pages, and its key.
    pub fn paging(service: &str, judge: Judge, key: &str) -> Self {
        let name = if service == "pagerDuty" { "routingKeyFile" } else { "apiKeyFile" };
        let notifications = format!("receivers: [{{name: pager, {service}: {{{name}: URL_FILE, url: 'BASE'}}}}]");
        let world = Self::of(&notifications, "", |slack| slack.block_on(Slack::start_as("127.0.0.1:0", judge, [])));
        world.set_url(key);
        world
    }

    fn of(notifications: &str, annotations: &str, start: impl FnOnce(&Runtime) -> Slack) -> Self {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let file = std::env::temp_dir().join(format!("probehound-url-{}-{number}", std::process::id()));
        let outer = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let slack = start(&outer);
        let text = notifications.replace("URL_FILE", &file.display().to_string()).replace("BASE", &slack.base());
        let loaded =
            Source::default().load_text(&format!("notifications: {{{text}}}\nannotations: {{{annotations}}}\n"));
        let loaded = loaded.expect("no error");
        let world = Self {
            outer,
            api: FindingsApi::default(),
            slack,
            config: watch::channel(Arc::new(loaded.config)).0,
            file,
            content: Mutex::default(),
            boards: Mutex::default(),
        };
        world.something_was_told_long_ago();
        world
    }

    /// Makes nothing from here on a first look.
    fn something_was_told_long_ago(&self) {
        let mut old = finding("of-old", 0);
        old.resolved_at = old.confirmed_at;
        self.api.put(&old, FindingState::Resolved);
        let names = ["slack", "describe", "ops", "lost", "pager"];
        let notified = names.map(|name| Notification {
            receiver: name.into(),
            episode: 1,
            notified: Notified::Resolved,
            at: at(0),
            content: None,
            digest: None,
            refused: None,
        });
        self.api.tell(&old, &notified);
    }

    pub fn set_url(&self, url: &str) {
        std::fs::write(&self.file, url).expect("a temporary file can be written");
    }

    pub fn start(&self) -> Replica {
        let replica = self.start_as_follower();
        replica.lead();
        replica
    }

    pub fn start_as_follower(&self) -> Replica {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let (leads, held_until) = watch::channel(None);
        let (board, metrics) = (Arc::new(Board::default()), Arc::new(Metrics::new()));
        let (stopper, stop): (Stopper, Stop) = Stopper::new();
        let (ends, ended) = std::sync::mpsc::channel();
        let (api, config) = (self.api.clone(), self.config.subscribe());
        let (its_board, its_metrics) = (Arc::clone(&board), Arc::clone(&metrics));
        // It sees open findings for itself; those that ended before it started it does not know.
        for entry in self.content.lock().expect("no panic holds it").values().filter(|entry| entry.is_open()) {
            board.upsert(entry.clone());
        }
        self.boards.lock().expect("no panic holds it").push(Arc::clone(&board));
        runtime.spawn(async move {
            let (ledger, leadership) = (Arc::<Ledger>::default(), Leadership::new(held_until));
            let (memories, mut inlet) = mpsc::channel::<Memory>(1);
            tokio::spawn(async move {
                while let Some(memory) = inlet.recv().await {
                    // The requester may have gone.
                    let _ = memory.taken.send(());
                }
            });
            let keeps = keeper::run(
                keeper::Means {
                    store: Store::new(api.client(), vec![], leadership.clone()),
                    board: its_board,
                    ledger: Arc::clone(&ledger),
                    config: config.clone(),
                    leadership: leadership.clone(),
                    memories,
                    metrics: Arc::clone(&its_metrics),
                },
                stop.clone(),
            );
            let tells = delivery::run(
                delivery::Means {
                    client: api.client(),
                    ledger,
                    config: Settings::within(config, Config::of_delivery),
                    leadership,
                    metrics: its_metrics,
                    instance: "probehound-0".into(),
                },
                stop,
            );
            tokio::join!(keeps, tells);
            // A finished test does not wait for it.
            let _ = ends.send(());
        });
        Replica { runtime: Some(runtime), board, metrics, leads, stopper, ended }
    }

    /// Publishes this on the boards of all replicas.
    pub fn say(&self, finding: &Finding, state: FindingState) {
        self.say_asking(finding, state, Asked::default());
    }

    /// The same; its annotations ask for that.
    pub fn say_asking(&self, finding: &Finding, state: FindingState, asked: Asked) {
        let kind = match state {
            FindingState::Confirmed => ChangeKind::Confirmed,
            FindingState::Resolved => ChangeKind::Resolved,
            FindingState::Withdrawn => ChangeKind::Withdrawn,
        };
        let (finding, asked) = (Arc::new(finding.clone()), Arc::new(asked));
        let entry = Entry { finding: Arc::clone(&finding), kind, at: Time::default(), silenced_by: None, asked };
        for board in self.boards.lock().expect("no panic holds it").iter() {
            board.upsert(entry.clone());
        }
        self.content.lock().expect("no panic holds it").insert(finding.identity(), entry);
    }

    /// The fallback texts of the messages accepted by Slack, once there are that many.
    pub fn takes(&self, count: usize) -> Vec<String> {
        let taken = self.outer.block_on(self.slack.took(count, LIMIT));
        let texts: Vec<String> = taken.iter().map(Seen::text).collect();
        assert!(texts.len() >= count, "Slack took {texts:?}, and saw {:?}", self.slack.seen());
        texts
    }

    pub fn slack_texts(&self) -> Vec<String> {
        self.slack.taken().iter().map(Seen::text).collect()
    }

    /// Slack gets no more than that many, for longer than it would take to send another.
    pub fn stays_at(&self, count: usize) {
        let taken = self.outer.block_on(self.slack.took(count + 1, Duration::from_millis(2500)));
        assert_eq!(taken.len(), count, "{taken:?}");
    }

    pub fn tries(&self, count: usize) {
        self.until("it is tried", || self.slack.seen().len() >= count);
    }

    pub fn records(&self, finding: &Finding, notified: Notified) {
        self.until("it is recorded", || self.api.told(finding).iter().any(|it| it.notified == notified));
    }

    pub fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        self.outer.block_on(async {
            let end = Instant::now() + LIMIT;
            while !is_so() {
                assert!(Instant::now() < end, "{what}: not within {LIMIT:?}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
    }

    pub fn wait(&self, time: Duration) {
        self.outer.block_on(async { tokio::time::sleep(time).await });
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.file));
    }
}

impl Replica {
    pub fn lead(&self) {
        self.leads.send_replace(Some(Instant::now() + Duration::from_hours(1)));
    }

    pub fn step_down(&self) {
        self.leads.send_replace(None);
    }

    pub fn metrics(&self) -> String {
        let mut text = String::new();
        self.metrics.write(&mut text).expect("strings take everything");
        text
    }

    /// Like `kill -9`: wherever it is waiting, and for good.
    pub fn kill(mut self) {
        self.runtime.take().expect("it runs").shutdown_background();
    }

    /// Asks it to stop; returns how long that takes.
    pub fn end(self, world: &World) -> Duration {
        let start = world.outer.block_on(async { Instant::now() });
        self.stopper.stop();
        self.ended.recv_timeout(LIMIT).expect("it ends");
        world.outer.block_on(async { Instant::now() }).duration_since(start)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Confirmed now, by the machine's clock.
pub fn now_confirmed(workload: &str) -> Finding {
    let now = probehound::runtime::clock::now();
    Finding { opened_at: now, confirmed_at: Some(now.plus(Duration::from_millis(1))), ..finding(workload, 10) }
}
