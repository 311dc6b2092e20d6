//! What an answer consists of, while its bytes arrive: the events of a watch, the objects of a list.
//!
//! At most one object is held at a time. One that is too long is passed over, without being kept.

use prost::bytes::{Buf, Bytes, BytesMut};
use prost::encoding::WireType;

use super::envelope::MAGIC;
use super::field::{Unreadable, number_from};

/// Maximum length of an object: etcd takes 1.5 MiB by default, and no more than 10 MiB whatever is set.
pub const LONGEST: usize = 10 << 20;
/// Room that is kept for the next objects.
const KEPT: usize = 64 << 10;

/// A part of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// An event of a watch, or an object of a list.
    Object(Bytes),
    /// The metadata of a list.
    Meta(Bytes),
    /// An object that was passed over.
    TooLong,
}

/// Bytes that have arrived.
#[derive(Debug, Default)]
struct Arrived {
    bytes: BytesMut,
    /// How many of those that follow belong to what is passed over.
    passed_over: usize,
}

impl Arrived {
    fn push(&mut self, mut bytes: Bytes) {
        let over = self.passed_over.min(bytes.len());
        self.passed_over -= over;
        bytes.advance(over);
        self.bytes.extend_from_slice(&bytes);
    }

    /// Takes that many bytes, if they are there.
    fn take(&mut self, length: usize) -> Option<Bytes> {
        let taken = (self.bytes.len() >= length).then(|| self.bytes.split_to(length).freeze());
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT {
            self.bytes = BytesMut::new();
        }
        taken
    }

    fn pass_over(&mut self, length: usize) {
        let here = length.min(self.bytes.len());
        self.bytes.advance(here);
        self.passed_over = length - here;
    }
}

/// The events of a watch: each behind its length, in four bytes.
#[derive(Debug, Default)]
pub struct Events(Arrived);

impl Events {
    /// Takes in what has arrived.
    pub fn push(&mut self, bytes: Bytes) {
        self.0.push(bytes);
    }

    /// The next event, if all of it has arrived.
    pub fn next(&mut self) -> Option<Part> {
        let head = self.0.bytes.first_chunk::<4>()?;
        let length = u32::from_be_bytes(*head) as usize;
        if length > LONGEST {
            self.0.bytes.advance(4);
            self.0.pass_over(length);
            return Some(Part::TooLong);
        }
        let mut event = self.0.take(4 + length)?;
        event.advance(4);
        Some(Part::Object(event))
    }
}

/// The parts of a list.
#[derive(Debug, Default)]
pub struct List {
    arrived: Arrived,
    stage: Stage,
    /// How much of the list itself has not arrived.
    left: usize,
}

/// Where in the answer the bytes are that come next.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
enum Stage {
    #[default]
    Magic,
    /// In the envelope, before the list.
    Before,
    /// In the list.
    Within,
    /// In the envelope, after the list.
    After,
}

/// The number of a field whose content is the list itself, in the envelope.
const RAW: u32 = 2;
const META: u32 = 1;
const ITEM: u32 = 2;

impl List {
    /// Takes in what has arrived.
    pub fn push(&mut self, bytes: Bytes) {
        self.arrived.push(bytes);
    }

    /// Whether all of it has been read.
    pub fn is_complete(&self) -> bool {
        self.stage == Stage::After && self.arrived.bytes.is_empty() && self.arrived.passed_over == 0
    }

    /// The next part, if all of it has arrived.
    ///
    /// # Errors
    /// It is no list.
    pub fn next(&mut self) -> Result<Option<Part>, Unreadable> {
        loop {
            if self.arrived.passed_over > 0 {
                return Ok(None);
            }
            if self.stage == Stage::Magic {
                let Some(magic) = self.arrived.take(MAGIC.len()) else {
                    return Ok(None);
                };
                if magic != MAGIC {
                    return Err(Unreadable::Magic);
                }
                self.stage = Stage::Before;
            }
            if self.stage == Stage::Within && self.left == 0 {
                self.stage = Stage::After;
            }
            let Some(head) = Head::read(&self.arrived.bytes)? else {
                return Ok(None);
            };
            match self.field(head)? {
                Step::Read => {}
                Step::Part(part) => return Ok(Some(part)),
                Step::Wait => return Ok(None),
            }
        }
    }

    fn field(&mut self, head: Head) -> Result<Step, Unreadable> {
        if self.stage != Stage::Within {
            return Ok(self.of_envelope(head));
        }
        let whole = head.length.checked_add(head.content).filter(|whole| *whole <= self.left).ok_or(Unreadable::Cut)?;
        let is_part = head.is_bytes && matches!(head.number, META | ITEM);
        if is_part && head.content <= LONGEST {
            let Some(mut bytes) = self.arrived.take(whole) else {
                return Ok(Step::Wait);
            };
            self.left -= whole;
            bytes.advance(head.length);
            return Ok(Step::Part(if head.number == ITEM { Part::Object(bytes) } else { Part::Meta(bytes) }));
        }
        self.left -= whole;
        self.arrived.pass_over(whole);
        Ok(if is_part { Step::Part(Part::TooLong) } else { Step::Read })
    }

    fn of_envelope(&mut self, head: Head) -> Step {
        if self.stage == Stage::Before && head.is_bytes && head.number == RAW {
            self.arrived.bytes.advance(head.length);
            (self.stage, self.left) = (Stage::Within, head.content);
        } else {
            self.arrived.pass_over(head.length.saturating_add(head.content));
        }
        Step::Read
    }
}

