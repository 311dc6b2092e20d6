//! Reading in which an odd field costs no more than itself: it counts as absent, and is noted.

use super::Observer;
use crate::engine::Owner;
use crate::source::mask::MAX_NAME;
use crate::source::objects::{Found, List, Maybe, ObjectMeta, Oddity, Shape, time};
use crate::text::cut;
use crate::time::Time;

/// Maximum number of oddities noted per object: more would not help the reader.
const MAX_NOTED: usize = 16;

/// The oddities of the objects read since the last call, and the path to the current field.
#[derive(Debug, Default)]
pub struct Odd {
    way: Vec<Step>,
    noted: Vec<Oddity>,
}

/// One step on the path to a field.
#[derive(Debug)]
enum Step {
    Field(&'static str),
    Item(usize),
}

impl Odd {
    /// The oddities noted, with full paths.
    pub fn take(&mut self) -> Vec<Oddity> {
        std::mem::take(&mut self.noted)
    }
}

impl Observer {
    /// Notes an oddity of the current object.
    pub(in crate::source) fn note(&mut self, oddity: Oddity) {
        if self.odd.noted.len() < MAX_NOTED {
            let whole = self.odd.way.iter().rev().fold(oddity, |oddity, step| match step {
                Step::Field(name) => oddity.under(name),
                Step::Item(index) => oddity.at(*index),
            });
            self.odd.noted.push(whole);
        }
    }

    /// The value, or `None` with a note.
    pub(in crate::source) fn or_note<T>(&mut self, read: Result<T, Oddity>) -> Option<T> {
        read.map_err(|oddity| self.note(oddity)).ok()
    }

    /// The field's value; `None` if it is absent or odd.
    pub(in crate::source) fn get<'a, T: Shape>(&mut self, field: &'a Maybe<T>, name: &str) -> Option<&'a T> {
        self.or_note(field.known(name)).flatten()
    }

    /// The field's value, whose absence is odd.
    pub(in crate::source) fn needed<'a, T: Shape>(&mut self, field: &'a Maybe<T>, name: &str) -> Option<&'a T> {
        self.or_note(field.required(name))
    }

    /// A text, empty if it is absent or odd.
    pub(in crate::source) fn text<'a>(&mut self, field: &'a Maybe<String>, name: &str) -> &'a str {
        self.get(field, name).map_or("", String::as_str)
    }

    /// Applies `read` to the value, if present.
    pub(in crate::source) fn read<T: Shape, R>(
        &mut self,
        field: &Maybe<T>,
        name: &'static str,
        read: impl FnOnce(&mut Self, &T) -> R,
    ) -> Option<R> {
        let value = self.get(field, name)?;
        Some(self.within(name, |observer| read(observer, value)))
    }

    /// Applies `read` to each valid item; odd items are skipped.
    pub(in crate::source) fn each<T: Shape, const MAX: usize>(
        &mut self,
        field: &Maybe<List<T, MAX>>,
        name: &'static str,
        mut read: impl FnMut(&mut Self, &T),
    ) {
        let Some(list) = self.get(field, name) else {
            return;
        };
        self.odd.way.push(Step::Field(name));
        for (index, item) in list.0.iter().enumerate() {
            self.odd.way.push(Step::Item(index));
            if let Some(item) = self.needed(item, "") {
                read(self, item);
            }
            self.odd.way.pop();
        }
        self.odd.way.pop();
    }

    /// Does something with a field as part of the path.
    pub(in crate::source) fn within<R>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> R) -> R {
        self.odd.way.push(Step::Field(name));
        let result = read(self);
        self.odd.way.pop();
        result
    }

    /// A number; one that is written as text is odd, but still used.
    pub(in crate::source) fn number(&mut self, field: &Maybe<i64>, name: &str) -> Option<i64> {
        if let Maybe::Odd(found) = field
            && let Found::Text(text) | Found::Number(text) = &**found
            && let Ok(number) = text.parse()
        {
            self.note(Oddity::field(name, i64::EXPECTED, found));
            return Some(number);
        }
        self.get(field, name).copied()
    }

    /// A number of a smaller range.
    pub(in crate::source) fn whole<N: TryFrom<i64>>(&mut self, field: &Maybe<i64>, name: &str) -> Option<N> {
        let number = self.number(field, name)?;
        let fits = N::try_from(number).map_err(|_| Oddity::value(name, format!("{number} is out of range")));
        self.or_note(fits)
    }

    /// A number from zero to `most`.
    pub(in crate::source) fn count(&mut self, field: &Maybe<i64>, name: &str, most: u32) -> Option<u32> {
        let number = self.whole::<u32>(field, name)?;
        if number > most {
            self.note(Oddity::value(name, format!("{number} is out of range")));
            return None;
        }
        Some(number)
    }

    /// A flag; one that is written as text is odd, but still used.
    pub(in crate::source) fn flag(&mut self, field: &Maybe<bool>, name: &str) -> Option<bool> {
        if let Maybe::Odd(found) = field
            && let Found::Text(text) = &**found
            && let Ok(flag) = text.parse()
        {
            self.note(Oddity::field(name, bool::EXPECTED, found));
            return Some(flag);
        }
        self.get(field, name).copied()
    }

    /// Whether a text can be a kind: no API uses other characters, and an owner reference may contain any.
    fn is_kind(&mut self, text: &str) -> bool {
        let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !fits {
            self.note(Oddity::value("kind", "not the name of a kind: letters and digits"));
        }
        fits
    }

    /// An object's controller; `None` also for one without a kind or a name.
    pub(in crate::source) fn controller<M: Shape>(&mut self, meta: &ObjectMeta<M>) -> Option<Owner> {
        let mut found = None;
        self.each(&meta.owner_references, "ownerReferences", |observer, owner| {
            if found.is_none() && observer.flag(&owner.controller, "controller") == Some(true) {
                let kind = observer.needed(&owner.kind, "kind").filter(|kind| observer.is_kind(kind));
                let name = observer.needed(&owner.name, "name");
                found = kind.zip(name).map(|(kind, name)| Owner {
                    kind: observer.name(cut(kind, MAX_NAME)),
                    name: observer.name(cut(name, MAX_NAME)),
                });
            }
        });
        found
    }

    /// A time.
    pub(in crate::source) fn time(&mut self, field: &Maybe<String>, name: &str) -> Option<Time> {
        self.or_note(time(field, name)).flatten()
    }
}
