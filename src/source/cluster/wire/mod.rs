//! Pods and events in protobuf: a third of the bytes of JSON, and read without a parser of text.
//!
//! kube's `watcher` stays as it is, with lists, versions, bookmarks and errors: it is given JSON in which a
//! [`Ticket`] stands for each object, and the object itself is decoded from the wire into its lean type,
//! and lies on a [`Shelf`] until kube asks for it.
//!
//! Invariants:
//! - **Total**: whatever the bytes are, there is an object or an [`Unreadable`], never a panic, and what is
//!   allocated is bounded by what has arrived.
//! - **The lean object is that of the JSON**, whichever way it came ([`messages`] says what JSON shows).
//! - **One object that cannot be read costs no more than itself**, in a list as in a watch.

mod answer;
mod envelope;
mod event;
mod field;
mod memory;
mod message;
mod messages;
mod parts;
mod pod;
mod read;
mod schema;
mod shelf;
mod stamp;

use crate::source::objects::{EventLite, PodLite};

pub use answer::{AnswerBody, Encoding, Reader, Report, encoding};
pub use field::Unreadable;
pub use memory::Memory;
pub use schema::Schema;
pub use shelf::{Place, Shelf, Ticket};

/// Pods.
pub static PODS: Schema<PodLite> = Schema::new(pod::read);

/// Events of the core group.
pub static EVENTS: Schema<EventLite> = Schema::new(event::read);

#[cfg(test)]
mod tests;
