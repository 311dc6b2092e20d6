//! A message as serde sees it: the object that JSON would show, so that the lean types read it by what
//! they read JSON by.
//!
//! Nothing is built on the way. No message holds itself, so the depth is bounded, and a list is looked for
//! once in what is left of its message.

use std::borrow::Cow;

use serde::de::value::{CowStrDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::field::{Unreadable, Wired, last_of, next_field, number_from};
use super::message::{Field, Kind, Message};
use super::stamp::{Stamp, is_zero};

/// What forwards to `deserialize_any`.
macro_rules! by_itself {
    () => {
        fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            visitor.visit_unit()
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier
        }
    };
}

/// A message to read.
#[derive(Copy, Clone, Debug)]
pub struct Encoded<'a> {
    /// Its fields.
    pub message: &'static Message,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// What JSON shows as its `kind`, which protobuf has outside of it.
    pub kind: Option<&'a str>,
}

impl<'de> Deserializer<'de> for Encoded<'de> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_map(Fields {
            message: self.message,
            rest: self.bytes,
            outer: None,
            read: 0,
            kind: self.kind,
            next: None,
        })
    }

    by_itself!();
}

/// The fields of a message, in the order of the wire.
struct Fields<'de> {
    message: &'static Message,
    rest: &'de [u8],
    /// The message around the inline one that is being read, and what is left of it.
    outer: Option<(&'static Message, &'de [u8])>,
    /// The lists and maps that were read, by the bits of their places.
    read: u64,
    kind: Option<&'de str>,
    next: Option<Content<'de>>,
}

impl Fields<'_> {
    /// The name of the next field that JSON shows.
    fn advance(&mut self) -> Result<Option<&'static str>, Unreadable> {
        if let Some(kind) = self.kind.take() {
            self.next = Some(Content { kind: &Kind::Text, value: Wired::Bytes(kind.as_bytes()), number: 0, rest: &[] });
            return Ok(Some("kind"));
        }
        loop {
            let Some((place, value)) = self.message.next(&mut self.rest)? else {
                match self.outer.take() {
                    Some((message, rest)) => (self.message, self.rest) = (message, rest),
                    None => return Ok(None),
                }
                continue;
            };
            let field = &self.message.fields[place];
            match &field.kind {
                Kind::Inline(inner) => {
                    self.outer = Some((self.message, self.rest));
                    (self.message, self.rest) = (inner, value.bytes()?);
                }
                Kind::List(_) | Kind::Map(_) if self.read & 1 << place != 0 => {}
                _ if is_left_out(field, value) => {}
                kind => {
                    self.read |= u64::from(matches!(kind, Kind::List(_) | Kind::Map(_))) << place;
                    self.next = Some(Content { kind, value, number: field.number, rest: self.rest });
                    return Ok(Some(field.name));
                }
            }
        }
    }
}

/// Whether JSON does not show a field, although the wire has it.
const fn is_left_out(field: &Field, value: Wired<'_>) -> bool {
    match &field.kind {
        Kind::Time | Kind::MicroTime => is_zero(value),
        Kind::Text => !field.shows_zero && matches!(value, Wired::Bytes([])),
        Kind::Number | Kind::Flag => !field.shows_zero && matches!(value, Wired::Varint(0)),
        _ => false,
    }
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        self.advance()?.map(|name| seed.deserialize(StrDeserializer::new(name))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        seed.deserialize(self.next.take().ok_or(Unreadable::Type)?)
    }
}

/// The content of a field, or an item of a list.
struct Content<'de> {
    kind: &'static Kind,
    value: Wired<'de>,
    /// The field's number, and what is left of its message: there are the further items of a list.
    number: u32,
    rest: &'de [u8],
}

