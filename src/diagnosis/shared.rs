//! Many workloads fail at once: something that they share is unhealthy.

use super::candidate::{Candidate, Strength};
use super::evidence::Evidence;
use super::said;
use crate::finding::{Cause, Confidence};

/// Maximum number of other workloads named in a fact.
const MAX_NAMED: usize = 5;

/// Probes that had passed, of two or more workloads, began to fail at once, and not because of a
/// specification.
pub fn dependency_down(evidence: &Evidence) -> Option<Candidate> {
    let heard = evidence.record.failures.iter().max_by_key(|heard| heard.count)?;
    let others = &evidence.fell_together;
    let candidate = Candidate::new(Cause::DependencyDown, "something that the app needs may be down")
        .needs(!others.is_empty(), "that others began to fail at the same time")
        .needs(evidence.passed_here().is_some(), "that it had passed before")
        .at_most(Confidence::Medium);
    if evidence.passed_here().is_none() && evidence.request_is_right().is_none() {
        return None;
    }
    let candidate = candidate.explains(Strength::Seen, heard.first, said(evidence, heard));
    Some(if others.is_empty() {
        candidate
    } else {
        let what = format!("{} began to fail within 10 s of it", names(others));
        candidate.proven(Strength::Seen, heard.first, what)
    })
}

/// It fails on one node alone, with others there, while it passes elsewhere.
pub fn bad_node(evidence: &Evidence) -> Option<Candidate> {
    let heard = evidence.record.failures.iter().max_by_key(|heard| heard.count)?;
    let node = evidence.bad_node.as_ref()?;
    let what = format!("{} began to fail on node {} at the same time", names(&node.others), node.name);
    Some(
        Candidate::new(Cause::NodeTrouble, "the node may be in trouble")
            .explains(Strength::Seen, heard.first, said(evidence, heard))
            .proven(Strength::Seen, heard.first, what)
            .explains(Strength::Seen, heard.first, "it does not fail on other nodes")
            .at_most(Confidence::Medium),
    )
}

fn names(of: &[std::sync::Arc<str>]) -> String {
    of.iter().take(MAX_NAMED).map(|name| &**name).collect::<Vec<_>>().join(", ")
}
