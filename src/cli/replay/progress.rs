//! How much of a long file has been read, on standard error.

use std::cell::Cell;
use std::io::{self, IsTerminal, Read, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Smaller files are done before a bar could be read.
const LONG: u64 = 1 << 20;
/// Time between two redraws, and before the first.
const BETWEEN: Duration = Duration::from_millis(200);
/// Width of the bar itself, in columns.
const WIDTH: usize = 30;

/// A bar on one line, drawn only where standard error is a terminal and the file is long.
#[derive(Debug)]
pub struct Progress {
    total: Option<u64>,
    read: Cell<u64>,
    drawn: Cell<Instant>,
    shown: Cell<usize>,
}

impl Progress {
    /// For a file of that many bytes; `None` draws nothing.
    pub fn new(total: Option<u64>) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let possible = !dumb && io::stderr().is_terminal();
        Self {
            total: total.filter(|total| possible && *total >= LONG),
            read: Cell::new(0),
            drawn: Cell::new(now()),
            shown: Cell::new(0),
        }
    }

    /// Removes the bar, so that something else can be printed.
    pub fn clear(&self) {
        let shown = self.shown.replace(0);
        if shown > 0 {
            draw(&format!("\r{:shown$}\r", ""));
        }
    }

    fn advance(&self, bytes: usize) {
        let Some(total) = self.total else { return };
        self.read.set(self.read.get().saturating_add(bytes as u64));
        if now().duration_since(self.drawn.get()) < BETWEEN {
            return;
        }
        self.drawn.set(now());
        let line = bar(self.read.get(), total);
        self.shown.set(line.len());
        draw(&format!("\r{line}"));
    }
}

#[expect(clippy::disallowed_methods, reason = "an edge: a bar is drawn a few times a second")]
fn now() -> Instant {
    Instant::now()
}

fn draw(text: &str) {
    let mut err = io::stderr().lock();
    // Failing to draw a bar is no reason to stop.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// `reading [#########---------------------]  30%`
fn bar(read: u64, total: u64) -> String {
    let percent = (read.saturating_mul(100) / total.max(1)).min(100) as usize;
    let full = WIDTH * percent / 100;
    format!("reading [{}{}] {percent:3}%", "#".repeat(full), "-".repeat(WIDTH - full))
}

/// Reads, and advances the bar.
pub struct Counted<R> {
    inner: R,
    progress: Rc<Progress>,
}

impl<R> Counted<R> {
    /// Counts the bytes read from `inner`.
    pub const fn new(inner: R, progress: Rc<Progress>) -> Self {
        Self { inner, progress }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.progress.advance(bytes);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_never_leaves_its_columns() {
        assert_eq!(bar(30, 100), "reading [#########---------------------]  30%");
        assert_eq!(bar(u64::MAX, 1).len(), bar(0, 0).len());
    }
}
