//! What was done before.

use std::time::Duration;

use crate::time::Time;

/// Within this time undos are counted.
const HOUR: Duration = Duration::from_hours(1);
/// Maximum number of undos that are kept: far more than there can be within an hour.
const MAX_ACTS: usize = 100;

/// An undo, as it was recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Act {
    /// The Deployment's UID: a later one of the same name is another one.
    pub deployment: String,
    /// The hash of the template that was undone.
    pub template: String,
    /// Its revision.
    pub revision: u64,
    /// The revision that was gone back to.
    pub to_revision: u64,
    /// The Deployment's generation before.
    pub generation: i64,
    /// When.
    pub at: Time,
    /// How far it went.
    pub step: Step,
}

/// How far an undo went.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// It was about to be carried out.
    Intended,
    /// It was carried out.
    Done,
}

impl Act {
    /// Whether both are of the same template of the same Deployment.
    pub fn is_of(&self, deployment: &str, template: &str) -> bool {
        self.deployment == deployment && self.template == template
    }
}

/// The undos of the cluster, as far as they matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Past {
    acts: Vec<Act>,
}

impl Past {
    /// Adds one, in place of what is known of the same template; the oldest give way.
    pub fn add(&mut self, act: Act) {
        self.acts.retain(|known| !known.is_of(&act.deployment, &act.template));
        self.acts.push(act);
        self.acts.sort_by_key(|act| act.at);
        let surplus = self.acts.len().saturating_sub(MAX_ACTS);
        self.acts.drain(..surplus);
    }

    /// Removes what was intended, and certainly was not done.
    pub fn take_back(&mut self, deployment: &str, template: &str) {
        self.acts.retain(|known| known.step == Step::Done || !known.is_of(deployment, template));
    }

    /// What is known of a template.
    pub fn of(&self, deployment: &str, template: &str) -> Option<&Act> {
        self.acts.iter().find(|act| act.is_of(deployment, template))
    }

    /// How many were undone within the hour before `now`, and whether one of them was of that Deployment,
    /// without that template.
    pub fn within_the_hour(&self, deployment: &str, template: &str, now: Time) -> (u32, bool) {
        // One of the future is of another replica's clock, and counts too.
        let recent = self.acts.iter().filter(|act| now.since(act.at) < HOUR && !act.is_of(deployment, template));
        let own = recent.clone().any(|act| act.deployment == deployment);
        (recent.count() as u32, own)
    }
}
