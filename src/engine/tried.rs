//! Which probes have passed, for every workload: to compare with templates not rolled out yet.

use std::sync::Arc;

use crate::engine::memory::judged::Judgements;
use crate::engine::memory::template_record::TemplateRecord;
use crate::engine::memory::workload::Workload;
use crate::engine::view::container::ContainerView;
use crate::engine::{Engine, Owner};
use crate::kubelet::ProbeKind;
use crate::template::{ContainerSpec, PodTemplate, is_same};
use crate::time::Time;

/// A template of a workload, and which probes have passed under it.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The workload's namespace.
    pub namespace: Arc<str>,
    /// The workload.
    pub workload: Owner,
    /// The template.
    pub template: Arc<PodTemplate>,
    /// The number of its pods.
    pub pods: u32,
    /// One entry for each of its containers.
    pub containers: Vec<Passing>,
}

/// Which probes of a container have passed, in the order of [`ProbeKind::ALL`].
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Passing {
    /// The number of pods in which it passes now.
    pub now: [u32; 3],
    /// Whether it was ever seen to pass.
    pub ever: [bool; 3],
}

impl Engine {
    /// All templates, ordered by namespace, kind and name.
    pub fn tried(&self) -> Vec<Tried> {
        let mut all: Vec<Tried> = self.workloads.values().flat_map(|workload| self.tried_by(workload)).collect();
        all.sort_by(|one, other| (&one.namespace, &one.workload).cmp(&(&other.namespace, &other.workload)));
        all
    }

    fn tried_by(&self, workload: &Workload) -> Vec<Tried> {
        let mut all: Vec<Tried> = Vec::new();
        let pods = workload.pods.iter().filter_map(|place| self.pods.get(place));
        for pod in pods.filter(|pod| pod.is_live()) {
            let at = all.iter().position(|known| is_same(&known.template, &pod.template)).unwrap_or_else(|| {
                all.push(untried(workload, &pod.template));
                all.len() - 1
            });
            all[at].pods += 1;
        }
        for tried in &mut all {
            for (spec, passing) in tried.template.containers.iter().zip(&mut tried.containers) {
                let view = self.view(workload, &spec.name).with_members(Time::default(), Judgements::new());
                passing.add(&view, spec, &tried.template);
            }
        }
        let gone = |record: &&TemplateRecord| !all.iter().any(|known| is_same(&known.template, &record.template));
        let gone: Vec<_> =
            workload.templates.iter().filter(gone).map(|record| untried(workload, &record.template)).collect();
        all.extend(gone);
        all
    }
}

impl Passing {
    /// Adds the probes that pass now, in the pods of a template.
    fn add(&mut self, view: &ContainerView, spec: &ContainerSpec, template: &Arc<PodTemplate>) {
        for member in view.members(template) {
            for kind in ProbeKind::ALL {
                let passes = spec.probe(kind).is_some() && view.is_passing(member, kind);
                self.now[kind as usize] += u32::from(passes);
                self.ever[kind as usize] |= passes;
            }
        }
    }
}

/// A template without pods.
fn untried(workload: &Workload, template: &Arc<PodTemplate>) -> Tried {
    let record = workload.record(template);
    let ever = |at: usize| {
        let passed = record.map(|record| record.containers[at].passed).unwrap_or_default();
        Passing { now: [0; 3], ever: ProbeKind::ALL.map(|kind| passed.has(kind)) }
    };
    Tried {
        namespace: Arc::clone(&workload.namespace),
        workload: workload.top.clone(),
        template: Arc::clone(template),
        pods: 0,
        containers: (0..template.containers.len()).map(ever).collect(),
    }
}
