//! Decoding that never rejects a field: each is absent, odd, or of its shape.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::oddity::{Found, Oddity};
use crate::text::hash::{mark, mix, quick};

/// A field of an object.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub enum Maybe<T> {
    /// Absent, or `null`.
    #[default]
    Absent,
    /// Present, but something else.
    Odd(Box<Found>),
    /// Present and of the expected type.
    Is(T),
}

impl<T: Shape> Maybe<T> {
    /// The field's value, if present; `name` is its own name.
    ///
    /// # Errors
    /// It is of another type.
    pub fn known(&self, name: &str) -> Result<Option<&T>, Oddity> {
        match self {
            Self::Is(value) => Ok(Some(value)),
            Self::Absent => Ok(None),
            Self::Odd(found) => Err(Oddity::field(name, T::EXPECTED, found)),
        }
    }

    /// The field's value, which is required; `name` is its own name.
    ///
    /// # Errors
    /// It is absent or of another type.
    pub fn required(&self, name: &str) -> Result<&T, Oddity> {
        self.known(name)?.ok_or_else(|| Oddity::field(name, T::EXPECTED, &Found::Nothing))
    }

    /// Applies `read` to the value under the field's name, if present.
    ///
    /// # Errors
    /// It is of another type, or the error of `read`, prefixed with the field's name.
    pub fn read<R>(&self, name: &str, read: impl FnOnce(&T) -> Result<R, Oddity>) -> Result<Option<R>, Oddity> {
        self.known(name)?.map(read).transpose().map_err(|oddity| oddity.under(name))
    }

    /// The value of a field whose oddity does not matter.
    pub const fn ok(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            _ => None,
        }
    }
}

impl<T: Shape, const MAX: usize> Maybe<List<T, MAX>> {
    /// Applies `read` to each item with its index; nothing happens if the list is absent.
    ///
    /// # Errors
    /// The list or an item is of another type, or the error of `read`, prefixed with the path.
    pub fn each(&self, name: &str, mut read: impl FnMut(usize, &T) -> Result<(), Oddity>) -> Result<(), Oddity> {
        let Some(list) = self.known(name)? else {
            return Ok(());
        };
        for (index, item) in list.0.iter().enumerate() {
            item.required("").and_then(|item| read(index, item)).map_err(|oddity| oddity.at(index).under(name))?;
        }
        Ok(())
    }
}

/// The JSON that a type can be read from; anything else becomes [`Found`].
pub trait Shape: Sized {
    /// Its description in errors: `a number`.
    const EXPECTED: &'static str;

    /// Reads a string.
    ///
    /// # Errors
    /// What was found, if this is not a string.
    fn of_text(text: &str) -> Result<Self, Found> {
        Err(Found::text(text))
    }

    /// Reads a whole number.
    ///
    /// # Errors
    /// What was found, if this is not a number.
    fn of_number(number: i64) -> Result<Self, Found> {
        Err(Found::number(number))
    }

    /// Reads `true` or `false`.
    ///
    /// # Errors
    /// What was found, if this is neither.
    fn of_bool(value: bool) -> Result<Self, Found> {
        Err(Found::Bool(value))
    }

    /// Reads an object.
    ///
    /// # Errors
    /// Outer: broken JSON; inner: what was found, if this is not an object.
    fn of_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Result<Self, Found>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Err(Found::Object))
    }

    /// Reads a list.
    ///
    /// # Errors
    /// Outer: broken JSON; inner: what was found, if this is not a list.
    fn of_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Result<Self, Found>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Err(Found::List))
    }

    /// Reads a field that may contain anything.
    ///
    /// # Errors
    /// Broken JSON.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Maybe<Self>, D::Error> {
        deserializer.deserialize_any(Anything(PhantomData))
    }
}

impl<'de, T: Shape> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer)
    }
}

struct Anything<T>(PhantomData<T>);

