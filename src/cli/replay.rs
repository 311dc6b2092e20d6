//! `replay`: replays recordings, one file at a time.

mod narrator;
mod progress;
mod skipped;

use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::args::{Color, Replay};
use super::error::Error;
use super::pace::Speed;
use super::{quiet_when_closed, recording, terminal};
use crate::engine::{Engine, Finding};
use crate::replay::{self, Moment, Replayed};
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
    let mut failures = Vec::new();
    for file in &args.files {
        match one(file, setting, &mut out) {
            Ok(()) => {}
            Err(Error::Write(error)) => return quiet_when_closed(Err(error)),
            Err(error) => failures.push(error),
        }
    }
    quiet_when_closed(out.flush())?;
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

fn one(path: &Path, setting: Setting, out: &mut impl Write) -> Result<(), Error> {
    let name = path.display().to_string();
    let (input, size) = recording::open(path)?;
    let progress = Rc::new(Progress::new(size.filter(|_| setting.speed == Speed::Max)));
    let mut narrator = Narrator::new(&name, setting, Rc::clone(&progress), out);
    let lines = recording::unpack(&name, Counted::new(input, Rc::clone(&progress)))?;
    let outcome = drive(lines, &mut narrator);
    narrator.finish(&outcome).map_err(Error::Write)?;
    recording::verdict(&name, outcome.replayed)
}

/// Replays a recording with a new engine, and passes what happens to the narrator.
fn drive(input: impl Read, narrator: &mut Narrator<impl Write>) -> Outcome {
    let mut engine = Engine::default();
    let replayed = replay::replay(input, &mut engine, |moment| match moment {
        Moment::Record(progress) => narrator.reached(progress.record.at),
        Moment::Answer(_) => {}
        Moment::Change(change) => narrator.changed(&change),
        Moment::Skipped(skipped) => narrator.skipped(skipped.line, &skipped.what),
        Moment::Odd(odd) => narrator.odd(odd.line, &odd.what),
    });
    Outcome { findings: engine.findings(), replayed }
}

/// The result of a recording.
#[derive(Debug)]
pub struct Outcome {
    /// All findings, in the engine's order.
    pub findings: Vec<Arc<Finding>>,
    /// Counts of what was read.
    pub replayed: Replayed,
}
