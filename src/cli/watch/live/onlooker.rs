//! The onlooker of the engine, and the health of the watches in words.

use std::sync::mpsc::SyncSender;

use crate::cli::watch::news::{News, Sight};
use crate::engine::{Change, Observation};
use crate::operator::driver::Onlooker;
use crate::report::when;
use crate::source::cluster::{Resource, Trouble, WatchHealth};
use crate::time::Time;

/// Passes on the engine's inputs and changes.
///
/// It waits if the screen is slow: then nothing is read from the connection, as for the operator.
pub struct Looker {
    news: SyncSender<News>,
}

impl Looker {
    /// An onlooker that sends to that channel.
    pub const fn new(news: SyncSender<News>) -> Self {
        Self { news }
    }
}

impl Onlooker for Looker {
    fn observed(&mut self, observation: &Observation, now: Time) {
        if let Some(news) = News::from_observation(observation, now) {
            // If nobody receives, the process is about to end.
            let _ = self.news.send(news);
        }
    }

    fn changed(&mut self, change: &Change) {
        let _ = self.news.send(News::Change(change.clone()));
    }
}

/// What is wrong with the watches, by their last failures.
#[derive(Debug, Default)]
pub struct Troubles {
    resources: [Failing; 2],
}

#[derive(Debug, Default)]
struct Failing {
    counts: [u64; Trouble::ALL.len()],
    last: Option<Trouble>,
}

impl Troubles {
    /// The current health of the watches.
    pub fn look(&mut self, health: &WatchHealth) -> Sight {
        let mut troubles = Vec::new();
        for (resource, failing) in Resource::ALL.into_iter().zip(&mut self.resources) {
            let of = health.of(resource);
            for (trouble, count) in Trouble::ALL.into_iter().zip(&mut failing.counts) {
                let errors = of.errors(trouble);
                if errors > *count {
                    failing.last = Some(trouble);
                }
                *count = errors;
            }
            if let Some(trouble) = failing.last.filter(|_| !of.is_up()) {
                let some = if of.is_blind() { "cannot be" } else { "of some namespaces cannot be" };
                let since = if of.last_answer().is_some() && of.is_blind() {
                    format!(", since {} UTC", when::clock(of.since()))
                } else {
                    String::new()
                };
                troubles.push(format!("{} {some} read: {}{since}", resource.word(), trouble.word()));
            }
        }
        Sight { is_listed: health.of(Resource::Pods).is_listed(), troubles }
    }
}
