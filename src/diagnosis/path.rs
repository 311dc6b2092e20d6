//! The app answers, but not at the probe's path.

use super::candidate::{Candidate, Point, Strength};
use super::evidence::{Evidence, is_masked, of_revision};
use super::said;
use super::verdict::text;
use crate::finding::field::ProbeField;
use crate::finding::{Cause, Value};
use crate::kubelet::{Failure, ProbeKind, ProbeSpec};

/// 404, 405 or 410 from the first probe on, and no success since this template was rolled out.
///
/// After a success the same answer means that the app changed. A path that passed before, for this app or
/// for another one, is not the cause.
pub fn wrong_path(evidence: &Evidence) -> Option<Candidate> {
    let get = evidence.spec()?.handler.http()?;
    let rejected = evidence.record.answered(is_no_such_path)?;
    let mut candidate = Candidate::new(Cause::WrongPath, format!("the app may not serve {}", get.path))
        .field(evidence.field(ProbeField::HttpPath))
        .current(text(&*get.path))
        .explains(Strength::Seen, rejected.first, said(evidence, rejected))
        .deterministic();
    let moved = moved_sibling(evidence);
    // The app's routes may be what changed: only the previous revision could show which of the two.
    let unsure = evidence.another_app_may_have_answered_this();
    let unsure = unsure && moved.is_none() && another_path_passed(evidence).is_none();
    candidate = match moved {
        Some(moved) => candidate.against(evidence.passed()).proven(Strength::Seen, rejected.first, moved),
        None => candidate.against(evidence.request_is_right()),
    };
    candidate = candidate.needs(!unsure, "whether the revision before, of another app, answered it");
    if rejected.failure == Failure::PathIsUrl {
        let what = "the path is read as a URL, so that nothing is asked: it has to begin with a slash";
        candidate = candidate.proven(Strength::Seen, rejected.first, what);
    }
    if evidence.record.is_constant(is_no_such_path) {
        let what = "it says so from its first probe to its kill, in each incarnation";
        candidate = candidate.proven(Strength::Seen, rejected.last, what);
    } else if let Some(never) = evidence.never_answered() {
        candidate = candidate.proven(Strength::Seen, rejected.first, never.what);
    }
    if let Some((sibling, spec)) = answering_sibling(evidence) {
        let what = format!("the app answers: its {sibling} probe passes{}", at_path(spec));
        candidate = candidate.proven(Strength::Inferred, rejected.first, what);
    }
    if let Some(known) = another_path_passed(evidence) {
        candidate = candidate.proven(Strength::Seen, rejected.first, known.what);
    }
    candidate.possibility = value_with_another_image(evidence).unwrap_or(candidate.possibility);
    Some(candidate.suggest(path_that_works(evidence)))
}

/// A path of this app that was seen to pass, on the same port.
pub fn path_that_works(evidence: &Evidence) -> Option<Value> {
    evidence.value_that_worked(path_of).or_else(|| path_of_a_sibling(evidence))
}

/// Another probe of the container, on the same port, that this revision moved to another path, and that
/// passes there: this one was forgotten.
pub fn moved_sibling(evidence: &Evidence) -> Option<String> {
    let (kind, spec) = answering_sibling(evidence)?;
    let now = &spec.handler.http()?.path;
    let then = &evidence.before()?.probe(kind)?.handler.http()?.path;
    (now != then).then(|| format!("this revision moved the {kind} probe from {then} to {now}, which passes"))
}

const fn is_no_such_path(failure: &Failure) -> bool {
    matches!(failure, Failure::Status(404 | 405 | 410) | Failure::PathIsUrl)
}

/// The path of an HTTP probe.
pub fn path_of(spec: &ProbeSpec) -> Option<Value> {
    Some(text(&*spec.handler.http()?.path))
}

fn at_path(spec: &ProbeSpec) -> String {
    spec.handler.http().map_or(String::new(), |get| format!(" at {}", get.path))
}

/// Another probe that passes on the same port: something is up there.
pub fn answering_sibling<'a>(evidence: &Evidence<'a>) -> Option<(ProbeKind, &'a ProbeSpec)> {
    let asked = evidence.asked_port()?;
    let own = &evidence.spec()?.handler;
    evidence
        .siblings()
        .filter(|(_, spec)| spec.handler != *own)
        .find(|(_, spec)| spec.handler.port().and_then(|port| evidence.container.port_number(port)) == Some(asked))
}

/// An earlier revision of this very app passed this probe at another path.
fn another_path_passed(evidence: &Evidence) -> Option<Point> {
    let asked = evidence.spec()?.handler.http()?;
    let (earlier, then) = evidence
        .worked_for_this_app()
        .find_map(|(earlier, spec)| Some((earlier, spec.handler.http()?)).filter(|(_, get)| get.path != asked.path))?;
    Some(Point::seen(format!("{} of the same app passed at {}", of_revision(earlier), then.path)))
}

/// The path of another probe of the container, on the same port and scheme, that was seen to pass.
fn path_of_a_sibling(evidence: &Evidence) -> Option<Value> {
    let asked = evidence.spec()?.handler.http()?;
    let number = |port| evidence.container.port_number(port);
    evidence
        .siblings()
        .filter_map(|(_, spec)| spec.handler.http())
        .filter(|get| get.scheme == asked.scheme && get.host == asked.host)
        .filter(|get| number(&get.port) == number(&asked.port))
        .map(|get| Value::Text(get.path.to_string()))
        .find(|path| !is_masked(path) && *path != Value::Text(asked.path.to_string()))
}

/// A path that passed, but with another image: only a hint.
fn value_with_another_image(evidence: &Evidence) -> Option<String> {
    let asked = evidence.spec()?.handler.http()?;
    let (earlier, spec) = evidence.worked().find(|(earlier, _)| earlier.container.image != evidence.container.image)?;
    let path = &spec.handler.http()?.path;
    (*path != asked.path && !crate::text::is_masked(path))
        .then(|| format!("{path} passed with the image before, {}", earlier.container.image))
}
