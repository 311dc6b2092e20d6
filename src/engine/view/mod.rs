//! What is remembered of one container of a workload, read at a time: how its incarnations ended, which
//! probes passed, which revisions there were.

pub mod container;
pub mod probe_passed;
pub mod revisions;
pub mod template_change;
pub mod termination;
