//! Lines of bounded length.

use std::io::{self, BufRead, Read};

/// Maximum length of a line, in bytes; etcd refuses objects of 1.5 MiB.
pub const MAX_LINE: u64 = 8 << 20;

/// A line without its line break.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Its bytes.
    Bytes(&'a [u8]),
    /// It exceeds [`MAX_LINE`] and was skipped.
    TooLong,
}

/// Splits a stream into lines; never holds more than [`MAX_LINE`] of it.
#[derive(Debug)]
pub struct Lines<R> {
    stream: R,
    buffer: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `stream`.
    pub const fn new(stream: R) -> Self {
        Self { stream, buffer: Vec::new(), number: 0 }
    }

    /// The number of the last line read, from 1.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// Those of the stream.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let read = self.stream.by_ref().take(MAX_LINE).read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        } else if read as u64 == MAX_LINE {
            self.pass_over()?;
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(Line::Bytes(&self.buffer)))
    }

    /// Reads to the end of the line.
    fn pass_over(&mut self) -> io::Result<()> {
        loop {
            self.buffer.clear();
            self.buffer.shrink_to(1 << 20);
            let read = self.stream.by_ref().take(1 << 16).read_until(b'\n', &mut self.buffer)?;
            if read == 0 || self.buffer.last() == Some(&b'\n') {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_the_next_one_read() {
        let long = vec![b'x'; MAX_LINE as usize + 70_000];
        let text = [b"a\n".as_slice(), &long, b"\nb"].concat();
        let mut lines = Lines::new(text.as_slice());
        assert_eq!(lines.next_line().unwrap(), Some(Line::Bytes(b"a")));
        assert_eq!(lines.next_line().unwrap(), Some(Line::TooLong));
        assert_eq!(lines.next_line().unwrap(), Some(Line::Bytes(b"b")));
        assert_eq!(lines.number(), 3);
        assert_eq!(lines.next_line().unwrap(), None);
    }

    #[test]
    fn empty_lines_are_lines() {
        let mut lines = Lines::new(b"\n\na\n".as_slice());
        assert_eq!(lines.next_line().unwrap(), Some(Line::Bytes(b"")));
        assert_eq!(lines.next_line().unwrap(), Some(Line::Bytes(b"")));
        assert_eq!(lines.next_line().unwrap(), Some(Line::Bytes(b"a")));
        assert_eq!(lines.next_line().unwrap(), None);
    }
}
