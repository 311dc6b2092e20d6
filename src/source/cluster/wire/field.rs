//! The wire format of protobuf: the fields of a message, one after another.

use prost::encoding::{WireType, decode_key, decode_varint};

/// Why bytes are not the message that they should be.
#[derive(Copy, Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// The beginning of protobuf of Kubernetes is missing.
    #[error("it does not begin like protobuf of Kubernetes")]
    Magic,
    /// A key or a number that is none.
    #[error("a number in it is broken")]
    Number,
    /// A field is longer than what holds it.
    #[error("it ends too early")]
    Cut,
    /// A group: Kubernetes has none.
    #[error("it has a group")]
    Group,
    /// A field of another wire type than its own.
    #[error("a field in it is of another type")]
    Type,
    /// The content is compressed in some way.
    #[error("its content is encoded")]
    Encoded,
    /// It is longer than what an object can be.
    #[error("it is too long")]
    TooLong,
}

impl serde::de::Error for Unreadable {
    /// Of what a lean type says, the kind alone is kept.
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self::Type
    }
}

/// The value of a field, as far as the wire tells it.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Wired<'a> {
    /// A number or a flag.
    Varint(u64),
    /// A text, a message, or numbers that are packed.
    Bytes(&'a [u8]),
    /// Four or eight bytes, of which the API makes no use.
    Fixed,
}

impl<'a> Wired<'a> {
    /// The bytes.
    ///
    /// # Errors
    /// It is of another type.
    pub const fn bytes(self) -> Result<&'a [u8], Unreadable> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Varint(_) | Self::Fixed => Err(Unreadable::Type),
        }
    }

    /// The number.
    ///
    /// # Errors
    /// It is of another type.
    pub const fn varint(self) -> Result<u64, Unreadable> {
        match self {
            Self::Varint(number) => Ok(number),
            Self::Bytes(_) | Self::Fixed => Err(Unreadable::Type),
        }
    }
}

/// Takes the next field from the beginning of `rest`: its number and value; `None` at the end.
///
/// # Errors
/// The bytes are no field.
#[inline]
pub fn next_field<'a>(rest: &mut &'a [u8]) -> Result<Option<(u32, Wired<'a>)>, Unreadable> {
    match short_field(rest) {
        Some(field) => Ok(Some(field)),
        None if rest.is_empty() => Ok(None),
        None => long_field(rest).map(Some),
    }
}

/// Takes a field of any length.
#[cold]
fn long_field<'a>(rest: &mut &'a [u8]) -> Result<(u32, Wired<'a>), Unreadable> {
    let (number, kind) = decode_key(rest).map_err(|_| Unreadable::Number)?;
    let value = match kind {
        WireType::Varint => Wired::Varint(number_from(rest)?),
        WireType::LengthDelimited => {
            let length = number_from(rest)?;
            Wired::Bytes(take(rest, length)?)
        }
        WireType::ThirtyTwoBit => take(rest, 4).map(|_| Wired::Fixed)?,
        WireType::SixtyFourBit => take(rest, 8).map(|_| Wired::Fixed)?,
        WireType::StartGroup | WireType::EndGroup => return Err(Unreadable::Group),
    };
    Ok((number, value))
}

/// Takes a field as most are: its key, and its number or length, are a byte or two.
#[inline]
fn short_field<'a>(rest: &mut &'a [u8]) -> Option<(u32, Wired<'a>)> {
    let (key, left) = short_number(rest)?;
    let (second, left) = short_number(left)?;
    let (value, left) = match key & 7 {
        0 => (Wired::Varint(u64::from(second)), left),
        2 => {
            let (taken, left) = left.split_at_checked(second as usize)?;
            (Wired::Bytes(taken), left)
        }
        _ => return None,
    };
    let number = key >> 3;
    if number == 0 {
        return None;
    }
    *rest = left;
    Some((number, value))
}

