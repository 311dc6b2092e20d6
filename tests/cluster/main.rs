//! The operator on a real API server: `make e2e`.
//!
//! Everything that is started here ends with the run: see `harness`. A test that only reads, or
//! that works in namespaces of its own, shares a control plane with others; one that stops, floods
//! or compacts the server has its own.

mod alerting;
mod at_once;
mod authenticated;
mod channel;
mod chart;
mod dashboard;
mod encoded;
mod exposition;
mod faults;
mod guarded;
mod harness;
mod installed;
mod interrupted;
mod keeping;
mod manifests;
mod measured;
mod notified;
mod operator;
mod owned;
mod pasted;
mod player;
mod policies;
mod proxied;
mod proxy;
mod reading;
mod readme;
mod replayed;
#[path = "../delivery/samples.rs"]
mod samples;
mod scanned;
#[path = "../delivery/secure.rs"]
#[allow(dead_code, reason = "the tests of delivery use the rest")]
mod secure;
#[path = "../delivery/services/mod.rs"]
#[allow(dead_code, reason = "the tests of delivery use the rest")]
mod services;
#[path = "../support/mod.rs"]
mod support;
mod told;
mod uninstalled;

use harness::clock;
