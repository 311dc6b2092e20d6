//! Says what the guard did: in the object, on the board, as an Event, in the metrics and in the log.

use std::sync::Arc;

use kube::Client;
use tracing::{info, warn};

use crate::delivery::receiver::{Reply, events};
use crate::finding::Finding;
use crate::finding::guard::{Guarded, Outcome, Refusal as Ground};
use crate::findings::board::Board;
use crate::guard::Act;
use crate::metrics::Metrics;
use crate::operator::keeper::{Key, Refusal, Store};
use crate::report::event::{Note, Regarding};
use crate::report::object::{FindingSpec, GuardStatus};
use crate::report::wording::guarded;
use crate::runtime::clock;
use crate::text::escape::visible;

/// Says what the guard did.
pub struct Saying {
    /// Writes the Events.
    pub client: Client,
    /// Writes the objects.
    pub store: Store,
    /// Shows it to those who notify.
    pub board: Arc<Board>,
    /// Counts it.
    pub metrics: Arc<Metrics>,
    /// The name of this replica, in Events.
    pub instance: Arc<str>,
}

impl Saying {
    /// Records what the guard did about a finding, and its undos.
    ///
    /// # Errors
    /// The object cannot be written.
    pub async fn record(&self, finding: &Finding, guard: &Guarded, acts: &[Act]) -> Result<(), Refusal> {
        let with = Finding { guard: Some(Arc::new(guard.clone())), ..finding.clone() };
        let message = guarded(&with).map(|sentence| visible(&sentence.to_string())).unwrap_or_default();
        let status = GuardStatus::new(guard, &message, finding.episodes, acts);
        let (key, spec) = (Key::from_identity(&finding.identity()), FindingSpec::from_finding(finding));
        self.store.record_guard(&key, &spec, &status).await
    }

    /// Says it everywhere else.
    pub async fn tell(&self, finding: &Finding, guard: Guarded) {
        self.count(finding, &guard);
        self.board.guarded(&finding.identity(), (finding.episodes, guard.clone()));
        let with = Finding { guard: Some(Arc::new(guard)), ..finding.clone() };
        let Some(note) = Note::of_the_guard(&with) else { return };
        let workload = Regarding::parse(&with.workload);
        let (client, instance, namespace) = (&self.client, &self.instance, &with.namespace);
        let sent = events::create(client, instance, namespace, workload, note, "Guarded", clock::now()).await;
        if let Reply::Failed { why, .. } | Reply::Refused(why) = sent {
            info!(workload = visible(&finding.workload), why, "What the guard did is not in an Event");
        }
    }

    /// Counts and logs it.
    pub fn count(&self, finding: &Finding, guard: &Guarded) {
        self.metrics.guard(guard);
        let (namespace, workload) = (visible(&finding.namespace), visible(&finding.workload));
        let (outcome, refusal) = (guard.outcome.word(), guard.refusal.map(Ground::word));
        let (revision, to_revision) = (guard.revision, guard.to_revision);
        if guard.outcome == Outcome::Refused {
            info!(namespace, workload, refusal, "The guard does not undo a rollout");
        } else {
            warn!(namespace, workload, outcome, revision, to_revision, "The guard acts on a rollout");
        }
    }
}
