//! Every order in which two findings live, a receiver answers, and leaders die or change around each step
//! of sending and recording: nothing is lost, and only what a death or a missing answer left unrecorded is
//! sent again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use probehound::delivery::policy::{Admission, Item, Next, Past, Settings, next};
use probehound::engine::{Cause, Finding};
use probehound::finding::Identity;
use probehound::report::object::{Content, FindingState, Notification};
use probehound::report::update::{Dispatch, Kind, Outcome};

use super::samples::{at, finding};

/// Maximum number of leaders that die or lose the lead.
const CHANGES: u8 = 2;
/// Maximum number of missing answers.
const FAILURES: u8 = 2;
/// Time between two steps, in seconds: longer than anything that the policy waits for.
const STEP: u64 = 400;

/// The implementation, and wrong alternatives.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Way {
    /// A message is sent, then recorded; a new leader reads the records.
    AsItIs,
    /// A message is recorded, then sent.
    RecordsFirst,
    /// A new leader relies on what it had read when it started.
    ByItsCache,
    /// The next message is sent while the previous one is not recorded yet.
    WithoutWaiting,
}

/// A step.
#[derive(Copy, Clone, Debug)]
enum Step {
    /// The finding of that number enters its next state.
    Lives(usize),
    /// The leader sends the next message, with this result.
    Sends(Answer),
    /// One more record of what was sent is written.
    Records,
    /// Another leader takes over, or the same one restarts.
    LeaderChanges,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Answer {
    Arrives,
    /// It does not arrive.
    Lost,
    /// It arrives, but the connection breaks before the answer.
    Broken,
}

const STEPS: [Step; 7] = [
    Step::Lives(0),
    Step::Lives(1),
    Step::Records,
    Step::LeaderChanges,
    Step::Sends(Answer::Arrives),
    Step::Sends(Answer::Lost),
    Step::Sends(Answer::Broken),
];

/// The consecutive states of one finding.
type Life = &'static [(FindingState, u32, Cause)];

const LIVES: [Life; 2] = [
    &[
        (FindingState::Confirmed, 1, Cause::WrongPath),
        (FindingState::Confirmed, 1, Cause::WrongPort),
        (FindingState::Resolved, 1, Cause::WrongPort),
        (FindingState::Confirmed, 2, Cause::WrongPath),
    ],
    &[(FindingState::Confirmed, 1, Cause::WrongPath), (FindingState::Withdrawn, 1, Cause::WrongPath)],
];

/// The same as findings.
static FINDINGS: LazyLock<Vec<Vec<Arc<Finding>>>> = LazyLock::new(|| {
    let lives = LIVES.iter().enumerate();
    lives.map(|(number, life)| life.iter().map(|moment| Arc::new(at_a_moment(number, *moment))).collect()).collect()
});

fn at_a_moment(number: usize, (state, episodes, cause): (FindingState, u32, Cause)) -> Finding {
    let resolved_at = (state == FindingState::Resolved).then(|| at(7));
    Finding { cause, episodes, resolved_at, ..finding(&format!("web-{number}"), 5) }
}

/// The notifications received about a finding.
#[derive(Clone, Debug)]
struct Heard {
    kind: Kind,
    episode: u32,
    content: Content,
    recorded: bool,
    /// The number of the message.
    message: usize,
}

impl Heard {
    fn is_repeated_by(&self, other: &Self) -> bool {
        (self.kind, self.episode, &self.content) == (other.kind, other.episode, &other.content)
    }

