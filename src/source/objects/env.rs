//! `env` and `envFrom`: the values are not kept.

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::oddity::Found;
use super::shape::{Mark, Maybe, Shape};
use crate::source::mask::MAX_NAME;
use crate::text::cut;
use crate::text::hash::{mix, quick};

/// Maximum number of `ConfigMaps` and Secrets kept of a list.
const MAX_SOURCES: usize = 64;

/// The fields that reference a `ConfigMap` or Secret.
const REFERENCES: [&str; 4] = ["configMapKeyRef", "configMapRef", "secretKeyRef", "secretRef"];

/// `env` or `envFrom`: its hash, and the `ConfigMaps` and Secrets that it references, each once.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct EnvLite {
    /// Changes when any part of it does; the order of an object's keys makes no difference.
    pub mark: u64,
    /// Their names, cut.
    pub sources: Vec<String>,
}

impl Shape for EnvLite {
    const EXPECTED: &'static str = "a list";

    fn of_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Result<Self, Found>, A::Error> {
        let mut all = Self::default();
        while let Some(item) = seq.next_element::<Maybe<Part>>()? {
            all.mark = mix(all.mark, all.take(item));
        }
        Ok(Ok(all))
    }
}

impl EnvLite {
    /// Collects the references of a part, and returns its hash.
    fn take(&mut self, part: Maybe<Part>) -> u64 {
        match part {
            Maybe::Absent => 0,
            Maybe::Odd(found) => Maybe::<Mark>::Odd(found).mark(),
            Maybe::Is(Part(part)) => {
                for name in part.sources {
                    self.name(name);
                }
                part.mark
            }
        }
    }

    fn name(&mut self, name: String) {
        if !name.is_empty() && self.sources.len() < MAX_SOURCES && !self.sources.contains(&name) {
            self.sources.push(name);
        }
    }
}

/// Any value within such a list.
struct Part(EnvLite);

impl Shape for Part {
    const EXPECTED: &'static str = "anything";

    fn of_text(text: &str) -> Result<Self, Found> {
        Mark::of_text(text).map(Self::from_mark)
    }

    fn of_number(number: i64) -> Result<Self, Found> {
        Mark::of_number(number).map(Self::from_mark)
    }

    fn of_bool(value: bool) -> Result<Self, Found> {
        Mark::of_bool(value).map(Self::from_mark)
    }

    fn of_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Result<Self, Found>, A::Error> {
        let mut all = EnvLite::default();
        while let Some(key) = map.next_key_seed(PartKey)? {
            let value = if key.is_reference {
                let Reference { mark, name } = map.next_value::<Maybe<Reference>>()?.into();
                if let Some(name) = name {
                    all.name(name);
                }
                mark
            } else {
                all.take(map.next_value()?)
            };
            all.mark = all.mark.wrapping_add(mix(key.mark, value));
        }
        Ok(Ok(Self(all)))
    }

    fn of_seq<'de, A: SeqAccess<'de>>(seq: A) -> Result<Result<Self, Found>, A::Error> {
        Ok(EnvLite::of_seq(seq)?.map(Self))
    }
}

impl Part {
    fn from_mark(mark: Mark) -> Self {
        let (mark, sources) = (mark.0, Vec::new());
        Self(EnvLite { mark, sources })
    }
}

/// A reference to a `ConfigMap` or Secret, or to a key in it.
#[derive(Default)]
struct Reference {
    mark: u64,
    name: Option<String>,
}

impl From<Maybe<Self>> for Reference {
    fn from(read: Maybe<Self>) -> Self {
        match read {
            Maybe::Is(reference) => reference,
            Maybe::Absent | Maybe::Odd(_) => Self::default(),
        }
    }
}

impl Shape for Reference {
    const EXPECTED: &'static str = "an object";

    fn of_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Result<Self, Found>, A::Error> {
        let mut all = Self::default();
        while let Some(key) = map.next_key_seed(PartKey)? {
            let value = if key.is_name {
                let name = map.next_value::<Maybe<String>>()?;
                let value = name.ok().map_or(0, |name| quick(name));
                all.name = name.ok().map(|name| cut(name, MAX_NAME).to_owned());
                value
            } else {
                map.next_value::<Maybe<Mark>>()?.mark()
            };
            all.mark = all.mark.wrapping_add(mix(key.mark, value));
        }
        Ok(Ok(all))
    }
}

/// Reads a key as far as it matters.
struct PartKey;

/// A key as far as it matters.
struct SeenKey {
    mark: u64,
    is_name: bool,
    is_reference: bool,
}

impl<'de> serde::de::DeserializeSeed<'de> for PartKey {
    type Value = SeenKey;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<SeenKey, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for PartKey {
    type Value = SeenKey;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<SeenKey, E> {
        Ok(SeenKey { mark: quick(key), is_name: key == "name", is_reference: REFERENCES.contains(&key) })
    }
}
