//! Where decoded objects lie between the wire and kube's `watcher`.
//!
//! kube reads answers as JSON. What is decoded already is left on a shelf, and in the JSON stands a
//! [`Ticket`] in its place. Each watch has a place of its own on the shelf, which is emptied with its next
//! request and when the watch ends: so nothing lies there for longer than the answer that it came with.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The place of an object on a shelf: in JSON, a list of two numbers, which is no object of any API.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ticket {
    /// Whose place it is.
    pub place: i64,
    /// Which object of that place.
    pub object: i64,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{},{}]", self.place, self.object)
    }
}

/// Decoded objects of one type.
#[derive(Debug)]
pub struct Shelf<T> {
    objects: Mutex<BTreeMap<Ticket, Box<T>>>,
    places: AtomicI64,
}

impl<T> Shelf<T> {
    /// An empty shelf.
    pub const fn new() -> Self {
        Self { objects: Mutex::new(BTreeMap::new()), places: AtomicI64::new(0) }
    }

    /// The object of a ticket, once.
    pub fn take(&self, ticket: Ticket) -> Option<Box<T>> {
        self.objects().remove(&ticket)
    }

    /// A new place on it.
    pub fn place(&'static self) -> Arc<Place<T>> {
        let number = self.places.fetch_add(1, Ordering::Relaxed);
        Arc::new(Place { shelf: self, number, objects: AtomicI64::new(0) })
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<Ticket, Box<T>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// A place on a shelf.
#[derive(Debug)]
pub struct Place<T: 'static> {
    shelf: &'static Shelf<T>,
    number: i64,
    objects: AtomicI64,
}

impl<T> Place<T> {
    /// Leaves an object there.
    pub fn put(&self, object: Box<T>) -> Ticket {
        let ticket = Ticket { place: self.number, object: self.objects.fetch_add(1, Ordering::Relaxed) };
        self.shelf.objects().insert(ticket, object);
        ticket
    }

    /// Removes all that was not taken.
    pub fn clear(&self) {
        let all = Ticket { place: self.number, object: 0 }..=Ticket { place: self.number, object: i64::MAX };
        let mut objects = self.shelf.objects();
        while let Some(ticket) = objects.range(all.clone()).next().map(|(ticket, _)| *ticket) {
            objects.remove(&ticket);
        }
    }
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_taken_once() {
        static SHELF: Shelf<u8> = Shelf::new();
        let place = SHELF.place();
        let ticket = place.put(Box::new(7));
        assert_eq!(SHELF.take(ticket).as_deref(), Some(&7));
        assert_eq!(SHELF.take(ticket), None);
    }

    #[test]
    fn nothing_stays_behind() {
        static SHELF: Shelf<u8> = Shelf::new();
        let (one, other) = (SHELF.place(), SHELF.place());
        let [left, also_left] = [one.put(Box::new(1)), one.put(Box::new(2))];
        let of_other = other.put(Box::new(3));
        one.clear();
        assert_eq!([SHELF.take(left), SHELF.take(also_left)], [None, None]);
        assert!(SHELF.objects().contains_key(&of_other));
        drop(other);
        assert!(SHELF.objects().is_empty());
    }
}
