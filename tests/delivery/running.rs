//! Delivery as it runs: objects in, messages out, what was told recorded; killed, restarted, and led
//! by another replica.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use probehound::config::{Config, Source};
use probehound::delivery::run as delivery;
use probehound::engine::{ChangeKind, Finding, Severity};
use probehound::finding::Identity;
use probehound::operator::board::{Board, Entry};
use probehound::operator::driver::Memory;
use probehound::operator::keeper::{self, Store};
use probehound::operator::leadership::Leadership;
use probehound::operator::ledger::Ledger;
use probehound::operator::metrics::Metrics;
use probehound::operator::stop::{Stop, Stopper};
use probehound::report::object::{FindingState, Notification, Told};
use probehound::time::Time;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::samples::{at, finding};
use super::support::findings_api::FindingsApi;
use super::support::slack::{Seen, Slack, Turn};

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn a_finding_is_told_recorded_and_told_to_be_over() {
    let world = World::new();
    let _replica = world.start();
    let mut web = finding("web", 10);
    world.say(&web, FindingState::Confirmed);
    let first = world.takes(1);
    assert!(first[0].starts_with("WARNING: web (prod)"), "{first:?}");
    world.records(&web, Told::Opened);
    web.resolved_at = Some(at(300));
    world.say(&web, FindingState::Resolved);
    assert!(world.takes(2)[1].starts_with("RESOLVED: web (prod)"));
    world.records(&web, Told::Resolved);
    assert_eq!(world.api.written(), 2, "each is written once");
}

#[test]
fn what_was_sent_and_cannot_be_recorded_is_recorded_later_and_not_sent_again() {
    let world = World::new();
    let _replica = world.start();
    world.api.refuse([503, 429, 500]);
    let web = finding("web", 10);
    world.say(&web, FindingState::Confirmed);
    world.takes(1);
    world.records(&web, Told::Opened);
    world.say(&finding("api", 20), FindingState::Confirmed);
    assert_eq!(world.takes(2).len(), 2);
}

#[test]
fn while_nothing_can_be_recorded_nothing_more_is_sent() {
    let world = World::new();
    let replica = world.start();
    world.api.set_out(true);
    world.say(&finding("web", 10), FindingState::Confirmed);
    world.takes(1);
    world.say(&finding("api", 20), FindingState::Confirmed);
    world.stays_at(1);
    // Killed now, one message is sent twice, and the other one is not lost.
    replica.kill();
    world.api.set_out(false);
    let _next = world.start();
    let all = world.takes(3);
    let count = |name: &str| all.iter().filter(|text| text.contains(name)).count();
    assert_eq!((count("web (prod)"), count("api (prod)")), (2, 1), "{all:?}");
}

#[test]
fn killed_at_ten_moments_nothing_is_lost_and_nothing_else_comes_twice() {
    let world = World::new();
    let mut replica = Some(world.start());
    let findings: Vec<Finding> = (0..10).map(|number| finding(&format!("web-{number}"), 10)).collect();
    for (number, finding) in findings.iter().enumerate() {
        world.say(finding, FindingState::Confirmed);
        // Around the moment at which the message goes out, a little earlier or later each time.
        world.wait(Duration::from_millis(150 * number as u64));
        if let Some(replica) = replica.take() {
            replica.kill();
        }
        replica = Some(world.start());
    }
    for finding in &findings {
        world.records(finding, Told::Opened);
    }
    let all = world.slack_texts();
    for finding in &findings {
        let name = finding.workload.trim_start_matches("Deployment/");
        let times = all.iter().filter(|text| text.contains(name)).count();
        assert!((1..=2).contains(&times), "{name} was told {times} times");
    }
    let told: usize = findings.len();
    assert!(all.len() <= told + 10, "{} messages, ten kills", all.len());
}

