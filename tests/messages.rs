//! The Slack messages of every incident, as it unfolds.
//!
//! A snapshot per incident in `tests/messages`, for people to read: the phone notification after `phone`,
//! and below it the message in the channel.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::sync::Arc;

use crate::support::{Incident, corpus, folder, incidents_in};
use probehound::delivery::policy::{Admission, Item, Next, Past, Settings, next};
use probehound::engine::{Change, ChangeKind, Effect, Engine, Finding, Severity};
use probehound::finding::Identity;
use probehound::replay::{Moment, replay};
use probehound::report::event::Note;
use probehound::report::object::FindingState;
use probehound::report::plain;
use probehound::report::slack::{Block, Context, MAX_BLOCKS, MAX_OF_MESSAGE, MAX_OF_SECTION, Payload, escape};
use probehound::report::update::{Digest, Dispatch, FindingUpdate, Kind, Outcome, Why};
use probehound::report::when::offset;
use probehound::time::Time;

#[test]
fn the_messages_of_every_incident_are_fit_to_be_read() {
    are_fit_to_be_read(corpus(), "messages");
}

#[test]
fn the_messages_of_every_incident_of_other_hands_are_fit_to_be_read() {
    are_fit_to_be_read(&incidents_in(&folder().join("wild")), "messages/wild");
}

fn are_fit_to_be_read(incidents: &[Incident], snapshots: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(snapshots);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for incident in incidents {
        let told = Told::of(&incident.path);
        settings.bind(|| insta::assert_snapshot!(incident.name.as_str(), told.page()));
        for (_, payload) in &told.messages {
            within_limits(payload);
        }
    }
}

/// The best, the worst and the unusual ones, for people to read.
#[test]
fn the_page_of_messages_shows_what_is_sent() {
    let page = messages_page();
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/messages.md");
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(&file, &page).expect("it can be written");
    }
    let written = std::fs::read_to_string(file).expect("docs/messages.md can be read");
    assert!(written == page, "UPDATE_PAGES=1 cargo test --test all messages");
}

fn messages_page() -> String {
    let mut page = String::from(
        "# Messages\n\nWhat people read. Each message is one that the recordings in `tests/incidents` give; \
         `tests/messages` has those of all of them. Behind `phone:` stands what a lock screen shows, below it what the \
         Slack channel shows, with Slack's own marks: `*bold*`, code between back-ticks. Times are UTC.\n",
    );
    for (title, text, incident, numbers) in SHOWN {
        let told = Told::of(&crate::support::incident(incident).path);
        let messages: Vec<&(Time, Payload)> = numbers.iter().map(|number| &told.messages[*number]).collect();
        section(&mut page, title, text, &messages.iter().map(|(_, payload)| payload).collect::<Vec<_>>());
    }
    let (first, storm, missed) = digests();
    section(&mut page, "At the very first start", FIRST, &[&first]);
    section(&mut page, "A storm", STORM, &[&storm]);
    section(&mut page, "After an outage of Slack", MISSED, &[&missed]);
    page.push_str(&elsewhere());
    page
}

const FIRST: &str =
    "What goes on already is told in one message, with what to type where there are five findings or less.";
const STORM: &str = "More than five findings within a minute are told together, a line each, the worst first.";
const MISSED: &str = "What came and went while nothing could be told is summed up once.";

type Shown = (&'static str, &'static str, &'static str, &'static [usize]);

