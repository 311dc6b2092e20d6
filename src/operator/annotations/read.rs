//! From the annotations of a workload to what they ask for: pure.

use std::sync::Arc;

use super::notes::Notes;
use crate::config::annotations::{self, Annotations};
use crate::findings::asked::{Annotation, Asked, AskedSilence};
use crate::text::refusal::Refusal;
use crate::time::Time;

/// The annotations of one object that has a say, those with the greater say first.
#[derive(Copy, Clone, Debug)]
pub struct Level<'a> {
    /// What has them, in words: `Deployment/web`, `pods of Deployment/web`.
    pub source: &'a str,
    /// Its annotations.
    pub notes: &'a Notes,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Reading {
    /// What applies at that time.
    pub asked: Asked,
    /// When that changes by itself.
    pub turns: Option<Time>,
    /// The values that have no effect, although somebody expects one.
    pub refused: Vec<Refused>,
}

/// A value that has no effect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// What has it, in words.
    pub source: String,
    /// Which annotation.
    pub annotation: Annotation,
    /// The value, cut.
    pub value: Arc<str>,
    /// Why, and what to write instead.
    pub why: Refusal,
}

/// Reads the annotations that apply to the findings of a workload in that namespace at `now`.
///
/// Each annotation by itself: the first object whose value is valid has the say. A value that is refused
/// counts as absent.
pub fn read(levels: &[Level], namespace: &str, settings: &Annotations, now: Time) -> Reading {
    let mut reader = Reader { levels, namespace, settings, refused: Vec::new() };
    let silence = reader.first(Annotation::Silence, |text| annotations::silence(text, settings, now));
    let receivers =
        reader.first(Annotation::Receiver, |text| may_name(annotations::receivers(text)?, namespace, settings));
    let window = reader.first(Annotation::Window, annotations::window);
    let guard = reader.first(Annotation::Guard, annotations::guard);
    let silence = silence.filter(|(_, (until, _))| *until > now).map(|(source, (until, reason))| AskedSilence {
        until,
        words: format!("{source} until {until}: {reason}").into(),
    });
    let (muted_until, turns) = window.map(|(_, window)| window.at(now)).unwrap_or_default();
    let ends = silence.as_ref().map(|silence| silence.until);
    Reading {
        turns: turns.into_iter().chain(ends).min(),
        asked: Asked {
            unread_until: None,
            silence,
            receivers: receivers.map(|(_, names)| names).unwrap_or_default(),
            muted_until,
            guard_off: guard.is_some_and(|(_, off)| off),
        },
        refused: reader.refused,
    }
}

/// The names, if each is one that this namespace may name. Which others there are is nobody's business.
fn may_name(names: Vec<String>, namespace: &str, settings: &Annotations) -> Result<Vec<String>, Refusal> {
    const HINT: &str = "ask whoever runs probehound: annotations.grants in its settings says who may name whom";
    let may_not = |name: &&String| !settings.grants.allow(name, namespace, Annotation::Receiver);
    match names.iter().find(may_not) {
        Some(name) => Err(Refusal::new(name, "is no receiver that this namespace may name", HINT)),
        None => Ok(names),
    }
}

struct Reader<'a> {
    levels: &'a [Level<'a>],
    namespace: &'a str,
    settings: &'a Annotations,
    refused: Vec<Refused>,
}

impl<'a> Reader<'a> {
    /// The first valid value, and the object that has it.
    fn first<T>(&mut self, annotation: Annotation, parse: impl Fn(&str) -> Result<T, Refusal>) -> Option<(&'a str, T)> {
        for level in self.levels {
            let Some(text) = level.notes.get(annotation) else { continue };
            let value = if self.heeds(annotation) { parse(text) } else { Err(not_heeded(annotation)) };
            match value {
                Ok(value) => return Some((level.source, value)),
                Err(why) => {
                    let (source, value) = (level.source.to_owned(), text.into());
                    self.refused.push(Refused { source, annotation, value, why });
                }
            }
        }
        None
    }

    fn heeds(&self, annotation: Annotation) -> bool {
        annotation == Annotation::Guard || self.settings.grants.allow_any(self.namespace, annotation)
    }
}

fn not_heeded(annotation: Annotation) -> Refusal {
    let what = format!("no receiver heeds {} of this namespace", annotation.key());
    Refusal { what, hint: Some("ask whoever runs probehound: annotations.grants in its settings".to_owned()) }
}