    const fn essence(&self) -> (Kind, u32, Cause, bool) {
        (self.kind, self.episode, self.content.cause, self.recorded)
    }
}

#[derive(Clone)]
struct State {
    way: Way,
    settings: Arc<Settings>,
    now: u64,
    ages: [usize; 2],
    /// The notifications recorded in the objects.
    recorded: BTreeMap<Identity, Notification>,
    /// The notifications that the leader knows of.
    known: BTreeMap<Identity, Notification>,
    /// Notifications sent, or about to be sent, and not recorded yet.
    under_way: VecDeque<(Identity, Notification)>,
    heard: BTreeMap<Identity, Vec<Heard>>,
    messages: usize,
    changes: u8,
    failures: u8,
    /// The failures in which the receiver got the message.
    broken: u8,
}

#[test]
fn in_no_order_is_anything_lost_or_told_again_but_for_a_death() {
    for digest_above in [1, 5] {
        let explored = explore(Way::AsItIs, digest_above).unwrap_or_else(|wrong| panic!("{wrong}"));
        println!("{explored} states");
        assert!(explored > 1_000, "{explored} states");
    }
}

#[test]
fn the_model_finds_what_would_be_wrong() {
    let wrong = |way| explore(way, 5).expect_err("it is wrong");
    assert!(wrong(Way::RecordsFirst).contains("is lost"));
    assert!(wrong(Way::ByItsCache).contains("told again"));
    assert!(wrong(Way::WithoutWaiting).contains("told again"));
}

/// Explores every reachable state; returns their number.
fn explore(way: Way, digest_above: usize) -> Result<usize, String> {
    let settings = Settings { digest_above, ..Settings::default() };
    let mut seen = BTreeSet::new();
    let mut todo = vec![(State::new(way, settings), Vec::new())];
    while let Some((state, steps)) = todo.pop() {
        if !seen.insert(state.mark()) {
            continue;
        }
        state.check().map_err(|wrong| format!("{wrong} after {steps:?}"))?;
        for step in STEPS {
            let mut after = state.clone();
            if after.take(step) {
                todo.push((after, steps.iter().copied().chain([step]).collect()));
            }
        }
    }
    Ok(seen.len())
}

impl State {
    fn new(way: Way, settings: Settings) -> Self {
        Self {
            way,
            settings: Arc::new(settings),
            now: STEP,
            ages: [0; 2],
            recorded: BTreeMap::new(),
            known: BTreeMap::new(),
            under_way: VecDeque::new(),
            heard: BTreeMap::new(),
            messages: 0,
            changes: 0,
            failures: 0,
            broken: 0,
        }
    }

    /// Everything that distinguishes it from other states: times do not, since all notifications are longer
    /// ago than anything waits for.
    fn mark(&self) -> u64 {
        let notified = |notified: &BTreeMap<Identity, Notification>| {
            notified
                .values()
                .map(|notified| {
                    (notified.episode, notified.notified, notified.content.as_ref().map(|content| content.cause))
                })
                .collect::<Vec<_>>()
        };
        let keys: Vec<_> =
            self.under_way.iter().map(|(identity, notified)| (&identity.workload, notified.notified)).collect();
        let heard: Vec<_> = self.heard.values().flatten().map(Heard::essence).collect();
        let counts = (self.ages, self.changes, self.failures, self.broken, self.repeated());
        let mut hasher = DefaultHasher::new();
        format!("{:?}", (counts, notified(&self.recorded), notified(&self.known), keys, heard)).hash(&mut hasher);
        hasher.finish()
    }

    /// `false` if the step is not possible now.
    fn take(&mut self, step: Step) -> bool {
        self.now += STEP;
        match step {
            Step::Lives(number) => {
                self.ages[number] += 1;
                self.ages[number] <= LIVES[number].len()
            }
            Step::Records => self.record(),
            Step::LeaderChanges => self.change_leader(),
            Step::Sends(answer) => self.send(answer),
        }
    }

    fn change_leader(&mut self) -> bool {
        self.changes += 1;
        self.under_way.clear();
        self.known = if self.way == Way::ByItsCache { BTreeMap::new() } else { self.recorded.clone() };
        self.changes <= CHANGES
    }

    fn send(&mut self, answer: Answer) -> bool {
        if !self.under_way.is_empty() && self.way != Way::WithoutWaiting {
            return false;
        }
        let Next::Send(dispatch) = self.next() else { return false };
        self.failures += u8::from(answer != Answer::Arrives);
        self.broken += u8::from(answer == Answer::Broken);
        self.messages += 1;
        if self.way == Way::RecordsFirst {
            self.write_down(&dispatch);
            while self.record() {}
            // Killed in between, it is not sent.
            self.hear(&dispatch, answer);
        } else {
            self.hear(&dispatch, answer);
            if answer == Answer::Arrives {
                self.write_down(&dispatch);
            }
        }
        self.failures <= FAILURES
    }

