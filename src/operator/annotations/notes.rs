//! The annotations of one object that probehound reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::annotations::LONGEST;
use crate::findings::asked::Annotation;
use crate::source::objects::{AnnotationsLite, Maybe, ObjectMeta, Shape};
use crate::source::recording::Object;
use crate::text::cut;

/// The values as they were written, each no longer than what tells that it is too long.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Notes([Option<Arc<str>>; Annotation::ALL.len()]);

impl Notes {
    /// Those of an object.
    pub fn from_metadata<M: Shape>(metadata: &Maybe<ObjectMeta<M>>) -> Self {
        let Some(metadata) = metadata.ok() else { return Self::default() };
        Self::new(|annotation| metadata.annotation(|all| field(all, annotation)))
    }

    /// Those among all annotations of an object.
    pub fn from_annotations(all: &BTreeMap<String, String>) -> Self {
        Self::new(|annotation| all.get(annotation.key()).map(String::as_str))
    }

    /// Those of a workload among objects; `None` if it is not among them.
    pub fn of_workload(kind: &str, name: &str, objects: &[Arc<Object>]) -> Option<Self> {
        objects.iter().find_map(|object| match (kind, &**object) {
            ("Deployment", Object::Deployment(it)) => named(&it.metadata, name),
            ("StatefulSet", Object::StatefulSet(it)) => named(&it.metadata, name),
            ("DaemonSet", Object::DaemonSet(it)) => named(&it.metadata, name),
            ("ReplicaSet", Object::ReplicaSet(it)) => named(&it.metadata, name),
            ("Job", Object::Job(it)) => named(&it.metadata, name),
            ("CronJob", Object::CronJob(it)) => named(&it.metadata, name),
            _ => None,
        })
    }

    /// The value of an annotation.
    pub fn get(&self, annotation: Annotation) -> Option<&str> {
        let place = Annotation::ALL.iter().position(|one| *one == annotation)?;
        self.0[place].as_deref()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    fn new<'a>(value: impl Fn(Annotation) -> Option<&'a str>) -> Self {
        Self(Annotation::ALL.map(|annotation| value(annotation).map(|text| cut(text, LONGEST + 1).into())))
    }
}

fn named<M: Shape>(metadata: &Maybe<ObjectMeta<M>>, name: &str) -> Option<Notes> {
    let (_, own) = metadata.ok()?.identity().ok()?;
    (own == name).then(|| Notes::from_metadata(metadata))
}

const fn field(all: &AnnotationsLite, annotation: Annotation) -> &Maybe<String> {
    match annotation {
        Annotation::Silence => &all.silence,
        Annotation::Receiver => &all.receiver,
        Annotation::Window => &all.window,
        Annotation::Guard => &all.guard,
    }
}
