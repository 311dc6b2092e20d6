//! `replay`: recordings through the engine, a file at a time.

mod narrator;
mod pace;
mod progress;
mod skipped;

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

pub use pace::Speed;

use super::args::{Color, Replay};
use super::error::Error;
use super::quiet_when_closed;
use crate::engine::{Change, Finding};
use crate::report::text::{Look, Palette};
use crate::time::Time;
use narrator::{Narrator, Setting};
use progress::{Counted, Progress};

/// Columns where standard output is no terminal and `COLUMNS` does not say otherwise.
const WIDTH: usize = 80;

/// Replays each file; one that cannot be read does not keep the others from being replayed.
pub fn run(args: &Replay, color: Color) -> Result<(), Error> {
    let stdout = io::stdout();
    let setting = Setting {
        output: args.output,
        speed: args.speed,
        look: look(&stdout, color),
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
            Err(Error::Files {
                failed,
                total: args.files.len(),
            })
        }
    }
}

fn one(path: &Path, setting: Setting, out: &mut impl Write) -> Result<(), Error> {
    let name = path.display().to_string();
    let (input, size) = open(path).map_err(|cause| Error::Open {
        file: name.clone(),
        cause,
    })?;
    let progress = Rc::new(Progress::new(size.filter(|_| setting.speed == Speed::Max)));
    let mut narrator = Narrator::new(&name, setting, Rc::clone(&progress), out);
    let replayed = drive(Counted::new(input, Rc::clone(&progress)), &mut narrator);
    narrator.finish(&replayed).map_err(Error::Write)?;
    match replayed.failure {
        None => Ok(()),
        Some(cause) => Err(Error::Read { file: name, cause }),
    }
}

/// What a path names, and how long it is where that is known; `-` is standard input.
fn open(path: &Path) -> io::Result<(Box<dyn Read>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), None));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok((Box::new(file), metadata.is_file().then_some(metadata.len())))
}

/// How wide, and whether coloured, standard output is.
fn look(stdout: &io::Stdout, color: Color) -> Look {
    let coloured = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => anstream::AutoStream::choice(stdout) != anstream::ColorChoice::Never,
    };
    let terminal = terminal_size::terminal_size_of(stdout).map(|(width, _)| usize::from(width.0));
    let asked = || std::env::var("COLUMNS").ok()?.parse().ok();
    Look {
        width: terminal.or_else(asked).unwrap_or(WIDTH).clamp(40, 1000),
        palette: if coloured { Palette::COLOURED } else { Palette::PLAIN },
    }
}

// SEAM: everything below stands in for `crate::replay` until it is merged. The rest of the command
// needs no more than this: a driver that calls a `Listener` and returns a `Replayed`.

/// Hears what happens while a recording is driven through the engine, in order.
pub trait Listener {
    /// Time has come to `at`: once per line, before what the line brings.
    fn reached(&mut self, at: Time);
    /// The engine has something to say.
    fn changed(&mut self, change: &Change);
    /// A line, counted from 1, cannot be used, and why.
    fn skipped(&mut self, line: u64, why: &str);
}

/// What a recording gave.
#[derive(Debug, Default)]
pub struct Replayed {
    /// All findings, in the engine's order.
    pub findings: Vec<Arc<Finding>>,
    /// Lines taken in.
    pub observations: u64,
    /// Lines left out.
    pub skipped: u64,
    /// Why the recording could not be read to its end.
    pub failure: Option<io::Error>,
}

fn drive(input: impl Read, listener: &mut impl Listener) -> Replayed {
    use std::io::{BufRead, BufReader};

    let mut input = BufReader::new(input);
    let gzipped = matches!(input.fill_buf(), Ok([0x1f, 0x8b, ..]));
    let lines: Box<dyn BufRead> = if gzipped {
        Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(input)))
    } else {
        Box::new(input)
    };
    let mut engine = crate::engine::Engine::default();
    let mut replayed = Replayed::default();
    for (number, line) in (1..).zip(lines.split(b'\n')) {
        let parsed = match line {
            Ok(line) => serde_json::from_slice::<serde_json::Value>(&line),
            Err(failure) => {
                replayed.failure = Some(failure);
                break;
            }
        };
        match parsed.map(|line| line.get("ts").and_then(|ts| Time::parse(ts.as_str()?).ok())) {
            Ok(Some(at)) => {
                replayed.observations += 1;
                listener.reached(at);
                engine.tick(at);
                engine.take_changes().iter().for_each(|change| listener.changed(change));
            }
            Ok(None) => {
                replayed.skipped += 1;
                listener.skipped(number, "no ts");
            }
            Err(why) => {
                replayed.skipped += 1;
                listener.skipped(number, &why.to_string());
            }
        }
    }
    replayed.findings = engine.findings();
    replayed
}
