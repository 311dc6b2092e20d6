//! The cost of watching: `make bench-cluster`. Not run with the tests.

mod crowd;
mod crowded;
mod latency;
mod memory;
mod paged;
mod scanning;
mod soak;
mod source;
mod stream;
pub mod usage;
mod vast;
