//! Events in protobuf.

use super::field::Unreadable;
use super::memory::Memory;
use super::messages::EVENT;
use super::read::Encoded;
use crate::source::objects::{EventLite, Maybe, Shape};

/// Reads an event; `kind` is what JSON shows as its kind.
///
/// # Errors
/// The bytes are no event.
pub fn read(_: &mut Memory, kind: Option<&str>, bytes: &[u8]) -> Result<Box<EventLite>, Unreadable> {
    match Box::read(Encoded { message: &EVENT, bytes, kind })? {
        Maybe::Is(event) => Ok(event),
        Maybe::Absent | Maybe::Odd(_) => Err(Unreadable::Type),
    }
}