impl<T> From<Result<T, Found>> for Maybe<T> {
    fn from(read: Result<T, Found>) -> Self {
        match read {
            Ok(value) => Self::Is(value),
            Err(found) => Self::Odd(Box::new(found)),
        }
    }
}

impl<'de, T: Shape> Visitor<'de> for Anything<T> {
    type Value = Maybe<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Maybe::Absent)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Maybe::Absent)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(T::of_bool(value).into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(T::of_number(number).into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(match i64::try_from(number) {
            Ok(number) => T::of_number(number).into(),
            Err(_) => Maybe::Odd(Box::new(Found::number(number))),
        })
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Maybe::Odd(Box::new(Found::number(number))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(T::of_text(text).into())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Ok(T::of_map(map)?.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Ok(T::of_seq(seq)?.into())
    }
}

impl<T: Shape> Shape for Box<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn of_text(text: &str) -> Result<Self, Found> {
        T::of_text(text).map(Self::new)
    }

    fn of_number(number: i64) -> Result<Self, Found> {
        T::of_number(number).map(Self::new)
    }

    fn of_bool(value: bool) -> Result<Self, Found> {
        T::of_bool(value).map(Self::new)
    }

    fn of_map<'de, A: MapAccess<'de>>(map: A) -> Result<Result<Self, Found>, A::Error> {
        Ok(T::of_map(map)?.map(Self::new))
    }

    fn of_seq<'de, A: SeqAccess<'de>>(seq: A) -> Result<Result<Self, Found>, A::Error> {
        Ok(T::of_seq(seq)?.map(Self::new))
    }
}

impl Shape for String {
    const EXPECTED: &'static str = "a string";

    fn of_text(text: &str) -> Result<Self, Found> {
        Ok(text.to_owned())
    }
}

impl Shape for i64 {
    const EXPECTED: &'static str = "a number";

    fn of_number(number: i64) -> Result<Self, Found> {
        Ok(number)
    }
}

impl Shape for bool {
    const EXPECTED: &'static str = "true or false";

    fn of_bool(value: bool) -> Result<Self, Found> {
        Ok(value)
    }
}

/// The first `MAX` items of a list; the rest is skipped.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct List<T, const MAX: usize = 64>(pub Vec<Maybe<T>>);

impl<T: Shape, const MAX: usize> Shape for List<T, MAX> {
    const EXPECTED: &'static str = "a list";

    fn of_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Result<Self, Found>, A::Error> {
        let mut items = Vec::new();
        while items.len() < MAX {
            match seq.next_element()? {
                Some(item) => items.push(item),
                None => return Ok(Ok(Self(items))),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Ok(Self(items)))
    }
}

/// A number or a string: a port, a quantity.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TextOrNumber {
    /// A string.
    Text(String),
    /// A number.
    Number(i64),
}

impl Shape for TextOrNumber {
    const EXPECTED: &'static str = "a number or a string";

    fn of_text(text: &str) -> Result<Self, Found> {
        Ok(Self::Text(text.to_owned()))
    }

    fn of_number(number: i64) -> Result<Self, Found> {
        Ok(Self::Number(number))
    }
}

/// A field of which only the presence matters.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Present;

impl Shape for Present {
    const EXPECTED: &'static str = "an object";

    fn of_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Result<Self, Found>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Ok(Self))
    }
}

/// A field that is not needed at all.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Skip;

impl Shape for Skip {
    const EXPECTED: &'static str = "anything";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Maybe<Self>, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Maybe::Absent)
    }
}

/// The hash of a value of any type; the order of an object's keys makes no difference.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct Mark(pub u64);

impl Maybe<Mark> {
    /// The hash of a value that may be absent or a number that is not whole.
    pub fn mark(&self) -> u64 {
        match self {
            Self::Is(known) => known.0,
            Self::Absent => 0,
            Self::Odd(found) => mark(found),
        }
    }
}

