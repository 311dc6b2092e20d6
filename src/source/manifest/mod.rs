//! Manifests: what people write or render for `kubectl apply`, with the place of every value.
//!
//! YAML of several documents and JSON, from files, folders and streams.
//!
//! Invariants:
//! - **Total**: a document that cannot be read is reported with its place, and affects no other one.
//! - **Bounded**: no more than [`MAX_TEXT`] bytes of a file, and no more values than a text of that
//!   length can hold without its aliases.

mod documents;
mod folder;
mod node;
mod tree;

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

pub use documents::Document;
pub use node::{At, Entry, Node, Value};

use super::Observer;
use super::dump::{Form, Opened, Place, Trouble};
use super::objects::PodTemplateLite;
use crate::template::PodTemplate;

/// Maximum length of a file that is read, in bytes.
pub const MAX_TEXT: u64 = 64 << 20;

/// Something found in the input.
#[derive(Debug)]
pub enum Found {
    /// A document.
    Document(Document),
    /// Something that is not a manifest, and why.
    Other(String),
    /// What cannot be used.
    Trouble(Trouble),
}

/// Receives what is found, in order.
pub type Sink<'a> = dyn FnMut(&Place, Found) + 'a;

/// Reads the manifests of a folder and its subfolders; links are not followed.
///
/// # Errors
/// The folder itself cannot be listed.
pub fn read_folder(folder: &Path, sink: &mut Sink<'_>) -> io::Result<()> {
    folder::read(folder, sink)
}

/// Reads a stream of that name to its end.
pub fn read(name: &str, input: impl Read, sink: &mut Sink<'_>) {
    let place = |line| Place { file: name.to_owned(), line };
    match text(input) {
        Err(trouble) => sink(&place(0), Found::Trouble(trouble)),
        Ok(text) => documents::read(name, &text, sink),
    }
}

/// All of a stream as text without a byte order mark.
fn text(input: impl Read) -> Result<String, Trouble> {
    let mut opened = Opened::new(input);
    match opened.form {
        Form::Packed(how) => return Err(Trouble::Broken(format!("it is {how}, which is not read; unpack it"))),
        Form::Tar => return Err(Trouble::Broken("it is a tar archive, which is not read; unpack it".to_owned())),
        Form::Recording | Form::Objects | Form::Text => {}
    }
    let mut bytes = Vec::new();
    let read = opened.reader.by_ref().take(MAX_TEXT + 1).read_to_end(&mut bytes);
    read.map_err(|error| Trouble::Unreadable(error.to_string()))?;
    if bytes.len() as u64 > MAX_TEXT {
        return Err(Trouble::Broken(format!("it is longer than {} MiB", MAX_TEXT >> 20)));
    }
    let text = String::from_utf8(bytes).map_err(|_| Trouble::Broken("it is not UTF-8".to_owned()))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// The container specifications in a pod template, in the engine's form; `None` if it has no containers.
pub fn template(node: &Node) -> Option<Arc<PodTemplate>> {
    let lite: PodTemplateLite = serde_json::from_value(json(node)).ok()?;
    Observer::new().template(&lite, None).ok()
}

fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => (*number).into(),
        Value::Text(text) | Value::Odd(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), json(&entry.node))).collect(),
    }
}