impl<'de> Deserializer<'de> for Content<'de> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.kind {
            Kind::Text => show_text(self.value.bytes()?, visitor),
            Kind::Number => visitor.visit_i64(self.value.varint()? as i64),
            Kind::Flag => visitor.visit_bool(self.value.varint()? != 0),
            Kind::Time => visitor.visit_str(Stamp::read(self.value.bytes()?, false)?.as_str()),
            Kind::MicroTime => visitor.visit_str(Stamp::read(self.value.bytes()?, true)?.as_str()),
            Kind::Quantity => match last_of(self.value.bytes()?, 1)? {
                Some(text) => show_text(text.bytes()?, visitor),
                None => visitor.visit_borrowed_str("0"),
            },
            Kind::IntOrString => show_int_or_string(self.value.bytes()?, visitor),
            Kind::Object(message) | Kind::Inline(message) => {
                let bytes = self.value.bytes()?;
                Encoded { message, bytes, kind: None }.deserialize_any(visitor)
            }
            Kind::List(item) => visitor.visit_seq(Items::new(item, &self)),
            Kind::Map(value) => {
                visitor.visit_map(Entries { kind: value, occurrences: Repeated::new(&self), value: None })
            }
        }
    }

    by_itself!();
}

/// Shows a text.
fn show_text<'de, V: Visitor<'de>>(bytes: &'de [u8], visitor: V) -> Result<V::Value, Unreadable> {
    match text(bytes) {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

/// A text; what is not UTF-8 is replaced, as the JSON of the API server has it. That is looked for slowly,
/// so only where it is.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

fn show_int_or_string<'de, V: Visitor<'de>>(bytes: &'de [u8], visitor: V) -> Result<V::Value, Unreadable> {
    let (mut is_text, mut number, mut text, mut rest) = (false, 0, &[][..], bytes);
    while let Some((of, value)) = next_field(&mut rest)? {
        match of {
            1 => is_text = value.varint()? != 0,
            2 => number = value.varint()? as i64,
            3 => text = value.bytes()?,
            _ => {}
        }
    }
    if is_text { show_text(text, visitor) } else { visitor.visit_i64(number) }
}

/// The occurrences of a field in its message.
struct Repeated<'de> {
    number: u32,
    first: Option<Wired<'de>>,
    rest: &'de [u8],
}

impl<'de> Repeated<'de> {
    const fn new(content: &Content<'de>) -> Self {
        Self { number: content.number, first: Some(content.value), rest: content.rest }
    }

    fn next(&mut self) -> Result<Option<Wired<'de>>, Unreadable> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        while let Some((number, value)) = next_field(&mut self.rest)? {
            if number == self.number {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

/// The items of a list.
struct Items<'de> {
    kind: &'static Kind,
    occurrences: Repeated<'de>,
    /// What is left of numbers that one occurrence of the field holds.
    packed: &'de [u8],
}

impl<'de> Items<'de> {
    const fn new(kind: &'static Kind, content: &Content<'de>) -> Self {
        Self { kind, occurrences: Repeated::new(content), packed: &[] }
    }

    fn next(&mut self) -> Result<Option<Wired<'de>>, Unreadable> {
        loop {
            if !self.packed.is_empty() {
                return number_from(&mut self.packed).map(|number| Some(Wired::Varint(number)));
            }
            match self.occurrences.next()? {
                Some(Wired::Bytes(packed)) if matches!(self.kind, Kind::Number | Kind::Flag) => self.packed = packed,
                item => return Ok(item),
            }
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unreadable> {
        let item = self.next()?.map(|value| Content { kind: self.kind, value, number: 0, rest: &[] });
        item.map(|item| seed.deserialize(item)).transpose()
    }
}

/// The entries of a map: messages of a key and a value.
struct Entries<'de> {
    kind: &'static Kind,
    occurrences: Repeated<'de>,
    value: Option<Wired<'de>>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        let Some(entry) = self.occurrences.next()? else {
            return Ok(None);
        };
        let (mut key, mut value, mut rest) = (&[][..], Wired::Bytes(&[]), entry.bytes()?);
        while let Some((number, of)) = next_field(&mut rest)? {
            match number {
                1 => key = of.bytes()?,
                2 => value = of,
                _ => {}
            }
        }
        self.value = Some(value);
        seed.deserialize(CowStrDeserializer::new(text(key))).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        let value = self.value.take().ok_or(Unreadable::Type)?;
        seed.deserialize(Content { kind: self.kind, value, number: 0, rest: &[] })
    }
}

