//! The problems of the findings about a world.

use crate::kubelet::{Done, Played};
use crate::worlds::cure::{self, Cure};
use crate::worlds::evidence::contradictions;
use crate::worlds::guard::{Guard, Undone};
use crate::worlds::seen::suffices;
use crate::worlds::told::{Finding, Said, listen_with};
use crate::worlds::truth::{Claim, Expect};
use crate::worlds::world::World;

/// A cured fault is resolved for the engine after this time, in milliseconds.
const OVER: i64 = 1_200_000;

/// The kinds of problems, the worst first.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wrong {
    Panic,
    Blamed,
    Contradiction,
    Cause,
    Missed,
    TakenBack,
    ToldTwice,
    ResolvedTooSoon,
    NotResolved,
    BadAdvice,
    Field,
    /// The guard undid a rollout, and that did not help.
    Undone,
}

impl Wrong {
    pub const ALL: [Self; 12] = [
        Self::Panic,
        Self::Blamed,
        Self::Contradiction,
        Self::Cause,
        Self::Missed,
        Self::TakenBack,
        Self::ToldTwice,
        Self::ResolvedTooSoon,
        Self::NotResolved,
        Self::BadAdvice,
        Self::Field,
        Self::Undone,
    ];
}

/// A problem: its kind, and a description.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    pub wrong: Wrong,
    /// The same for the same problem in other worlds.
    pub key: String,
    pub text: String,
}

/// How a fault was found.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Found {
    Exactly,
    Acceptably,
    Otherwise,
    Not,
}

/// The outcome of a world's fault.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub found: Found,
    /// Whether the observations must be sufficient.
    pub suffices: bool,
}

/// A world, judged.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    pub outcomes: Vec<Outcome>,
    pub failures: Vec<Failure>,
    pub said: Said,
    /// The rollouts that the guard undid.
    pub undone: Vec<Undone>,
}

impl Judged {
    fn fail(&mut self, wrong: Wrong, key: impl Into<String>, text: impl Into<String>) {
        self.failures.push(Failure { wrong, key: key.into(), text: text.into() });
    }
}

fn fits(claim: &Claim, it: &Finding) -> bool {
    claim.effects.contains(&it.word("effect"))
        && claim.probe == it.text("probe")
        && claim.causes.contains(&it.word("cause"))
}

impl Expect {
    fn is_of(&self, it: &Finding) -> bool {
        self.workload == it.word("workload") && self.container == it.word("container")
    }

    /// Whether it is the finding of this fault.
    fn named_by(&self, it: &Finding) -> bool {
        self.is_of(it) && (fits(&self.exact, it) || self.fine.iter().any(|claim| fits(claim, it)))
    }

    fn allows(&self, it: &Finding) -> bool {
        self.named_by(it) || self.is_of(it) && self.beside.iter().any(|claim| fits(claim, it))
    }
}

/// Plays a world, and judges the findings.
pub fn judge(world: &World) -> Judged {
    let played = world.play();
    judge_played(world, &played)
}

pub fn judge_played(world: &World, played: &Played) -> Judged {
    let stream = world.spoilt(played.stream.clone());
    let mut judged = Judged::default();
    let mut guard = Guard::new(&played.stream);
    match listen_with(&stream, |change| guard.hear(change)) {
        Ok(said) => judged.said = said,
        Err(panic) => {
            judged.fail(Wrong::Panic, "panic", panic);
            return judged;
        }
    }
    judged.undone = guard.undone;
    for undone in judged.undone.clone() {
        if !undone.helps(world) {
            judged.fail(Wrong::Undone, format!("{}: undone", world.kind), undone.finding.to_string());
        }
    }
    let said = judged.said.clone();
    for line in &said.skipped {
        judged.fail(Wrong::Panic, "a line passed over", line);
    }
    for expect in &world.truth {
        let enough = !world.is_spoilt() && suffices(&stream, expect);
        let found = found(expect, &said);
        if found == Found::Not && enough {
            judged.fail(Wrong::Missed, format!("{} missed", world.kind), format!("{:?}", expect.exact.causes));
        }
        judged.outcomes.push(Outcome { found, suffices: enough });
        course(world, expect, &said, &played.done, &mut judged);
    }
    for it in said.confirmed() {
        standing(world, it, &mut judged);
    }
    meanwhile(world, &said, &mut judged);
    judged
}

fn found(expect: &Expect, said: &Said) -> Found {
    let mut of_it = said.confirmed().filter(|it| expect.is_of(it));
    let any = |wanted: &dyn Fn(&Finding) -> bool| said.confirmed().any(|it| expect.is_of(it) && wanted(it));
    if any(&|it| fits(&expect.exact, it)) {
        Found::Exactly
    } else if any(&|it| expect.named_by(it)) {
        Found::Acceptably
    } else if of_it.any(|it| !expect.allows(it)) {
        Found::Otherwise
    } else {
        Found::Not
    }
}

