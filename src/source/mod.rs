//! The source of observations: recorded and watched objects, made small, safe and typed.
//!
//! [`objects`] decodes whatever JSON an object of a kind may contain, [`Observer`] turns it into the
//! engine's input, with secrets masked ([`mask`]) and everything cut to size. [`Related`] keeps the objects
//! around the pods and answers the engine's needs from them. [`recording`] reads all of it from a file,
//! [`cluster`] watches it live.

#[cfg(feature = "operator")]
pub mod cluster;
pub mod dump;
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

pub use objects::Oddity;
pub use observe::Observer;
pub use related::Related;
