//! Whatever happens, in whatever order: nothing is lost, and nothing is sent twice except after a kill
//! between sending and recording.

use std::collections::BTreeMap;

use probehound::delivery::policy::{Next, Settings};
use probehound::engine::{Cause, Finding, Severity};
use probehound::finding::Identity;
use probehound::report::object::{Content, FindingState};
use probehound::report::update::{Dispatch, Kind, Outcome};
use proptest::prelude::*;

use super::receiver::Receiver;
use super::samples::{at, finding};

/// Number of findings, two per workload.
const FINDINGS: usize = 8;

#[derive(Clone, Debug)]
enum Step {
    Opens(usize),
    ChangesCause(usize, bool),
    GetsCritical(usize),
    Ends(usize),
    IsReplaced(usize),
    IsSilenced(usize, bool),
    TimePasses(u64),
    Attempt(Attempt),
}

#[derive(Copy, Clone, Debug)]
enum Attempt {
    Arrives,
    Fails,
    /// It arrives, and the process is killed before that many of its findings are recorded.
    KilledAfterRecording(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..FINDINGS;
    prop_oneof![
        4 => which.clone().prop_map(Step::Opens),
        2 => (which.clone(), any::<bool>()).prop_map(|(number, other)| Step::ChangesCause(number, other)),
        1 => which.clone().prop_map(Step::GetsCritical),
        3 => which.clone().prop_map(Step::Ends),
        1 => which.clone().prop_map(Step::IsReplaced),
        1 => (which, any::<bool>()).prop_map(|(number, on)| Step::IsSilenced(number, on)),
        3 => (1_u64..400).prop_map(Step::TimePasses),
        6 => Just(Step::Attempt(Attempt::Arrives)),
        2 => Just(Step::Attempt(Attempt::Fails)),
        2 => (0_usize..4).prop_map(|recorded| Step::Attempt(Attempt::KilledAfterRecording(recorded))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_only_a_kill_repeats(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        for step in &steps {
            world.live(step);
        }
        world.settle();
        world.nothing_is_lost();
        world.only_a_kill_repeats();
    }
}

/// The notifications received about one finding.
struct Heard {
    kind: Kind,
    episode: u32,
    content: Content,
    recorded: bool,
}

struct World {
    receiver: Receiver,
    now: u64,
    heard: BTreeMap<Identity, Vec<Heard>>,
}

impl World {
    fn new() -> Self {
        Self { receiver: Receiver::old(Settings::default(), at(0)), now: 100, heard: BTreeMap::new() }
    }

    fn live(&mut self, step: &Step) {
        match *step {
            Step::Opens(number) => self.opens(number),
            Step::ChangesCause(number, other) => {
                let cause = if other { Cause::WrongPort } else { Cause::WrongPath };
                self.changes(number, |finding| finding.cause = cause);
            }
            Step::GetsCritical(number) => self.changes(number, |finding| finding.severity = Severity::Critical),
            Step::Ends(number) => {
                if let Some(finding) = self.open(number) {
                    self.receiver.over(&finding, at(self.now));
                }
            }
            Step::IsReplaced(number) => {
                if let Some(finding) = self.open(number) {
                    self.receiver.put(&finding, FindingState::Withdrawn);
                }
            }
            Step::IsSilenced(number, on) => {
                if let Some(item) = self.receiver.items.get_mut(&named(number, 0).identity()) {
                    item.silenced = on;
                }
            }
            Step::TimePasses(seconds) => self.now += seconds,
            Step::Attempt(attempt) => {
                self.attempt(attempt);
            }
        }
    }

    /// Opens it, or a new episode of it.
    fn opens(&mut self, number: usize) {
        let mut finding = named(number, self.now);
        if let Some(item) = self.receiver.items.get(&finding.identity()) {
            if item.state == FindingState::Confirmed {
                return;
            }
            finding.episodes = item.finding.episodes + 1;
        }
        self.receiver.open(&finding);
    }

    fn changes(&mut self, number: usize, change: impl Fn(&mut Finding)) {
        if let Some(mut finding) = self.open(number) {
            change(&mut finding);
            self.receiver.open(&finding);
        }
    }

    fn open(&self, number: usize) -> Option<Finding> {
        let item = self.receiver.items.get(&named(number, 0).identity())?;
        (item.state == FindingState::Confirmed).then(|| Finding::clone(&item.finding))
    }

    /// Tries to send what is due; returns whether there was anything.
    fn attempt(&mut self, attempt: Attempt) -> bool {
        let Next::Send(dispatch) = self.receiver.next(at(self.now)) else { return false };
        let recorded = match attempt {
            Attempt::Arrives => usize::MAX,
            Attempt::Fails => return true,
            Attempt::KilledAfterRecording(count) => count,
        };
        for (index, news) in dispatch.news().iter().enumerate() {
            let heard = Heard {
                kind: news.kind,
                episode: news.finding.episodes,
                content: Content::from_finding(&news.finding),
                recorded: index < recorded,
            };
            self.heard.entry(news.finding.identity()).or_default().push(heard);
        }
        self.record(&dispatch, recorded);
        self.now += 1;
        true
    }

    fn record(&mut self, dispatch: &Dispatch, count: usize) {
        let records = dispatch.records("slack", at(self.now), &Outcome::Delivered);
        for (id, notified) in records.into_iter().take(count) {
            self.receiver.items.get_mut(&id).expect("it is there").notified = Some(notified);
        }
    }

    /// Everything works for a while, and nothing happens.
    fn settle(&mut self) {
        for _ in 0..200 {
            if !self.attempt(Attempt::Arrives) {
                self.now += 30;
            }
        }
    }

    fn nothing_is_lost(&self) {
        for (id, item) in &self.receiver.items {
            let last = self.heard.get(id).and_then(|heard| heard.last());
            match item.state {
                FindingState::Confirmed if item.silenced => {}
                FindingState::Confirmed => {
                    let last = last.expect("what goes on was told");
                    assert!(matches!(last.kind, Kind::Opened | Kind::Changed), "{:?} of what goes on", last.kind);
                    // An unrecorded notification of something withdrawn since then stays as it is.
                    let content = (item.finding.episodes, &Content::from_finding(&item.finding));
                    assert!(
                        !last.recorded || (last.episode, &last.content) == content,
                        "{} was told stale",
                        id.workload
                    );
                }
                FindingState::Resolved | FindingState::Withdrawn => {
                    let open = |last: &Heard| last.recorded && matches!(last.kind, Kind::Opened | Kind::Changed);
                    assert!(!last.is_some_and(open), "the end of {} was never told", id.workload);
                }
            }
        }
    }

    fn only_a_kill_repeats(&self) {
        for (id, heard) in &self.heard {
            for pair in heard.windows(2) {
                let (one, other) = (&pair[0], &pair[1]);
                let same = (one.kind, one.episode, &one.content) == (other.kind, other.episode, &other.content);
                assert!(!same || !one.recorded, "{:?} of {} was told twice", one.kind, id.workload);
            }
        }
    }
}

/// Numbers 0 and 1 are two containers of one workload, and so on.
fn named(number: usize, second: u64) -> Finding {
    let container = if number.is_multiple_of(2) { "app" } else { "sidecar" };
    Finding { container: container.into(), ..finding(&format!("web-{}", number / 2), second) }
}
