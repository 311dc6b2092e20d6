//! Reports on standard error which lines of a recording could not be used, or only partly.

use std::io::{self, Write};

use crate::text::escape::{terminal, visible};

/// Maximum number of lines reported one by one; the rest is counted.
const MAX_SHOWN: u64 = 20;
/// Maximum length of a reason, in columns.
const REASON: usize = 200;

/// Counts and reports the lines of one file.
#[derive(Debug)]
pub struct Skipped<'a> {
    name: &'a str,
    count: u64,
    odd: u64,
}

impl<'a> Skipped<'a> {
    /// For the file of that name.
    pub const fn new(name: &'a str) -> Self {
        Self { name, count: 0, odd: 0 }
    }

    /// `FILE:LINE: why`, for the first ones.
    pub fn report(&mut self, line: u64, why: &str) {
        self.count += 1;
        if self.count <= MAX_SHOWN {
            self.say(&format!("{line}: {}", terminal(why, REASON)));
        }
    }

    /// `FILE:LINE: used without what is odd about it`, for the first ones.
    pub fn odd(&mut self, line: u64, why: &str) {
        self.odd += 1;
        if self.odd <= MAX_SHOWN {
            self.say(&format!("{line}: used without {}", terminal(why, REASON)));
        }
    }

    /// Prints the number of lines that were not reported.
    pub fn finish(&self) {
        if let Some(more) = self.odd.checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
            self.say(&format!(" and {more} more odd fields passed over"));
        }
        if let Some(more) = self.count.checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
            self.say(&format!(" and {more} more lines skipped"));
        }
    }

    fn say(&self, what: &str) {
        // A closed standard error must not end the replay.
        let _ = writeln!(io::stderr().lock(), "{}:{what}", visible(self.name));
    }
}
