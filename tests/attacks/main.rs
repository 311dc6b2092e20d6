//! Attacks on probehound that do not work: SECURITY.md describes the attackers, and names the test of each
//! attack.

mod caps;
mod pasted;
mod prose;
#[path = "../delivery/samples.rs"]
mod samples;
mod shells;
#[path = "../support/mod.rs"]
mod support;
mod table;
