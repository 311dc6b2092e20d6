//! An operator from its engine to its receivers, with many known findings: the cost of one more.

use std::sync::Arc;
use std::time::Duration;

use probehound::config::{Config, Source};
use probehound::delivery::run as delivery;
use probehound::delivery::settings::Settings;
use probehound::engine::{ChangeKind, Seen};
use probehound::findings::board::{Board, Entry};
use probehound::findings::ledger::Ledger;
use probehound::metrics::Metrics;
use probehound::operator::driver::Driver;
use probehound::operator::keeper::{self, Store};
use probehound::report::object::{Content, FindingState, Notification, Notified};
use probehound::runtime::clock;
use probehound::runtime::leadership::Leadership;
use probehound::runtime::stop::Stopper;
use probehound::source::Input;
use probehound::time::Time;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::findings_api::FindingsApi;
use super::slack::{Slack, Turn};

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_mins(2);
/// Number of namespaces with pods.
const NAMESPACES: usize = 10;
/// Time after the notifications within which the engine has looked at all of them again.
const SETTLES: Duration = Duration::from_secs(20);
/// The receiver that is notified of each finding by itself.
const RECEIVER: &str = "describe";

/// An operator on one thread, its API server and its Alertmanager in the same process.
pub struct Known {
    runtime: Runtime,
    driver: Driver,
    now: Time,
    pods: usize,
    api: FindingsApi,
    alertmanager: Slack,
    stopper: Stopper,
    _config: watch::Sender<Arc<Config>>,
}

impl Known {
    /// One that has notified of that many crashing pods, and is idle.
    pub fn of(findings: usize) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (board, metrics) = (Arc::<Board>::default(), Arc::new(Metrics::new()));
        let driver = Driver::new(&Config::default(), Arc::clone(&board), metrics.instruments(), Box::new(|_, _| {}));
        let alertmanager = runtime.block_on(Slack::start(std::iter::repeat_n(Turn::Answer(200, ""), 1_000)));
        let (stopper, stop) = Stopper::new();
        let url = alertmanager.url();
        let settings = format!(
            "notifications: {{receivers: [{{name: {RECEIVER}, events: {{}}}}, \
             {{name: alerts, alertmanager: {{urls: ['{url}'], resendEvery: 1h}}}}]}}"
        );
        let config = watch::channel(Arc::new(Source::default().load_text(&settings).expect("no error").config)).0;
        let api = FindingsApi::default();
        let subscribed = config.subscribe();
        let mut known = Self {
            runtime,
            driver,
            now: clock::now().minus(SETTLES * 2),
            pods: 0,
            api,
            alertmanager,
            stopper,
            _config: config,
        };
        known.crash(findings);
        known.passes(SETTLES.as_secs());
        let shown = board.all();
        assert_eq!(shown.iter().filter(|entry| entry.kind == ChangeKind::Confirmed).count(), findings);
        for entry in &shown {
            known.was_told(entry);
        }
        let client = known.runtime.block_on(async { known.api.client() });
        let (ledger, leadership) = (Arc::<Ledger>::default(), Leadership::always());
        let keeper = keeper::Means {
            store: Store::new(client.clone(), vec![], leadership.clone()),
            board,
            ledger: Arc::clone(&ledger),
            config: subscribed.clone(),
            leadership: leadership.clone(),
            memories: mpsc::channel(1).0,
            metrics: Arc::clone(&metrics),
        };
        let instance = "probehound-0".into();
        let _in_it = known.runtime.enter();
        let config = Settings::within(subscribed, Config::of_delivery);
        let teller = delivery::Means { client, ledger, config, leadership, metrics, instance };
        known.runtime.spawn(keeper::run(keeper, stop.clone()));
        known.runtime.spawn(delivery::run(teller, stop));
        known.rest();
        known
    }

    /// Lets that many more pods crash, until each is stored in its object and notified, and that is
    /// recorded.
    pub fn tell_of(&mut self, findings: usize) {
        let written = self.api.written() + findings;
        let alerted = self.alertmanager.count();
        self.crash(findings);
        self.runtime.block_on(async {
            let end = Instant::now() + LIMIT;
            while self.api.written() < written || self.alertmanager.count() == alerted {
                assert!(Instant::now() < end, "{} of {written} are recorded", self.api.written());
                sleep(Duration::from_millis(20)).await;
            }
        });
    }

    /// Waits until nothing more is sent.
    fn rest(&self) {
        const QUIET: Duration = Duration::from_secs(3);
        self.runtime.block_on(async {
            let mut seen = 0;
            while seen == 0 || seen != self.alertmanager.count() {
                seen = self.alertmanager.count();
                sleep(QUIET).await;
            }
        });
    }

    /// Lets new pods crash three times, concurrently.
    fn crash(&mut self, pods: usize) {
        let (first, began) = (self.pods, self.now);
        self.pods += pods;
        for restarts in 0..=3 {
            for number in first..self.pods {
                self.driver.handle_input(&crashing(number, restarts, began), self.now);
            }
            self.passes(2);
        }
        self.passes(4);
    }

    fn passes(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
        while self.driver.next_deadline().is_some_and(|deadline| deadline <= self.now) {
            self.driver.handle_deadline(self.now);
        }
        self.driver.take_needs();
        self.driver.speak(self.now);
    }

    /// The notification that an earlier operator had recorded.
    fn was_told(&self, entry: &Entry) {
        let finding = &entry.finding;
        self.api.put(finding, FindingState::Confirmed);
        let told = Notification {
            receiver: RECEIVER.to_owned(),
            episode: finding.episodes,
            notified: Notified::Opened,
            at: finding.confirmed_at.unwrap_or_default().minus(Duration::from_hours(1)),
            content: Some(Content::from_finding(finding)),
            digest: None,
            refused: None,
        };
        self.api.tell(finding, &[told]);
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        self.stopper.stop();
    }
}

/// A bare pod whose container has crashed that many times, every two seconds.
pub fn crashing(number: usize, restarts: u32, began: Time) -> Input {
    let at = |restarts: u32| began.plus(Duration::from_secs(2 * u64::from(restarts)));
    let last = restarts.checked_sub(1).map(|last| {
        json!({"terminated": {"containerID": format!("c://{number}-{last}"), "exitCode": 1, "reason": "Error",
            "startedAt": at(last), "finishedAt": at(restarts)}})
    });
    let status = json!({"name": "app", "restartCount": restarts, "containerID": format!("c://{number}-{restarts}"),
        "state": {"running": {"startedAt": at(restarts)}}, "lastState": last});
    let namespace = format!("team-{}", number % NAMESPACES);
    let json = json!({
        "metadata": {"name": format!("job-{number}"), "namespace": namespace,
            "uid": format!("5f0c1a7e-3b7d-4c51-9a58-{number:012x}"), "resourceVersion": (restarts + 1).to_string()},
        "spec": {"nodeName": format!("node-{}", number % 200), "containers": [{"name": "app", "image": "i"}]},
        "status": {"phase": "Running", "containerStatuses": [status]},
    });
    Input::Pod(serde_json::from_value(json).expect("lean types take everything"), Seen::Changed)
}
