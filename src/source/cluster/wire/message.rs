//! Messages of the API server in protobuf: which field has which number, and how JSON shows it.

use super::field::{Unreadable, Wired, next_field};

/// A message, as far as it is read.
#[derive(Debug)]
pub struct Message {
    /// Its fields; 64 at most.
    pub fields: &'static [Field],
    /// The place of the field of each number among them, counted from 1; 0 if it is not read.
    places: [u8; NUMBERS],
}

/// No field that is read has this number or a higher one.
const NUMBERS: usize = 32;

/// A field of a message.
#[derive(Debug)]
pub struct Field {
    /// Its number on the wire.
    pub number: u32,
    /// Its name in JSON.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether JSON shows its zero value as well: it has no `omitempty`, or is a pointer.
    pub shows_zero: bool,
}

/// What a field holds.
#[derive(Debug)]
pub enum Kind {
    /// A string.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A time in whole seconds.
    Time,
    /// A time in microseconds.
    MicroTime,
    /// A quantity, which is a text.
    Quantity,
    /// A number or a name.
    IntOrString,
    /// An object.
    Object(&'static Message),
    /// An object whose fields JSON shows among those of the message that holds it. It has no lists.
    Inline(&'static Message),
    /// A list of such values.
    List(&'static Kind),
    /// An object with keys of any name.
    Map(&'static Kind),
}

impl Message {
    /// A message with these fields.
    pub const fn new(fields: &'static [Field]) -> Self {
        let (mut places, mut place) = ([0; NUMBERS], 0);
        while place < fields.len() {
            places[fields[place].number as usize] = place as u8 + 1;
            place += 1;
        }
        Self { fields, places }
    }

    /// The place of the field of that number; `None` if it is not read.
    pub fn place(&self, number: u32) -> Option<usize> {
        let place = self.places.get(number as usize).copied().unwrap_or(0);
        usize::from(place).checked_sub(1)
    }

    /// Takes the next field that is read from the beginning of `rest`: its place and value; `None` at the end.
    ///
    /// # Errors
    /// The bytes are no field.
    pub fn next<'a>(&self, rest: &mut &'a [u8]) -> Result<Option<(usize, Wired<'a>)>, Unreadable> {
        while let Some((number, value)) = next_field(rest)? {
            if let Some(place) = self.place(number) {
                return Ok(Some((place, value)));
            }
        }
        Ok(None)
    }
}

impl Field {
    /// A field of which JSON leaves out the zero value.
    pub const fn new(number: u32, name: &'static str, kind: Kind) -> Self {
        Self { number, name, kind, shows_zero: false }
    }

    /// A field that JSON shows whenever it is there.
    pub const fn shown(number: u32, name: &'static str, kind: Kind) -> Self {
        Self { number, name, kind, shows_zero: true }
    }
}
