//! A lean type in protobuf.

use super::field::Unreadable;
use super::message::Message;
use super::read::Encoded;
use super::shelf::Shelf;
use crate::source::objects::{Maybe, Shape};

/// How a lean type is read from protobuf, and where what was read lies.
#[derive(Debug)]
pub struct Schema<T> {
    message: &'static Message,
    shelf: Shelf<T>,
}

impl<T: Shape> Schema<T> {
    /// The schema of a type that is this message.
    pub const fn new(message: &'static Message) -> Self {
        Self { message, shelf: Shelf::new() }
    }

    /// Reads an object; `kind` is what JSON shows as its kind, which objects of a list do not have.
    ///
    /// # Errors
    /// The bytes are no such message.
    pub fn decode(&self, kind: Option<&str>, bytes: &[u8]) -> Result<Box<T>, Unreadable> {
        match Box::<T>::read(Encoded { message: self.message, bytes, kind })? {
            Maybe::Is(object) => Ok(object),
            Maybe::Absent | Maybe::Odd(_) => Err(Unreadable::Type),
        }
    }

    /// Where decoded objects lie.
    pub const fn shelf(&'static self) -> &'static Shelf<T> {
        &self.shelf
    }
}
