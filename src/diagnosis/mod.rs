//! From evidence to a cause: a list of rules, one file per family. Pure.
//!
//! A rule gets the evidence and gives a verdict with the facts it used, or nothing. The first rule
//! that speaks wins. Adding a cause is adding a rule and a recording of an incident.

mod access;
mod cannot_run;
mod command;
mod evidence;
mod grpc;
mod health;
mod own_end;
mod path;
mod port;
mod scheme;
mod start;
mod timing;
mod verdict;

pub use evidence::{Blocked, Earlier, Evidence, Heard, OwnEnd, OwnEnds, OwnKind, ProbeRecord, ProbeSet};
pub use verdict::Verdict;

use crate::finding::{Cause, Confidence, Effect};

/// A rule.
type Rule = fn(&Evidence) -> Option<Verdict>;

/// For a probe that kills, keeps a pod unready, or fails now and then: surest first.
const PROBE_RULES: &[Rule] = &[
    cannot_run::named_port,
    cannot_run::missing_command,
    path::redirects_elsewhere,
    path::redirect_loop,
    access::auth_required,
    scheme::http_answered_to_https,
    scheme::https_wants_https,
    access::wrong_host,
    grpc::http2_answered_to_http,
    grpc::unknown_service,
    command::missing_in_shell,
    timing::timeout_too_short,
    timing::killed_while_starting,
    path::wrong_path,
    port::wrong_port,
    grpc::no_grpc_on_the_port,
    timing::hung,
    health::dependency_down,
    health::reports_unhealthy,
    port::nothing_listening,
    scheme::bad_request,
    timing::never_answered_in_time,
];

/// What the evidence carries; `Unknown` with what it could be where that is not enough.
pub fn diagnose(evidence: &Evidence) -> Verdict {
    let verdict = match evidence.effect {
        Effect::StartBlocked => start::blocked(evidence),
        _ if evidence.probe.is_some() => PROBE_RULES.iter().find_map(|rule| rule(evidence)),
        _ => own_end::ended_by_itself(evidence),
    };
    let mut verdict = verdict.unwrap_or_else(|| unknown(evidence));
    if verdict.confidence == Confidence::High {
        verdict.hypotheses.clear();
    }
    verdict
}

/// A loop whose cause the evidence does not carry.
fn unknown(evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict::new(Cause::Unknown, Confidence::Low);
    for heard in &evidence.record.failures {
        verdict = verdict.because(heard.last, said(evidence, heard));
    }
    match evidence.probe {
        Some(kind) => verdict
            .or_else(format!("{}: the app may not answer its {kind} probe as it should", Cause::ReportsUnhealthy))
            .or_else(format!("{}: the app may need longer to start than the probe allows", Cause::KilledWhileStarting)),
        None => verdict
            .or_else("a probe kill: the uptimes would fit, but no event tells")
            .or_else(format!("{}: the app may end by itself", Cause::Exits)),
    }
}

/// How sure a verdict about a probe can be: high with a proven kill (or, where nothing is killed,
/// the pod's own status) and two samples.
fn sure(evidence: &Evidence) -> Confidence {
    let proven = match evidence.effect {
        Effect::RestartLoop | Effect::Killed => evidence.record.proven > 0,
        _ => true,
    };
    if proven && evidence.record.samples() >= 2 { Confidence::High } else { Confidence::Medium }
}

/// "liveness probe failed 12 times: HTTP probe failed with statuscode: 404"
fn said(evidence: &Evidence, heard: &Heard) -> String {
    let probe = evidence.probe.map_or("", crate::kubelet::ProbeKind::word);
    let times = match heard.count {
        1 => String::new(),
        count => format!(" {count} times"),
    };
    let words: String = heard.words.trim().chars().take(200).collect();
    if words.is_empty() {
        format!("{probe} probe failed{times}, without a word")
    } else {
        format!("{probe} probe failed{times}: {words}")
    }
}