#[test]
fn a_change_of_the_leader_loses_nothing_and_repeats_nothing() {
    let world = World::new();
    let (one, other) = (world.start_as_follower(), world.start_as_follower());
    world.say(&finding("web", 10), FindingState::Confirmed);
    world.stays_at(0);
    one.lead();
    world.takes(1);
    world.records(&finding("web", 10), Told::Opened);
    one.step_down();
    other.lead();
    world.say(&finding("api", 20), FindingState::Confirmed);
    let all = world.takes(2);
    assert!(all[1].contains("api (prod)"), "{all:?}");
    world.records(&finding("api", 20), Told::Opened);
    world.stays_at(2);
}

#[test]
fn after_an_outage_of_the_receiver_what_is_still_news_is_told() {
    let world = World::new();
    let _replica = world.start();
    world.slack.set_out(true);
    let (mut web, mut gone) = (finding("web", 10), now_confirmed("gone"));
    world.say(&web, FindingState::Confirmed);
    world.say(&gone, FindingState::Confirmed);
    world.tries(2);
    web.severity = Severity::Critical;
    world.say(&web, FindingState::Confirmed);
    gone.resolved_at = gone.confirmed_at;
    world.say(&gone, FindingState::Resolved);
    world.slack.set_out(false);
    let all = world.takes(2);
    assert!(all[0].starts_with("CRITICAL: web (prod)"), "{all:?}");
    assert!(all[1].starts_with("1 finding came and went"), "{all:?}");
}

#[test]
fn a_message_that_is_refused_holds_up_nothing() {
    let world = World::new();
    world.slack.then([Turn::Answer(400, "invalid_payload")]);
    let _replica = world.start();
    let web = finding("web", 10);
    world.say(&web, FindingState::Confirmed);
    world.records(&web, Told::Nothing);
    let refused = world.api.told(&web)[0].refused.clone();
    assert_eq!(refused.as_deref(), Some("it answers 400: invalid_payload"));
    world.say(&finding("api", 20), FindingState::Confirmed);
    assert!(world.takes(1)[0].contains("api (prod)"));
}

#[test]
fn a_receiver_that_is_gone_is_told_again_at_another_address() {
    let world = World::new();
    world.slack.then([Turn::Answer(404, "no_service")]);
    let replica = world.start();
    world.say(&finding("web", 10), FindingState::Confirmed);
    world.tries(1);
    world.until("the receiver is stopped", || {
        replica.metrics().contains("probehound_receiver_stopped{receiver=\"slack\"} 1")
    });
    world.say(&finding("api", 20), FindingState::Confirmed);
    world.stays_at(0);
    world.set_url(&format!("{}?again", world.slack.url()));
    world.slack.then([Turn::Answer(200, "ok"), Turn::Answer(200, "ok")]);
    assert_eq!(world.takes(2).len(), 2);
    assert!(replica.metrics().contains("probehound_receiver_stopped{receiver=\"slack\"} 0"));
}

#[test]
fn what_a_person_deletes_or_wipes_out_is_not_told_again() {
    let world = World::new();
    let _replica = world.start();
    let web = finding("web", 10);
    world.say(&web, FindingState::Confirmed);
    world.takes(1);
    world.records(&web, Told::Opened);
    world.api.tell(&web, &[]);
    world.records(&web, Told::Opened);
    world.api.delete(&web);
    world.say(&web, FindingState::Confirmed);
    world.records(&web, Told::Opened);
    world.stays_at(1);
}

#[test]
fn without_objects_it_works_from_memory() {
    let world = World::new();
    world.api.set_missing(true);
    let replica = world.start();
    let web = now_confirmed("web");
    let entry = |kind, finding: &Finding| Entry {
        finding: Arc::new(finding.clone()),
        kind,
        at: Time::default(),
        silenced_by: None,
    };
    replica.board.put_up(entry(ChangeKind::Confirmed, &web));
    let first = world.takes(1);
    assert!(first[0].starts_with("WARNING: web (prod)"), "{first:?}");
    replica.board.put_up(entry(ChangeKind::Resolved, &Finding { resolved_at: Some(Time::default()), ..web }));
    assert!(world.takes(2)[1].starts_with("RESOLVED: web (prod)"));
}

