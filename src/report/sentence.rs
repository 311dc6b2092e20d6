//! A sentence in parts, so that each medium can set off what came from the cluster.

use std::fmt;

/// A sentence. Raw: each medium cuts and escapes it. Its `Display` is the plain text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sentence(Vec<Part>);

/// A piece of a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// Fixed words.
    Words(String),
    /// A name from the cluster.
    Name(String),
    /// A field's value.
    Value(String),
}

impl Sentence {
    /// Starts with these words.
    pub fn new(words: impl Into<String>) -> Self {
        Self::default().words(words)
    }

    /// Appends words.
    #[must_use]
    pub fn words(mut self, words: impl Into<String>) -> Self {
        self.0.push(Part::Words(words.into()));
        self
    }

    /// Appends a name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.push(Part::Name(name.into()));
        self
    }

    /// Appends a value.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.0.push(Part::Value(value.into()));
        self
    }

    /// Appends another sentence.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Its pieces, in order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            // In quotes if it would not be recognisable as one word.
            Part::Value(text) if text.is_empty() || text.contains(' ') => write!(f, "\"{text}\""),
            Part::Words(text) | Part::Name(text) | Part::Value(text) => f.write_str(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_several_words_stands_in_quotes() {
        let sentence = Sentence::new("runs ").value("cat /tmp/ok").words(" in ").name("app").words(".");
        assert_eq!(sentence.to_string(), "runs \"cat /tmp/ok\" in app.");
        assert_eq!(Sentence::new("is ").value("").to_string(), "is \"\"");
    }
}
