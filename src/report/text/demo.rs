//! The demo's page: the cluster on the left, the notifications in the middle, the summary below.

mod milestone;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

pub use milestone::Milestone;

use super::layout::{fold, pad_left, pad_right, wrap};
use super::listing::Listing;
use super::{Look, chat};
use crate::engine::{Cause, Change, ChangeKind, Finding};
use crate::report::metrics;
use crate::report::slack::Payload;
use crate::report::when::{offset, span};
use crate::text::escape::terminal;
use crate::time::Time;

/// Width of the time since the start, in columns.
const TIME: usize = 9;
/// Width of the bar of ready pods, in columns.
const BAR: usize = 20;
/// Width of a milestone's name, in columns.
const POINT: usize = 34;
/// Maximum length of a text, in columns.
const TEXT: usize = 600;

/// What the recording is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// `Deployment auth-service`
    pub workload: Option<String>,
    /// The desired number of pods.
    pub pods: u32,
    /// How long the recording lasts.
    pub lasts: Duration,
    /// Number of records that were understood.
    pub observations: u64,
}

/// The state of the cluster at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scene {
    /// When.
    pub at: Time,
    /// Number of ready pods.
    pub ready: u32,
    /// Desired number of pods.
    pub wanted: u32,
    /// Number of restarts so far, of all pods.
    pub restarts: u64,
    /// The newest revision.
    pub rollout: Option<Rollout>,
}

/// The progress of the newest revision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rollout {
    /// Its number.
    pub revision: u64,
    /// The field manager that applied it.
    pub by: Option<Arc<str>>,
    /// Number of its pods.
    pub pods: u32,
}

impl Scene {
    /// Whether both look the same to a reader.
    pub fn looks_like(&self, other: &Self) -> bool {
        Self { at: other.at, ..self.clone() } == *other
    }

    /// The conditions whose change may be a milestone.
    pub fn turn(&self) -> Turn {
        Turn {
            revision: self.rollout.as_ref().map(|rollout| rollout.revision),
            restarted: self.restarts > 0,
            none_ready: self.ready == 0,
            all_ready: self.ready >= self.wanted,
        }
    }
}

/// Conditions of a scene whose change may be a milestone.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Turn {
    revision: Option<u64>,
    restarted: bool,
    none_ready: bool,
    all_ready: bool,
}

/// The outcome of the stock alert.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stock {
    /// When the first container was in `CrashLoopBackOff`.
    pub since: Time,
    /// When it fired, if it did.
    pub fired: Option<Time>,
    /// When its `for` duration ends, if the loop continues.
    pub due: Time,
    /// When its condition stops holding for every container, if none is in `CrashLoopBackOff` now.
    pub lapses: Option<Time>,
    /// When the last container left `CrashLoopBackOff`.
    pub left: Option<Time>,
    /// Number of containers that it fires for, one alert each.
    pub containers: usize,
    /// Its text for the first one.
    pub says: String,
}

/// The layout of the page, and its start time.
#[derive(Copy, Clone, Debug)]
pub struct Page {
    look: Look,
    start: Time,
}

impl Page {
    /// A page whose times are counted from `start`.
    pub const fn new(look: Look, start: Time) -> Self {
        Self { look, start }
    }

    /// What it is about, and the timeline's header.
    pub fn opening(&self, summary: &Summary) -> String {
        let Summary { workload, pods, lasts, observations } = summary;
        let workload = workload.as_ref().map(|workload| format!(" of {workload}")).unwrap_or_default();
        let what = format!(
            "{pods} pods{workload}, {} of a real cluster in {observations} observations. \
             All that follows is computed from them.",
            span(*lasts)
        );
        let faint = self.look.palette.faint;
        let header = format!("{}{}restarts  rollout", pad_right("time", TIME), pad_right("pods ready", BAR + 10));
        format!("{}\n{faint}{header}{faint:#}\n", self.paragraph(&what))
    }

