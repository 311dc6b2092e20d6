//! `replay`: replays recordings, one file at a time.

mod narrator;
mod progress;
mod skipped;

use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::args::{Color, Output, Replay};
use super::error::Error;
use super::incidents::Incidents;
use super::pace::Speed;
use super::{html, quiet_when_closed, recording, terminal};
use crate::engine::{Chronicled, Engine, Finding};
use crate::replay::{self, Moment, Replayed};
use crate::report::case::Case;
use crate::report::html::Report;
use crate::time::Time;
use narrator::{Narrator, Setting};
use progress::{Counted, Progress};
#[cfg(feature = "operator")]
pub use skipped::Skipped;

/// Replays each file; one that cannot be read does not prevent the others.
pub fn run(args: &Replay, color: Color) -> Result<(), Error> {
    let stdout = io::stdout();
    let setting = Setting {
        output: args.output,
        explain: args.explain,
        speed: args.speed,
        look: terminal::look(&stdout, color),
        flush: stdout.is_terminal() || args.speed != Speed::Max,
        headings: args.files.len() > 1,
    };
    let mut out = BufWriter::new(stdout.lock());
    let (mut failures, mut reported) = (Vec::new(), Reported::default());
    for file in &args.files {
        match one(file, args, setting, &mut reported, &mut out) {
            Ok(()) => {}
            Err(Error::Write(error)) => return quiet_when_closed(Err(error)),
            Err(error) => failures.push(error),
        }
    }
    quiet_when_closed(out.flush())?;
    drop(out);
    if let Some(file) = &args.html {
        #[cfg(feature = "operator")]
        let is_anonymous = args.anonymize;
        #[cfg(not(feature = "operator"))]
        let is_anonymous = false;
        reported.write(file, &html::source(&args.files, is_anonymous))?;
    }
    let failed = failures.len();
    match failures.pop() {
        None => Ok(()),
        Some(only) if args.files.len() == 1 => Err(only),
        Some(last) => {
            failures.iter().chain([&last]).for_each(Error::report);
            Err(Error::Files { failed, total: args.files.len() })
        }
    }
}

/// The findings of all files, for a report.
#[derive(Debug, Default)]
struct Reported {
    cases: Vec<Case>,
    end: Time,
}

impl Reported {
    fn write(&self, file: &Path, source: &str) -> Result<(), Error> {
        html::write(file, &Report { source, at: self.end, cases: &self.cases, notes: &[] })
    }
}

fn one(
    path: &Path,
    args: &Replay,
    setting: Setting,
    reported: &mut Reported,
    out: &mut impl Write,
) -> Result<(), Error> {
    let name = path.display().to_string();
    let (input, size) = recording::open(path)?;
    let progress = Rc::new(Progress::new(size.filter(|_| setting.speed == Speed::Max)));
    let mut narrator = Narrator::new(&name, setting, Rc::clone(&progress), out);
    let lines = recording::unpack(&name, Counted::new(input, Rc::clone(&progress)))?;
    #[cfg(feature = "operator")]
    let lines = if args.anonymize { recording::anonymous(lines)? } else { lines };
    let wants_cases = args.html.is_some() || args.output == Output::Markdown;
    let outcome = drive(lines, wants_cases, &mut narrator);
    narrator.finish(&outcome).map_err(Error::Write)?;
    reported.end = reported.end.max(outcome.replayed.last.unwrap_or_default());
    reported.cases.extend(outcome.cases);
    recording::verdict(&name, outcome.replayed)
}

/// Replays a recording with a new engine, and passes what happens to the narrator.
fn drive(input: impl Read, wants_cases: bool, narrator: &mut Narrator<impl Write>) -> Outcome {
    let mut engine = Engine::default();
    let mut incidents = wants_cases.then(Incidents::default);
    if wants_cases {
        engine.keep_chronicle(Chronicled::All);
    }
    let replayed = replay::replay(input, &mut engine, |moment| match moment {
        Moment::Record(progress) => {
            if let Some(incidents) = &mut incidents {
                incidents.advance(progress.record.at);
            }
            narrator.reached(progress.record.at);
        }
        Moment::Answer(_) => {}
        Moment::Change(change) => {
            if let Some(incidents) = &mut incidents {
                incidents.change(&change);
            }
            narrator.changed(&change);
        }
        Moment::Skipped(skipped) => narrator.skipped(skipped.line, &skipped.what),
        Moment::Odd(odd) => narrator.odd(odd.line, &odd.what),
    });
    let cases = incidents.map(|incidents| incidents.of(&engine)).unwrap_or_default();
    Outcome { findings: engine.findings(), cases, replayed }
}

/// The result of a recording.
#[derive(Debug)]
pub struct Outcome {
    /// All findings, in the engine's order.
    pub findings: Vec<Arc<Finding>>,
    /// The confirmed ones with their incidents, worst first, if they are wanted.
    pub cases: Vec<Case>,
    /// Counts of what was read.
    pub replayed: Replayed,
}
