//! Compares the notifications with a replay: episode by episode of each finding.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use probehound::time::Time;
use serde::Deserialize;

use super::troubles::Disturbance;

/// Maximum time between the observations of the same change by both.
const APART: Duration = Duration::from_secs(45);
/// Time within which the effects of a disturbance show: the absence of a pod deleted meanwhile is noticed
/// after a minute.
const AFTERMATH: Duration = Duration::from_secs(75);
/// What happened right before the end may not be notified yet.
const LAST: Duration = Duration::from_secs(100);
/// Number of episodes in a hundred that may differ after disturbances.
const TOLERATED: usize = 5;

/// The identity of a finding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
pub struct Key {
    namespace: String,
    workload: String,
    container: String,
    effect: String,
    probe: Option<String>,
}

/// The parts of a finding that are compared.
#[derive(Clone, Debug, Deserialize)]
pub struct Finding {
    #[serde(flatten)]
    key: Key,
    cause: String,
    pub confirmed_at: Option<Time>,
    resolved_at: Option<Time>,
}

/// From its confirmation until its resolution.
#[derive(Clone, Debug)]
pub struct Episode {
    from: Time,
    to: Option<Time>,
    cause: String,
}

/// All episodes, by finding, in chronological order.
#[derive(Default)]
pub struct Episodes {
    by_finding: BTreeMap<Key, Vec<Episode>>,
    /// Changes published twice or out of order.
    pub odd: Vec<String>,
}

impl Episodes {
    /// A finding was confirmed.
    pub fn open(&mut self, finding: &Finding, at: Time) {
        let episodes = self.by_finding.entry(finding.key.clone()).or_default();
        let new = Episode::of(finding, at);
        // Whoever takes over sends again what was sent and not yet recorded as sent: it is the same episode.
        match episodes.iter_mut().rev().find(|episode| episode.to.is_none() || episode.from == new.from) {
            Some(known) => {
                let was = if known.to.is_none() { "opened twice" } else { "opened again after its end" };
                known.cause.clone_from(&finding.cause);
                known.to = None;
                self.odd.push(format!("{at} {} {was}", finding.key));
            }
            None => episodes.push(new),
        }
    }

    /// It changed.
    pub fn go_on(&mut self, finding: &Finding, at: Time) {
        match self.current(&finding.key) {
            Some(episode) => episode.cause.clone_from(&finding.cause),
            None => self.odd.push(format!("{at} {} changed, and had not opened", finding.key)),
        }
    }

    /// It was resolved.
    pub fn end(&mut self, finding: &Finding, at: Time) {
        match self.current(&finding.key) {
            Some(episode) => episode.to = Some(finding.resolved_at.unwrap_or(at)),
            None => self.odd.push(format!("{at} {} ended, and had not opened", finding.key)),
        }
    }

    fn current(&mut self, key: &Key) -> Option<&mut Episode> {
        self.by_finding.get_mut(key)?.last_mut().filter(|episode| episode.to.is_none())
    }

    fn count(&self) -> usize {
        self.by_finding.values().map(Vec::len).sum()
    }
}

impl Episode {
    fn of(finding: &Finding, at: Time) -> Self {
        Self { from: finding.confirmed_at.unwrap_or(at), to: None, cause: finding.cause.clone() }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let begins_in_time = |one: &Self, other: &Self| other.to.is_none_or(|to| one.from <= to.plus(APART));
        begins_in_time(self, other) && begins_in_time(other, self)
    }
}

/// Something that only one of them reports.
struct Difference {
    what: String,
    /// When it happened: what happened then explains it.
    at: Vec<Time>,
}

/// The differences that are not explained by disturbances; prints all differences.
pub fn wrong(told: &Episodes, replayed: &Episodes, disturbances: &[Disturbance], end: Time) -> Vec<String> {
    let differences = differences(told, replayed);
    println!(
        "\ntold: {} episodes of {} findings; replayed: {} of {}; {} differ",
        told.count(),
        told.by_finding.len(),
        replayed.count(),
        replayed.by_finding.len(),
        differences.len()
    );
    for odd in &told.odd {
        println!("  told: {odd}");
    }
    let (mut wrong, mut explained) = (Vec::new(), 0);
    for difference in differences {
        match why(&difference, disturbances, end) {
            Some(why) => {
                explained += usize::from(why != THE_END);
                println!("  {}: {why}", difference.what);
            }
            None => wrong.push(format!("{}, and nothing explains it", difference.what)),
        }
    }
    if explained * 100 > replayed.count() * TOLERATED {
        wrong.push(format!("{explained} of {} episodes differ: more than {TOLERATED} %", replayed.count()));
    }
    wrong
}

const THE_END: &str = "the soak ended";

fn why(difference: &Difference, disturbances: &[Disturbance], end: Time) -> Option<String> {
    if difference.at.iter().any(|at| at.plus(LAST) >= end) {
        return Some(THE_END.to_owned());
    }
    let near =
        |it: &&Disturbance| difference.at.iter().any(|at| it.from <= at.plus(APART) && *at <= it.to.plus(AFTERMATH));
    disturbances.iter().find(near).map(|it| format!("{} at {}", it.what, it.from))
}

fn differences(told: &Episodes, replayed: &Episodes) -> Vec<Difference> {
    let keys: std::collections::BTreeSet<&Key> = told.by_finding.keys().chain(replayed.by_finding.keys()).collect();
    let of = |all: &Episodes, key: &Key| all.by_finding.get(key).cloned().unwrap_or_default();
    keys.into_iter().flat_map(|key| of_one(key, of(told, key), of(replayed, key))).collect()
}

/// Pairs the episodes that overlap; those without a counterpart differ, and those that were resolved in
/// only one.
fn of_one(key: &Key, mut told: Vec<Episode>, replayed: Vec<Episode>) -> Vec<Difference> {
    let mut differences = Vec::new();
    for episode in replayed {
        let Some(place) = told.iter().position(|other| other.overlaps(&episode)) else {
            differences.push(Difference::only("only replayed", key, &episode));
            continue;
        };
        let other = told.remove(place);
        if other.to.is_some() != episode.to.is_some() {
            let what = format!("{key}: told {other}, replayed {episode}");
            let at = other.to.into_iter().chain(episode.to).collect();
            differences.push(Difference { what, at });
        } else if other.cause != episode.cause {
            println!("  {key}: the last cause told is {}, replayed {} ({episode})", other.cause, episode.cause);
        }
    }
    differences.extend(told.iter().map(|episode| Difference::only("only told", key, episode)));
    differences
}

impl Difference {
    fn only(what: &str, key: &Key, episode: &Episode) -> Self {
        let at = std::iter::once(episode.from).chain(episode.to).collect();
        Self { what: format!("{key}: {what} {episode}"), at }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, workload, container, effect, probe } = self;
        write!(f, "{namespace} {workload}/{container} {effect} {}", probe.as_deref().unwrap_or("-"))
    }
}

impl fmt::Display for Episode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = self.to.map_or_else(|| "…".to_owned(), |to| to.to_string());
        write!(f, "{} from {} to {to}", self.cause, self.from)
    }
}
