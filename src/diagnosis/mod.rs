//! From evidence to a cause: a differential diagnosis. Pure.
//!
//! Every cause is a function from the evidence to a [`Candidate`]: what it explains, what it needs to be
//! chosen, and what contradicts it; or to nothing, if it is unrelated to the observations. Of the
//! candidates without contradictions and with all they need, the one with the best proof that explains most
//! is chosen. The others without contradictions are listed as alternatives. Adding a cause is adding a file
//! with such a function, and its line below, which says whether it blames the request.

mod access;
mod candidate;
mod cannot_run;
mod command;
mod evidence;
mod facts;
mod grpc;
mod health;
mod own_end;
mod path;
mod port;
mod possible;
mod redirect;
mod scheme;
mod shared;
mod slow;
mod start;
mod starting;
mod verdict;

pub use candidate::{Candidate, Point, Strength};
pub use command::cannot_be_run;
pub use evidence::{Evidence, of_revision};
pub use facts::{
    BadNode, Blocked, CameUp, Earlier, FailureGroup, OwnEnd, OwnEnds, OwnKind, Passes, Population, ProbeRecord,
    ProbeSet, is_silence,
};
pub use verdict::Verdict;

use std::borrow::Cow;
use std::cell::LazyCell;
use std::cmp::Reverse;

use crate::finding::{Cause, Confidence, Effect, Hypothesis};

/// Considers a cause.
type Consider = fn(&Evidence) -> Option<Candidate>;

/// What a cause blames.
#[derive(Copy, Clone)]
enum Rule {
    /// What the probe asks: whatever says that the request is right contradicts it.
    Request(Consider),
    /// Something else; or it weighs by itself what says that the request is right.
    Other(Consider),
}

/// For a probe that kills, keeps a pod unready, or fails intermittently: of equals the first is chosen.
const OF_A_PROBE: &[Rule] = &[
    Rule::Other(cannot_run::named_port),
    Rule::Request(cannot_run::missing_command),
    Rule::Other(cannot_run::never_runs),
    Rule::Other(redirect::redirects),
    Rule::Request(redirect::without_end),
    Rule::Other(redirect::to_another_host),
    Rule::Request(access::auth_required),
    Rule::Request(access::wrong_host),
    Rule::Request(access::header_cannot_be_sent),
    Rule::Request(scheme::http_answered_to_https),
    Rule::Request(scheme::https_wants_https),
    Rule::Request(grpc::http2_answered_to_http),
    Rule::Request(grpc::unknown_service),
    Rule::Request(grpc::no_grpc_on_the_port),
    Rule::Request(command::missing),
    Rule::Other(slow::timeout_too_short),
    Rule::Other(starting::killed_while_starting),
    Rule::Other(path::wrong_path),
    Rule::Request(port::wrong_port),
    Rule::Other(shared::bad_node),
    Rule::Other(shared::dependency_down),
    Rule::Other(slow::hung),
    Rule::Other(health::reports_unhealthy),
    Rule::Other(port::nothing_listening),
];

/// For a container that terminates by itself.
const OF_ITS_OWN: &[Rule] = &[Rule::Other(own_end::ended_by_itself)];

/// For a container that never starts.
const OF_A_START: &[Rule] = &[Rule::Other(start::blocked)];

/// Maximum number of alternatives named in a finding.
const MAX_HYPOTHESES: usize = 5;

/// The verdict that the evidence supports; `Unknown` with the alternatives if it is insufficient.
pub fn diagnose(evidence: &Evidence) -> Verdict {
    let causes = match evidence.effect {
        Effect::StartBlocked => OF_A_START,
        _ if evidence.probe.is_some() => OF_A_PROBE,
        _ => OF_ITS_OWN,
    };
    // An answer that the server gives to everyone cannot be limited to one pod.
    let answered = evidence.record.failures.iter().any(|heard| !facts::is_silence(&heard.failure));
    let of_most = !evidence.population.is_mostly_silent(answered);
    let known = |candidate: Candidate| {
        let lacks = candidate.deterministic && !of_most;
        candidate.needs(!lacks, "whether it fails in the other pods, of which nothing was heard")
    };
    let right = LazyCell::new(|| evidence.request_is_right());
    let considered = causes.iter().filter_map(|rule| rule.consider(evidence, || right.clone()));
    weigh(evidence, considered.map(known).collect())
}