    /// One line with the state of the cluster.
    pub fn scene(&self, scene: &Scene) -> String {
        let full = BAR * scene.ready.min(scene.wanted) as usize / scene.wanted.max(1) as usize;
        let bar = format!("{}{}", "#".repeat(full), ".".repeat(BAR - full));
        let style = match (scene.ready >= scene.wanted, scene.ready) {
            (true, _) => self.look.palette.good,
            (false, 0) => self.look.palette.severity(crate::engine::Severity::Critical),
            (false, _) => self.look.palette.severity(crate::engine::Severity::Warning),
        };
        let ready = pad_left(&format!("{}/{}", scene.ready, scene.wanted), 8);
        let restarts = pad_left(&scene.restarts.to_string(), 10);
        let used = TIME + BAR + 8 + 10 + 2;
        let rollout = scene.rollout.as_ref().map(|Rollout { revision, by, pods }| {
            let room = self.look.width.saturating_sub(used);
            let text = terminal(&format!("revision {revision} on {pods}"), room);
            // The author is left out if there is no room for the whole name.
            let by = by.as_ref().map(|by| terminal(&format!(" ({by})"), TEXT));
            let by = by.filter(|by| text.width() + by.width() <= room).unwrap_or_default();
            format!("  {text}{by}")
        });
        let line = format!("{style}{bar}{style:#}{ready}{restarts}{}", rollout.unwrap_or_default());
        format!("{}{line}\n", self.time(scene.at))
    }

    /// What probehound suspects, and does not send.
    pub fn thought(&self, change: &Change) -> String {
        let finding = &change.finding;
        let what = match finding.cause {
            Cause::Unknown => finding.effect.to_string(),
            cause => cause.to_string(),
        };
        let verb = if change.kind == ChangeKind::Suspected { "suspects" } else { "drops" };
        self.note(change.at, &format!("probehound {verb} {what} (not sent yet)"))
    }

    /// What probehound sends.
    pub fn notified(&self, at: Time, payload: &Payload) -> String {
        let mut text = self.note(at, "probehound posts to Slack:");
        // Writing to a `String` cannot fail.
        let _ = chat::write(payload, self.look, &mut text);
        text
    }

    /// The stock alert becomes pending.
    pub fn counting(&self, at: Time, pod: &str, container: &str) -> String {
        self.note(at, &format!("stock alert: starts to count; {pod} ({container}) is in CrashLoopBackOff"))
    }

    /// The milestones, one per line.
    pub fn milestones(&self, all: &[Milestone]) -> String {
        let mut text = self.heading("What happened when");
        for milestone in all {
            let (what, more) = milestone.words();
            let style = match milestone {
                Milestone::Told { .. } | Milestone::Resolved(_) => self.look.palette.good,
                _ => anstyle::Style::new(),
            };
            let what = format!("{}{more}", pad_right(&what, POINT));
            let room = self.look.width.saturating_sub(TIME);
            for (index, line) in wrap(what.trim_end(), room).iter().enumerate() {
                let time = if index == 0 { self.time(milestone.at()) } else { " ".repeat(TIME) };
                let _ = writeln!(text, "{time}{style}{line}{style:#}");
            }
        }
        text
    }

    /// When the stock alert would have fired, and its text.
    pub fn stock(&self, stock: Option<&Stock>, end: Time) -> String {
        let mut text = self.heading("The stock alert, KubePodCrashLooping");
        let Some(stock) = stock else {
            text.push_str(&self.paragraph("Never: no container was in CrashLoopBackOff."));
            return text;
        };
        text.push_str(&self.paragraph(&self.when_it_speaks(stock, end)));
        text.push_str(&self.paragraph(&format!(
            "It counts for {} containers, each by itself. What it says of the first:",
            stock.containers
        )));
        for line in wrap(&terminal(&stock.says, TEXT), self.look.width.saturating_sub(4)) {
            for line in fold(&line, self.look.width.saturating_sub(4)) {
                let _ = writeln!(text, "  | {line}");
            }
        }
        text
    }

