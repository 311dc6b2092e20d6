//! What the annotations of workloads change for a receiver, where the settings allow it: pure.

use std::collections::BTreeSet;

use super::policy::Admission;
use super::route::{Route, Routes};
use crate::findings::asked::{Annotation, Asked};
use crate::findings::ledger::Standing;
use crate::text::glob::Glob;
use crate::time::Time;

/// What the workloads of some namespaces may ask of a receiver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The receiver's name.
    pub receiver: String,
    /// The namespaces, one of which must match.
    pub namespaces: Vec<Glob>,
    /// The annotations that the receiver heeds.
    pub allows: BTreeSet<Annotation>,
}

/// All grants; without any, annotations have no effect on notifications.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Grants(pub Vec<Grant>);

/// How a finding is routed to a receiver, after its annotations.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Admitted {
    /// How it is routed.
    pub admission: Admission,
    /// Whether a silence applies, of the configuration or by annotation.
    pub silenced: bool,
}

impl Grants {
    /// Whether the receiver heeds that annotation of that namespace.
    pub fn allow(&self, receiver: &str, namespace: &str, annotation: Annotation) -> bool {
        self.of(namespace).any(|grant| grant.receiver == receiver && grant.allows.contains(&annotation))
    }

    /// Whether any receiver heeds that annotation of that namespace.
    pub fn allow_any(&self, namespace: &str, annotation: Annotation) -> bool {
        self.of(namespace).any(|grant| grant.allows.contains(&annotation))
    }

    /// Whether any receiver heeds anything of that namespace.
    pub fn name(&self, namespace: &str) -> bool {
        self.of(namespace).next().is_some()
    }

    fn of(&self, namespace: &str) -> impl Iterator<Item = &Grant> {
        self.0.iter().filter(move |grant| grant.namespaces.iter().any(|glob| glob.matches(namespace)))
    }
}

/// How a finding is routed to a receiver at `now`.
///
/// A receiver without a grant for the namespace is routed to as if there were no annotations.
pub fn admit(grants: &Grants, routes: &Routes, receiver: &str, standing: &Standing, now: Time) -> Admitted {
    let (finding, asked) = (&standing.finding, &standing.asked);
    let allows = |annotation| grants.allow(receiver, &finding.namespace, annotation);
    let mut admission = routes.admission(receiver, finding, now);
    if allows(Annotation::Receiver) {
        let is_named = asked.receivers.iter().any(|name| name == receiver);
        admission = match admission {
            _ if is_named && Route::default_to(receiver).matches(finding) => Admission::Routed,
            // Named no more: what it was notified of is followed to its end.
            Admission::Barred => Admission::ToItsEnd,
            other => other,
        };
    }
    if let Some(until) = waits_until(asked, allows).filter(|until| *until > now) {
        admission = match admission {
            Admission::Routed => Admission::Muted(until),
            Admission::Muted(other) => Admission::Muted(other.max(until)),
            other => other,
        };
    }
    let by_annotation = || asked.silence.as_ref().is_some_and(|silence| silence.until > now);
    Admitted { admission, silenced: standing.silenced || (allows(Annotation::Silence) && by_annotation()) }
}

/// Until when the annotations ask to wait, or are waited for.
fn waits_until(asked: &Asked, allows: impl Fn(Annotation) -> bool) -> Option<Time> {
    let unread = asked.unread_until.filter(|_| Annotation::ALL.into_iter().any(&allows));
    asked.muted_until.filter(|_| allows(Annotation::Window)).max(unread)
}