impl Shape for Mark {
    const EXPECTED: &'static str = "anything";

    fn of_text(text: &str) -> Result<Self, Found> {
        Ok(Self(quick(text)))
    }

    fn of_number(number: i64) -> Result<Self, Found> {
        Ok(Self(mix(1, number as u64)))
    }

    fn of_bool(value: bool) -> Result<Self, Found> {
        Ok(Self(mix(2, value.into())))
    }

    fn of_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Result<Self, Found>, A::Error> {
        let mut sum = 0_u64;
        while let Some((key, value)) = map.next_entry::<Maybe<Self>, Maybe<Self>>()? {
            sum = sum.wrapping_add(mix(key.mark(), value.mark()));
        }
        Ok(Ok(Self(sum)))
    }

    fn of_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Result<Self, Found>, A::Error> {
        let mut all = 0_u64;
        while let Some(item) = seq.next_element::<Maybe<Self>>()? {
            all = mix(all, item.mark());
        }
        Ok(Ok(Self(all)))
    }
}

/// Finds a key's place among `names` without building a string.
///
/// It is looked for from `next` on, the place behind the one found before: fields come in the order of their
/// type, in which the lean types have them too, so that mostly one comparison is enough.
pub struct Key<'a> {
    /// The names.
    pub names: &'a [&'static str],
    /// No more than their number.
    pub next: usize,
}

impl<'de> serde::de::DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        let (before, after) = self.names.split_at(self.next);
        let place = |names: &[&str]| names.iter().position(|name| *name == key);
        Ok(place(after).map(|place| self.next + place).or_else(|| place(before)))
    }
}

/// Declares the needed fields of an object and how to read them: of a duplicate key the last one wins, as
/// in Go.
macro_rules! lean {
    ($($(#[$meta:meta])* pub struct $name:ident $(<$param:ident>)? {
        $($(#[$doc:meta])* $field:ident: $type:ty = $key:literal),* $(,)?
    })+) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub struct $name $(<$param>)? {
            $($(#[$doc])* #[doc = concat!("`", $key, "`")] pub $field: $crate::source::objects::Maybe<$type>),*
        }

        impl $(<$param>)? Default for $name $(<$param>)? {
            fn default() -> Self {
                Self { $($field: $crate::source::objects::Maybe::Absent),* }
            }
        }

        impl $(<$param: $crate::source::objects::Shape>)? $crate::source::objects::Shape for $name $(<$param>)? {
            const EXPECTED: &'static str = "an object";

            fn of_map<'de, A: serde::de::MapAccess<'de>>(
                mut map: A,
            ) -> Result<Result<Self, $crate::source::objects::Found>, A::Error> {
                #[allow(non_camel_case_types, clippy::enum_variant_names)]
                enum Field { $($field),* }
                const NAMES: &[&str] = &[$($key),*];
                let (mut object, mut next) = (Self::default(), 0);
                while let Some(place) = map.next_key_seed($crate::source::objects::shape::Key { names: NAMES, next })? {
                    next = place.map_or(next, |place| place + 1);
                    match place {
                        $(Some(place) if place == Field::$field as usize => object.$field = map.next_value()?,)*
                        _ => { map.next_value::<serde::de::IgnoredAny>()?; }
                    }
                }
                Ok(Ok(object))
            }
        }

        impl<'de $(, $param: $crate::source::objects::Shape)?> serde::Deserialize<'de> for $name $(<$param>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use serde::de::Error as _;
                use $crate::source::objects::{Found, Maybe, Shape};
                match <Self as Shape>::read(deserializer)? {
                    Maybe::Is(object) => Ok(object),
                    Maybe::Absent => Err(D::Error::custom(format_args!("expected an object, found {}", Found::Nothing))),
                    Maybe::Odd(found) => Err(D::Error::custom(format_args!("expected an object, found {found}"))),
                }
            }
        }
    )+};
}

pub(super) use lean;