    fn when_it_speaks(&self, stock: &Stock, end: Time) -> String {
        let offset = |at| offset(at, self.start);
        let since = offset(stock.since);
        if let Some(fired) = stock.fired {
            return format!("Speaks at {}: 15 minutes after the first CrashLoopBackOff at {since}.", offset(fired));
        }
        let not_yet = format!(
            "Not yet at the end of the recording, {}. Its 15 minutes, counted from the first CrashLoopBackOff \
             at {since}, are up at {}.",
            offset(end),
            offset(stock.due)
        );
        match (stock.lapses, stock.left) {
            (Some(lapses), Some(left)) if lapses < stock.due => format!(
                "{not_yet} As the loop ended before, it says nothing at all: no container is in CrashLoopBackOff \
                 after {}, and it looks back 5 minutes, until {}.",
                offset(left),
                offset(lapses)
            ),
            _ => not_yet,
        }
    }

    /// The findings as `kubectl get` lists them.
    pub fn findings(&self, at: Time, findings: &[Arc<Finding>]) -> String {
        let listing = Listing::of(findings.iter().map(AsRef::as_ref), at);
        let (how, lines) = if listing.width() <= self.look.width {
            ("", listing.lines())
        } else {
            (" (columns below one another)", listing.upright(self.look.width))
        };
        let heading = format!("At {}, as kubectl get findings -A prints it{how}", offset(at, self.start));
        lines.iter().fold(self.heading(&heading), |text, line| text + line + "\n")
    }

    /// Some lines of the metrics; long ones are broken after commas.
    pub fn metrics(&self, at: Time, findings: &[Arc<Finding>]) -> String {
        let heading = format!("At {}, from /metrics (long lines are broken here)", offset(at, self.start));
        let mut text = self.heading(&heading);
        let mut all = String::new();
        let _ = metrics::write(findings.iter().map(AsRef::as_ref), &mut all);
        let series = all.lines().filter(|line| !line.starts_with("# HELP"));
        for line in series {
            for (index, part) in at_commas(line, self.look.width.saturating_sub(2)).iter().enumerate() {
                let _ = writeln!(text, "{}{part}", if index == 0 { "" } else { "  " });
            }
        }
        text
    }

    /// What to try next.
    pub fn ending(&self) -> String {
        let what = "See it in a browser: probehound demo --html demo.html. Your own recording: probehound replay FILE. \
                    How to make one: the README.";
        format!("\n{}", self.paragraph(what))
    }

    fn note(&self, at: Time, what: &str) -> String {
        let bold = self.look.palette.headline;
        let room = self.look.width.saturating_sub(TIME + 2);
        let lines = wrap(&terminal(what, TEXT), room);
        let mut text = String::new();
        for (index, line) in lines.iter().enumerate() {
            let lead = if index == 0 { format!("{}> ", self.time(at)) } else { " ".repeat(TIME + 2) };
            let _ = writeln!(text, "{lead}{bold}{line}{bold:#}");
        }
        text
    }

    fn heading(&self, what: &str) -> String {
        let bold = self.look.palette.headline;
        let lines = wrap(what, self.look.width);
        lines.iter().fold("\n".to_owned(), |text, line| text + &format!("{bold}{line}{bold:#}\n"))
    }

    fn paragraph(&self, what: &str) -> String {
        wrap(&terminal(what, TEXT), self.look.width).iter().fold(String::new(), |text, line| text + line + "\n")
    }

    fn time(&self, at: Time) -> String {
        let faint = self.look.palette.faint;
        format!("{faint}{}{faint:#}", pad_right(&offset(at, self.start), TIME))
    }
}

/// The text broken after commas into lines of at most that many columns.
fn at_commas(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in text.split_inclusive(',') {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() || line.width() + part.width() <= columns {
            line.push_str(part);
        } else {
            lines.push(part.to_owned());
        }
    }
    lines.iter().flat_map(|line| fold(line, columns)).collect()
}
