//! What a person reads in Slack of every incident, as it unfolds.
//!
//! A snapshot an incident in `tests/messages`, to be read by people: what the phone shows behind
//! `phone`, and below it the message as the channel has it.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::sync::Arc;

use probehound::delivery::policy::{Admission, Item, Next, Past, Settings, next};
use probehound::engine::{Change, ChangeKind, Effect, Engine, Severity};
use probehound::finding::Identity;
use probehound::replay::{Moment, replay};
use probehound::report::object::FindingState;
use probehound::report::slack::{Block, Context, MOST_BLOCKS, MOST_OF_MESSAGE, MOST_OF_SECTION, Payload, escape};
use probehound::report::tidings::{Dispatch, Outcome};
use probehound::report::when::offset;
use probehound::time::Time;
use support::corpus;

#[test]
fn the_messages_of_every_incident_are_fit_to_be_read() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("messages");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for incident in corpus() {
        let told = Told::of(&incident.path);
        settings.bind(|| insta::assert_snapshot!(incident.name.as_str(), told.page()));
        for (_, payload) in &told.messages {
            within_limits(payload);
        }
    }
}

fn within_limits(payload: &Payload) {
    let texts: Vec<&str> = payload.blocks.iter().flat_map(texts).collect();
    assert!(payload.blocks.len() <= MOST_BLOCKS);
    assert!(texts.iter().all(|text| escape::length(text) <= MOST_OF_SECTION));
    assert!(texts.iter().map(|text| escape::length(text)).sum::<usize>() <= MOST_OF_MESSAGE);
}

/// What a receiver of everything is told of one incident.
struct Told {
    items: BTreeMap<Identity, Item>,
    start: Time,
    now: Time,
    messages: Vec<(Time, Payload)>,
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
        let mut told = Self { items: BTreeMap::new(), start, now: start, messages: Vec::new(), quiet: Vec::new() };
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
        let item = Item { finding, state, silenced: false, admission: Admission::Routed, told: None };
        let item = self.items.entry(change.finding.identity()).or_insert(item);
        (item.finding, item.state) = (Arc::clone(&change.finding), state);
    }

    /// Sends what is due until then, each at its time.
    fn tell_until(&mut self, until: Time) {
        loop {
            let now = self.now;
            let items: Vec<Item> = self.items.values().cloned().collect();
            let past = Past { since: Time::default(), not_before: Time::default() };
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
        let context = Context { cluster: None, now };
        self.messages.push((now, Payload::of(dispatch, context)));
        for (id, told) in dispatch.records("slack", now, &Outcome::Delivered) {
            self.items.get_mut(&id).expect("it is there").told = Some(told);
        }
    }

    fn page(&self) -> String {
        let mut page = String::new();
        for (number, (at, payload)) in self.messages.iter().enumerate() {
            let quiet = if self.quiet.contains(&number) { " (not sent by default)" } else { "" };
            let gap = if number == 0 { "" } else { "\n" };
            let phone = decoded(&payload.text);
            writeln!(page, "{gap}{}{quiet}\nphone: {phone}", offset(*at, self.start)).expect("strings take everything");
            for line in payload
                .blocks
                .iter()
                .flat_map(texts)
                .flat_map(|text| decoded(text).lines().map(str::to_owned).collect::<Vec<_>>())
            {
                writeln!(page, "  | {line}").expect("strings take everything");
            }
        }
        page
    }
}

fn texts(block: &Block) -> Vec<&str> {
    match block {
        Block::Section { text } => vec![&text.text],
        Block::Context { elements } => elements.iter().map(|element| element.text.as_str()).collect(),
        Block::Divider {} => vec![],
    }
}

/// As Slack shows it.
fn decoded(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
