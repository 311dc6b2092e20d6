//! The source of observations: recorded and watched objects, made small, safe and typed.
//!
//! [`objects`] decodes whatever JSON an object of a kind may hold, [`Observer`] turns an [`Input`] into what
//! the engine is given, with secrets masked ([`mask`]) and everything cut to size. [`Related`] keeps
//! the objects around the pods and answers what the engine would like to know of them.
//! [`recording`] reads all of it from a file, [`cluster`] watches it live.

#[cfg(feature = "operator")]
pub mod cluster;
pub mod dump;
mod input;
pub mod manifest;
pub mod mask;
pub mod newest;
pub mod objects;
mod observe;
#[cfg(feature = "operator")]
pub mod recorder;
pub mod recording;
mod related;
mod uid;

pub use input::{Input, Observed};
pub use objects::Oddity;
pub use observe::Observer;
pub use related::Related;
