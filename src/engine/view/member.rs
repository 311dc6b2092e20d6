//! A container of a workload, in one of its pods.

use std::cell::OnceCell;

use crate::diagnosis::Passes;
use crate::engine::memory::judged::{BadEnd, Basis, Judged, Reported};
use crate::engine::memory::node_clock::Clock;
use crate::engine::memory::pods::{Container, Phase, Pod};
use crate::engine::memory::template_record::Tally;
use crate::engine::view::probe_passed::{Incarnations, LAG, silence_proves};
use crate::engine::view::termination::judge_all;
use crate::kubelet::ProbeKind;
use crate::template::ContainerSpec;
use crate::time::Time;

/// The container in one of the pods.
pub struct PodContainer<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// The container's specification.
    pub spec: &'a ContainerSpec,
    /// Its state.
    pub state: &'a Container,
    /// The clock of the pod's node.
    pub clock: Clock,
    /// Its incarnations, if any are remembered.
    pub subject: Option<Incarnations<'a>>,
    /// The pod's index.
    pub place: u32,
    /// Which of the view's templates the pod has.
    pub template: usize,
    /// What a judgement of it rests on.
    pub basis: Basis,
    /// When its terminations are judged.
    pub judged_at: Time,
    /// What was judged of it and still holds, or was judged in this look.
    pub judged: OnceCell<Box<Judged>>,
    /// Its part of what its template has shown since an episode ended in this look, if one did.
    pub since_the_end: OnceCell<Box<Tally>>,
}

impl PodContainer<'_> {
    /// What follows from its incarnations, if any are remembered.
    pub fn judged(&self) -> Option<&Judged> {
        let subject = self.subject.as_ref()?;
        Some(self.judged.get_or_init(|| Box::new(Judged::new(subject, self.basis, self.judged_at))))
    }

    /// Its terminations that should not have happened, as far as no event about them is waited for.
    pub fn bad_ends(&self) -> &[BadEnd] {
        self.judged().map_or(&[], |judged| &judged.bad)
    }

    /// Its part of what its template has shown since `horizon`, at which an episode may have ended in this look.
    pub fn part(&self, horizon: Time) -> Option<&Tally> {
        let (subject, judged) = (self.subject.as_ref()?, self.judged()?);
        if self.basis.horizon == horizon {
            return Some(&judged.part);
        }
        let anew = || Box::new(Tally::part(subject, &judge_all(subject, self.judged_at), horizon));
        Some(self.since_the_end.get_or_init(anew))
    }

    /// The probes that passed in a remembered incarnation.
    pub fn passed(&self) -> Passes {
        self.judged().map_or_else(Passes::default, |judged| judged.passed)
    }

    /// What was reported about a probe of it.
    pub fn reported(&self, probe: ProbeKind) -> Reported {
        self.judged().map_or_else(Reported::default, |judged| judged.reports[probe as usize])
    }

    /// Converts a time of the pod's node to ours.
    pub fn ours(&self, stamp: Time) -> Time {
        self.clock.ours(stamp)
    }

    /// Whether it has run for so long that its probe must have had a result.
    pub fn has_a_result(&self, probe: ProbeKind, seen: Time) -> bool {
        let (state, spec) = (self.state, self.spec);
        // It is not known when liveness began after a startup probe.
        let begins_later = probe == ProbeKind::Liveness && spec.startup.is_some();
        let runs = state.phase == Phase::Running && state.started && self.pod.is_live();
        let (true, Some(since), Some(asked)) = (runs && !begins_later, state.since, spec.probe(probe)) else {
            return false;
        };
        seen > since.plus(asked.first_result_by()).plus(LAG)
    }

    /// Whether it has run well for twice as long as a kill takes.
    pub fn has_been_well(&self, probe: ProbeKind, seen: Time) -> bool {
        let (Some(asked), Some(since)) = (self.spec.probe(probe), self.state.since) else { return false };
        seen.since(since) > asked.longest_kill(self.pod.template.grace).saturating_mul(2)
    }

    /// When its first remembered incarnation started.
    pub fn began(&self) -> Option<Time> {
        self.state.history.as_ref()?.incarnations.front()?.started
    }

    /// Whether it runs, and its probe has passed in it.
    pub fn is_passing(&self, probe: ProbeKind, seen: Time) -> bool {
        let (state, spec) = (self.state, self.spec);
        if state.phase != Phase::Running || !self.pod.is_live() {
            return false;
        }
        match probe {
            ProbeKind::Readiness => state.is_ready(),
            ProbeKind::Startup => state.started,
            ProbeKind::Liveness => {
                let proves = |since| silence_proves(spec, self.pod.template.grace, state.started, since, seen);
                state.since.is_some_and(proves)
            }
        }
    }
}
