//! The text of one object, cut out of its surroundings.

/// Maximum length of an object's text, in bytes; etcd refuses objects of 1.5 MiB.
pub const MAX_ITEM: usize = 8 << 20;

/// Maximum nesting of objects: a list in a list of lists.
pub const MAX_NESTED: usize = 4;

/// Maximum length of a kind or `apiVersion`, in bytes.
pub const MAX_WORD: usize = 256;

/// An object's text, and what is known of it without parsing it.
#[derive(Debug)]
pub struct Piece<'a> {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// Its text.
    pub text: &'a [u8],
    /// Its syntax.
    pub syntax: Syntax,
    /// `kind`, its own or from the list that contains it; empty if neither has one.
    pub kind: &'a str,
    /// `apiVersion`, likewise.
    pub api_version: &'a str,
    /// Whether the text is complete.
    pub extent: Extent,
}

/// The syntax of an object.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Syntax {
    /// JSON.
    Json,
    /// A YAML document.
    Yaml,
}

/// How much of an object was read.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All of it, judging by its brackets.
    Whole,
    /// Nothing: it exceeds [`MAX_ITEM`].
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
