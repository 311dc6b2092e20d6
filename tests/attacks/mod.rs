//! Attacks on probehound that do not work: SECURITY.md describes the attackers, and names the test of each
//! attack.

mod caps;
mod pasted;
mod prose;
mod shells;
mod table;
