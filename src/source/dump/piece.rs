//! The text of one object, cut out of what holds it.

/// Longest text of an object that is read, in bytes; etcd refuses objects of 1.5 MiB.
pub const MAX_ITEM: usize = 8 << 20;

/// Most objects that hold one another: a list in a list of lists.
pub const MAX_NESTED: usize = 4;

/// Longest kind or `apiVersion`, in bytes.
pub const MAX_WORD: usize = 256;

/// An object's text, and what is known of it without reading it.
#[derive(Debug)]
pub struct Piece<'a> {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Its text.
    pub text: &'a [u8],
    /// How it is written.
    pub syntax: Syntax,
    /// `kind`, its own or by the list that holds it; empty where neither says.
    pub kind: &'a str,
    /// `apiVersion`, likewise.
    pub api_version: &'a str,
    /// Whether the text is all of it.
    pub extent: Extent,
}

/// How an object is written.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Syntax {
    /// JSON.
    Json,
    /// A YAML document.
    Yaml,
}

/// How much of an object there is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All of it, as far as its brackets tell.
    Whole,
    /// Nothing: it is longer than [`MAX_ITEM`].
    TooLong,
    /// Its brackets do not match.
    Unbalanced,
    /// It is the last one of a YAML input, which may end anywhere.
    Last,
}

/// The kind of the items of a list: `Pod` of a `PodList`; empty for a `List`.
pub fn of_items(kind: &str) -> &str {
    kind.strip_suffix("List").unwrap_or_default()
}