#[inline]
const fn short_number(rest: &[u8]) -> Option<(u32, &[u8])> {
    match rest {
        [one @ ..0x80, left @ ..] => Some((*one as u32, left)),
        [one, other @ ..0x80, left @ ..] => Some(((*one & 0x7f) as u32 | (*other as u32) << 7, left)),
        _ => None,
    }
}

/// Takes a number from the beginning of `rest`.
///
/// # Errors
/// It is broken.
pub fn number_from(rest: &mut &[u8]) -> Result<u64, Unreadable> {
    decode_varint(rest).map_err(|_| Unreadable::Number)
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8], Unreadable> {
    let split = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let (taken, left) = split.ok_or(Unreadable::Cut)?;
    *rest = left;
    Ok(taken)
}

/// The last value of a field in a message, as protobuf wants it.
///
/// # Errors
/// The bytes are no message.
pub fn last_of(message: &[u8], number: u32) -> Result<Option<Wired<'_>>, Unreadable> {
    let (mut rest, mut last) = (message, None);
    while let Some((of, value)) = next_field(&mut rest)? {
        if of == number {
            last = Some(value);
        }
    }
    Ok(last)
}

/// Splits a message into the fields of a number and the others.
///
/// # Errors
/// The bytes are no message.
pub fn split(message: &[u8], number: u32) -> Result<(Vec<u8>, Vec<u8>), Unreadable> {
    let (mut chosen, mut others, mut rest) = (Vec::new(), Vec::with_capacity(message.len()), message);
    // Fields of either kind come in a row, and are copied at once.
    let (mut row, mut at, mut is_chosen) = (message, message, false);
    while let Some((of, _)) = next_field(&mut rest)? {
        if (of == number) != is_chosen {
            if is_chosen { &mut chosen } else { &mut others }.extend_from_slice(&row[..row.len() - at.len()]);
            (row, is_chosen) = (at, !is_chosen);
        }
        at = rest;
    }
    if is_chosen { &mut chosen } else { &mut others }.extend_from_slice(row);
    Ok((chosen, others))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_all_types_are_told_apart() {
        let bytes = [0x08, 0x96, 0x01, 0x12, 0x02, b'h', b'i', 0x1d, 1, 2, 3, 4, 0x21, 1, 2, 3, 4, 5, 6, 7, 8];
        let (mut rest, mut fields) = (&bytes[..], Vec::new());
        while let Some(field) = next_field(&mut rest).expect("readable") {
            fields.push(field);
        }
        assert_eq!(fields, [(1, Wired::Varint(150)), (2, Wired::Bytes(b"hi")), (3, Wired::Fixed), (4, Wired::Fixed)]);
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for (bytes, why) in [
            (&[0x12, 0x03, b'h', b'i'][..], Unreadable::Cut),
            (&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Unreadable::Cut),
            (&[0x1d, 1, 2, 3], Unreadable::Cut),
            (&[0x08], Unreadable::Number),
            (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Unreadable::Number),
            (&[0x00, 0x01], Unreadable::Number),
            (&[0x0b], Unreadable::Group),
            (&[0x0c], Unreadable::Group),
            (&[0x0e, 0x00], Unreadable::Number),
        ] {
            assert_eq!(next_field(&mut &*bytes), Err(why), "{bytes:x?}");
        }
    }

    #[test]
    fn a_message_is_split_into_the_fields_of_a_number_and_the_others() {
        let message = [0x08, 1, 0x12, 1, b'a', 0x08, 2, 0x12, 0, 0x18, 3];
        assert_eq!(split(&message, 2), Ok((vec![0x12, 1, b'a', 0x12, 0], vec![0x08, 1, 0x08, 2, 0x18, 3])));
        assert_eq!(split(&message, 4), Ok((vec![], message.to_vec())));
        assert_eq!(split(&message[..10], 2), Err(Unreadable::Number));
    }

    #[test]
    fn of_a_field_that_comes_twice_the_last_one_counts() {
        assert_eq!(last_of(&[0x08, 1, 0x10, 7, 0x08, 2], 1), Ok(Some(Wired::Varint(2))));
        assert_eq!(last_of(&[0x08, 1], 3), Ok(None));
    }
}