    fn hear(&mut self, dispatch: &Dispatch, answer: Answer) {
        if answer == Answer::Lost {
            return;
        }
        for news in dispatch.news() {
            let (episode, content) = (news.finding.episodes, Content::from_finding(&news.finding));
            let heard = Heard { kind: news.kind, episode, content, recorded: false, message: self.messages };
            self.heard.entry(news.finding.identity()).or_default().push(heard);
        }
    }

    fn write_down(&mut self, dispatch: &Dispatch) {
        for (identity, notified) in dispatch.records("slack", at(self.now), &Outcome::Delivered) {
            self.known.insert(identity.clone(), notified.clone());
            self.under_way.push_back((identity, notified));
        }
    }

    /// Writes one more record.
    fn record(&mut self) -> bool {
        let Some((identity, notified)) = self.under_way.pop_front() else { return false };
        if let Some(last) = self.heard.get_mut(&identity).and_then(|heard| heard.last_mut()) {
            last.recorded = true;
        }
        self.recorded.insert(identity, notified);
        true
    }

    fn next(&self) -> Next {
        let past = Past { since: at(0), first_notified: Some(at(0)), not_before: at(0) };
        let items: Vec<Item> = (0..2).filter_map(|number| self.item(number)).collect();
        next(&items, past, &self.settings, at(self.now))
    }

    fn item(&self, number: usize) -> Option<Item> {
        let age = self.ages[number].checked_sub(1)?;
        let finding = Arc::clone(&FINDINGS[number][age]);
        let notified = self.known.get(&finding.identity()).cloned();
        Some(Item { finding, state: LIVES[number][age].0, silenced: false, admission: Admission::Routed, notified })
    }

    /// Whether everything would be well if nothing happened any more.
    fn check(&self) -> Result<(), String> {
        let mut end = self.clone();
        for _ in 0..20 {
            end.now += STEP;
            while end.record() {}
            if !end.send(Answer::Arrives) {
                break;
            }
        }
        (0..2).filter_map(|number| end.item(number)).try_for_each(|item| end.is_well(&item))?;
        let repeated = end.repeated();
        if repeated <= usize::from(end.changes + end.broken) {
            Ok(())
        } else {
            Err(format!("{repeated} messages are told again"))
        }
    }

    /// The number of messages whose content was sent again.
    fn repeated(&self) -> usize {
        let mut repeated = BTreeSet::new();
        for heard in self.heard.values() {
            for (place, one) in heard.iter().enumerate() {
                let again = heard[place + 1..].iter().any(|other| one.is_repeated_by(other));
                repeated.extend(again.then_some(one.message));
            }
        }
        repeated.len()
    }

    fn is_well(&self, item: &Item) -> Result<(), String> {
        let name = &item.finding.workload;
        let none = Vec::new();
        let heard = self.heard.get(&item.finding.identity()).unwrap_or(&none);
        for (place, one) in heard.iter().enumerate() {
            if heard[..place].iter().any(|before| before.recorded && before.is_repeated_by(one)) {
                return Err(format!("{:?} of {name} is told again", one.kind));
            }
        }
        let last = heard.last();
        let is_open = |last: &Heard| matches!(last.kind, Kind::Opened | Kind::Changed);
        let content = (item.finding.episodes, Content::from_finding(&item.finding));
        let is_told = match item.state {
            FindingState::Confirmed => {
                last.is_some_and(|last| is_open(last) && (last.episode, last.content.clone()) == content)
            }
            FindingState::Resolved => last.is_some_and(|last| !is_open(last)),
            // If a notification was not recorded, nobody knows of it.
            FindingState::Withdrawn => !last.is_some_and(|last| is_open(last) && last.recorded),
        };
        if is_told { Ok(()) } else { Err(format!("news of {name} is lost: {:?}, heard {last:?}", item.state)) }
    }
}
