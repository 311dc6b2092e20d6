//! What has passed, of every workload: for whoever compares it with what is to come.

use std::sync::Arc;

use super::scene::Scene;
use super::{Engine, Owner};
use crate::kubelet::ProbeKind;
use crate::template::{PodTemplate, is_same};

/// A template of a workload, and what has passed under it.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The workload's namespace.
    pub namespace: Arc<str>,
    /// The workload.
    pub workload: Owner,
    /// The template.
    pub template: Arc<PodTemplate>,
    /// How many pods of it there are.
    pub pods: u32,
    /// One entry for each of its containers.
    pub containers: Vec<Passing>,
}

/// What of a container has passed, by probe in the order of [`ProbeKind::ALL`].
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Passing {
    /// In how many pods it passes now.
    pub now: [u32; 3],
    /// Whether it was ever seen to pass.
    pub ever: [bool; 3],
}

impl Engine {
    /// What has passed, in the order of namespaces, kinds and names.
    pub fn tried(&self) -> Vec<Tried> {
        let mut all: Vec<Tried> = self.workloads.values().flat_map(|workload| self.scene(workload).tried()).collect();
        all.sort_by(|one, other| (&one.namespace, &one.workload).cmp(&(&other.namespace, &other.workload)));
        all
    }
}

impl Scene<'_> {
    fn tried(&self) -> Vec<Tried> {
        let mut all: Vec<Tried> = Vec::new();
        let pods = self.workload.pods.iter().filter_map(|place| self.pods.get(*place));
        for pod in pods.filter(|pod| pod.is_live()) {
            let at = all.iter().position(|known| is_same(&known.template, &pod.template)).unwrap_or_else(|| {
                all.push(self.untried(&pod.template));
                all.len() - 1
            });
            all[at].pods += 1;
        }
        for tried in &mut all {
            for (spec, passing) in tried.template.containers.iter().zip(&mut tried.containers) {
                let members = self.members(&spec.name).filter(|member| is_same(&member.pod.template, &tried.template));
                for member in members {
                    for kind in ProbeKind::ALL {
                        let passes = spec.probe(kind).is_some() && self.is_passing(&member, kind);
                        passing.now[kind as usize] += u32::from(passes);
                        passing.ever[kind as usize] |= passes;
                    }
                }
            }
        }
        all.extend(self.gone());
        all
    }

    /// Templates of which no pod is there any more.
    fn gone(&self) -> impl Iterator<Item = Tried> {
        let used = |template: &Arc<PodTemplate>| {
            let mut pods = self.workload.pods.iter().filter_map(|place| self.pods.get(*place));
            pods.any(|pod| pod.is_live() && is_same(&pod.template, template))
        };
        let gone = self.workload.trials.iter().filter(move |trial| !used(&trial.template));
        gone.map(|trial| self.untried(&trial.template))
    }

    fn untried(&self, template: &Arc<PodTemplate>) -> Tried {
        let trial = self.workload.trial(template);
        let ever = |at: usize| {
            let passed = trial.map(|trial| trial.containers[at].passed).unwrap_or_default();
            Passing { now: [0; 3], ever: ProbeKind::ALL.map(|kind| passed.has(kind)) }
        };
        Tried {
            namespace: Arc::clone(&self.workload.namespace),
            workload: self.workload.top.clone(),
            template: Arc::clone(template),
            pods: 0,
            containers: (0..template.containers.len()).map(ever).collect(),
        }
    }
}
