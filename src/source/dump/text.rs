//! Text → the objects in it: JSON and YAML, one after another, with logs and other text in between.

use std::io::{self, BufRead};

use super::item::{self, resource_of_path};
use super::json::Json;
use super::piece::{MAX_ITEM, Piece};
use super::yaml::Yaml;
use super::{Found, Input, Place, Sink, Trouble, trouble};
use crate::text::cut;

/// Maximum length of a line's beginning used to classify it, in bytes.
const LOOK: usize = 512;

/// How `kubectl cluster-info dump` frames the log of a container.
const LOG_BEGINS: &str = "==== START logs for container ";
const LOG_ENDS: &str = "==== END logs for container ";

/// Reads all of it, whatever it is.
pub fn read(name: &str, input: Input<'_>, sink: &mut dyn Sink) {
    let place = Place { file: name.to_owned(), line: 0 };
    let mut text =
        Text { place, hint: resource_of_path(name), sink, found: 0, line: 0, strange: None, mode: Mode::Between };
    let outcome = text.run(input);
    text.finish(outcome);
}

struct Text<'a> {
    place: Place,
    hint: Option<&'static str>,
    sink: &'a mut dyn Sink,
    /// Number of objects, and of pieces that should have been one.
    found: u64,
    /// Number of lines read.
    line: u64,
    /// The first line that is not part of an object, classified.
    strange: Option<Trouble>,
    mode: Mode,
}

enum Mode {
    Between,
    Json(Box<Json>),
    Yaml(Box<Yaml>),
    /// In a log, up to the line that ends it.
    Log(String),
}

impl Text<'_> {
    fn run(&mut self, mut input: Input<'_>) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            if let Mode::Json(json) = &mut self.mode {
                let buffer = input.fill_buf()?;
                if buffer.is_empty() {
                    return Ok(());
                }
                let (place, hint, sink, found) = (&self.place, self.hint, &mut *self.sink, &mut self.found);
                let (used, ended) = json.feed(buffer, &mut |piece| *found += told(place, hint, piece, sink));
                input.consume(used);
                if ended {
                    self.line = json.line() - 1;
                    self.mode = Mode::Between;
                }
                continue;
            }
            if matches!(self.mode, Mode::Between) && self.begins_json(&mut input)? {
                continue;
            }
            line.clear();
            let read = next_line(&mut input, &mut line)?;
            if read == 0 {
                return Ok(());
            }
            self.line += 1;
            self.take(&line);
        }
    }

    /// Skips what precedes the next value; returns whether it is JSON.
    fn begins_json(&mut self, input: &mut Input<'_>) -> io::Result<bool> {
        loop {
            let buffer = input.fill_buf()?;
            match buffer.first() {
                Some(b'{' | b'[') => {
                    self.mode = Mode::Json(Box::new(Json::new(self.line + 1)));
                    return Ok(true);
                }
                Some(b'\n') => self.line += 1,
                // A byte order mark, and separators between values.
                Some(b'\r' | b'\t' | b',' | b']' | 0xef | 0xbb | 0xbf | 0) => {}
                // An indented line of YAML keeps its indentation.
                Some(b' ') if self.found > 0 => {}
                _ => return Ok(false),
            }
            input.consume(1);
        }
    }

    /// Takes in a line that is not JSON, including its end.
    fn take(&mut self, line: &[u8]) {
        let whole = line.ends_with(b"\n");
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (place, hint, sink, found) = (&self.place, self.hint, &mut *self.sink, &mut self.found);
        let mut on = |piece: &Piece<'_>| *found += told(place, hint, piece, sink);
        match &mut self.mode {
            Mode::Yaml(yaml) => {
                yaml.feed(line, &mut on);
                if !whole {
                    let what = Trouble::Cut("its last line does not end".to_owned());
                    sink.take(&Place { line: self.line, ..place.clone() }, Found::Trouble(what));
                }
            }
            Mode::Log(end) => {
                if line == end.as_bytes() {
                    self.mode = Mode::Between;
                }
            }
            Mode::Between | Mode::Json(_) => self.strange(line, whole),
        }
    }

    /// A line between objects.
    fn strange(&mut self, line: &[u8], whole: bool) {
        if Yaml::begins(line) && self.found == 0 {
            let mut yaml = Yaml::new(self.line - 1);
            yaml.feed(line, &mut |_| {});
            self.mode = Mode::Yaml(Box::new(yaml));
            return;
        }
        let head = String::from_utf8_lossy(&line[..line.len().min(LOOK)]);
        if let Some(of) = head.strip_prefix(LOG_BEGINS) {
            self.mode = Mode::Log(format!("{LOG_ENDS}{of}"));
            return;
        }
        let what = kind_of_text(&head);
        match (&mut self.strange, what) {
            (Some(Trouble::Described(run)), _) => {
                if let Some(namespace) = field(&head, "Namespace:").filter(|_| !run.contains(" -n ")) {
                    *run = run.replace("kubectl get", &format!("kubectl -n {namespace} get"));
                }
            }
            (None, Some(what)) => self.strange = Some(what),
            (None, None) if self.found > 0 && !whole => {
                self.strange = Some(Trouble::Cut("its last line does not end".to_owned()));
            }
            _ => {}
        }
    }

    fn finish(mut self, outcome: io::Result<()>) {
        let mode = std::mem::replace(&mut self.mode, Mode::Between);
        let cut = match &mode {
            Mode::Json(json) => Some(json.unfinished().map_or_else(
                || "in the middle of a list".to_owned(),
                |(line, kind)| match kind {
                    "" => format!("in the object that begins on line {line}"),
                    kind => format!("in the {} that begins on line {line}", cut(kind, 63)),
                },
            )),
            Mode::Log(_) => Some("in the middle of a log".to_owned()),
            Mode::Between | Mode::Yaml(_) => None,
        };
        if let Mode::Yaml(mut yaml) = mode {
            let (place, hint, sink, found) = (&self.place, self.hint, &mut *self.sink, &mut self.found);
            let is_whole = yaml.finish(&mut |piece| *found += told(place, hint, piece, sink));
            self.line = yaml.number();
            if !is_whole && outcome.is_ok() {
                self.tell(Trouble::Cut("the list has no end".to_owned()));
            }
        }
        match (outcome, cut) {
            (Err(error), _) => self.tell(trouble(&error)),
            (Ok(()), Some(what)) => self.tell(Trouble::Cut(what)),
            (Ok(()), None) => {}
        }
        match self.strange.take() {
            Some(strange) if self.found == 0 || strange.loses_objects() => self.tell(strange),
            None if self.found == 0 => self.tell(Trouble::NoObjects),
            _ => {}
        }
    }

    fn tell(&mut self, trouble: Trouble) {
        self.sink.take(&self.place, Found::Trouble(trouble));
    }
}

