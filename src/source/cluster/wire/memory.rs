//! What was read of the pods before: what says the same is not read again.
//!
//! The pods of a Deployment, and a pod before and after each of its changes, have the same labels, and specs
//! that differ in what is not read, such as the name of the volume with their token. Lists are sorted by name,
//! so such pods come one after another.
//!
//! Invariants:
//! - **Exact**: two messages are the same if all their bytes are, but for the contents of fields that are not
//!   read: so the same is read of both. No hash takes part.
//! - **Bounded**: no more than 32 messages of a kind are kept, none that is longer than 64 KiB, and none with
//!   more than 1,024 fields that are not read.

use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;

use super::field::{Unreadable, Wired, next_field};
use super::message::{Kind, Message};
use super::messages::{COMMON_SPEC, LABELS};
use super::read::Encoded;
use crate::source::objects::{CommonSpec, LabelsLite, Maybe, SpecFieldsLite, TemplateMetaLite};

/// Maximum number of messages of a kind.
const KEPT: usize = 32;
/// Maximum length of one; longer ones are read each time.
const LONGEST: usize = 64 << 10;
/// Maximum number of fields in one that are not read: what is noted of each takes 16 bytes.
const MAX_UNREAD: usize = 1024;

/// What the pods that were read last have in common with others.
#[derive(Debug)]
pub struct Memory {
    specs: Kept<Arc<CommonSpec>>,
    labels: Kept<Maybe<LabelsLite>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// A memory of nothing.
    pub const fn new() -> Self {
        Self { specs: Kept(Vec::new()), labels: Kept(Vec::new()) }
    }

    /// Reads a spec without the name of the node.
    ///
    /// # Errors
    /// The bytes are no spec.
    pub fn spec(&mut self, bytes: Vec<u8>) -> Result<Arc<CommonSpec>, Unreadable> {
        self.specs.read(&COMMON_SPEC, bytes, |encoded| Ok(Arc::new(SpecFieldsLite::deserialize(encoded)?.into())))
    }

    /// Reads metadata of which nothing is left but the labels.
    ///
    /// # Errors
    /// The bytes are no labels.
    pub fn labels(&mut self, bytes: Vec<u8>) -> Result<Maybe<LabelsLite>, Unreadable> {
        self.labels.read(&LABELS, bytes, |encoded| Ok(TemplateMetaLite::deserialize(encoded)?.labels))
    }
}

/// Messages and what was read of them, the last one used first.
#[derive(Debug)]
struct Kept<T>(Vec<Known<T>>);

#[derive(Debug)]
struct Known<T> {
    /// Copied: what has arrived with it is not held by it.
    bytes: Vec<u8>,
    /// Where the contents are of fields that are not read, in their order.
    unread: Vec<Range<usize>>,
    read: T,
}