const SHOWN: [Shown; 6] = [
    (
        "The best: everything is known",
        "Fifty pods, a changed path, and a revision that worked. The first message comes with the first kill, the others \
         because it got much worse, and the last when it is over.",
        "auth-service-outage",
        &[0, 1, 2, 3],
    ),
    (
        "Nobody knows a value that works",
        "The path has answered 404 since the first revision, and no other probe passes: it says so, and what to do.",
        "liveness-404-long-grace",
        &[0],
    ),
    (
        "No probe is to blame",
        "A crash is a crash, although the container has a liveness probe.",
        "crash-exit-1-with-liveness-probe",
        &[0],
    ),
    (
        "Several at once",
        "Two workloads lost what both depend on. The confidence is medium, and it says what else it could be.",
        "dependency-outage",
        &[0, 2],
    ),
    (
        "The worst: the evidence does not say why",
        "A probe that never got an answer in time: a slow app, one that hangs, or a firewall all look like this. It blames \
         nothing, and lists what it could be.",
        "liveness-http-timeout",
        &[0],
    ),
    (
        "Not sent by default",
        "A probe that cannot run harms nobody today. Its severity is `info`: a route has to ask for it.",
        "liveness-http-named-port-missing",
        &[0],
    ),
];

fn section(page: &mut String, title: &str, text: &str, payloads: &[&Payload]) {
    write!(page, "\n## {title}\n{text}\n").expect("strings take everything");
    for payload in payloads {
        write!(page, "\n````text\n{}````\n", shown(payload)).expect("strings take everything");
    }
}

/// Digests of findings of several incidents.
fn digests() -> (Payload, Payload, Payload) {
    let names = [
        "auth-service-outage",
        "crash-exit-1",
        "liveness-http-wrong-port",
        "oom-killed",
        "reporting-k134",
        "image-pull-not-found",
        "liveness-https-to-http-port",
        "readiness-http-404",
    ];
    let findings: Vec<_> = names.iter().map(|name| Told::of(&crate::support::incident(name).path).first()).collect();
    let news = |kind: Kind, count: usize| {
        let findings = findings.iter().take(count);
        findings.map(|finding| FindingUpdate { kind, finding: Arc::clone(finding), before: None }).collect::<Vec<_>>()
    };
    let now = findings[0].confirmed_at.expect("it is confirmed").plus(std::time::Duration::from_secs(20));
    let of = |why, news: Vec<FindingUpdate>| {
        let digest = Digest { why, news, waiting: 0 };
        Payload::new(&Dispatch::Digest(digest), Context { cluster: Some("prod-eu"), now })
    };
    let mut storm = news(Kind::Opened, 8);
    storm.sort_by_key(|news| std::cmp::Reverse(news.finding.severity));
    let mut missed = news(Kind::Missed, 4);
    for news in &mut missed {
        let finding = Arc::make_mut(&mut news.finding);
        finding.resolved_at = Some(finding.opened_at.plus(std::time::Duration::from_secs(250)));
    }
    (of(Why::FirstLook, news(Kind::Opened, 3)), of(Why::Storm, storm), of(Why::Missed, missed))
}

/// The same finding in the other forms.
fn elsewhere() -> String {
    let finding = Told::of(&crate::support::incident("auth-service-outage").path).first();
    let now = finding.confirmed_at.expect("it is confirmed");
    let news = FindingUpdate { kind: Kind::Opened, finding, before: None };
    let note = Note::new(&news, now);
    let mut text = String::from(
        "\n## In other forms\nThe first message of the outage again.\n\n`kubectl describe deployment`:\n\n````text\n",
    );
    writeln!(text, "{}  {}  {}\n````", note.kind, note.reason, note.text).expect("strings take everything");
    text.push_str("\n`summary` and `lines` of the webhook's document, and of the annotations of an Alertmanager's alert:\n\n````text\n");
    writeln!(text, "{}\n", plain::line(&news, now)).expect("strings take everything");
    for line in plain::lines(&news, now) {
        writeln!(text, "{line}").expect("strings take everything");
    }
    text.push_str("````\n");
    text
}

fn within_limits(payload: &Payload) {
    let texts: Vec<&str> = payload.blocks.iter().flat_map(texts).collect();
    assert!(payload.blocks.len() <= MAX_BLOCKS);
    assert!(texts.iter().all(|text| escape::length(text) <= MAX_OF_SECTION));
    assert!(texts.iter().map(|text| escape::length(text)).sum::<usize>() <= MAX_OF_MESSAGE);
}