/// Passes on a piece; returns 1 if it is, or should be, an object.
fn told(place: &Place, hint: Option<&'static str>, piece: &Piece<'_>, sink: &mut dyn Sink) -> u64 {
    let found = item::read(piece, hint, sink);
    let counts = !matches!(found, Found::Foreign) || !piece.kind.is_empty();
    sink.take(&Place { line: piece.line, ..place.clone() }, found);
    u64::from(counts)
}

/// A line of bounded length, including its end; the excess is dropped.
fn next_line(input: &mut Input<'_>, line: &mut Vec<u8>) -> io::Result<usize> {
    let read = io::Read::take(&mut *input, MAX_ITEM as u64).read_until(b'\n', line)?;
    if read == MAX_ITEM && !line.ends_with(b"\n") {
        loop {
            let buffer = input.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |end| end + 1);
            input.consume(used);
            if end.is_some() || used == 0 {
                break;
            }
        }
        line.push(b'\n');
    }
    Ok(read)
}

/// Classifies a line that people mistake for a dump.
fn kind_of_text(line: &str) -> Option<Trouble> {
    if let Some(name) = field(line, "Name:") {
        let run = format!("kubectl get pod {name} -o json, and kubectl get events -o json");
        return Some(Trouble::Described(run));
    }
    let columns: Vec<&str> = line.split_whitespace().take(4).collect();
    let is_table = matches!(
        columns.as_slice(),
        ["NAMESPACE", "NAME" | "LAST", ..]
            | ["NAME", "READY" | "DESIRED" | "STATUS", ..]
            | ["LAST", "SEEN", "TYPE", ..]
    );
    is_table.then_some(Trouble::Table)
}

/// The value of a field of `kubectl describe`, if it can be a name.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let value = line.strip_prefix(name)?.trim();
    let is_name = !value.is_empty()
        && value.len() <= 253
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
        && value.as_bytes()[0].is_ascii_alphanumeric();
    is_name.then_some(value)
}