#[test]
fn events_stand_on_the_workload_once_each() {
    let world = World::with("receivers: [{name: describe, events: {}}]");
    let mut replica = Some(world.start());
    let web = finding("web", 10);
    world.say(&web, FindingState::Confirmed);
    world.records(&web, Told::Opened);
    // Killed before it was recorded, the Event is written again under the same name.
    world.api.tell(&web, &[]);
    replica.take().expect("it runs").kill();
    let _next = world.start();
    world.records(&web, Told::Opened);
    let events = world.api.events();
    assert_eq!(events.len(), 1, "{events:?}");
    let event = &events[0];
    assert_eq!((&event["type"], &event["reason"]), (&"Warning".into(), &"WrongPath".into()));
    let regarding = &event["regarding"];
    assert_eq!((&regarding["apiVersion"], &regarding["kind"]), (&"apps/v1".into(), &"Deployment".into()));
    assert_eq!((&regarding["name"], &regarding["uid"]), (&"web".into(), &"u-1".into()));
    assert!(event["note"].as_str().is_some_and(|note| note.contains("/v2/health")), "{event}");
}

#[test]
fn asked_to_end_it_ends_soon_and_what_was_sent_is_recorded() {
    let world = World::new();
    let replica = world.start();
    let web = finding("web", 10);
    world.slack.then([Turn::Slow(Duration::from_millis(800))]);
    world.say(&web, FindingState::Confirmed);
    world.wait(Duration::from_millis(300));
    let took = replica.end(&world);
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(world.api.told(&web)[0].told, Told::Opened);
}