/// The notifications of one incident to a receiver of everything.
struct Told {
    items: BTreeMap<Identity, Item>,
    start: Time,
    now: Time,
    messages: Vec<(Time, Payload)>,
    opening: Option<Arc<Finding>>,
    quiet: Vec<usize>,
}

impl Told {
    fn of(path: &std::path::Path) -> Self {
        let mut changes = Vec::new();
        let file = File::open(path).expect("the recording can be read");
        let replayed = replay(file, &mut Engine::default(), |moment| {
            if let Moment::Change(change) = moment {
                changes.push(change);
            }
        });
        let start = replayed.first.expect("it has a beginning");
        let mut told =
            Self { items: BTreeMap::new(), start, now: start, messages: Vec::new(), opening: None, quiet: Vec::new() };
        for change in changes {
            told.tell_until(change.at);
            told.put(&change);
            told.tell_until(change.at);
        }
        told.tell_until(replayed.last.expect("it has an end"));
        told
    }

    fn put(&mut self, change: &Change) {
        let finding = Arc::clone(&change.finding);
        let state = match change.kind {
            ChangeKind::Withdrawn => FindingState::Withdrawn,
            ChangeKind::Resolved => FindingState::Resolved,
            _ => FindingState::Confirmed,
        };
        if finding.confirmed_at.is_none() {
            return;
        }
        let item = Item { finding, state, silenced: false, admission: Admission::Routed, notified: None };
        let item = self.items.entry(change.finding.identity()).or_insert(item);
        (item.finding, item.state) = (Arc::clone(&change.finding), state);
    }

    /// Sends what is due until then, each at its time.
    fn tell_until(&mut self, until: Time) {
        loop {
            let now = self.now;
            let items: Vec<Item> = self.items.values().cloned().collect();
            let past = Past { since: Time::default(), first_notified: None, not_before: Time::default() };
            match next(&items, past, &Settings::default(), now) {
                Next::Send(dispatch) => self.send(&dispatch, now),
                Next::Wait(at) if at <= until => self.now = at.max(now),
                _ if now < until => self.now = until,
                _ => return,
            }
        }
    }

    fn send(&mut self, dispatch: &Dispatch, now: Time) {
        let by_default = |finding: &probehound::engine::Finding| {
            finding.severity >= Severity::Warning && finding.effect != Effect::Flapping
        };
        if !dispatch.news().iter().any(|news| by_default(&news.finding)) {
            self.quiet.push(self.messages.len());
        }
        if self.opening.is_none() {
            self.opening = dispatch.news().first().map(|news| Arc::clone(&news.finding));
        }
        let context = Context { cluster: None, now };
        self.messages.push((now, Payload::new(dispatch, context)));
        for (id, told) in dispatch.records("slack", now, &Outcome::Delivered) {
            self.items.get_mut(&id).expect("it is there").notified = Some(told);
        }
    }

    /// The first finding as first notified.
    fn first(&self) -> Arc<Finding> {
        Arc::clone(self.opening.as_ref().expect("something is told"))
    }

    fn page(&self) -> String {
        let mut page = String::new();
        for (number, (at, payload)) in self.messages.iter().enumerate() {
            let quiet = if self.quiet.contains(&number) { " (not sent by default)" } else { "" };
            let gap = if number == 0 { "" } else { "\n" };
            write!(page, "{gap}{}{quiet}\n{}", offset(*at, self.start), shown(payload))
                .expect("strings take everything");
        }
        page
    }
}

/// The text of the phone and the channel.
fn shown(payload: &Payload) -> String {
    let mut text = format!("phone: {}\n", decoded(&payload.text));
    for line in payload.blocks.iter().flat_map(texts).map(decoded) {
        for line in line.lines() {
            writeln!(text, "  | {line}").expect("strings take everything");
        }
    }
    text
}

fn texts(block: &Block) -> Vec<&str> {
    match block {
        Block::Section { text } => vec![&text.text],
        Block::Context { elements } => elements.iter().map(|element| element.text.as_str()).collect(),
        Block::Divider {} => vec![],
    }
}

/// The text as Slack displays it.
fn decoded(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
