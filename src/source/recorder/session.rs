//! Observations of a cluster → the lines of a recording.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Redactor, Resource};
use crate::source::recording::WATCH_LOST;
use crate::time::Time;

/// An observation of a resource.
#[derive(Debug)]
pub enum Sighting {
    /// A list begins, or is restarted.
    ListStarted,
    /// An object of the list.
    Listed(Value),
    /// An object that is new or has changed.
    Changed(Value),
    /// An object that was deleted, in its last state.
    Gone(Value),
    /// The list is complete: what was not in it is gone.
    ListFinished,
}

/// Whether pods are being observed.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Sight {
    /// Their watches are up.
    Sees,
    /// One is not: silence proves nothing.
    Blind,
}

/// Writes a recording.
///
/// An object is `ADDED` when it is first seen and when a list contains it again, as replay expects. An
/// object missing in a later list is `DELETED`, with as much of it as identifies it.
#[derive(Debug)]
pub struct Session<W> {
    out: W,
    redactor: Redactor,
    scopes: BTreeMap<(Resource, Arc<str>), Known>,
    lines: [u64; Resource::ALL.len()],
}

/// The objects of one resource in one scope.
#[derive(Debug, Default)]
struct Known {
    /// By UID, each object as JSON, and the number of the list in or after which it was last seen.
    objects: BTreeMap<Box<str>, (Box<str>, u64)>,
    list: u64,
}

impl<W: Write> Session<W> {
    /// A recording that is written to `out`.
    pub fn new(out: W, redactor: Redactor) -> Self {
        Self { out, redactor, scopes: BTreeMap::new(), lines: [0; Resource::ALL.len()] }
    }

    /// Writes an observation of a resource in a namespace, or in all if it is empty.
    ///
    /// # Errors
    /// Those of the output.
    pub fn take(&mut self, at: Time, resource: Resource, namespace: &Arc<str>, seen: Sighting) -> io::Result<()> {
        let scope = (resource, Arc::clone(namespace));
        match seen {
            Sighting::ListStarted => {
                self.scopes.entry(scope).or_default().list += 1;
                Ok(())
            }
            Sighting::Listed(object) => {
                let object = self.redactor.redact(resource, &object);
                self.scopes.entry(scope).or_default().put(&object);
                self.write(at, resource, "ADDED", &object)
            }
            Sighting::Changed(object) => {
                let object = self.redactor.redact(resource, &object);
                let known = self.scopes.entry(scope).or_default().put(&object);
                self.write(at, resource, if known { "MODIFIED" } else { "ADDED" }, &object)
            }
            Sighting::Gone(object) => {
                let object = self.redactor.redact(resource, &object);
                self.scopes.entry(scope).or_default().objects.remove(uid(&object));
                self.write(at, resource, "DELETED", &object)
            }
            Sighting::ListFinished => {
                let gone = self.scopes.entry(scope).or_default().take_unlisted();
                gone.iter().try_for_each(|object| self.write_text(at, resource, "DELETED", object))
            }
        }
    }