#[test]
fn no_secret_is_written_anywhere() {
    log::start();
    let folder = std::env::temp_dir().join(format!("probehound-secrets-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    for name in ["key", "password"] {
        std::fs::write(folder.join(name), format!("hunter2{name}")).expect("a temporary file can be written");
    }
    let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let other = elsewhere.block_on(Slack::start([Turn::Answer(500, ""), Turn::Answer(410, "")]));
    std::fs::write(folder.join("url"), other.url()).expect("a temporary file can be written");
    let folder_name = folder.display();
    let world = World::with(&format!(
        "receivers: [{{name: slack, slack: {{urlFile: URL_FILE}}}}, {{name: ops, webhook: {{urlFile: {folder_name}/url, \
         signingKeyFile: {folder_name}/key}}}}, {{name: alerts, alertmanager: {{urls: ['http://127.0.0.1:1'], username: me, \
         passwordFile: {folder_name}/password}}}}, {{name: describe, events: {{}}}}, {{name: lost, slack: {{urlEnv: \
         PROBEHOUND_NO_SUCH}}}}]"
    ));
    let no_service = "no_service at /services/THUNTER2/BHUNTER2/hunter2webhook";
    world.slack.then([
        Turn::Reset,
        Turn::Answer(503, no_service),
        Turn::Answer(400, no_service),
        Turn::Answer(404, no_service),
    ]);
    let replica = world.start();
    let (web, api) = (finding("web", 10), finding("api", 10));
    world.say(&web, FindingState::Confirmed);
    world.say(&api, FindingState::Confirmed);
    world.until("both webhooks are stopped", || {
        let metrics = replica.metrics();
        ["slack", "ops"]
            .iter()
            .all(|name| metrics.contains(&format!("probehound_receiver_stopped{{receiver=\"{name}\"}} 1")))
    });
    world.until("there are Events", || world.api.events().len() == 2);
    let mut written = vec![log::text(), replica.metrics(), world.api.all(), format!("{:?}", world.config.borrow())];
    written.extend(world.slack.seen().into_iter().chain(other.seen()).map(|seen| seen.body));
    assert!(written[0].contains("it answers 404") && written[0].contains("A receiver is stopped"), "{}", written[0]);
    for text in &written {
        let secret = text.to_lowercase().find("hunter2").map(|place| &text[place.saturating_sub(200)..]);
        assert_eq!(secret, None);
    }
    drop(std::fs::remove_dir_all(&folder));
}

/// All that is logged in this process, at every level.
mod log {
    use std::io::{self, Write};
    use std::sync::{Mutex, Once};

    use tracing_subscriber::util::SubscriberInitExt;

    /// What `--log-level trace` is.
    const FILTER: &str =
        "warn,probehound=trace,kube_client=off,kube_core=off,kube_runtime=off,hyper=off,hyper_util=off,tower=off";

    static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    pub fn start() {
        static START: Once = Once::new();
        START.call_once(|| {
            let log = tracing_subscriber::fmt().with_env_filter(FILTER).with_ansi(false).with_writer(|| Sink);
            log.finish().try_init().expect("nothing else logs");
        });
    }

    pub fn text() -> String {
        String::from_utf8_lossy(&LOG.lock().expect("no panic holds it")).into_owned()
    }

    struct Sink;

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            LOG.lock().expect("no panic holds it").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

/// A cluster, a Slack, and settings.
struct World {
    outer: Runtime,
    api: FindingsApi,
    slack: Slack,
    config: watch::Sender<Arc<Config>>,
    file: std::path::PathBuf,
    /// What an engine makes of the cluster, and the boards onto which it goes.
    said: Mutex<BTreeMap<Identity, Entry>>,
    boards: Mutex<Vec<Arc<Board>>>,
}

/// A running operator's delivery, in a runtime of its own that can be killed.
struct Replica {
    runtime: Option<Runtime>,
    board: Arc<Board>,
    metrics: Arc<Metrics>,
    leads: watch::Sender<Option<Instant>>,
    stopper: Stopper,
    ended: std::sync::mpsc::Receiver<()>,
}

impl World {
    fn new() -> Self {
        Self::with("receivers: [{name: slack, slack: {urlFile: URL_FILE}}]")
    }

    fn with(notifications: &str) -> Self {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let file = std::env::temp_dir().join(format!("probehound-url-{}-{number}", std::process::id()));
        let outer = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let slack = outer.block_on(Slack::start([]));
        let text = notifications.replace("URL_FILE", &file.display().to_string());
        let loaded = Source::default().load_text(&format!("notifications: {{{text}}}")).expect("no error");
        let world = Self {
            outer,
            api: FindingsApi::default(),
            slack,
            config: watch::channel(Arc::new(loaded.config)).0,
            file,
            said: Mutex::default(),
            boards: Mutex::default(),
        };
        world.set_url(&world.slack.url());
        world.something_was_told_long_ago();
        world
    }

    /// Nothing that is told from here on is a first look.
    fn something_was_told_long_ago(&self) {
        let mut old = finding("of-old", 0);
        old.resolved_at = old.confirmed_at;
        self.api.put(&old, FindingState::Resolved);
        let names = ["slack", "describe", "ops", "lost"];
        let told = names.map(|name| Notification {
            receiver: name.into(),
            episode: 1,
            told: Told::Resolved,
            at: at(0),
            said: None,
            digest: None,
            refused: None,
        });
        self.api.tell(&old, &told);
    }

    fn set_url(&self, url: &str) {
        std::fs::write(&self.file, url).expect("a temporary file can be written");
    }

    fn start(&self) -> Replica {
        let replica = self.start_as_follower();
        replica.lead();
        replica
    }

    fn start_as_follower(&self) -> Replica {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let (leads, held_until) = watch::channel(None);
        let (board, metrics) = (Arc::new(Board::default()), Arc::new(Metrics::new()));
        let (stopper, stop): (Stopper, Stop) = Stopper::new();
        let (ends, ended) = std::sync::mpsc::channel();
        let (api, config) = (self.api.clone(), self.config.subscribe());
        let (its_board, its_metrics) = (Arc::clone(&board), Arc::clone(&metrics));
        // What goes on it sees for itself; what ended before it began it does not know.
        for entry in self.said.lock().expect("no panic holds it").values().filter(|entry| entry.is_open()) {
            board.put_up(entry.clone());
        }
        self.boards.lock().expect("no panic holds it").push(Arc::clone(&board));
        runtime.spawn(async move {
            let (ledger, leadership) = (Arc::<Ledger>::default(), Leadership::new(held_until));
            let (memories, mut inlet) = mpsc::channel::<Memory>(1);
            tokio::spawn(async move {
                while let Some(memory) = inlet.recv().await {
                    // Whoever asked may have gone.
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
                    config,
                    leadership,
                    metrics: its_metrics,
                    instance: "probehound-0".into(),
                },
                stop,
            );
            tokio::join!(keeps, tells);
            // A test that is over does not wait for it.
            let _ = ends.send(());
        });
        Replica { runtime: Some(runtime), board, metrics, leads, stopper, ended }
    }

    /// The engines of all replicas say so.
    fn say(&self, finding: &Finding, state: FindingState) {
        let kind = match state {
            FindingState::Confirmed => ChangeKind::Confirmed,
            FindingState::Resolved => ChangeKind::Resolved,
            FindingState::Withdrawn => ChangeKind::Withdrawn,
        };
        let entry = Entry { finding: Arc::new(finding.clone()), kind, at: Time::default(), silenced_by: None };
        for board in self.boards.lock().expect("no panic holds it").iter() {
            board.put_up(entry.clone());
        }
        self.said.lock().expect("no panic holds it").insert(finding.identity(), entry);
    }

    /// The fallback texts of the messages that Slack took, once there are so many.
    fn takes(&self, count: usize) -> Vec<String> {
        let taken = self.outer.block_on(self.slack.took(count, LIMIT));
        let texts: Vec<String> = taken.iter().map(Seen::text).collect();
        assert!(texts.len() >= count, "Slack took {texts:?}, and saw {:?}", self.slack.seen());
        texts
    }

    fn slack_texts(&self) -> Vec<String> {
        self.slack.taken().iter().map(Seen::text).collect()
    }

    /// Slack takes no more than so many, for longer than it would take to send another.
    fn stays_at(&self, count: usize) {
        let taken = self.outer.block_on(self.slack.took(count + 1, Duration::from_millis(2500)));
        assert_eq!(taken.len(), count, "{taken:?}");
    }

    fn tries(&self, count: usize) {
        self.until("it is tried", || self.slack.seen().len() >= count);
    }

    fn records(&self, finding: &Finding, told: Told) {
        self.until("it is recorded", || self.api.told(finding).iter().any(|it| it.told == told));
    }

    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        self.outer.block_on(async {
            let end = Instant::now() + LIMIT;
            while !is_so() {
                assert!(Instant::now() < end, "{what}: not within {LIMIT:?}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
    }

    fn wait(&self, time: Duration) {
        self.outer.block_on(async { tokio::time::sleep(time).await });
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.file));
    }
}

impl Replica {
    fn lead(&self) {
        self.leads.send_replace(Some(Instant::now() + Duration::from_hours(1)));
    }

    fn step_down(&self) {
        self.leads.send_replace(None);
    }

    fn metrics(&self) -> String {
        let mut text = String::new();
        self.metrics.write(&mut text).expect("strings take everything");
        text
    }

    /// As `kill -9`: at whatever it waits for, and for good.
    fn kill(mut self) {
        self.runtime.take().expect("it runs").shutdown_background();
    }

    /// Asks it to end; how long that takes.
    fn end(self, world: &World) -> Duration {
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

/// Confirmed now, by the clock of the machine.
fn now_confirmed(workload: &str) -> Finding {
    let now = probehound::operator::clock::now();
    Finding { opened_at: now, confirmed_at: Some(now.plus(Duration::from_millis(1))), ..finding(workload, 10) }
}
