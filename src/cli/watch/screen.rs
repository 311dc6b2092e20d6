//! What the screen shows: pure, without IO and without a clock. News, keys and time come in; what to
//! do for a key comes out.

mod findings;
mod keys;

pub use findings::Findings;
pub use keys::{Action, Key};

use super::news::{News, Sight};
use super::pods::Pods;
use crate::engine::{ChangeKind, Finding};
use crate::finding::Identity;
use crate::report::remedies;
use crate::text::escape::visible;
use crate::time::Time;

/// Longest filter, in characters.
const MAX_FILTER: usize = 100;

/// All that is known, and what of it is looked at.
#[derive(Debug)]
pub struct Screen {
    /// What is watched, in words.
    pub source: String,
    /// What comes from where, and how much of it there is.
    pub origin: Origin,
    /// The time up to which it is known.
    pub now: Option<Time>,
    /// The findings.
    pub findings: Findings,
    /// The pods.
    pub pods: Pods,
    /// What is looked at.
    pub mode: Mode,
    /// How the source is.
    pub sight: Sight,
    /// What was said last, until the next key.
    pub note: Option<String>,
    /// How it ended, once it has.
    pub ended: Option<String>,
    /// Lines down from the top of the detail or of the help.
    pub scroll: u16,
    /// The most that can be scrolled, as it was last drawn.
    reach: Reach,
    unusable: u64,
}

/// Where what is shown comes from.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A cluster, as it is now.
    Cluster,
    /// A recording, which has an end.
    Recording,
}

/// What is looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mode {
    /// The list.
    List,
    /// The list, while its filter is typed.
    Filter,
    /// One finding.
    Detail(Box<Identity>),
    /// The keys, over what was looked at.
    Help(Box<Mode>),
}

/// What a drawing had room for.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Reach {
    /// Lines that are not seen of a text when its beginning is.
    pub scroll: u16,
    /// Rows of a page.
    pub page: u16,
}

impl Screen {
    /// A screen on which nothing is seen yet.
    pub fn new(source: &str, origin: Origin) -> Self {
        Self {
            source: visible(source),
            origin,
            now: None,
            findings: Findings::default(),
            pods: Pods::default(),
            mode: Mode::List,
            sight: Sight::default(),
            note: None,
            ended: None,
            scroll: 0,
            reach: Reach::default(),
            unusable: 0,
        }
    }

    /// Time has come to `now`; it does not go back.
    pub fn tick(&mut self, now: Time) {
        self.now = self.now.max(Some(now));
    }

    /// Takes in news.
    pub fn apply(&mut self, news: News) {
        let now = self.now.unwrap_or_default();
        match news {
            News::Time(at) => self.tick(at),
            News::Pod(glance) => self.pods.seen(*glance, now),
            News::Gone(uid) => self.pods.gone(uid, now),
            News::ListStarted(scope) => self.pods.list_started(scope),
            News::ListFinished(scope) => self.pods.list_finished(&scope, now),
            News::ProbeFailed(failure) => self.pods.probe_failed(&failure),
            News::Top { namespace, owner, top } => self.pods.top(namespace, owner, top),
            News::Change(change) => {
                self.tick(change.at);
                let identity = change.finding.identity();
                if change.kind == ChangeKind::Withdrawn && self.mode == Mode::Detail(Box::new(identity)) {
                    self.look_at(Mode::List);
                    self.note = Some("the finding was taken back: another one took its place".to_owned());
                }
                self.findings.apply(change);
            }
            News::Unusable(_) => self.unusable += 1,
            News::Source(sight) => {
                // What cannot be seen is not hidden by what was said before.
                self.note = None;
                self.sight = sight;
            }
            News::Over(Ok(())) => self.ended = Some(self.end()),
            News::Over(Err(error)) => self.ended = Some(visible(&error.to_string())),
            News::ToldToEnd => {}
        }
    }

    /// What was drawn had room for so much.
    pub fn drawn(&mut self, reach: Reach) {
        self.reach = reach;
        self.scroll = self.scroll.min(reach.scroll);
    }

    /// The finding that is chosen in the list, or looked at.
    pub fn chosen(&self) -> Option<&Finding> {
        match &self.mode {
            Mode::Detail(identity) => self.findings.get(identity),
            Mode::List | Mode::Filter | Mode::Help(_) => self.findings.chosen(),
        }
    }

    /// Lines of the recording that could not be used as they are.
    pub const fn unusable(&self) -> u64 {
        self.unusable
    }

    fn look_at(&mut self, mode: Mode) {
        self.mode = mode;
        self.scroll = 0;
    }

    /// The command of the chosen finding, or why there is none.
    fn command(&self) -> Result<String, &'static str> {
        let finding = self.chosen().ok_or("there is no finding")?;
        if finding.resolved_at.is_some() {
            return Err("it is over: there is nothing to type");
        }
        let command = remedies::lines(finding).into_iter().find(|line| line.is_command);
        command.map(|line| line.text).ok_or("there is no command for it: it says in words what to do")
    }

    fn end(&self) -> String {
        let unusable = match self.unusable {
            0 => String::new(),
            1 => ", 1 line could not be used as it is".to_owned(),
            many => format!(", {many} lines could not be used as they are"),
        };
        format!("the recording is at its end{unusable}; q quits")
    }
}

#[cfg(test)]
mod tests;
