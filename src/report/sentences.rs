//! The sentences of a message below its headline, shared by every form. Raw text: the caller cuts
//! and escapes it for its medium.

use std::time::Duration;

use super::escape::cut;
use super::headline::probe;
use super::object::{Reach, Said};
use super::sentence::Sentence;
use super::when::{clock, day_if_another, lasted, span};
use crate::engine::{Confidence, Effect, Fact, Finding, Pods, RevisionChange, ServiceState};
use crate::time::Time;

/// Services named in a sentence.
const SERVICES: usize = 3;
/// Hypotheses named in a sentence.
const HYPOTHESES: usize = 4;
/// Longest value or name within a sentence, in columns, so that the rest of it is still read.
const VALUE: usize = 120;
/// What was seen for so long only is not worth a word.
const A_WHILE: Duration = Duration::from_secs(10);

/// What happens to how many pods, and what that does to the Services:
/// `Container auth is being killed by its liveness probe in 50 of 50 pods (137 restarts so far).
/// Service auth has 0 of 50 endpoints ready.`
pub fn extent(finding: &Finding) -> Sentence {
    let so_far = match finding.restarts {
        0 => String::new(),
        count => format!(" ({} so far)", restarts(count)),
    };
    let sentence = reach(finding).words(format!("{so_far}."));
    match finding.services.as_slice() {
        [] => sentence,
        services => sentence.words(" ").and(endpoints(services)).words("."),
    }
}

/// `Seen since 14:00:12 UTC, for 4m10s by now.`
pub fn since(finding: &Finding, now: Time) -> Sentence {
    let (lasted, day) = (lasted(finding, now), day_if_another(finding.opened_at, now));
    let long = if lasted < A_WHILE { String::new() } else { format!(", for {} by now", span(lasted)) };
    Sentence::new(format!("Seen since {day}{} UTC{long}.", clock(finding.opened_at)))
}

/// `livenessProbe.httpGet.path is /v2/health; suggested: /health.`
pub fn field_is(finding: &Finding) -> Option<Sentence> {
    let field = cut(finding.field.as_deref()?, VALUE);
    let sentence = match &finding.current {
        Some(value) => Sentence::default().name(field).words(" is ").value(short(value)),
        // A whole field that is blamed for what it lacks; another one is where to look.
        None if field == "startupProbe" || finding.suggested.is_some() => {
            Sentence::default().name(field).words(" is not set")
        }
        None => return Some(Sentence::new("Look at ").name(field).words(".")),
    };
    Some(match &finding.suggested {
        Some(value) => sentence.words("; suggested: ").value(short(value)).words("."),
        None => sentence.words("."),
    })
}

/// `Changed by revision 8, 14:00:02 (kubectl-edit): /health → /v2/health.`
pub fn changed_by(finding: &Finding) -> Option<Sentence> {
    let Some(change) = &finding.change else {
        let first = if finding.revision? == 1 { ", the first" } else { "" };
        return Some(Sentence::new(format!("The failing pods are of revision {}{first}.", finding.revision?)));
    };
    let at = change.at.map(|at| format!(", {}", clock(at))).unwrap_or_default();
    let sentence = Sentence::new(format!("Changed by revision {}{at}", change.revision));
    let sentence = match &change.by {
        Some(by) => sentence.words(" (").name(cut(by, VALUE)).words(")"),
        None => sentence,
    };
    Some(values(sentence, change).words("."))
}

/// `Confidence: medium. It could also be: a slow start; a wrong port.`
pub fn doubt(finding: &Finding) -> Option<String> {
    let hypotheses = finding.hypotheses.iter().take(HYPOTHESES);
    let hypotheses: Vec<String> = hypotheses.map(|text| cut(text, VALUE)).collect();
    match hypotheses.as_slice() {
        [] if finding.confidence == Confidence::High => None,
        [] => Some(format!("Confidence: {}.", finding.confidence)),
        _ => Some(format!("Confidence: {}. It could also be: {}.", finding.confidence, hypotheses.join("; "))),
    }
}

/// What is new beside what was said before: `Now all pods. The cause was said to be WrongPort before.`
pub fn news(finding: &Finding, before: &Said) -> Option<Sentence> {
    let now = Said::of(finding);
    let mut all = Vec::new();
    match now.reach {
        reach if reach <= before.reach => {}
        Reach::ServiceOut => all.push("New: a Service has no endpoint left that is ready.".to_owned()),
        Reach::AllPods => all.push("New: it has reached all pods.".to_owned()),
        Reach::Partial => {}
    }
    if now.cause != before.cause {
        all.push(format!("New: the cause; until now it was said to be {}.", before.cause));
    } else if (&now.field, &now.current) != (&before.field, &before.current) {
        all.push("New: the field or its value.".to_owned());
    } else if now.suggested != before.suggested {
        all.push("New: the value that works.".to_owned());
    }
    if now.confidence != before.confidence {
        all.push(format!("New: the confidence is {}, it was {}.", now.confidence, before.confidence));
    }
    (!all.is_empty()).then(|| Sentence::new(all.join(" ")))
}

