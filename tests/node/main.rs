//! probehound on a real node: `make e2e-node`.
//!
//! Everything runs in the isolation of `tests/node/isolated` and ends with it.

mod control;
mod cost;
mod deployed;
mod example;
mod goals;
mod guarded;
#[path = "../cluster/harness/mod.rs"]
mod harness;
mod helm;
mod judged;
mod kubectl;
mod milestones;
mod node;
mod prometheus;
mod recorder;
mod slack;
mod spared;
mod story;
#[path = "../support/mod.rs"]
mod support;
#[path = "../cluster/told.rs"]
mod told;
mod whole;
mod zoo;
