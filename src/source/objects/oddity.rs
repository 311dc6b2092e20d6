//! An unexpected value in an object.

use std::fmt;

/// Maximum length of a text quoted in an [`Oddity`], in characters.
const QUOTED: usize = 40;

/// A field of an object that does not match the API, or an object of another kind.
///
/// For example `status.containerStatuses[0].restartCount: expected a number, found the string "3"`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}{what}", Prefix(path))]
pub struct Oddity {
    path: String,
    what: String,
}

struct Prefix<'a>(&'a str);

impl fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}

impl Oddity {
    /// An oddity of the object as a whole.
    pub fn new(what: impl Into<String>) -> Self {
        Self { path: String::new(), what: what.into() }
    }

    /// A field with something other than `expected`.
    pub fn field(name: &str, expected: &str, found: &Found) -> Self {
        Self::new(format!("expected {expected}, found {found}")).under(name)
    }

    /// A field of the right type with an impossible value.
    pub fn value(name: &str, what: impl Into<String>) -> Self {
        Self::new(what).under(name)
    }

    /// The same, with the path prefixed by the field `name`.
    #[must_use]
    pub fn under(mut self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path.insert_str(0, dot);
        self.path.insert_str(0, name);
        self
    }

    /// The same, with the path prefixed by the list index `index`.
    #[must_use]
    pub fn at(self, index: usize) -> Self {
        self.under(&format!("[{index}]"))
    }
}

/// The unexpected value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Found {
    /// Nothing: the field is absent or `null`.
    Nothing,
    /// A string; its beginning.
    Text(Box<str>),
    /// A number, as written.
    Number(Box<str>),
    /// `true` or `false`.
    Bool(bool),
    /// A list.
    List,
    /// An object.
    Object,
}

impl Found {
    /// A string was found.
    pub fn text(text: &str) -> Self {
        Self::Text(text.chars().take(QUOTED).collect())
    }

    /// A number or flag, as it is written.
    pub fn plain(&self) -> Option<String> {
        match self {
            Self::Number(number) => Some(number.to_string()),
            Self::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// A number was found.
    pub fn number(number: impl fmt::Display) -> Self {
        Self::Number(number.to_string().into_boxed_str())
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            // Any other text may be a secret in the wrong place.
            Self::Text(text) if text.parse::<f64>().is_ok() => write!(f, "the string {text:?}"),
            Self::Text(_) => f.write_str("a string"),
            Self::Number(number) => write!(f, "the number {number}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::List => f.write_str("a list"),
            Self::Object => f.write_str("an object"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oddity_names_its_path() {
        let oddity = Oddity::field("restartCount", "a number", &Found::text("3"))
            .at(0)
            .under("containerStatuses")
            .under("status");
        assert_eq!(
            oddity.to_string(),
            r#"status.containerStatuses[0].restartCount: expected a number, found the string "3""#
        );
        assert_eq!(Oddity::new("a ConfigMap among pods").to_string(), "a ConfigMap among pods");
    }
}
