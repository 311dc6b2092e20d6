//! UTF-16 → UTF-8: the encoding written by `>` in Windows PowerShell 5.

use std::io::{self, BufRead, Read};

use super::Input;

/// Reads little-endian UTF-16 as UTF-8; invalid units become U+FFFD.
pub struct Utf16<'a> {
    input: Input<'a>,
    /// A high surrogate that waits for its low one.
    high: Option<u16>,
    /// UTF-8 that did not fit into the last buffer.
    rest: Vec<u8>,
    given: usize,
}

impl<'a> Utf16<'a> {
    /// Reads `input`, with or without a byte order mark.
    pub const fn new(input: Input<'a>) -> Self {
        Self { input, high: None, rest: Vec::new(), given: 0 }
    }

    /// Decodes what the input has ready.
    fn refill(&mut self) -> io::Result<()> {
        self.rest.clear();
        self.given = 0;
        let mut half = [0; 2];
        while self.rest.is_empty() || self.rest.len() < 4096 && self.input.fill_buf()?.len() >= 2 {
            match self.input.read_exact(&mut half) {
                Ok(()) => self.unit(u16::from_le_bytes(half)),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn unit(&mut self, unit: u16) {
        let units = [self.high.take(), Some(unit)];
        if units[0].is_none() && (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
            return;
        }
        for character in char::decode_utf16(units.into_iter().flatten()) {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.rest.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

impl Read for Utf16<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.rest.len() {
            self.refill()?;
        }
        let taken = (self.rest.len() - self.given).min(buffer.len());
        buffer[..taken].copy_from_slice(&self.rest[self.given..self.given + taken]);
        self.given += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_any_characters_is_read() {
        let text = "{\"größer\": \"健康 \u{1f600}\"}".repeat(1000);
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut read = String::new();
        Utf16::new(Box::new(bytes.as_slice())).read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
    }
}
