//! Dumps: whatever people have collected from a broken cluster.
//!
//! kubectl's JSON and YAML, folders and archives of must-gather, `oc adm inspect` and support
//! bundles, `kubectl cluster-info dump`; recognised by content, read an object at a time.
//!
//! Invariants:
//! - **Bounded**: no more than [`MAX_ITEM`] bytes of an object, and no more than [`MAX_NESTED`] objects
//!   that hold one another, are in memory at once, whatever the size of the input.
//! - **Total**: what cannot be used is reported with its place, and affects nothing else.
//! - **Never whole by mistake**: an input that ends in the middle of something is reported as cut off.

mod archive;
mod folder;
mod item;
mod json;
mod names;
mod piece;
mod stream;
mod text;
mod utf16;
mod yaml;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead};
use std::path::Path;

use crate::source::recording::Object;
pub(super) use names::{MAX_DEPTH, sorted};
pub use piece::{MAX_ITEM, MAX_NESTED};
pub use stream::{Form, Opened};

/// A place in the input.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The file, as its path relative to the input.
    pub file: String,
    /// The line on which it begins, from 1; 0 for the file as a whole.
    pub line: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// Something found in a dump.
#[derive(Debug)]
pub enum Found {
    /// An object of a supported kind.
    Object(Object),
    /// An object of another kind.
    Foreign,
    /// Something that cannot be used.
    Trouble(Trouble),
}

/// Why something of a dump cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Trouble {
    /// An object is not what its kind requires, or not an object.
    #[error("{0}")]
    Broken(String),
    /// The input ends in the middle of something.
    #[error("it is cut off: {0}")]
    Cut(String),
    /// The system or the decoder failed.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// A file that holds no objects.
    #[error("it holds no Kubernetes objects")]
    NoObjects,
    /// A recording among other files.
    #[error("it is a recording; scan it by itself, or see what happened with: probehound replay {0}")]
    Recording(String),
    /// An archive in an unsupported format.
    #[error("it is {0}, which is not read; unpack it, and name the folder")]
    Packed(&'static str),
    /// Output of `kubectl describe`; the command to run instead.
    #[error("it is text of kubectl describe, which leaves out what is needed; run: {0}")]
    Described(String),
    /// A table of `kubectl get`.
    #[error("it is a table of kubectl get; add -o json to that command")]
    Table,
}

impl Trouble {
    /// Whether objects of the input may be missing.
    pub const fn loses_objects(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::Cut(_) | Self::Unreadable(_))
    }
}

/// Receives what is found, in order.
pub trait Sink {
    /// Something was found.
    fn take(&mut self, place: &Place, found: Found);

    /// The JSON of an object of a resource in the form in which it is decoded: as it is, unless said
    /// otherwise; `None` if it is passed over.
    ///
    /// # Errors
    /// It is not JSON.
    fn form<'t>(&mut self, _resource: &str, text: &'t str) -> serde_json::Result<Option<Cow<'t, str>>> {
        Ok(Some(Cow::Borrowed(text)))
    }
}

impl<F: FnMut(&Place, Found)> Sink for F {
    fn take(&mut self, place: &Place, found: Found) {
        self(place, found);
    }
}

/// Reads a folder and its subfolders; links are not followed.
///
/// # Errors
/// The folder itself cannot be listed.
pub fn read_folder(folder: &Path, sink: &mut dyn Sink) -> io::Result<()> {
    folder::read(folder, sink)
}

/// Reads a stream that was [opened](Opened::new) under that name.
pub fn read(name: &str, opened: Opened<'_>, sink: &mut dyn Sink) {
    archive::read(name, opened, 0, sink);
}

/// Takes the reader of a stream of text.
type Input<'a> = Box<dyn BufRead + 'a>;

/// Classifies a read error.
fn trouble(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Trouble::Cut("it ends before its end".to_owned()),
        io::ErrorKind::NotFound => Trouble::Unreadable("there is no such file".to_owned()),
        io::ErrorKind::PermissionDenied => Trouble::Unreadable("you may not read it".to_owned()),
        _ => Trouble::Unreadable(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
