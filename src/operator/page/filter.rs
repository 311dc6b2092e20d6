//! What a visitor wants to see, from the query of a request.

use std::fmt::Write;

use crate::engine::{Cause, Finding};
use crate::report::headline::headline;
use crate::report::html::view::state;

/// Maximum length of a value, in bytes; what is longer is cut.
const VALUE: usize = 200;

/// The findings to show; an empty field is no condition.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Filter {
    /// The namespace.
    pub namespace: String,
    /// The cause.
    pub cause: Option<Cause>,
    /// `suspected`, `open` or `resolved`.
    pub state: String,
    /// A text in the headline, the namespace, the container or the example, in any case.
    pub text: String,
}

impl Filter {
    /// Of a query such as `namespace=shop&cause=WrongPath`; what is unknown is passed over.
    pub fn parse(query: &str) -> Self {
        let mut filter = Self::default();
        for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = decoded(value);
            match key {
                "namespace" => filter.namespace = value,
                "cause" => filter.cause = Cause::named(&value),
                "state" => filter.state = value,
                "text" => filter.text = value,
                _ => {}
            }
        }
        filter
    }

    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a finding is to be shown.
    pub fn includes(&self, finding: &Finding) -> bool {
        (self.namespace.is_empty() || *self.namespace == *finding.namespace)
            && self.cause.is_none_or(|cause| cause == finding.cause)
            && (self.state.is_empty() || self.state == state(finding))
            && self.finds(finding)
    }

    fn finds(&self, finding: &Finding) -> bool {
        let text = self.text.trim().to_lowercase();
        let example = finding.example.as_deref().unwrap_or_default();
        let has = |hay: &str| hay.to_lowercase().contains(&text);
        text.is_empty()
            || has(&finding.namespace)
            || has(&finding.workload)
            || has(&finding.container)
            || has(example)
            || has(finding.cause.word())
            || has(&headline(finding))
    }
}

/// A value of a query: `+` is a space, `%41` an `A`; what is no UTF-8 is replaced.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = hex.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = if code.is_some() { &after[2..] } else { after };
        bytes.push(code.unwrap_or(if *first == b'+' { b' ' } else { *first }));
    }
    bytes.truncate(VALUE);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A part of a path or a value of a query, of any text.
pub fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A part of a path as it was before it was encoded.
pub fn part(text: &str) -> String {
    decoded(&text.replace('+', "%2B"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::testing::finding;

    #[test]
    fn a_query_is_read_as_a_browser_writes_it() {
        let filter = Filter::parse("namespace=shop&cause=WrongPath&state=open&text=v2%2Fhealth+%C3%A9&other=1&cause");
        assert_eq!(filter.namespace, "shop");
        assert_eq!(filter.cause, Some(Cause::WrongPath));
        assert_eq!((&*filter.state, &*filter.text), ("open", "v2/health é"));
        assert!(Filter::parse("namespace=&text=&cause=&state=").is_empty());
    }

    #[test]
    fn what_no_browser_writes_is_read_too() {
        assert_eq!(Filter::parse("text=%zz%4").text, "%zz%4");
        assert_eq!(Filter::parse("text=%ff").text, "\u{fffd}");
        assert!(Filter::parse(&format!("text={}", "é".repeat(1000))).text.len() <= VALUE + 3);
        assert_eq!(Filter::parse("cause=<script>").cause, None);
    }

    #[test]
    fn each_condition_has_to_be_met() {
        let web = finding("web");
        let includes = |query: &str| Filter::parse(query).includes(&web);
        assert!(includes("") && includes("text=WEB") && includes(&format!("namespace={}", web.namespace)));
        assert!(!includes("text=nothing") && !includes("namespace=other") && !includes("state=resolved"));
    }

    #[test]
    fn what_is_encoded_is_one_part_of_a_path() {
        for text in ["shop", "a/b?c#d", "é\n\"<>&+ %"] {
            let encoded = encoded(text);
            assert!(encoded.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#\"<>&".contains(&byte)), "{encoded}");
            assert_eq!(part(&encoded), text);
        }
    }
}
