//! The revisions of a workload's template: who applied each, and when.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::controller::Controller;
use crate::engine::{HashLabel, PodTemplate, Revision};
use crate::source::Observer;
use crate::source::objects::{ControllerRevisionLite, Meta, Oddity, ReplicaSetLite};
use crate::time::Time;

/// Maximum number of revisions passed on, newest ones.
const MAX_TOLD: usize = 12;

/// Maximum number of revisions kept; workloads keep ten by default.
const MAX_KEPT: usize = 64;

/// Maximum time between the change of a template and the creation of its revision's object.
const BEFORE: Duration = Duration::from_mins(1);

/// Timestamps are truncated to whole seconds and come from several clocks.
const AFTER: Duration = Duration::from_secs(5);

/// The revisions of one workload.
#[derive(Debug, Default)]
pub struct History {
    /// By the name of the revision's object.
    objects: BTreeMap<Arc<str>, RevisionObject>,
    /// Who applied a revision, by number, as determined while it was the newest.
    brought: BTreeMap<u64, Brought>,
}

/// A `ReplicaSet` or `ControllerRevision`, as a revision of its owner.
#[derive(Debug)]
pub struct RevisionObject {
    number: u64,
    hash: Option<Arc<str>>,
    created: Option<Time>,
    /// Whether it was an earlier revision before, so that its creation time is not when it became this one.
    came_back: bool,
    template: Arc<PodTemplate>,
}

/// Who applied a revision.
#[derive(Debug)]
struct Brought {
    at: Time,
    by: Arc<str>,
    /// When the manager's fields last changed.
    touched: Time,
}

/// The revision that a `ReplicaSet` represents; `None` if it has no number.
pub fn of_replica_set(set: &ReplicaSetLite, observer: &mut Observer) -> Result<Option<RevisionObject>, Oddity> {
    let meta = set.metadata.required("metadata")?;
    let number = meta.annotation(|all| &all.revision);
    let number = number.or_else(|| meta.annotation(|all| &all.rollout_revision));
    let Some(number) = number.and_then(|text| text.parse().ok()) else {
        return Ok(None);
    };
    let hash = [HashLabel::Rollouts, HashLabel::PodTemplate].into_iter().find_map(|label| {
        let hash = meta.label(label.key())?;
        Some((label, hash))
    });
    let template = set.spec.read("spec", |spec| {
        spec.template.required("template")?;
        spec.template.read("template", |template| observer.template(template, hash))
    })?;
    let created = created(observer, meta);
    Ok(template.flatten().map(|template| RevisionObject {
        number,
        hash: template.revision_hash.clone(),
        created,
        came_back: meta.annotation(|all| &all.revision_history).is_some_and(|past| !past.is_empty()),
        template,
    }))
}

fn created(observer: &mut Observer, meta: &Meta) -> Option<Time> {
    observer.within("metadata", |observer| observer.time(&meta.creation_timestamp, "creationTimestamp"))
}

/// The revision that a `ControllerRevision` represents; `None` if its data is not a pod template.
pub fn of_controller_revision(
    object: &ControllerRevisionLite,
    owner_kind: &str,
    observer: &mut Observer,
) -> Result<Option<RevisionObject>, Oddity> {
    let meta = object.metadata.required("metadata")?;
    let under = |oddity: Oddity| oddity.under("metadata");
    let number = *object.revision.required("revision")?;
    let number = u64::try_from(number).map_err(|_| Oddity::value("revision", format!("{number} is out of range")))?;
    // The pods of a StatefulSet carry the object's full name.
    let hash = if owner_kind == "StatefulSet" {
        Some(meta.identity().map_err(under)?.1)
    } else {
        meta.label(HashLabel::ControllerRevision.key())
    };
    let hash = hash.map(|hash| (HashLabel::ControllerRevision, hash));
    let template = object.data.read("data", |data| {
        data.spec.read("spec", |spec| spec.template.read("template", |template| observer.template(template, hash)))
    })?;
    let created = created(observer, meta);
    Ok(template.flatten().flatten().map(|template| RevisionObject {
        number,
        hash: template.revision_hash.clone(),
        created,
        came_back: false,
        template,
    }))
}

