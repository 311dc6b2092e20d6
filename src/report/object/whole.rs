//! A finding as a whole object, and back.

use std::sync::Arc;

use super::{FindingObject, FindingSpec, FindingState, FindingStatus, object_name, short};
use crate::engine::Finding;
use crate::finding::field::Field;
use crate::finding::{Hypothesis, Identity};
use crate::report::remedies::read_or_keep;

impl FindingObject {
    /// A finding as an object, its status without what was told.
    pub fn from_finding(finding: &Finding, state: FindingState, silenced_by: Option<&str>) -> Self {
        let mut object = Self::new(&object_name(&finding.identity()), FindingSpec::from_finding(finding));
        object.metadata.namespace = Some(finding.namespace.to_string());
        object.status = Some(FindingStatus::new(finding, state, silenced_by));
        object
    }

    /// The same, silenced by an annotation.
    #[must_use]
    pub fn silenced_by_annotation(mut self, silence: Option<&str>) -> Self {
        if let Some(status) = &mut self.status {
            status.silenced_by_annotation = silence.map(short);
        }
        self
    }

    /// Which finding it is; `None` without a namespace.
    pub fn identity(&self) -> Option<Identity> {
        Some(Identity {
            namespace: Arc::from(self.metadata.namespace.as_deref()?),
            workload: format!("{}/{}", self.spec.workload.kind, self.spec.workload.name).into(),
            container: Arc::from(self.spec.container.as_str()),
            effect: self.spec.effect,
            probe: self.spec.probe,
        })
    }

    /// The finding that the object holds; `None` where its status lacks what every finding has.
    pub fn finding(&self) -> Option<Finding> {
        let status = self.status.clone()?;
        let Identity { namespace, workload, container, effect, probe } = self.identity()?;
        let mut finding = Finding {
            namespace,
            workload,
            container,
            effect,
            probe,
            cause: status.cause?,
            fault: status.fault,
            field: status.field.as_deref().map(Field::parse),
            current: status.current,
            suggested: status.suggested,
            confidence: status.confidence?,
            severity: status.severity?,
            hypotheses: status.hypotheses.into_iter().map(Hypothesis::from).collect(),
            evidence: status.evidence,
            revision: status.revision,
            change: status.change,
            min_ready: status.min_ready.map(Arc::new),
            pods: status.pods.unwrap_or_default(),
            services: status.services,
            restarts: status.restarts.unwrap_or_default(),
            episodes: status.episodes.unwrap_or(1),
            opened_at: status.opened_at?,
            confirmed_at: status.confirmed_at,
            resolved_at: status.resolved_at,
            remedy: Vec::new(),
            example: status.example.as_deref().map(Arc::from),
            start_failure: None,
            considered: Arc::default(),
            labels: status.labels.iter().filter_map(|label| pair(label)).collect(),
            rollout: None,
            guard: status.guard.and_then(|guard| guard.guarded(status.episodes.unwrap_or(1))).map(Arc::new),
        };
        finding.remedy = status.remedy.into_iter().map(|line| read_or_keep(line, &finding)).collect();
        Some(finding)
    }
}

/// The two parts of `KEY=VALUE`.
fn pair(label: &str) -> Option<(Arc<str>, Arc<str>)> {
    label.split_once('=').map(|(key, value)| (Arc::from(key), Arc::from(value)))
}