impl Rule {
    /// The candidate, with what says that the request is `right` against it where it blames that.
    fn consider(self, evidence: &Evidence, right: impl FnOnce() -> Option<Point>) -> Option<Candidate> {
        match self {
            Self::Request(consider) => Some(consider(evidence)?.against(right())),
            Self::Other(consider) => consider(evidence),
        }
    }
}

/// Chooses the candidate that is supported, has the best proof, and explains most.
fn weigh(evidence: &Evidence, mut candidates: Vec<Candidate>) -> Verdict {
    let rank = |candidate: &Candidate| {
        (Reverse(candidate.is_carried()), Reverse(candidate.proof), Reverse(candidate.explains.len()))
    };
    candidates.sort_by_key(rank);
    let named = candidates.first().filter(|candidate| candidate.is_carried());
    let others = &candidates[usize::from(named.is_some())..];
    let is_other = |other: &&Candidate| named.is_none_or(|named| named.cause != other.cause);
    let open = others.iter().filter(|other| !other.is_contradicted()).filter(is_other);
    let mut hypotheses: Vec<Hypothesis> = open.map(hypothesis).collect();
    hypotheses.dedup();
    hypotheses.extend(possible::besides(evidence, named));
    hypotheses.truncate(MAX_HYPOTHESES);
    let Some(named) = named else {
        return unknown(evidence, hypotheses, candidates);
    };
    let is_only = others.iter().all(Candidate::is_ruled_out) && hypotheses.is_empty();
    let proven = named.proof == Strength::Seen && is_only;
    let confidence = if proven { sure(evidence) } else { Confidence::Medium };
    Verdict {
        cause: named.cause,
        field: named.field.clone(),
        current: named.current.clone(),
        suggested: named.suggested.clone(),
        confidence: confidence.min(named.most),
        proof: named.proof,
        hypotheses,
        because: named.because.clone(),
        deterministic: named.deterministic,
        candidates,
    }
}

fn hypothesis(candidate: &Candidate) -> Hypothesis {
    Hypothesis { cause: Some(candidate.cause), what: candidate.possibility.clone() }
}

/// A loop whose cause the evidence does not prove.
fn unknown(evidence: &Evidence, hypotheses: Vec<Hypothesis>, candidates: Vec<Candidate>) -> Verdict {
    let record = &evidence.record;
    let heard = record.failures.iter().chain(&record.errors);
    let because = heard.map(|heard| crate::finding::Fact { at: heard.last, what: said(evidence, heard) }).collect();
    Verdict {
        cause: Cause::Unknown,
        field: None,
        current: None,
        suggested: None,
        confidence: Confidence::Low,
        proof: Strength::Assumed,
        hypotheses,
        because,
        deterministic: false,
        candidates,
    }
}

/// The maximum confidence of a verdict about a probe: high with a proven kill (or, if nothing is killed,
/// the pod's own status) and two samples.
fn sure(evidence: &Evidence) -> Confidence {
    let of_probe = evidence.probe.is_some() && evidence.effect != Effect::ProbeIneffective;
    let proven = match evidence.effect {
        Effect::RestartLoop | Effect::Killed => evidence.record.proven > 0,
        _ => true,
    };
    // If it does not affect all pods, the difference is not in the template.
    let of_all = evidence.population.spared == 0;
    if !of_probe || proven && of_all && evidence.record.samples() >= 2 { Confidence::High } else { Confidence::Medium }
}

/// Maximum number of characters of the kubelet's message that a fact repeats.
const MAX_WORDS: usize = 200;

/// "liveness probe failed 12 times: HTTP probe failed with statuscode: 404"
fn said(evidence: &Evidence, heard: &FailureGroup) -> String {
    let probe = evidence.probe.map_or("", crate::kubelet::ProbeKind::word);
    let times = match heard.count {
        1 => String::new(),
        count => format!(" {count} times"),
    };
    let words = shortened(heard.words.trim());
    if words.is_empty() {
        format!("{probe} probe failed{times}, without a word")
    } else {
        format!("{probe} probe failed{times}: {words}")
    }
}

/// A message's beginning and its end: runtimes put the reason last.
fn shortened(words: &str) -> Cow<'_, str> {
    if words.len() <= MAX_WORDS {
        return words.into();
    }
    let letters: Vec<char> = words.chars().collect();
    if letters.len() <= MAX_WORDS {
        return words.into();
    }
    let (head, tail) = (MAX_WORDS * 2 / 5, MAX_WORDS * 3 / 5 - 3);
    let end = letters.len() - tail;
    letters[..head].iter().copied().chain(" … ".chars()).chain(letters[end..].iter().copied()).collect()
}
