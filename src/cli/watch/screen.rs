//! The state of the screen: pure, without IO and without a clock. Updates, keys and time come in; the
//! action for a key comes out.

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

/// Maximum length of a filter, in characters.
const MAX_FILTER: usize = 100;

/// Everything known, and what is being viewed.
#[derive(Debug)]
pub struct Screen {
    /// What is watched, in words.
    pub source: String,
    /// The type of the source.
    pub origin: Origin,
    /// The time up to which it is known.
    pub now: Option<Time>,
    /// The findings.
    pub findings: Findings,
    /// The pods.
    pub pods: Pods,
    /// The current view.
    pub mode: Mode,
    /// The state of the source.
    pub sight: Sight,
    /// The last message, until the next key.
    pub note: Option<String>,
    /// How it ended, once it has.
    pub ended: Option<String>,
    /// The scroll offset of the detail or the help, in lines.
    pub scroll: u16,
    /// The maximum scroll offset when last drawn.
    reach: Reach,
    unusable: u64,
}

/// The type of a source.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A live cluster.
    Cluster,
    /// A recording, which has an end.
    Recording,
}

/// A view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mode {
    /// The list.
    List,
    /// The list, while its filter is being typed.
    Filter,
    /// One finding.
    Detail(Box<Identity>),
    /// The keys, over the previous view.
    Help(Box<Mode>),
}

/// How much a drawing had room for.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Reach {
    /// Number of lines of a text that are hidden when its beginning is visible.
    pub scroll: u16,
    /// Number of rows per page.
    pub page: u16,
}

impl Screen {
    /// An empty screen.
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

    /// Advances time to `now`; it does not go back.
    pub fn tick(&mut self, now: Time) {
        self.now = self.now.max(Some(now));
    }

    /// Takes in an update.
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
                // Troubles must not be hidden by an earlier message.
                self.note = None;
                self.sight = sight;
            }
            News::Over(Ok(())) => self.ended = Some(self.end()),
            News::Over(Err(error)) => self.ended = Some(visible(&error.to_string())),
            News::ToldToEnd => {}
        }
    }

    /// Takes in how much the drawing had room for.
    pub fn drawn(&mut self, reach: Reach) {
        self.reach = reach;
        self.scroll = self.scroll.min(reach.scroll);
    }

    /// The finding that is selected in the list, or being viewed.
    pub fn chosen(&self) -> Option<&Finding> {
        match &self.mode {
            Mode::Detail(identity) => self.findings.get(identity),
            Mode::List | Mode::Filter | Mode::Help(_) => self.findings.chosen(),
        }
    }

    /// Number of lines of the recording that could not be used as they are.
    pub const fn unusable(&self) -> u64 {
        self.unusable
    }

    fn look_at(&mut self, mode: Mode) {
        self.mode = mode;
        self.scroll = 0;
    }

    /// The command of the selected finding, or why there is none.
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
