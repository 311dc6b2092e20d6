//! Patterns in which `*` stands for any text.

use super::refusal::Refusal;

/// Maximum length of a pattern: the longest name that Kubernetes allows, a kind before it and some stars.
const LONGEST: usize = 320;

/// A pattern: the text between its stars.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Glob(String);

impl Glob {
    /// Parses a pattern. Only `*` has a special meaning.
    ///
    /// # Errors
    /// It is empty or too long, or contains characters that no name has.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        const HINT: &str = "write a name in which * stands for any text: web, web-*, *";
        let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '[' | ']' | '{' | '}' | '\\' | '"' | '\'');
        if (1..=LONGEST).contains(&text.len()) && text.chars().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Refusal::new(text, "is no pattern of a name", HINT))
        }
    }

    /// The pattern that matches all texts.
    pub fn everything() -> Self {
        Self("*".to_owned())
    }

    /// Whether the whole text matches.
    ///
    /// Each piece between two stars is matched as early as possible, which leaves the most for the next
    /// one: there is no backtracking.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == text };
        let Some(mut text) = text.strip_prefix(first) else { return false };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        for piece in middle.split('*') {
            let Some(at) = text.find(piece) else { return false };
            text = &text[at + piece.len()..];
        }
        text.ends_with(last)
    }

    /// Whether it matches everything.
    pub fn is_everything(&self) -> bool {
        self.0.chars().all(|c| c == '*')
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_nothing_else_does() {
        let cases = [
            ("web", "web", true),
            ("web", "web-1", false),
            ("web-*", "web-", true),
            ("*-web", "a-web", true),
            ("*", "", true),
            ("a*b*c", "aXbYbc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("a.c", "abc", false),
            ("*a*a", "a", false),
            ("**x", "x", true),
        ];
        for (pattern, text, expected) in cases {
            let glob = Glob::new(pattern).expect("a pattern");
            assert_eq!(glob.matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_for_which_other_characters_would_mean_something_is_refused() {
        for text in ["", "web-?", "[ab]", "{a,b}", "a b", "a\u{1b}", &"a".repeat(400)] {
            assert!(Glob::new(text).is_err(), "{text}");
        }
    }
}