impl History {
    /// Takes in the revision that an object now represents.
    pub fn put(&mut self, name: &Arc<str>, mut object: RevisionObject) {
        if let Some(before) = self.objects.get(name) {
            object.came_back |=
                before.created == object.created && (before.came_back || before.number != object.number);
        }
        self.objects.insert(Arc::clone(name), object);
        if self.objects.len() > MAX_KEPT {
            let oldest = self.objects.iter().min_by_key(|(_, object)| object.number);
            if let Some(name) = oldest.map(|(name, _)| Arc::clone(name)) {
                self.objects.remove(&name);
            }
        }
    }

    /// Takes in the deletion of an object.
    pub fn remove(&mut self, name: &str) {
        self.objects.remove(name);
    }

    /// Whether no revision is known.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Forgets who applied what: the workload was replaced by another one.
    pub fn forget_who(&mut self) {
        self.brought.clear();
    }

    /// Remembers who applied the newest revision, as long as the workload's fields show it.
    pub fn settle(&mut self, workload: &Controller) {
        let Some(newest) = self.objects.values().max_by_key(|object| object.number) else {
            return;
        };
        let number = newest.number;
        if !workload.synced || workload.current.is_some_and(|current| current != number) {
            return;
        }
        let known = self.brought.get(&number);
        if let Some(found) = self.who_brought(newest, workload, known) {
            self.brought.insert(number, found);
            while self.brought.len() > MAX_KEPT {
                self.brought.pop_first();
            }
        }
    }

    /// An improvement on what is known about who applied a revision.
    fn who_brought(&self, newest: &RevisionObject, workload: &Controller, known: Option<&Brought>) -> Option<Brought> {
        let last = workload.touches.last()?;
        let found = |touched: Time, by: &Arc<str>, at| {
            let by = Arc::clone(by);
            Some(Brought { at, by, touched })
        };
        let created = newest.created.unwrap_or(last.at);
        if self.came_back(newest) {
            // A later change of the manager's other fields moves its time: the first one counts.
            return match known {
                None if last.at >= self.latest_before(newest) => found(last.at, &last.by, last.at),
                _ => None,
            };
        }
        let mut near = workload.touches.iter().rev();
        let near = near.find(|touch| touch.at <= created.plus(AFTER) && touch.at.plus(BEFORE) >= created);
        match (near, known) {
            (Some(touch), Some(known)) if touch.at <= known.touched => None,
            (Some(touch), _) => found(touch.at, &touch.by, touch.at.max(created)),
            (None, Some(_)) => None,
            (None, None) => found(Time::default(), &last.by, created),
        }
    }

    /// Whether an object was another revision before it became the current one.
    fn came_back(&self, object: &RevisionObject) -> bool {
        object.came_back || object.created < self.lower(object).filter_map(|lower| lower.created).max()
    }

    /// When all earlier revisions had been created.
    fn latest_before(&self, object: &RevisionObject) -> Time {
        self.lower(object).filter_map(|lower| lower.created).max().unwrap_or_default()
    }

    fn lower(&self, object: &RevisionObject) -> impl Iterator<Item = &RevisionObject> {
        let number = object.number;
        self.objects.values().filter(move |other| other.number < number)
    }

    /// The newest revisions, oldest first.
    pub fn revisions(&self) -> Vec<Revision> {
        let mut objects: Vec<_> = self.objects.values().collect();
        objects.sort_by_key(|object| (object.number, object.created));
        let surplus = objects.len().saturating_sub(MAX_TOLD);
        objects[surplus..].iter().map(|object| self.revision(object)).collect()
    }

    fn revision(&self, object: &RevisionObject) -> Revision {
        let brought = self.brought.get(&object.number);
        let created = object.created.filter(|_| !self.came_back(object));
        Revision {
            number: object.number,
            hash: object.hash.clone(),
            at: brought.map(|brought| brought.at).or(created),
            created: object.created,
            by: brought.map(|brought| Arc::clone(&brought.by)).filter(|by| !by.is_empty()),
            template: Arc::clone(&object.template),
        }
    }
}
