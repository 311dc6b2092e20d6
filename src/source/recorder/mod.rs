//! What is recorded of a cluster, and in what form.
//!
//! Recordings are sent to other people. So a field gets into one only if [`rules`] lists it, and what may
//! be a secret gets into it only as a hash, by which replay still sees that it changed. On request names
//! are replaced as well ([`Disclosure::Anonymous`]).
//!
//! Invariants:
//! - **Replay of what was recorded finds what the live operator found**, names aside.
//! - **No value of an environment variable or a header, and no annotation but those named, is in a
//!   recording**, whatever the object holds.
//! - Pure: the same objects in the same order with the same key give the same bytes.

mod anonymous;
mod names;
mod redact;
mod resource;
mod rules;
mod session;
mod vocabulary;

pub use anonymous::Anonymous;
pub use redact::{Disclosure, Redactor};
pub use resource::Resource;
pub use session::{Session, Sight, Sighting};
