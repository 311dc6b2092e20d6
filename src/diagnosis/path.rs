//! The app answers, but not at the probe's path.

use super::evidence::{Evidence, is_masked};
use super::verdict::text;
use super::{Verdict, said, sure};
use crate::finding::{Cause, Confidence, Value};
use crate::kubelet::{Failure, Port, ProbeSpec};
use crate::template::ContainerSpec;

/// 404, 405 or 410 from the first probe on, and no success since this template was rolled out.
///
/// After a success the same answer means that the app changed. A path that passed for the very same
/// app before is not what broke it.
pub fn wrong_path(evidence: &Evidence) -> Option<Verdict> {
    let get = evidence.spec()?.handler.http()?;
    let rejected = evidence.record.answered(is_no_such_path)?;
    if evidence.ever_passed() || evidence.asked_this_before() || evidence.only_budget_was_cut() {
        return None;
    }
    let mut verdict = Verdict::new(Cause::WrongPath, sure(evidence))
        .field(evidence.field("httpGet.path"))
        .current(text(&*get.path))
        .because(rejected.first, said(evidence, rejected))
        .deterministic()
        .or_else(format!("{}: the app may serve the path only later", Cause::KilledWhileStarting));
    if let Some(hint) = value_with_another_image(evidence) {
        verdict = verdict.or_else(hint);
    }
    let worked = evidence.value_that_worked(path_of).or_else(|| path_of_a_sibling(evidence));
    if let Some((sibling, spec)) = evidence.siblings().next() {
        verdict =
            verdict.because(rejected.first, format!("the app answers: its {sibling} probe passes{}", at_path(spec)));
    }
    Some(verdict.suggest(worked))
}

/// The path redirects for ever.
pub fn redirect_loop(evidence: &Evidence) -> Option<Verdict> {
    let get = evidence.spec()?.handler.http()?;
    let looped = evidence.record.answered(|failure| *failure == Failure::TooManyRedirects)?;
    if evidence.ever_passed() || evidence.asked_this_before() {
        return None;
    }
    Some(
        Verdict::new(Cause::RedirectLoop, sure(evidence))
            .field(evidence.field("httpGet.path"))
            .current(text(&*get.path))
            .suggest(evidence.value_that_worked(path_of).or_else(|| path_of_a_sibling(evidence)))
            .because(looped.first, said(evidence, looped))
            .or_else(format!("{}: the app may redirect only while it is not set up", Cause::ReportsUnhealthy))
            .deterministic(),
    )
}

/// The path redirects to another host, which the kubelet counts as success: the probe sees nothing.
pub fn redirects_elsewhere(evidence: &Evidence) -> Option<Verdict> {
    let get = evidence.spec()?.handler.http()?;
    let warned = evidence.record.warnings.as_ref()?;
    if !evidence.record.failures.is_empty() {
        return None;
    }
    Some(
        Verdict::new(Cause::RedirectsElsewhere, Confidence::High)
            .field(evidence.field("httpGet.path"))
            .current(text(&*get.path))
            .suggest(evidence.value_that_worked(path_of).or_else(|| path_of_a_sibling(evidence)))
            .because(
                warned.first,
                format!("the probe was redirected to another host {} times, which counts as success", warned.count),
            ),
    )
}

const fn is_no_such_path(failure: &Failure) -> bool {
    matches!(failure, Failure::Status(404 | 405 | 410))
}

fn path_of(spec: &ProbeSpec) -> Option<Value> {
    Some(text(&*spec.handler.http()?.path))
}

fn at_path(spec: &ProbeSpec) -> String {
    spec.handler.http().map_or(String::new(), |get| format!(" at {}", get.path))
}

/// The path of another probe of the container, on the same port and scheme, that was seen to pass.
fn path_of_a_sibling(evidence: &Evidence) -> Option<Value> {
    let asked = evidence.spec()?.handler.http()?;
    evidence
        .siblings()
        .filter_map(|(_, spec)| spec.handler.http())
        .filter(|get| get.scheme == asked.scheme && get.host == asked.host)
        .filter(|get| number_of(&get.port, evidence.container) == number_of(&asked.port, evidence.container))
        .map(|get| Value::Text(get.path.to_string()))
        .find(|path| !is_masked(path) && *path != Value::Text(asked.path.to_string()))
}

/// A path that passed, but with another image: no more than a hint.
fn value_with_another_image(evidence: &Evidence) -> Option<String> {
    let asked = evidence.spec()?.handler.http()?;
    let (earlier, spec) = evidence.worked().find(|(earlier, _)| earlier.container.image != evidence.container.image)?;
    let path = &spec.handler.http()?.path;
    (*path != asked.path && !path.contains("***"))
        .then(|| format!("{path} passed with the image before, {}", earlier.container.image))
}

/// The number behind a port, where the container declares it.
pub fn number_of(port: &Port, container: &ContainerSpec) -> Option<i32> {
    match port {
        Port::Number(number) => Some(*number),
        Port::Name(name) => {
            container.ports.iter().find(|(declared, _)| declared.as_deref() == Some(name)).map(|(_, number)| *number)
        }
    }
}