/// Judges the findings at the end.
fn standing(world: &World, it: &Finding, judged: &mut Judged) {
    for what in contradictions(it, world.manifests()) {
        judged.fail(Wrong::Contradiction, format!("{}: {what}", it.word("cause")), it.to_string());
    }
    let Some(expect) = world.truth.iter().find(|expect| expect.allows(it)) else {
        alien(world, it, "", judged);
        return;
    };
    let field = it.word("field");
    if fits(&expect.exact, it) && !expect.fields.is_empty() && !expect.fields.contains(&field) {
        judged.fail(Wrong::Field, format!("{}: {field}", it.word("cause")), it.to_string());
    }
    if cure::try_it(world, it) == Cure::Fails {
        judged.fail(
            Wrong::BadAdvice,
            format!("{} {field}", it.word("cause")),
            format!("{it} {:?}", it.lines("remedy")),
        );
    }
}

/// A finding that does not belong to a fault.
fn alien(world: &World, it: &Finding, when: &str, judged: &mut Judged) {
    let flaps = it.word("effect") == "Flapping";
    let unsure = world.is_spoilt() && world.truth.iter().any(|expect| expect.is_of(it));
    let key = format!("{}: {} {} {}{when}", world.kind, it.word("effect"), it.word("probe"), it.word("cause"));
    if it.blames_a_probe() {
        judged.fail(Wrong::Blamed, key, it.to_string());
    } else if !flaps && !unsure {
        judged.fail(Wrong::Cause, key, it.to_string());
    }
}

/// Judges the findings that were published and no longer exist.
fn meanwhile(world: &World, said: &Said, judged: &mut Judged) {
    let mut seen = Vec::new();
    for change in &said.changes {
        let it = &change.finding;
        let told = matches!(&*change.kind, "Confirmed" | "Updated") && it.is_confirmed();
        let stands =
            said.confirmed().any(|last| last.identity() == it.identity() && last.word("cause") == it.word("cause"));
        let key = (it.identity(), it.word("cause").to_owned());
        if !told || stands || seen.contains(&key) || world.truth.iter().any(|expect| expect.allows(it)) {
            continue;
        }
        seen.push(key);
        // That it does not know yet is no wrong word.
        let unknown = it.word("cause") == "Unknown" && world.truth.iter().any(|expect| expect.is_of(it));
        if !unknown {
            alien(world, it, ", for a while", judged);
        }
    }
    for (number, change) in said.changes.iter().enumerate() {
        let told = |before: &&crate::worlds::told::Change| {
            before.kind == "Confirmed" && before.finding.identity() == change.finding.identity()
        };
        if change.kind == "Withdrawn" && said.changes[..number].iter().any(|before| told(&before)) {
            let key = format!("{}: {}", world.kind, change.finding.word("cause"));
            judged.fail(Wrong::TakenBack, key, format!("{} s: {}", change.at / 1000, change.finding));
        }
    }
}

/// Judges how the finding of a fault came and went.
fn course(world: &World, expect: &Expect, said: &Said, done: &[Done], judged: &mut Judged) {
    let of_it: Vec<_> = said.confirmed().filter(|it| expect.named_by(it)).collect();
    if of_it.len() > 1 {
        let both: Vec<_> = of_it.iter().map(ToString::to_string).collect();
        judged.fail(Wrong::ToldTwice, format!("{}: two findings", world.kind), both.join(" and "));
    }
    let deeds = done.iter().filter(|it| it.workload == expect.workload && it.container == expect.container);
    let last = deeds.map(|it| it.at).max().unwrap_or(0);
    let uncured = expect.cured.map_or(i64::MAX, |at| at * 1000);
    if expect.steady {
        let resolved = said.changes.iter().find(|change| {
            change.kind == "Resolved" && expect.named_by(&change.finding) && change.at < uncured.min(last)
        });
        if let Some(change) = resolved {
            let key = format!("{}: {}", world.kind, change.finding.word("cause"));
            let text = format!("{} s, and it goes on until {} s: {}", change.at / 1000, last / 1000, change.finding);
            judged.fail(Wrong::ResolvedTooSoon, key, text);
        }
        if let Some(it) = of_it.iter().find(|it| it.0["episodes"].as_u64() > Some(1)) {
            judged.fail(Wrong::ToldTwice, format!("{}: a second episode", world.kind), it.to_string());
        }
    }
    let well_since = last.max(uncured);
    if expect.cured.is_some() && world.seconds * 1000 - well_since > OVER {
        let open = of_it.iter().find(|it| it.word("effect") == "RestartLoop" && it.text("resolved_at").is_none());
        if let Some(it) = open {
            let text = format!("well since {} s: {it}", well_since / 1000);
            judged.fail(Wrong::NotResolved, format!("{}: {}", world.kind, it.word("cause")), text);
        }
    }
}
