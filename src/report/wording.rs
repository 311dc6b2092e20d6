//! The sentences of a message below its headline, shared by every form. Raw text: the caller cuts and
//! escapes it for its medium.

use std::time::Duration;

use super::headline::probe;
use super::notified::{Content, Reach};
use super::sentence::Sentence;
use super::when::{clock, day_if_another, lasted, span};
use crate::engine::{Cause, Confidence, Effect, Fact, Fault, Finding, Pods, RevisionChange, ServiceState};
use crate::finding::field::Field;
use crate::text::escape::cut;
use crate::time::Time;

/// Maximum number of Services named in a sentence.
const SERVICES: usize = 3;
/// Maximum number of hypotheses named in a sentence.
const HYPOTHESES: usize = 4;
/// Maximum length of a value or name within a sentence, in columns, so that the rest of it stays readable.
const VALUE: usize = 120;
/// Durations shorter than this are not mentioned.
const A_WHILE: Duration = Duration::from_secs(10);

/// What happens to how many pods, and what that does to the Services:
/// `Container auth is being killed by its liveness probe in 50 of 50 pods (137 restarts).
/// Service auth has 0 of 50 endpoints ready.`
pub fn extent(finding: &Finding) -> Sentence {
    let count = match finding.restarts {
        0 => String::new(),
        count => format!(" ({})", restarts(count)),
    };
    let sentence = reach(finding).words(format!("{count}."));
    match finding.services.as_slice() {
        [] => sentence,
        services => sentence.words(" ").and(endpoints(services)).words("."),
    }
}

/// `Since 14:00:12 UTC (4m10s).`
pub fn since(finding: &Finding, now: Time) -> Sentence {
    let (lasted, day) = (lasted(finding, now), day_if_another(finding.opened_at, now));
    let long = if lasted < A_WHILE { String::new() } else { format!(" ({})", span(lasted)) };
    Sentence::new(format!("Since {day}{} UTC{long}.", clock(finding.opened_at)))
}

/// `livenessProbe.httpGet.path is /v2/health; suggested: /health.`
pub fn field_is(finding: &Finding) -> Option<Sentence> {
    let field = finding.field.as_ref()?;
    let name = field.to_string();
    let name = cut(&name, VALUE);
    let sentence = match &finding.current {
        Some(value) => Sentence::default().name(name).words(" is ").value(short(value)),
        // A whole field that is blamed for what it lacks; otherwise the field is where to look.
        None if matches!(field, Field::Probe(_)) || finding.suggested.is_some() => {
            Sentence::default().name(name).words(" is not set")
        }
        None => return Some(Sentence::new("Look at ").name(name).words(".")),
    };
    Some(match &finding.suggested {
        Some(value) => sentence.words("; suggested: ").value(short(value)).words("."),
        None => sentence.words("."),
    })
}

/// `Changed by revision 8, 14:00:02 (kubectl-edit): /health → /v2/health.`
pub fn changed_by(finding: &Finding) -> Option<Sentence> {
    let Some(change) = &finding.change else {
        return Some(match finding.revision? {
            1 if never_worked(finding) => Sentence::new("Broken since the first revision; no rollout caused it."),
            1 => Sentence::new("The failing pods run the first revision; no rollout caused it."),
            revision => Sentence::new(format!("The failing pods run revision {revision}.")),
        });
    };
    let at = change.at.map(|at| format!(", {}", clock(at))).unwrap_or_default();
    let sentence = Sentence::new(format!("Changed by revision {}{at}", change.revision));
    let sentence = match &change.by {
        Some(by) => sentence.words(" (").name(cut(by, VALUE)).words(")"),
        None => sentence,
    };
    Some(values(sentence, change).words("."))
}

/// Whether the probe was wrong from the start.
fn never_worked(finding: &Finding) -> bool {
    // These can also be caused by load and growth later.
    let later = [Cause::TimeoutTooShort, Cause::KilledWhileStarting];
    finding.fault == Some(Fault::Probe) && !later.contains(&finding.cause)
}

/// `The guard undid the rollout: back to revision 7.`
pub fn guarded(finding: &Finding) -> Option<Sentence> {
    let guard = finding.guard.as_deref()?;
    let back = guard.to_revision.map_or_else(String::new, |to| format!(": back to revision {to}"));
    Some(Sentence::new(match guard.refusal {
        Some(refusal) => format!("The guard {}: {}.", guard.outcome.text(), refusal.text()),
        None => format!("The guard {}{back}.", guard.outcome.text()),
    }))
}

