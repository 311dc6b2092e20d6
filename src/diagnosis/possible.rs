//! Other possible reasons for a failure, which are not causes of their own: for people to check.

use super::candidate::{Candidate, Strength};
use super::evidence::Evidence;
use crate::finding::{Cause, Hypothesis};
use crate::kubelet::Failure;

/// Other possibilities, if none was ruled out by the observations.
pub fn besides(evidence: &Evidence, named: Option<&Candidate>) -> Vec<Hypothesis> {
    if named.is_some_and(|named| named.proof == Strength::Seen) {
        return Vec::new();
    }
    if evidence.probe.is_none() {
        return match named {
            None => vec![
                Hypothesis::without_cause("a probe kill: the uptimes would fit, but no event tells"),
                Hypothesis { cause: Some(Cause::Exits), what: "the app may end by itself".to_owned() },
            ],
            Some(_) => Vec::new(),
        };
    }
    let failures = evidence.record.failures.iter().chain(&evidence.record.errors);
    let mut all: Vec<_> = failures.filter_map(|heard| of(&heard.failure)).map(Hypothesis::without_cause).collect();
    all.dedup();
    if all.is_empty() && evidence.record.failures.is_empty() && named.is_none() {
        all.push(Hypothesis::without_cause("events that would tell may be lost, or not readable"));
    }
    all
}

/// What a failure of that kind could come from, besides the causes considered.
fn of(failure: &Failure) -> Option<&'static str> {
    Some(match failure {
        Failure::Status(400) => "the Host header: the app may answer 400 to the pod's address",
        Failure::Status(502..=504) => "a proxy in front of the app may say so",
        Failure::TimedOut => "a network policy or firewall may drop the kubelet's packets",
        Failure::Unreachable => "there may be no route from the node to the pod",
        Failure::Tls => "client and server may not agree on a TLS version, cipher or certificate",
        Failure::Reset => "the app, or a proxy in front of it, may close the connection without an answer",
        Failure::Malformed => "another protocol than HTTP may be spoken on the port",
        Failure::RuntimeRefused => "the runtime may not be able to run anything in the container",
        Failure::GrpcNoConnection => "the server may not listen, or want TLS",
        Failure::BodyCutOff => "the answer's body may stall or be cut off",
        _ => return None,
    })
}
