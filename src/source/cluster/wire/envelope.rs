//! What Kubernetes puts around protobuf: a magic number, the kind, and the event of a watch.

use super::field::{Unreadable, Wired, last_of, next_field};

/// What each object in protobuf begins with.
pub const MAGIC: &[u8] = b"k8s\0";

/// An object with its kind, out of its envelope (`runtime.Unknown`).
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Enveloped<'a> {
    /// `Pod`; empty if it is not said.
    pub kind: &'a str,
    /// The message.
    pub message: &'a [u8],
}

impl<'a> Enveloped<'a> {
    /// Reads an envelope.
    ///
    /// # Errors
    /// There is none, or its content is encoded.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let mut rest = bytes.strip_prefix(MAGIC).ok_or(Unreadable::Magic)?;
        let mut read = Self { kind: "", message: &[] };
        while let Some((number, value)) = next_field(&mut rest)? {
            match number {
                1 => read.kind = kind(value.bytes()?)?,
                2 => read.message = value.bytes()?,
                3 if !value.bytes()?.is_empty() => return Err(Unreadable::Encoded),
                _ => {}
            }
        }
        Ok(read)
    }
}

fn kind(types: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(content_of(types, 2)?).map_err(|_| Unreadable::Type)
}

/// The content of a field; empty without one.
fn content_of(message: &[u8], number: u32) -> Result<&[u8], Unreadable> {
    last_of(message, number)?.map_or(Ok(&[]), Wired::bytes)
}

/// An event of a watch.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct WatchEvent<'a> {
    /// `ADDED`
    pub kind: &'a [u8],
    /// The object, in its envelope.
    pub object: &'a [u8],
}

impl<'a> WatchEvent<'a> {
    /// Reads an event.
    ///
    /// # Errors
    /// It is none.
    pub fn read(mut bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let mut event = Self { kind: &[], object: &[] };
        while let Some((number, value)) = next_field(&mut bytes)? {
            match number {
                1 => event.kind = value.bytes()?,
                2 => event.object = content_of(value.bytes()?, 1)?,
                _ => {}
            }
        }
        Ok(event)
    }
}

#[cfg(test)]
mod tests {
    use prost::encoding::bytes;

    use super::*;

    fn envelope(encoding: &[u8]) -> Vec<u8> {
        let (mut types, mut out) = (Vec::new(), MAGIC.to_vec());
        bytes::encode(1, &b"v1".to_vec(), &mut types);
        bytes::encode(2, &b"Pod".to_vec(), &mut types);
        bytes::encode(1, &types, &mut out);
        bytes::encode(2, &b"pod".to_vec(), &mut out);
        bytes::encode(3, &encoding.to_vec(), &mut out);
        out
    }

    #[test]
    fn an_object_comes_with_its_kind() {
        assert_eq!(Enveloped::read(&envelope(b"")), Ok(Enveloped { kind: "Pod", message: b"pod" }));
    }

    #[test]
    fn what_is_in_no_envelope_or_encoded_is_refused() {
        assert_eq!(Enveloped::read(b"{}"), Err(Unreadable::Magic));
        assert_eq!(Enveloped::read(&envelope(b"gzip")), Err(Unreadable::Encoded));
        assert_eq!(Enveloped::read(&envelope(b"")[..12]), Err(Unreadable::Cut));
    }
}
