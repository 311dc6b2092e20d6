//! Notes on standard error about the parts of an input that could not be used.

use std::io::{self, Write as _};

use crate::source::dump::{Place, Trouble};
use crate::text::escape::{terminal, visible};

/// Maximum number of troubles printed one by one; the rest is counted.
const MAX_NOTES: usize = 20;
/// Maximum number of files without objects that are named.
const NAMED: usize = 3;
/// Maximum length of a trouble, in columns.
const REASON: usize = 400;

/// What could not be used.
#[derive(Debug, Default)]
pub struct Complaints {
    notified: usize,
    more: usize,
    empty: Vec<String>,
    empties: usize,
    lossy: bool,
}

impl Complaints {
    /// Prints one, if it is among the first.
    pub fn tell(&mut self, place: &Place, trouble: &Trouble) {
        self.lossy |= trouble.loses_objects();
        if *trouble == Trouble::NoObjects {
            self.empties += 1;
            if self.empty.len() < NAMED {
                self.empty.push(visible(&place.file));
            }
            return;
        }
        self.say(&visible(&place.to_string()), &trouble.to_string());
    }

    /// Prints what is odd about an object that is used, or that it cannot be used.
    pub fn odd(&mut self, place: &Place, what: &str) {
        self.say(&visible(&place.to_string()), what);
    }

    /// An object cannot be used at all.
    #[cfg(feature = "operator")]
    pub fn lost(&mut self, place: &Place, what: &str) {
        self.lossy = true;
        self.odd(place, what);
    }

    /// Prints the count of the others.
    pub fn finish(&self) {
        if self.more > 0 {
            let _ = writeln!(io::stderr().lock(), "and {} more that could not be used", self.more);
        }
        if self.empties > 0 {
            let more = if self.empties > self.empty.len() { ", …" } else { "" };
            let names = self.empty.join(", ");
            let _ = writeln!(
                io::stderr().lock(),
                "{} without Kubernetes objects passed over: {names}{more}",
                files(self.empties)
            );
        }
    }

    /// Whether objects may be missing.
    pub const fn lossy(&self) -> bool {
        self.lossy
    }

    fn say(&mut self, place: &str, what: &str) {
        if self.notified == MAX_NOTES {
            self.more += 1;
            return;
        }
        self.notified += 1;
        // A closed standard error must not end the scan.
        let _ = writeln!(io::stderr().lock(), "{place}: {}", terminal(what, REASON));
    }
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}