impl<T: Clone> Kept<T> {
    fn read(
        &mut self,
        message: &'static Message,
        bytes: Vec<u8>,
        read: impl FnOnce(Encoded<'_>) -> Result<T, Unreadable>,
    ) -> Result<T, Unreadable> {
        if let Some(place) = self.0.iter().position(|known| known.is_same(&bytes)) {
            self.0[..=place].rotate_right(1);
            return Ok(self.0[0].read.clone());
        }
        let read = read(Encoded { message, bytes: &bytes, kind: None })?;
        let mut unread = Vec::new();
        let is_noted = bytes.len() <= LONGEST && note_unread(message, &bytes, 0, &mut unread).is_ok();
        if is_noted && unread.len() <= MAX_UNREAD {
            unread.shrink_to_fit();
            self.0.truncate(KEPT - 1);
            self.0.insert(0, Known { bytes, unread, read: read.clone() });
        }
        Ok(read)
    }
}

impl<T> Known<T> {
    /// Whether the same is read of these bytes. Keys and lengths are among what is compared: so where the
    /// contents are that are not read is the same in both.
    fn is_same(&self, other: &[u8]) -> bool {
        let mut begin = 0;
        let is_same_before = |unread: &Range<usize>| {
            let read = std::mem::replace(&mut begin, unread.end)..unread.start;
            self.bytes[read.clone()] == other[read]
        };
        self.bytes.len() == other.len()
            && self.unread.iter().all(is_same_before)
            && self.bytes[begin..] == other[begin..]
    }
}

/// Notes where in a message, which begins at `at`, the contents of fields are that are not read.
fn note_unread(message: &Message, bytes: &[u8], at: usize, unread: &mut Vec<Range<usize>>) -> Result<(), Unreadable> {
    let mut rest = bytes;
    while let Some((number, value)) = next_field(&mut rest)? {
        let Wired::Bytes(content @ [_, ..]) = value else {
            continue;
        };
        let end = at + bytes.len() - rest.len();
        let begin = end - content.len();
        match message.place(number).map(|place| &message.fields[place].kind) {
            None => unread.push(begin..end),
            Some(Kind::Object(inner) | Kind::Inline(inner) | Kind::List(Kind::Object(inner))) => {
                note_unread(inner, content, begin, unread)?;
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prost::encoding::bytes;

    use super::*;

    /// A spec with a container of that name, and a volume of that name, which is not read.
    fn spec(container: &[u8], volume: &[u8]) -> Vec<u8> {
        let (mut named, mut out) = (Vec::new(), Vec::new());
        bytes::encode(1, &container.to_vec(), &mut named);
        bytes::encode(1, &volume.to_vec(), &mut out);
        bytes::encode(2, &named, &mut out);
        out
    }

    fn name(spec: &CommonSpec) -> Option<&str> {
        let container = spec.fields.containers.ok()?.0.first()?.ok()?;
        container.name.ok().map(String::as_str)
    }

    #[test]
    fn what_was_used_last_is_kept_and_no_more_than_that() {
        let mut memory = Memory::default();
        let first = memory.spec(spec(b"first", b"a")).expect("readable");
        for number in 0..3 * KEPT {
            let read = memory.spec(spec(number.to_string().as_bytes(), b"a")).expect("readable");
            assert_eq!(name(&read), Some(&*number.to_string()));
            let again = memory.spec(spec(b"first", b"b")).expect("readable");
            assert!(Arc::ptr_eq(&first, &again));
        }
        assert_eq!(memory.specs.0.len(), KEPT);
        let last = memory.specs.0.last().map(|known| Arc::clone(&known.read)).expect("it is full");
        memory.spec(spec(b"one more", b"a")).expect("readable");
        assert!(memory.specs.0.iter().all(|known| !Arc::ptr_eq(&known.read, &last)));
    }

    #[test]
    fn what_is_too_long_is_read_each_time() {
        let (mut memory, long) = (Memory::default(), spec(&vec![b'x'; LONGEST], b""));
        let [one, other] = [(); 2].map(|()| memory.spec(long.clone()).expect("readable"));
        assert_eq!(one, other);
        assert!(memory.specs.0.is_empty() && !Arc::ptr_eq(&one, &other));
    }

    #[test]
    fn what_has_too_many_fields_that_are_not_read_is_read_each_time() {
        for (fields, is_kept) in [(MAX_UNREAD, true), (MAX_UNREAD + 1, false)] {
            let mut memory = Memory::default();
            memory.spec(spec(b"app", b"a").repeat(fields)).expect("readable");
            assert_eq!(!memory.specs.0.is_empty(), is_kept, "{fields}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_kept_nor_the_same_as_what_can() {
        let (mut memory, right) = (Memory::default(), spec(b"app", b"volume"));
        memory.spec(right.clone()).expect("readable");
        for (wrong, why) in [
            ([&right[..], b"\x0b"].concat(), Unreadable::Group),
            (right[..right.len() - 1].to_vec(), Unreadable::Cut),
            (b"\x12\x02\x08\x07".to_vec(), Unreadable::Type),
        ] {
            assert_eq!(memory.spec(wrong), Err(why));
        }
        assert_eq!(memory.specs.0.len(), 1);
    }
}