#[cfg(test)]
mod tests {
    use prost::encoding::{bytes, int32, int64, string};
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::super::messages::{COMMON_SPEC, OBJECT_META};
    use super::*;

    static POD: Message = Message::new(&[
        Field::new(1, "metadata", Kind::Object(&OBJECT_META)),
        Field::new(2, "spec", Kind::Object(&COMMON_SPEC)),
    ]);

    fn shown(message: &[u8]) -> Result<Value, Unreadable> {
        Value::deserialize(Encoded { message: &POD, bytes: message, kind: Some("Pod") })
    }

    /// A message of fields that are messages or texts.
    fn message(fields: &[(u32, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, content) in fields {
            bytes::encode(*number, &content.to_vec(), &mut out);
        }
        out
    }

    fn number(number: u32, value: i64) -> Vec<u8> {
        let mut out = Vec::new();
        int64::encode(number, &value, &mut out);
        out
    }

    fn joined(parts: &[Vec<u8>]) -> Vec<u8> {
        parts.concat()
    }

    #[test]
    fn an_object_is_shown_as_by_json() {
        let label = |key: &[u8], value: &[u8]| message(&[(1, key), (2, value)]);
        let meta = joined(&[
            message(&[(1, b"web"), (2, b"unread"), (11, &label(b"a", b"1"))]),
            number(7, 0),
            message(&[(11, &label(b"b", b"")), (8, b"")]),
        ]);
        let port = joined(&[number(1, 1), message(&[(3, b"http")])]);
        let handler = message(&[(2, &message(&[(1, b"/"), (2, &port)]))]);
        let probe = joined(&[message(&[(1, &handler)]), number(2, 0), number(4, 10)]);
        let container = message(&[(1, b""), (2, b""), (3, b"sh"), (10, &probe), (3, b"-c")]);
        let spec = joined(&[message(&[(2, &container)]), number(4, 0), number(11, 0)]);
        let pod = message(&[(1, &meta), (2, &spec)]);
        assert_eq!(
            shown(&pod),
            Ok(json!({
                "kind": "Pod",
                "metadata": {"name": "web", "labels": {"a": "1", "b": ""}},
                "spec": {
                    "containers": [{
                        "name": "", "command": ["sh", "-c"],
                        "livenessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 10},
                    }],
                    "terminationGracePeriodSeconds": 0,
                },
            }))
        );
    }

    #[test]
    fn numbers_are_read_packed_and_unpacked() {
        let mut values = Vec::new();
        int32::encode_packed(2, &[1, -1], &mut values);
        int32::encode_repeated(2, &[3], &mut values);
        let rule = message(&[(2, &values)]);
        let pod = message(&[(2, &message(&[(2, &message(&[(25, &rule)]))]))]);
        let shown = shown(&pod).expect("readable");
        assert_eq!(shown["spec"]["containers"][0]["restartPolicyRules"][0]["exitCodes"]["values"], json!([1, -1, 3]));
    }

    #[test]
    fn what_is_not_utf_8_is_replaced() {
        let pod = message(&[(1, &message(&[(1, b"w\xffb")]))]);
        assert_eq!(shown(&pod).expect("readable")["metadata"]["name"], "w\u{fffd}b");
    }

    #[test]
    fn a_field_of_another_type_is_refused() {
        let mut name = Vec::new();
        string::encode(1, &"web".to_owned(), &mut name);
        assert!(shown(&message(&[(1, &name)])).is_ok());
        assert_eq!(shown(&message(&[(1, &number(1, 7))])), Err(Unreadable::Type));
        assert_eq!(shown(&number(1, 7)), Err(Unreadable::Type));
    }
}
