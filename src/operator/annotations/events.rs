//! Reports annotations that have no effect: in the log, and as Kubernetes Events on the workloads.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::{info, warn};

use super::Refused;
use crate::delivery::receiver::{Reply, events};
use crate::report::event::{Note, Regarding};
use crate::runtime::clock;
use crate::runtime::leadership::Leadership;
use crate::text::escape::terminal;

/// Maximum number of reports that wait; more are only counted.
pub const MAX_WAITING: usize = 64;
/// Minimum interval between reports: a tenant may write annotations as fast as the API server accepts them.
const PAUSE: Duration = Duration::from_secs(1);
/// Maximum length of a logged text, in columns.
const TOLD: usize = 300;

/// A value that has no effect, and where.
#[derive(Clone, Debug)]
pub struct Complaint {
    /// The namespace.
    pub namespace: String,
    /// `KIND/NAME` of the workload.
    pub workload: String,
    /// The value, and why.
    pub refused: Refused,
}

/// What the task works with.
pub struct Means {
    /// Writes Events.
    pub client: Client,
    /// Whether to write.
    pub leadership: Leadership,
    /// The name of this replica in Events.
    pub instance: Arc<str>,
}

/// Reports what comes in, forever. An Event that cannot be written is not tried again: the log has it.
pub async fn run(means: Means, mut complaints: mpsc::Receiver<Complaint>) -> Infallible {
    let mut may_write = true;
    while let Some(complaint) = complaints.recv().await {
        let Complaint { namespace, workload, refused } = &complaint;
        let short = |text: &str| terminal(text, TOLD);
        let (annotation, hint) = (refused.annotation.key(), refused.why.hint.as_deref().unwrap_or_default());
        let (object, why) = (short(workload), short(&refused.why.what));
        warn!(namespace = short(namespace), object, annotation, why, hint, "An annotation has no effect");
        if means.leadership.holds() {
            let note = Note::of_refused(&refused.source, annotation, &refused.value, &refused.why);
            let (workload, now) = (Regarding::parse(workload), clock::now());
            let reply = events::create(&means.client, &means.instance, namespace, workload, note, "Read", now).await;
            if let Reply::Refused(cause) | Reply::Failed { why: cause, .. } = &reply
                && std::mem::replace(&mut may_write, false)
            {
                info!(cause, "No Event could be written on the workload of an annotation that has no effect");
            }
            may_write |= matches!(reply, Reply::Delivered);
        }
        sleep(PAUSE).await;
    }
    std::future::pending().await
}
