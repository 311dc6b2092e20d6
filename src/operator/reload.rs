//! Applies a changed settings file while everything keeps running.
//!
//! The file is polled every few seconds and compared by content: a ConfigMap is updated by swapping a
//! symbolic link, which a watch on the file itself does not see.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

use crate::config::{Config, LoadError, Loaded, Source};
use crate::metrics::Metrics;
use crate::runtime::clock;
use crate::text::escape::terminal;
use crate::text::hash::mark;

/// How often the file is read.
const EVERY: Duration = Duration::from_secs(10);
/// How long a file's content must stay the same: a writer may be in the middle of it.
const SETTLED: Duration = Duration::from_secs(1);
/// Maximum length of a hint in a log line, in columns.
const HINT: usize = 300;

/// Polls the file forever; settings that take effect are sent to `running`.
pub async fn watch(
    source: Source,
    running: watch::Sender<Arc<Config>>,
    metrics: Arc<Metrics>,
    mark: u64,
) -> Infallible {
    if source.file.is_none() {
        return std::future::pending().await;
    }
    let mut reloader = Reloader { source, mark };
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let text = reloader.read().await;
        if !reloader.is_news(&text) {
            continue;
        }
        sleep(SETTLED).await;
        if same(&text, &reloader.read().await) {
            let outcome = reloader.load(&text, &Arc::clone(&running.borrow()));
            apply(outcome, &running, &metrics);
        }
    }
}

/// The state of the file as last read.
struct Reloader {
    source: Source,
    /// A hash of what was last read, valid or not.
    mark: u64,
}

/// The outcome of a changed file.
#[derive(Debug)]
enum Outcome {
    /// It is in effect, except for these keys, which need a restart.
    Taken { config: Box<Config>, kept: Vec<&'static str> },
    /// It is invalid; the previous settings stay in effect.
    Refused(LoadError),
}

impl Reloader {
    async fn read(&self) -> Result<String, LoadError> {
        let source = self.source.clone();
        // The file may be on a network file system.
        tokio::task::spawn_blocking(move || source.text()).await.expect("reading does not panic")
    }

    /// Whether this differs from what was last read.
    fn is_news(&self, text: &Result<String, LoadError>) -> bool {
        mark_of(text) != self.mark
    }

    fn load(&mut self, text: &Result<String, LoadError>, running: &Config) -> Outcome {
        self.mark = mark_of(text);
        // A file that cannot be read is read again to get its error, which cannot be cloned.
        let loaded = match text {
            Ok(text) => self.source.load_text(text),
            Err(_) => self.source.load(),
        };
        match loaded {
            Ok(Loaded { config, .. }) => {
                let (config, kept) = config.without_restart(running);
                Outcome::Taken { config: Box::new(config), kept }
            }
            Err(error) => Outcome::Refused(error),
        }
    }
}

fn apply(outcome: Outcome, running: &watch::Sender<Arc<Config>>, metrics: &Metrics) {
    match outcome {
        Outcome::Taken { config, kept } => {
            metrics.config_loaded(clock::now());
            info!("Settings reloaded");
            if !kept.is_empty() {
                warn!(keys = kept.join(", "), "Some settings changed that need a restart");
            }
            running.send_replace(Arc::new(*config));
        }
        Outcome::Refused(error) => {
            metrics.config_refused();
            refused(&error);
        }
    }
}

fn refused(error: &LoadError) {
    const MESSAGE: &str = "Changed settings are refused, the old ones go on";
    let LoadError::Wrong(problems) = error else {
        warn!(problem = terminal(&error.to_string(), HINT), "{MESSAGE}");
        return;
    };
    for problem in &problems.all {
        let hint = problem.hint.as_deref().map(|hint| terminal(hint, HINT));
        warn!(problem = problems.line(problem), hint, "{MESSAGE}");
    }
}

fn mark_of(text: &Result<String, LoadError>) -> u64 {
    match text {
        Ok(text) => mark(text),
        Err(error) => mark(&error.to_string()),
    }
}

fn same(one: &Result<String, LoadError>, other: &Result<String, LoadError>) -> bool {
    mark_of(one) == mark_of(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_taken_but_for_what_needs_a_restart() {
        let mut reloader = reloader("{}");
        let text = Ok("{detection: {window: 1m}, http: {listen: ':1'}}".to_owned());
        assert!(reloader.is_news(&text));
        let Outcome::Taken { config, kept } = reloader.load(&text, &Config::default()) else { panic!("it is right") };
        assert_eq!(config.detection.window, Duration::from_mins(1));
        assert_eq!((config.http, kept), (Config::default().http, vec!["http.listen"]));
        assert!(!reloader.is_news(&text));
    }

    #[test]
    fn what_is_wrong_is_said_once_and_changes_nothing() {
        let metrics = Metrics::new();
        let (running, seen) = watch::channel(Arc::new(Config::default()));
        let mut reloader = reloader("{}");
        for text in [Ok("detection: {widnow: 1m}".to_owned()), Ok("nonsense".to_owned()), reloader.source.text()] {
            let outcome = reloader.load(&text, &running.borrow().clone());
            assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
            apply(outcome, &running, &metrics);
            assert!(!reloader.is_news(&text));
        }
        assert!(!seen.has_changed().expect("it is still there"));
        let outcome = reloader.load(&Ok("{}".to_owned()), &Config::default());
        apply(outcome, &running, &metrics);
        assert!(seen.has_changed().expect("it is still there"));
    }

    fn reloader(text: &str) -> Reloader {
        let source = Source { file: Some("no/such.yaml".into()), ..Source::default() };
        Reloader { source, mark: mark(text) }
    }
}
