//! The sentences of a message below its headline, shared by every form. Raw text: the caller cuts
//! and escapes it for its medium.

use crate::engine::{Confidence, Effect, Finding, Pods, RevisionChange, ServiceState, Value};

use super::escape::cut;
use super::headline::probe;
use super::when::clock;

/// Services named in a sentence.
const SERVICES: usize = 3;
/// Hypotheses named in a sentence.
const HYPOTHESES: usize = 4;
/// Longest value or name within a sentence, in columns, so that the rest of it is still read.
const VALUE: usize = 120;

/// What happens to how many pods, and what that does to the Services:
/// `Container auth is being killed by its liveness probe in 50 of 50 pods (137 restarts so far).
/// Service auth has 0 of 50 endpoints ready.`
pub fn extent(finding: &Finding) -> String {
    let so_far = match finding.restarts {
        0 => String::new(),
        count => format!(" ({} so far)", restarts(count)),
    };
    let services = match finding.services.as_slice() {
        [] => String::new(),
        services => format!(" {}.", endpoints(services)),
    };
    format!("{}{so_far}.{services}", reach(finding))
}

/// `livenessProbe.httpGet.path is /v2/health; suggested: /health.`
pub fn field_is(finding: &Finding) -> Option<String> {
    let field = cut(finding.field.as_deref()?, VALUE);
    let current = match &finding.current {
        Some(value) => format!("is {}", quoted(value)),
        // A whole field that is blamed for what it lacks; another one is where to look.
        None if field == "startupProbe" || finding.suggested.is_some() => "is not set".to_owned(),
        None => return Some(format!("Look at {field}.")),
    };
    Some(match &finding.suggested {
        Some(value) => format!("{field} {current}; suggested: {}.", quoted(value)),
        None => format!("{field} {current}."),
    })
}

/// `Changed by revision 8, 14:00:02 (kubectl-edit): /health → /v2/health.`
pub fn changed_by(finding: &Finding) -> Option<String> {
    let Some(change) = &finding.change else {
        return Some(format!("The failing pods are of revision {}.", finding.revision?));
    };
    let at = change.at.map(|at| format!(", {}", clock(at))).unwrap_or_default();
    let by = change.by.as_ref().map(|by| format!(" ({})", cut(by, VALUE)));
    let by = by.unwrap_or_default();
    Some(format!("Changed by revision {}{at}{by}{}.", change.revision, values(change)))
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

/// `1 restart`, `137 restarts`.
pub fn restarts(count: u64) -> String {
    match count {
        1 => "1 restart".to_owned(),
        _ => format!("{count} restarts"),
    }
}

fn reach(finding: &Finding) -> String {
    let container = cut(&finding.container, VALUE);
    let (pods, probe) = (pods(finding.pods), probe(finding));
    let killed = finding.probe.is_some_and(crate::kubelet::ProbeKind::kills);
    match finding.effect {
        Effect::RestartLoop if killed => format!("Container {container} is being killed by its {probe} in {pods}"),
        Effect::RestartLoop => format!("Container {container} restarts again and again in {pods}"),
        Effect::Killed => format!("Container {container} was ended by its {probe} in {pods}, and is not restarted"),
        Effect::NeverReady => format!("Container {container} has never become ready in {pods}"),
        Effect::ProbeIneffective => format!("The {probe} of container {container} protects nothing in {pods}"),
        Effect::StartBlocked => format!("Container {container} has not started in {pods}"),
        Effect::Flapping => format!("The {probe} of container {container} fails now and then in {pods}"),
    }
}

/// `50 of 50 pods`; where it is not known how many are wanted, `3 pods`.
fn pods(pods: Pods) -> String {
    match pods {
        Pods { affected: 1, total: 0 } => "1 pod".to_owned(),
        Pods { affected, total: 0 } => format!("{affected} pods"),
        Pods { affected, total: 1 } => format!("{affected} of 1 pod"),
        Pods { affected, total } => format!("{affected} of {total} pods"),
    }
}

/// `Service auth has 0 of 50 endpoints ready, Service login has 3 of 5`
fn endpoints(services: &[ServiceState]) -> String {
    let mut parts: Vec<String> = services
        .iter()
        .take(SERVICES)
        .map(|ServiceState { name, ready, total }| {
            format!("Service {} has {ready} of {total} endpoints ready", cut(name, VALUE))
        })
        .collect();
    if services.len() > SERVICES {
        parts.push(format!("and there are {} more", services.len() - SERVICES));
    }
    parts.join(", ")
}

/// `: /health → /v2/health`, or nothing where it is not known what changed.
fn values(RevisionChange { from, to, .. }: &RevisionChange) -> String {
    if from.is_none() && to.is_none() {
        return String::new();
    }
    let side = |value: &Option<String>| {
        value.clone().map_or_else(|| "not set".to_owned(), |value| quoted(&Value::Text(value)))
    };
    format!(": {} → {}", side(from), side(to))
}

/// The value, in quotes where it would not be seen to be one word.
fn quoted(value: &Value) -> String {
    let text = cut(&value.to_string(), VALUE);
    if text.is_empty() || text.contains(' ') { format!("\"{text}\"") } else { text }
}