    /// Writes that from now on pods are not observed, or that they are again.
    ///
    /// # Errors
    /// Those of the output.
    pub fn turn(&mut self, at: Time, sight: Sight) -> io::Result<()> {
        let object = match sight {
            Sight::Blind => json!({"metadata": {"annotations": {WATCH_LOST: ""}}}),
            Sight::Sees => json!({}),
        };
        writeln!(self.out, r#"{{"ts":"{at}","resource":"pods","type":"BOOKMARK","object":{object}}}"#)
    }

    /// Writes that time has advanced to `at`, and everything not written yet.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self, at: Time, sight: Sight) -> io::Result<W> {
        self.turn(at, sight)?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// The output.
    pub const fn out(&self) -> &W {
        &self.out
    }

    /// The output, for flushing.
    pub const fn out_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Number of lines written about a resource.
    pub const fn lines(&self, resource: Resource) -> u64 {
        self.lines[resource as usize]
    }

    fn write(&mut self, at: Time, resource: Resource, kind: &str, object: &Value) -> io::Result<()> {
        self.write_text(at, resource, kind, &object.to_string())
    }

    fn write_text(&mut self, at: Time, resource: Resource, kind: &str, object: &str) -> io::Result<()> {
        self.lines[resource as usize] += 1;
        let resource = resource.plural();
        writeln!(self.out, r#"{{"ts":"{at}","resource":"{resource}","type":"{kind}","object":{object}}}"#)
    }
}

impl Known {
    /// Remembers an object; `true` if it was known.
    fn put(&mut self, object: &Value) -> bool {
        let meta = &object["metadata"];
        let fields = ["name", "namespace", "uid", "labels", "ownerReferences"];
        let meta: serde_json::Map<_, _> =
            fields.iter().filter_map(|field| Some(((*field).to_owned(), meta.get(field)?.clone()))).collect();
        let stub = json!({"kind": object["kind"], "metadata": meta}).to_string();
        self.objects.insert(uid(object).into(), (stub.into(), self.list)).is_some()
    }

    /// Removes the objects missing in the newest list.
    fn take_unlisted(&mut self) -> Vec<Box<str>> {
        let list = self.list;
        let gone = self.objects.extract_if(.., |_, (_, seen)| *seen < list);
        gone.map(|(_, (stub, _))| stub).collect()
    }
}

fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::recorder::Disclosure;

    fn pod(uid: &str) -> Value {
        json!({"kind": "Pod", "metadata": {"name": format!("web-{uid}"), "namespace": "shop", "uid": uid}})
    }

    /// The records written for observations, as type and name.
    fn written(seen: Vec<Sighting>) -> Vec<String> {
        let mut session = Session::new(Vec::new(), Redactor::new(&[0; 32], Disclosure::Named));
        for sighting in seen {
            session.take(Time::from_millis(0), Resource::Pods, &Arc::from(""), sighting).unwrap();
        }
        let text = String::from_utf8(session.finish(Time::from_millis(1000), Sight::Sees).unwrap()).unwrap();
        let brief = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            format!("{} {}", text(&line["type"]), text(&line["object"]["metadata"]["name"]))
        };
        text.lines().map(brief).collect()
    }

    #[test]
    fn an_object_is_added_changed_and_deleted() {
        let seen = vec![
            Sighting::ListStarted,
            Sighting::Listed(pod("a")),
            Sighting::ListFinished,
            Sighting::Changed(pod("a")),
            Sighting::Changed(pod("b")),
            Sighting::Gone(pod("a")),
            Sighting::Changed(pod("a")),
        ];
        assert_eq!(
            written(seen),
            ["ADDED web-a", "MODIFIED web-a", "ADDED web-b", "DELETED web-a", "ADDED web-a", "BOOKMARK -"]
        );
    }

    #[test]
    fn what_a_later_list_has_no_more_is_deleted() {
        let seen = vec![
            Sighting::ListStarted,
            Sighting::Listed(pod("a")),
            Sighting::Listed(pod("b")),
            Sighting::ListFinished,
            Sighting::Changed(pod("c")),
            Sighting::ListStarted,
            Sighting::Listed(pod("b")),
            Sighting::ListFinished,
        ];
        let all = ["ADDED web-a", "ADDED web-b", "ADDED web-c", "ADDED web-b", "DELETED web-a", "DELETED web-c"];
        assert_eq!(written(seen)[..6], all);
    }

    #[test]
    fn a_list_that_begins_anew_before_it_is_complete_deletes_nothing() {
        let seen = vec![
            Sighting::ListStarted,
            Sighting::Listed(pod("a")),
            Sighting::ListStarted,
            Sighting::Listed(pod("a")),
            Sighting::ListFinished,
        ];
        assert_eq!(written(seen), ["ADDED web-a", "ADDED web-a", "BOOKMARK -"]);
    }
}
