mod server;

use super::*;
use crate::engine::ChangeKind;
use crate::finding::{Cause, Finding};
use crate::findings::board::Entry;
use crate::operator::testing::{at, finding};
use crate::report::object::{Notification, Notified};
use crate::runtime::stop::Stopper;
use crate::source::cluster::Access;
use serde_json::json;
use server::{Mood, Server};
use tokio::task::JoinHandle;
use tokio::time::sleep;

const NAME: &str = "web-app-liveness-";

#[tokio::test(start_paused = true)]
async fn a_finding_becomes_an_object_and_so_does_its_end() {
    let operator = Operator::start(&Server::default(), true);
    operator.say(ChangeKind::Confirmed, finding("web"));
    operator.passes(2).await;
    assert_eq!(operator.server.status(NAME)["state"], json!("Confirmed"));
    assert_eq!(operator.server.object(NAME)["spec"]["workload"], json!({"kind": "Deployment", "name": "web"}));
    operator.say(ChangeKind::Resolved, Finding { resolved_at: Some(at(60)), ..finding("web") });
    operator.passes(2).await;
    assert_eq!(operator.server.status(NAME)["state"], json!("Resolved"));
    assert_eq!(operator.server.writes(), 3, "main object and status, then the status alone");
}

#[tokio::test(start_paused = true)]
async fn what_a_person_deletes_or_edits_is_put_right_whoever_owns_it() {
    let operator = Operator::start(&Server::default(), true);
    operator.say(ChangeKind::Confirmed, finding("web"));
    operator.passes(2).await;
    let right = operator.server.status(NAME);
    operator.server.delete(NAME);
    operator.passes(2).await;
    assert_eq!(operator.server.status(NAME), right);
    operator.server.edit(NAME, |status| {
        status["cause"] = json!("Crash");
        status["silencedBy"] = json!("me");
        status["notifications"] = json!([{"receiver": "slack", "episode": 1, "told": "Opened", "at": at(1)}]);
    });
    operator.passes(2).await;
    let mut status = operator.server.status(NAME);
    let notified = status.as_object_mut().and_then(|status| status.remove("notifications"));
    assert_eq!(status, right);
    assert!(notified.is_some(), "what was told belongs to another manager");
}

