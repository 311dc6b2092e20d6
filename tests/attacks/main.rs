//! What was tried against probehound, and cannot be done: SECURITY.md says by whom, and names the
//! test of each attack.

mod caps;
mod pasted;
mod prose;
#[path = "../delivery/samples.rs"]
mod samples;
mod shells;
#[path = "../support/mod.rs"]
mod support;
mod table;
