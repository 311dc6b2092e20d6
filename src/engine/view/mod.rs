//! Interpretation of what is remembered of one container of a workload, at a time: how its incarnations
//! terminated, which probes passed, which revisions there were.

pub mod container;
pub mod lane;
pub mod member;
pub mod min_ready;
pub mod probe_passed;
pub mod revisions;
pub mod template_change;
pub mod termination;