/// `Confidence: medium. It could also be: a slow start; a wrong port.`
pub fn doubt(finding: &Finding) -> Option<String> {
    let hypotheses = finding.hypotheses.iter().take(HYPOTHESES);
    let hypotheses: Vec<String> = hypotheses.map(|one| cut(&one.to_string(), VALUE)).collect();
    match hypotheses.as_slice() {
        [] if finding.confidence == Confidence::High => None,
        [] => Some(format!("Confidence: {}.", finding.confidence)),
        _ => Some(format!("Confidence: {}. It could also be: {}.", finding.confidence, hypotheses.join("; "))),
    }
}

/// What changed since the previous message: `New: all 50 pods are affected.`
pub fn news(finding: &Finding, before: &Content) -> Option<Sentence> {
    let now = Content::from_finding(finding);
    let mut all = Vec::new();
    all.extend((now.reach > before.reach).then(|| reached(finding, now.reach)).flatten());
    if now.cause != before.cause {
        all.push(Sentence::new(format!("New: the cause is now known to be {}; before: {}.", now.cause, before.cause)));
    } else if (&now.field, &now.current) != (&before.field, &before.current) {
        all.push(Sentence::new("New: the field or its value."));
    } else if now.suggested != before.suggested {
        all.push(Sentence::new("New: a value that works."));
    }
    all.extend(guarded(finding).filter(|_| now.guard != before.guard));
    if now.confidence != before.confidence {
        let words = format!("New: the confidence is {} (was {}).", now.confidence, before.confidence);
        all.push(Sentence::new(words));
    }
    all.into_iter().reduce(|all, next| all.words(" ").and(next))
}

/// `New: Service auth has no ready endpoints.`
fn reached(finding: &Finding, reach: Reach) -> Option<Sentence> {
    match reach {
        Reach::ServiceOut => {
            let service = out(finding)?;
            Some(Sentence::new("New: Service ").name(cut(&service.name, VALUE)).words(" has no ready endpoints."))
        }
        Reach::AllPods if finding.pods.total == 1 => Some(Sentence::new("New: the only pod is affected.")),
        Reach::AllPods => Some(Sentence::new(format!("New: all {} pods are affected.", finding.pods.total))),
        Reach::Partial => None,
    }
}

/// `Resolved after 4m10s, 137 restarts.`
pub fn over(finding: &Finding, at: Time) -> Sentence {
    Sentence::new(format!("Resolved after {}, {}.", span(lasted(finding, at)), restarts(finding.restarts)))
}

/// `At its worst: 50 of 50 pods, Service auth had 0 of 50 endpoints ready.`
pub fn worst(finding: &Finding) -> Sentence {
    let sentence = Sentence::new(format!("At its worst: {}", pods(finding.pods)));
    match out(finding) {
        Some(service) => sentence.words("; ").and(endpoint(service, "had")).words("."),
        None => sentence.words("."),
    }
}

/// The first Service that has endpoints, but none ready.
pub fn out(finding: &Finding) -> Option<&ServiceState> {
    finding.services.iter().find(|service| service.is_down())
}

/// With a capital first letter.
pub fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// `1 restart`, `137 restarts`.
pub fn restarts(count: u64) -> String {
    match count {
        1 => "1 restart".to_owned(),
        _ => format!("{count} restarts"),
    }
}

/// The two or three most informative facts: the first ones and the last. The change made by the rollout has
/// a sentence of its own.
pub fn telling<'a>(facts: &'a [Fact], change: Option<&RevisionChange>) -> Vec<&'a Fact> {
    let rollout = change.map(RevisionChange::words);
    let mut facts: Vec<&Fact> = facts.iter().filter(|fact| Some(&fact.what) != rollout.as_ref()).collect();
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

/// `50 of 50 pods`, `the only pod`; `3 pods` if the desired number is unknown.
pub fn pods(pods: Pods) -> String {
    match pods {
        Pods { affected: 1, total: 0 } => "1 pod".to_owned(),
        Pods { affected, total: 0 } => format!("{affected} pods"),
        Pods { affected: 1, total: 1 } => "the only pod".to_owned(),
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

/// `: /health → /v2/health`, or nothing if the change is not known.
fn values(sentence: Sentence, change: &RevisionChange) -> Sentence {
    let RevisionChange { from, to, .. } = change;
    let side = |sentence: Sentence, value: &Option<String>| match value {
        Some(value) => sentence.value(cut(value, VALUE)),
        None => sentence.words("not set"),
    };
    match (from, to) {
        (None, None) => sentence,
        // For the environment it is only known that it changed.
        (None, Some(to)) if change.is_of_env() => sentence.words(format!(": {to}")),
        _ => side(side(sentence.words(": "), from).words(" → "), to),
    }
}

/// A value for use in a sentence.
fn short(value: &impl ToString) -> String {
    cut(&value.to_string(), VALUE)
}
