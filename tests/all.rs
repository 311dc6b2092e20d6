//! All tests that need Rust alone, in one binary: linked once, and run side by side.
//!
//! Only `cost` has one of its own, since it counts what is allocated.

mod attacks;
mod bad_input;
mod blast_radius;
mod cli;
mod config;
mod delivery;
mod driver;
mod engine;
mod floors;
mod forgery;
mod guard_picture;
mod http;
mod image;
mod incidents;
#[allow(dead_code, reason = "the soak plays more of it")]
mod kubelet;
mod lint;
mod manifests;
mod messages;
mod mutations;
mod objects;
mod page;
mod prevention;
mod properties;
mod readme;
mod record;
mod recorder;
mod recordings;
mod release;
mod report;
mod restart;
mod run;
mod scan;
mod secrets;
mod stories;
mod support;
mod watch;
mod wire;
mod worlds;
