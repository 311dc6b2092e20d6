//! A recording with other names, line by line.

use std::io::{self, BufRead, Read};

use serde_json::{Value, json};

use super::{Redactor, Resource};
use crate::source::recording::WATCH_LOST;
use crate::source::recording::lines::{Line, Lines};

/// Reads a recording as it would have been recorded with anonymous names.
///
/// A line that is not a record, or of a resource that is never recorded, becomes one that holds nothing of
/// it.
#[derive(Debug)]
pub struct Anonymous<R> {
    lines: Lines<R>,
    redactor: Redactor,
    line: Vec<u8>,
    taken: usize,
}

impl<R: BufRead> Anonymous<R> {
    /// The recording `lines` with the names of `redactor`.
    pub const fn new(lines: R, redactor: Redactor) -> Self {
        Self { lines: Lines::new(lines), redactor, line: Vec::new(), taken: 0 }
    }

    fn advance(&mut self) -> io::Result<()> {
        let line = match self.lines.next_line()? {
            None => return Ok(()),
            Some(Line::TooLong) => Value::Null,
            Some(Line::Bytes(bytes)) => serde_json::from_slice(bytes).unwrap_or_default(),
        };
        self.line = redacted(&line, &mut self.redactor).to_string().into_bytes();
        self.line.push(b'\n');
        self.taken = 0;
        Ok(())
    }
}

impl<R: BufRead> Read for Anonymous<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.line.len() {
            self.line.clear();
            self.taken = 0;
            self.advance()?;
        }
        let read = self.line[self.taken..].as_ref().read(buffer)?;
        self.taken += read;
        Ok(read)
    }
}

fn redacted(line: &Value, redactor: &mut Redactor) -> Value {
    let resource = Resource::ALL.into_iter().find(|resource| line["resource"] == resource.plural());
    let object = match resource {
        // It names nothing but what happened to the watch.
        _ if line["type"] == "BOOKMARK" => json!({"metadata": {"annotations": annotations(&line["object"])}}),
        Some(resource) => redactor.redact(resource, &line["object"]),
        None => json!({}),
    };
    json!({"ts": line["ts"], "resource": line["resource"], "type": line["type"], "object": object})
}

/// The one annotation that a recorder itself writes.
fn annotations(object: &Value) -> Value {
    match object["metadata"]["annotations"].get(WATCH_LOST) {
        Some(_) => json!({WATCH_LOST: ""}),
        None => json!({}),
    }
}
