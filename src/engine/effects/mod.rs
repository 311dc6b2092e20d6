//! What can be wrong with a container, one file per effect: from its view to a proposal.

pub mod flapping;
pub mod never_ready;
pub mod probe_cannot_run;
pub mod probe_ineffective;
pub mod recurring;
pub mod restart_loop;
pub mod start_blocked;

use std::sync::Arc;
use std::time::Duration;

use crate::diagnosis::Verdict;
use crate::engine::Uid;
use crate::engine::memory::tracked_container::Proposal;
use crate::engine::view::container::ContainerView;
use crate::engine::view::member::PodContainer;
use crate::finding::Effect;
use crate::kubelet::ProbeKind;
use crate::template::PodTemplate;
use crate::time::Time;

/// A proposal, and when to look again if there is none yet.
#[derive(Default)]
pub struct Assessment {
    /// What is wrong.
    pub proposal: Option<Proposal>,
    /// When there may be something wrong.
    pub again: Option<Time>,
}

impl Assessment {
    fn later(again: Option<Time>) -> Self {
        Self { proposal: None, again }
    }
}

/// The newest template with a pod in that state.
fn newest<'a>(view: &ContainerView<'a>, is: impl Fn(&PodContainer) -> bool) -> Option<&'a Arc<PodTemplate>> {
    view.templates.iter().rev().find(|template| view.members(template).any(&is)).copied()
}

fn proposal(
    effect: Effect,
    probe: Option<ProbeKind>,
    verdict: Verdict,
    template: &Arc<PodTemplate>,
    affected: Vec<Uid>,
    confirmed: bool,
) -> Proposal {
    Proposal {
        effect,
        probe,
        verdict,
        template: Arc::clone(template),
        affected,
        confirmed,
        mostly_kills: false,
        facts: Vec::new(),
        longest_bad: Duration::ZERO,
        last_bad: None,
    }
}
