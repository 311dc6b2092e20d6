//! A lean type in protobuf.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::field::Unreadable;
use super::memory::Memory;
use super::shelf::Shelf;

/// Reads an object of a type.
type Read<T> = fn(&mut Memory, Option<&str>, &[u8]) -> Result<Box<T>, Unreadable>;

/// How a lean type is read from protobuf, and where what was read lies.
#[derive(Debug)]
pub struct Schema<T> {
    read: Read<T>,
    shelf: Shelf<T>,
    memory: Mutex<Memory>,
}

impl<T> Schema<T> {
    /// The schema of a type that is read so.
    pub const fn new(read: Read<T>) -> Self {
        Self { read, shelf: Shelf::new(), memory: Mutex::new(Memory::new()) }
    }

    /// Reads an object, with what it remembers of those before it; `kind` is what JSON shows as its kind,
    /// which objects of a list do not have.
    ///
    /// # Errors
    /// The bytes are no such message.
    pub fn decode(&self, memory: &mut Memory, kind: Option<&str>, bytes: &[u8]) -> Result<Box<T>, Unreadable> {
        (self.read)(memory, kind, bytes)
    }

    /// What is remembered, by all watches together: with many namespaces there are many of them.
    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where decoded objects lie.
    pub const fn shelf(&'static self) -> &'static Shelf<T> {
        &self.shelf
    }
}
