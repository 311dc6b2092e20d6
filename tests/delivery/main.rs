//! Who is told what, and when.

mod notify;
mod outage;
mod policy;
mod properties;
mod receiver;
mod rules;
mod running;
mod samples;
mod settings;
mod slack;
#[path = "../support/mod.rs"]
mod support;