#[tokio::test(start_paused = true)]
async fn without_the_definition_all_goes_on_and_nothing_is_lost() {
    let server = Server::default();
    server.turn(Mood::NoApi);
    let operator = Operator::start(&server, true);
    operator.say(ChangeKind::Confirmed, finding("web"));
    operator.passes(600).await;
    operator.say(ChangeKind::Updated, Finding { cause: Cause::WrongPort, ..finding("web") });
    operator.passes(5).await;
    assert!(operator.metric("probehound_findings_api_up 0"));
    assert!(server.requests() < 60, "{}", server.requests());
    server.turn(Mood::Good);
    operator.passes(130).await;
    assert_eq!(server.status(NAME)["cause"], json!("WrongPort"));
    assert!(operator.metric("probehound_findings_api_up 1"));
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_all_is_written_and_seen_as_soon_as_anybody_is_answered() {
    let server = Server::default();
    let operator = Operator::start(&server, true);
    let slack = operator.ledger.reader("slack");
    operator.say(ChangeKind::Confirmed, finding("web"));
    operator.passes(20).await;
    server.turn(Mood::Away);
    operator.passes(30).await;
    operator.say(ChangeKind::Confirmed, finding("api"));
    operator.say(ChangeKind::Updated, Finding { cause: Cause::WrongPort, ..finding("web") });
    slack.notified(&[(finding("web").identity(), notified())]);
    operator.passes(300).await;
    server.turn(Mood::Good);
    // For example the watch of the pods.
    let _ = operator.access.client().apiserver_version().await;
    operator.passes(2).await;
    assert_eq!(server.status(NAME)["cause"], json!("WrongPort"));
    assert_eq!(server.status(NAME)["notifications"][0]["receiver"], json!("slack"));
    assert_eq!(server.status("api-app-liveness-")["state"], json!("Confirmed"));
    server.edit(NAME, |status| status["cause"] = json!("Crash"));
    operator.passes(2).await;
    assert_eq!(server.status(NAME)["cause"], json!("WrongPort"), "what happens to the objects is seen again");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_to_one_alone_is_tried_ever_more_seldom_though_others_succeed() {
    let server = Server::default();
    let operator = Operator::start(&server, true);
    operator.passes(1).await;
    server.turn(Mood::NoWrites);
    operator.say(ChangeKind::Confirmed, finding("web"));
    operator.passes(300).await;
    assert!(server.writes() <= 12, "{}", server.writes());
}

#[tokio::test(start_paused = true)]
async fn what_receivers_were_told_is_recorded_and_put_back_where_somebody_wipes_it_out() {
    let operator = Operator::start(&Server::default(), true);
    let mut slack = operator.ledger.reader("slack");
    operator.say(ChangeKind::Confirmed, finding("web"));
    operator.passes(2).await;
    assert!(slack.take().changed.iter().any(|(_, standing)| standing.is_some()));
    slack.notified(&[(finding("web").identity(), notified())]);
    operator.passes(1).await;
    let recorded = operator.server.status(NAME)["notifications"].clone();
    assert_eq!(recorded[0]["receiver"], json!("slack"));
    operator.server.edit(NAME, |status| status["notifications"] = json!([]));
    operator.passes(2).await;
    assert_eq!(operator.server.status(NAME)["notifications"], recorded);
}

#[tokio::test(start_paused = true)]
async fn what_one_receiver_is_told_while_what_another_one_was_told_is_being_recorded_is_recorded_too() {
    let operator = Operator::start(&Server::default(), true);
    let [slack, pager] = ["slack", "pager"].map(|receiver| operator.ledger.reader(receiver));
    operator.say(ChangeKind::Confirmed, finding("web"));
    operator.passes(2).await;
    operator.server.turn(Mood::Late);
    let web = finding("web").identity();
    slack.notified(&[(web.clone(), notified())]);
    operator.passes(1).await;
    pager.notified(&[(web.clone(), Notification { receiver: "pager".to_owned(), ..notified() })]);
    operator.passes(10).await;
    assert_eq!(operator.server.status(NAME)["notifications"].as_array().map(Vec::len), Some(2));
    assert!(
        [slack, pager].iter().all(|reader| reader.is_recorded(&[Key::from_identity(&web)])),
        "both go on to their next message"
    );
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_going_is_given_up() {
    let server = Server::default();
    let operator = Operator::start(&server, true);
    operator.passes(1).await;
    for mood in [Mood::NoNamespace, Mood::NamespaceEnds] {
        server.turn(mood);
        operator.say(ChangeKind::Confirmed, finding("web"));
        operator.passes(300).await;
    }
    assert!(operator.metric("probehound_finding_writes_total{outcome=\"given_up\"} 2"));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_lead_writes_nothing() {
    let mut operator = Operator::start(&Server::default(), false);
    operator.say(ChangeKind::Confirmed, finding("web"));
    operator.passes(60).await;
    assert_eq!(operator.server.writes(), 0);
    assert!(operator.metric("probehound_queue_depth{queue=\"writes\"} 0"), "to write is another one's affair");
    operator.leads_for(6);
    operator.take_memories().await;
    operator.passes(2).await;
    assert_eq!(operator.server.writes(), 2);
    operator.passes(10).await;
    operator.say(ChangeKind::Updated, Finding { cause: Cause::WrongPort, ..finding("web") });
    operator.passes(60).await;
    assert_eq!(operator.server.writes(), 2, "nobody has renewed the Lease");
}

#[tokio::test(start_paused = true)]
async fn a_new_leader_learns_what_the_one_before_said_before_it_writes() {
    let server = Server::default();
    let before = Operator::start(&server, true);
    before.say(ChangeKind::Confirmed, finding("web"));
    before.passes(2).await;
    before.task.abort();
    let writes = server.writes();
    let mut operator = Operator::start(&server, false);
    operator.say(ChangeKind::Confirmed, Finding { cause: Cause::Unknown, ..finding("web") });
    operator.leads_for(60);
    let memory = operator.memories.recv().await.expect("it asks");
    let remembered = Finding { remedy: Vec::new(), ..finding("web") };
    assert_eq!(memory.findings, [remembered], "prose of an object is not believed");
    operator.passes(10).await;
    assert_eq!(server.writes(), writes);
    operator.say(ChangeKind::Updated, finding("web"));
    memory.taken.send(()).expect("it waits");
    operator.passes(10).await;
    assert_eq!(server.writes(), writes, "it stands there already");
}

#[tokio::test(start_paused = true)]
async fn what_is_withdrawn_before_its_object_is_known_is_written() {
    for leads in [true, false] {
        let server = Server::default();
        let before = Operator::start(&server, true);
        before.say(ChangeKind::Confirmed, finding("web"));
        before.passes(2).await;
        before.task.abort();
        let mut operator = Operator::start(&server, leads);
        operator.say(ChangeKind::Withdrawn, finding("web"));
        if !leads {
            operator.passes(10).await;
            assert_eq!(server.status(NAME)["state"], "Confirmed", "it does not lead yet");
            operator.leads_for(60);
            operator.take_memories().await;
        }
        operator.passes(10).await;
        assert_eq!(server.status(NAME)["state"], "Withdrawn", "{leads}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_words_are_written_by_who_leads() {
    for (leads, restarts) in [(true, json!(60)), (false, json!(50))] {
        let server = Server::default();
        let first = Operator::start(&server, true);
        first.say(ChangeKind::Confirmed, finding("web"));
        first.passes(2).await;
        first.task.abort();
        let operator = Operator::start(&server, leads);
        operator.passes(2).await;
        operator.say(ChangeKind::Confirmed, finding("web"));
        operator.passes(2).await;
        operator.say(ChangeKind::Counted, Finding { restarts: 60, ..finding("web") });
        operator.stopper.stop();
        operator.task.await.expect("it does not panic");
        assert_eq!(server.status(NAME)["restarts"], restarts, "{leads}");
    }
}

#[tokio::test(start_paused = true)]
async fn last_words_that_cannot_be_written_hold_up_nobody() {
    let server = Server::default();
    let operator = Operator::start(&server, true);
    operator.passes(2).await;
    server.turn(Mood::Silent);
    operator.say(ChangeKind::Confirmed, finding("web"));
    let began = Instant::now();
    operator.stopper.stop();
    operator.task.await.expect("it does not panic");
    assert!(began.elapsed() <= LAST_WORDS, "{:?}", began.elapsed());
}

fn notified() -> Notification {
    Notification {
        receiver: "slack".to_owned(),
        episode: 1,
        notified: Notified::Opened,
        at: at(1),
        content: None,
        digest: None,
        refused: None,
    }
}

/// A keeper and its surroundings. Findings to be remembered wait until a test takes them, unless the
/// operator leads from the start.
struct Operator {
    server: Server,
    access: Access,
    board: Arc<Board>,
    ledger: Arc<Ledger>,
    metrics: Arc<Metrics>,
    held_until: watch::Sender<Option<Instant>>,
    memories: mpsc::Receiver<Memory>,
    stopper: Stopper,
    task: JoinHandle<()>,
    _config: watch::Sender<Arc<Config>>,
}

impl Operator {
    fn start(server: &Server, leads: bool) -> Self {
        let (held_until, held) = watch::channel(None);
        let (config_sender, config) = watch::channel(Arc::default());
        let (sender, mut memories) = mpsc::channel(1);
        let (stopper, stop) = Stopper::new();
        let (board, metrics) = (Arc::<Board>::default(), Arc::new(Metrics::new()));
        let ledger = Arc::<Ledger>::default();
        let leadership = if leads { Leadership::always() } else { Leadership::new(held) };
        let access = Access::through(server.client(), clock::now);
        let means = Means {
            store: Store::new(access.client().clone(), Vec::new(), leadership.clone()).by(access.way()),
            board: Arc::clone(&board),
            ledger: Arc::clone(&ledger),
            config,
            leadership,
            memories: sender,
            metrics: Arc::clone(&metrics),
        };
        if leads {
            memories.close();
        }
        let task = tokio::spawn(run(means, stop));
        Self {
            server: server.clone(),
            access,
            board,
            ledger,
            metrics,
            held_until,
            memories,
            stopper,
            task,
            _config: config_sender,
        }
    }

    fn say(&self, kind: ChangeKind, finding: Finding) {
        let (finding, at) = (Arc::new(finding), clock::now());
        self.board.upsert(Entry { finding, kind, at, silenced_by: None, asked: Arc::default() });
    }

    async fn passes(&self, seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
    }

    fn leads_for(&self, seconds: u64) {
        self.held_until.send_replace(Some(Instant::now() + Duration::from_secs(seconds)));
    }

    async fn take_memories(&mut self) {
        let memory = self.memories.recv().await.expect("it asks");
        memory.taken.send(()).expect("it waits");
    }

    fn metric(&self, line: &str) -> bool {
        let mut text = String::new();
        self.metrics.write(&mut text).expect("a string takes everything");
        text.lines().any(|own| own == line)
    }
}