/// `Over after 4m10s, with 137 restarts.`
pub fn over(finding: &Finding, at: Time) -> Sentence {
    Sentence::new(format!("Over after {}, with {}.", span(lasted(finding, at)), restarts(finding.restarts)))
}

/// `At its worst: 50 of 50 pods, Service auth had 0 of 50 endpoints ready.`
pub fn worst(finding: &Finding) -> Sentence {
    let sentence = Sentence::new(format!("At its worst: {}", pods(finding.pods)));
    match out(finding) {
        Some(service) => sentence.words("; ").and(endpoint(service, "had")).words("."),
        None => sentence.words("."),
    }
}

/// The first Service that has endpoints, and none that is ready.
pub fn out(finding: &Finding) -> Option<&ServiceState> {
    finding.services.iter().find(|service| service.total > 0 && service.ready == 0)
}

/// `1 restart`, `137 restarts`.
pub fn restarts(count: u64) -> String {
    match count {
        1 => "1 restart".to_owned(),
        _ => format!("{count} restarts"),
    }
}

/// The two or three facts that say most: the first ones and the last. What the rollout changed has
/// a sentence of its own.
pub fn telling(facts: &[Fact]) -> Vec<&Fact> {
    let rollout = |fact: &&Fact| fact.what.starts_with("revision ") && fact.what.contains(" was rolled out");
    let mut facts: Vec<&Fact> = facts.iter().filter(|fact| !rollout(fact)).collect();
    if facts.len() > 3 {
        facts.drain(2..facts.len() - 1);
    }
    facts
}

fn reach(finding: &Finding) -> Sentence {
    let container = cut(&finding.container, VALUE);
    let (pods, probe) = (pods(finding.pods), probe(finding));
    let killed = finding.probe.is_some_and(crate::kubelet::ProbeKind::kills);
    let of_container = |words: String| Sentence::new("Container ").name(&container).words(words);
    match finding.effect {
        Effect::RestartLoop if killed => of_container(format!(" is being killed by its {probe} in {pods}")),
        Effect::RestartLoop => of_container(format!(" restarts again and again in {pods}")),
        Effect::Killed => of_container(format!(" was ended by its {probe} in {pods}, and is not restarted")),
        Effect::NeverReady => of_container(format!(" has never become ready in {pods}")),
        Effect::ProbeIneffective => Sentence::new(format!("The {probe} of container "))
            .name(container)
            .words(format!(" protects nothing in {pods}")),
        Effect::StartBlocked => of_container(format!(" has not started in {pods}")),
        Effect::Flapping => Sentence::new(format!("The {probe} of container "))
            .name(container)
            .words(format!(" fails now and then in {pods}")),
        Effect::Recurring => of_container(format!(" ends from time to time in {pods}")),
    }
}

/// `50 of 50 pods`; where it is not known how many are wanted, `3 pods`.
pub fn pods(pods: Pods) -> String {
    match pods {
        Pods { affected: 1, total: 0 } => "1 pod".to_owned(),
        Pods { affected, total: 0 } => format!("{affected} pods"),
        Pods { affected, total: 1 } => format!("{affected} of 1 pod"),
        Pods { affected, total } => format!("{affected} of {total} pods"),
    }
}

/// `Service auth has 0 of 50 endpoints ready, Service login has 3 of 5`
fn endpoints(services: &[ServiceState]) -> Sentence {
    let mut sentence = Sentence::default();
    for (place, service) in services.iter().take(SERVICES).enumerate() {
        sentence = sentence.words(if place == 0 { "" } else { ", " }).and(endpoint(service, "has"));
    }
    match services.len().saturating_sub(SERVICES) {
        0 => sentence,
        more => sentence.words(format!(", and there are {more} more")),
    }
}

fn endpoint(ServiceState { name, ready, total }: &ServiceState, has: &str) -> Sentence {
    let endpoints = match total {
        0 => format!(" {has} no endpoints"),
        total => format!(" {has} {ready} of {total} endpoints ready"),
    };
    Sentence::new("Service ").name(cut(name, VALUE)).words(endpoints)
}

/// `: /health → /v2/health`, or nothing where it is not known what changed.
fn values(sentence: Sentence, RevisionChange { from, to, .. }: &RevisionChange) -> Sentence {
    let side = |sentence: Sentence, value: &Option<String>| match value {
        Some(value) => sentence.value(cut(value, VALUE)),
        None => sentence.words("not set"),
    };
    match (from, to) {
        (None, None) => sentence,
        // Of the environment it is only known that it did.
        (None, Some(to)) if to.ends_with(" changed") => sentence.words(format!(": {to}")),
        _ => side(side(sentence.words(": "), from).words(" → "), to),
    }
}

/// A value as it stands in a sentence.
fn short(value: &impl ToString) -> String {
    cut(&value.to_string(), VALUE)
}
