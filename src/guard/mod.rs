//! Whether a rollout is undone: decided here, purely, from a finding, the objects as they are, what was
//! done before, and the settings.
//!
//! Invariants:
//! - A template is undone at most once, ever.
//! - An undo changes nothing of a template but probes: images, accounts, volumes and all else of both
//!   revisions are the same, whatever an object of the revision before holds.
//! - Whatever is not known is a refusal.

pub mod cluster;
mod decide;
mod past;
mod patch;
mod template;
#[cfg(test)]
mod tests;

use crate::text::glob::Glob;

pub use decide::{Case, Decision, Undo, concerns, decide, refused_early, settled};
pub use past::{Act, Past, Step};

/// How many rollouts are undone within an hour at most, whatever the settings say.
pub const MAX_PER_HOUR: u32 = 3;

/// The annotation by which a Deployment, or its pods' template, turns the guard off: `"off"`.
pub const GUARD_ANNOTATION: &str = "probehound.dev/guard";
/// The annotation with the name of the Finding for which a Deployment was undone.
pub const UNDONE_FOR: &str = "probehound.dev/undone-for";
/// The annotation with the hash of the template that was undone.
pub const UNDONE_TEMPLATE: &str = "probehound.dev/undone-template";

/// The settings of the guard.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// What it does.
    pub mode: Mode,
    /// Where; empty: in all namespaces that are watched.
    pub namespaces: Vec<Glob>,
    /// How many rollouts it undoes within an hour, in all of the cluster; at most [`MAX_PER_HOUR`].
    pub max_per_hour: u32,
    /// Whether a kubelet's event proves a kill where the status comes late and only kubelets can write such
    /// events.
    pub trust_events: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { mode: Mode::Off, namespaces: Vec::new(), max_per_hour: MAX_PER_HOUR, trust_events: false }
    }
}

/// What the guard does.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Nothing.
    Off,
    /// It decides, and says what it would have done.
    Watch,
    /// It undoes.
    Undo,
}

impl Mode {
    /// Its word in the settings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Watch => "watch",
            Self::Undo => "undo",
        }
    }
}