/// What came of a field.
enum Step {
    Read,
    Part(Part),
    Wait,
}

/// The beginning of a field.
#[derive(Copy, Clone, Debug)]
struct Head {
    number: u32,
    is_bytes: bool,
    /// Its own length.
    length: usize,
    /// The length of the content behind it.
    content: usize,
}

impl Head {
    /// Reads it, if all of it has arrived.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Unreadable> {
        let mut rest = bytes;
        let Some(key) = arrived_number(&mut rest)? else {
            return Ok(None);
        };
        let number = u32::try_from(key >> 3).map_err(|_| Unreadable::Number)?;
        let kind = WireType::try_from(key & 7).map_err(|_| Unreadable::Number)?;
        let content = match kind {
            WireType::Varint => arrived_number(&mut rest)?.map(|_| 0),
            WireType::LengthDelimited => arrived_number(&mut rest)?,
            WireType::ThirtyTwoBit => Some(4),
            WireType::SixtyFourBit => Some(8),
            WireType::StartGroup | WireType::EndGroup => return Err(Unreadable::Group),
        };
        let Some(content) = content else {
            return Ok(None);
        };
        let content = usize::try_from(content).map_err(|_| Unreadable::Cut)?;
        let is_bytes = kind == WireType::LengthDelimited;
        Ok(Some(Self { number, is_bytes, length: bytes.len() - rest.len(), content }))
    }
}

/// A number, if all of it has arrived.
fn arrived_number(rest: &mut &[u8]) -> Result<Option<u64>, Unreadable> {
    let is_here = rest.iter().take(10).any(|byte| byte & 0x80 == 0) || rest.len() >= 10;
    if is_here { number_from(rest).map(Some) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use prost::encoding::{bytes, encode_varint, int64};

    use super::*;

    fn list(items: &[&[u8]]) -> Vec<u8> {
        let mut raw = Vec::new();
        bytes::encode(1, &b"meta".to_vec(), &mut raw);
        int64::encode(9, &7, &mut raw);
        for item in items {
            bytes::encode(2, &item.to_vec(), &mut raw);
        }
        let mut out = MAGIC.to_vec();
        bytes::encode(1, &b"types".to_vec(), &mut out);
        bytes::encode(2, &raw, &mut out);
        bytes::encode(4, &Vec::new(), &mut out);
        out
    }

    fn parts(bytes: &[u8], at_once: usize) -> Result<(Vec<Part>, bool), Unreadable> {
        let (mut list, mut parts) = (List::default(), Vec::new());
        for chunk in bytes.chunks(at_once) {
            list.push(Bytes::copy_from_slice(chunk));
            while let Some(part) = list.next()? {
                parts.push(part);
            }
        }
        Ok((parts, list.is_complete()))
    }

    #[test]
    fn a_list_is_read_however_it_arrives() {
        let expected = vec![Part::Meta("meta".into()), Part::Object("one".into()), Part::Object("".into())];
        for at_once in [1, 2, 3, 5, 1000] {
            assert_eq!(parts(&list(&[b"one", b""]), at_once), Ok((expected.clone(), true)), "{at_once}");
        }
    }

    #[test]
    fn a_list_that_is_cut_is_not_complete() {
        let whole = list(&[b"one"]);
        for end in 0..whole.len() {
            assert!(!matches!(parts(&whole[..end], 4), Ok((_, true)) if end < whole.len() - 2), "{end}");
        }
    }

    #[test]
    fn an_object_that_is_too_long_is_passed_over() {
        let long = vec![1; LONGEST + 1];
        let expected = vec![Part::Meta("meta".into()), Part::TooLong, Part::Object("two".into())];
        assert_eq!(parts(&list(&[&long, b"two"]), 100_000), Ok((expected, true)));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        assert_eq!(parts(b"{\"kind\":\"PodList\"}", 100), Err(Unreadable::Magic));
        let mut longer_than_its_list = MAGIC.to_vec();
        longer_than_its_list.extend([0x12, 0x03, 0x12, 0x7f, b'x']);
        assert_eq!(parts(&longer_than_its_list, 100), Err(Unreadable::Cut));
        let mut group = MAGIC.to_vec();
        group.push(0x0b);
        assert_eq!(parts(&group, 100), Err(Unreadable::Group));
    }

    #[test]
    fn the_length_of_a_list_is_believed_in_no_allocation() {
        let mut bytes = MAGIC.to_vec();
        bytes.push(0x12);
        encode_varint(1 << 40, &mut bytes);
        bytes.push(0x12);
        encode_varint(1 << 39, &mut bytes);
        bytes.extend([7; 1000]);
        assert_eq!(parts(&bytes, 100), Ok((vec![Part::TooLong], false)));
    }

    #[test]
    fn events_are_read_however_they_arrive() {
        let mut bytes = vec![0, 0, 0, 3];
        bytes.extend(b"one");
        bytes.extend((LONGEST as u32 + 5).to_be_bytes());
        bytes.extend(vec![9; LONGEST + 5]);
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 2, b'h', b'i', 0, 0, 0, 9, b'c', b'u', b't']);
        for at_once in [7, 4096, usize::MAX] {
            let (mut events, mut parts) = (Events::default(), Vec::new());
            for chunk in bytes.chunks(at_once) {
                events.push(Bytes::copy_from_slice(chunk));
                while let Some(part) = events.next() {
                    parts.push(part);
                }
            }
            let expected =
                [Part::Object("one".into()), Part::TooLong, Part::Object("".into()), Part::Object("hi".into())];
            assert_eq!(parts, expected, "{at_once}");
        }
    }
}
