//! What is remembered: pods, what their containers have shown, workloads, nodes.

pub mod by_name;
pub mod history;
pub mod judged;
pub mod node_clock;
pub mod nodes;
pub mod onsets;
pub mod past_episodes;
pub mod places;
pub mod pods;
pub mod template_record;
pub mod terminations;
pub mod tracked_container;
pub mod workload;
