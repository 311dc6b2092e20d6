//! The course of an incident, put together from what exists and from the chronicle.

use crate::engine::Engine;
use crate::engine::chronicle::{Chronicle, Chronicled, lanes_of};
use crate::engine::incident::Incident;
use crate::engine::memory::workload::Workload;
use crate::engine::observation::Owner;
use crate::finding::Identity;

impl Engine {
    /// From now on a chronicle is kept, without which [`Engine::incident`] knows only pods that exist.
    pub fn keep_chronicle(&mut self, of: Chronicled) {
        self.chronicle = Some(Box::new(Chronicle::new(of)));
    }

    /// The course of a finding, as far as it is remembered.
    pub fn incident(&self, finding: &Identity) -> Incident {
        let kept = self.chronicle.as_ref().map(|chronicle| chronicle.recall(finding));
        let mut incident = kept.unwrap_or_default();
        if let Some(workload) = self.workload_of_finding(finding) {
            for pod in workload.pods.iter().filter_map(|place| self.pods.get(place)) {
                let lanes = incident.lanes.len();
                incident.lanes.extend(lanes_of(pod, workload, &self.nodes, Some(&finding.container), self.now));
                incident.well += u32::from(incident.lanes.len() == lanes);
            }
        }
        incident.lanes.sort_by_cached_key(|lane| (lane.spans.first().map(|span| span.from), lane.pod.clone()));
        incident
    }

    fn workload_of_finding(&self, finding: &Identity) -> Option<&Workload> {
        let (kind, name) = finding.workload.split_once('/')?;
        let top = Owner { kind: kind.into(), name: name.into() };
        let id = self.by_name.find(&self.workloads, &finding.namespace, &top)?;
        self.workloads.get(&id).map(AsRef::as_ref)
    }
}
