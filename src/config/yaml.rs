//! From YAML to raw settings, and from the library's errors to ones that name the key.
//!
//! Errors do not repeat values: a URL with a secret may be in the wrong place.

use serde::de::DeserializeOwned;
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Error, Options};

use super::nearest::nearest;
use super::place::{self, Place};
use super::problem::Problem;
use super::value::quoted;

/// The description of a mapping.
const KEYS: &str = "keys with values";
/// The description of a sequence.
const LIST: &str = "a list";

/// Parses a text as YAML of that shape.
///
/// # Errors
/// The first problem.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| explain(error.without_snippet(), text))
}

/// Duplicates are errors, comments are ignored, and an alias cannot make a small file large.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: 100_000, max_depth: 32, max_aliases: 1000 },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 10_000 },
        duplicate_keys: DuplicateKeyPolicy::Error,
        emit_comments: false,
    }
}

fn explain(error: &Error, text: &str) -> Problem {
    let location = error.location().unwrap_or(serde_saphyr::Location::UNKNOWN);
    let place = place::of(text, location.line(), location.column());
    let problem = |what: String| Problem::at(location, what);
    match error {
        Error::SerdeUnknownField { field, expected, .. } => unknown_key(problem, field, expected, &place),
        Error::SerdeUnknownVariant { variant, expected, .. } => unknown_word(problem, variant, expected, &place),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("?");
            problem(format!("key {} stands twice{}", quoted(key), inside(&place)))
        }
        Error::SerdeMissingField { field, .. } => {
            problem(format!("key {} is missing{}", quoted(field), within(&place)))
        }
        Error::MultipleDocuments { .. } => problem("a second YAML document begins here: only one is read".to_owned()),
        Error::ExternalMessage { msg, .. } => syntax(problem, msg),
        Error::AliasError { error, .. } => explain(error, text),
        other => match expected(other) {
            Some(expected) => wrong_type(problem, expected, &place),
            None => problem(format!("{}: {}", named(&place.path), without_place(other))),
        },
    }
}

fn wrong_type(problem: impl Fn(String) -> Problem, expected: &str, place: &Place) -> Problem {
    let problem = problem(format!("{}: expected {expected}", named(&place.outermost)));
    match expected {
        LIST => problem.hint("write [a, b], or each item on a line of its own after a dash"),
        KEYS => problem.hint("write key: value, each on a line of its own and further in than what it is under"),
        _ => problem,
    }
}

fn unknown_key(problem: impl Fn(String) -> Problem, field: &str, known: &[&'static str], place: &Place) -> Problem {
    let what = format!("unknown key {}{}", quoted(field), inside(place));
    let problem = match nearest(field, known) {
        Some(near) => problem(format!("{what}; did you mean \"{near}\"?")),
        None => problem(what),
    };
    match known {
        [] => problem.hint("there is no key here"),
        _ => problem.hint(format!("allowed here: {}", known.join(", "))),
    }
}

fn unknown_word(problem: impl Fn(String) -> Problem, word: &str, known: &[&'static str], place: &Place) -> Problem {
    let what = format!("{}: unknown value {}", named(&place.path), quoted(word));
    let problem = match nearest(word, known) {
        Some(near) => problem(format!("{what}; did you mean \"{near}\"?")),
        None => problem(what),
    };
    problem.hint(format!("allowed here: {}", known.join(", ")))
}

fn syntax(problem: impl Fn(String) -> Problem, message: &str) -> Problem {
    let problem = problem(format!("invalid YAML: {message}"));
    if message.contains("tab") { problem.hint("indent with spaces") } else { problem }
}

/// What the type expects, in words; `None` if the error is about something else.
fn expected(error: &Error) -> Option<&str> {
    Some(match error {
        Error::Unexpected { expected: "mapping start", .. } | Error::ExpectedEmptyMappingForUnitStruct { .. } => KEYS,
        Error::Unexpected { expected: "sequence start", .. } => LIST,
        Error::Unexpected { expected: "string scalar", .. } | Error::NullIntoString { .. } => "a text",
        Error::Unexpected { expected, .. } => expected,
        Error::InvalidScalar { ty, .. } if ty.starts_with(['i', 'u']) => "a whole number",
        Error::InvalidScalar { ty, .. } if ty.starts_with('f') => "a number",
        Error::InvalidScalar { ty: "boolean", .. } | Error::InvalidBooleanStrict { .. } => "true or false",
        Error::InvalidScalar { ty, .. } => ty,
        Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => "one word",
        Error::SerdeInvalidType { expected, .. }
        | Error::SerdeInvalidValue { expected, .. }
        | Error::SerdeInvalidLength { expected, .. } => expected,
        _ => return None,
    })
}

/// The library's message without the position at its end.
fn without_place(error: &Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.split_once(" at line ").map_or(line, |(words, _)| words).to_owned()
}

fn named(path: &str) -> String {
    if path.is_empty() { "the file".to_owned() } else { visible_path(path) }
}

fn inside(place: &Place) -> String {
    if place.parent.is_empty() { String::new() } else { format!(" in {}", visible_path(&place.parent)) }
}

fn within(place: &Place) -> String {
    if place.path.is_empty() { String::new() } else { format!(" in {}", visible_path(&place.path)) }
}

fn visible_path(path: &str) -> String {
    crate::text::escape::terminal(path, 100)
}

#[cfg(test)]
mod tests {
    use super::super::raw::Raw;
    use super::*;

    fn problem(text: &str) -> (Option<(u64, u64)>, String, Option<String>) {
        let problem = read::<Raw>(text).expect_err("not a file of settings");
        (problem.at, problem.what, problem.hint)
    }

    #[test]
    fn an_unknown_key_is_named_with_its_section_and_the_nearest_one() {
        let (at, what, hint) = problem("detection:\n  widnow: 15m\n");
        assert_eq!(at, Some((2, 3)));
        assert_eq!(what, "unknown key \"widnow\" in detection; did you mean \"window\"?");
        assert_eq!(hint.as_deref(), Some("allowed here: window, probeKills, ownEnds, execOutput"));
        let (_, what, _) = problem("silences:\n- namespace: a\n- nmaespace: b\n");
        assert_eq!(what, "unknown key \"nmaespace\" in silences[1]; did you mean \"namespace\"?");
        let (_, what, _) = problem("slack: x\n");
        assert_eq!(what, "unknown key \"slack\"");
    }

    #[test]
    fn a_wrong_type_is_named_with_its_key_and_what_is_expected() {
        let cases = [
            ("detection: 3\n", "detection: expected keys with values"),
            ("detection:\n  probeKills: many\n", "detection.probeKills: expected a whole number"),
            ("detection:\n  window: {}\n", "detection.window: expected a text"),
            ("leaderElection:\n  enabled: perhaps\n", "leaderElection.enabled: expected true or false"),
            ("watch:\n  namespaces: prod\n", "watch.namespaces: expected a list"),
            ("watch:\n  namespaces: [a, ~]\n", "watch.namespaces[1]: expected a text"),
            ("watch:\n  initialList: [list]\n", "watch.initialList: expected one word"),
            ("silences:\n  namespace: a\n", "silences: expected a list"),
            ("- a\n", "the file: expected keys with values"),
        ];
        for (text, expected) in cases {
            assert_eq!(problem(text).1, expected, "{text}");
        }
    }

    #[test]
    fn a_word_that_is_none_of_those_is_answered_with_them() {
        let (at, what, hint) = problem("silences:\n- cause: WrongPth\n");
        assert_eq!(at, Some((2, 10)));
        assert_eq!(what, "silences[0].cause: unknown value \"WrongPth\"; did you mean \"WrongPath\"?");
        assert!(hint.is_some_and(|hint| hint.contains("WrongPath, WrongPort")));
    }

    #[test]
    fn what_is_no_yaml_is_said_with_its_place() {
        let (at, what, hint) = problem("detection:\n\twindow: 3m\n");
        assert_eq!((at, hint.as_deref()), (Some((2, 2)), Some("indent with spaces")));
        assert!(what.starts_with("invalid YAML: "), "{what}");
        assert_eq!(problem("detection: {window: 3\n").0, Some((1, 12)));
        assert_eq!(problem("{}\n---\n{}\n").1, "a second YAML document begins here: only one is read");
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let (at, what, _) = problem("detection:\n  window: 15m\n  window: 3m\n");
        assert_eq!((at, what.as_str()), (Some((3, 3)), "key \"window\" stands twice in detection"));
    }

    #[test]
    fn a_value_of_a_wrong_type_is_not_repeated() {
        for text in ["detection:\n  probeKills: hunter2\n", "detection: hunter2\n", "silences: hunter2\n"] {
            let (_, what, hint) = problem(text);
            assert!(
                !what.contains("hunter2") && !hint.as_ref().is_some_and(|hint| hint.contains("hunter2")),
                "{what} {hint:?}"
            );
        }
    }

    #[test]
    fn sections_without_keys_are_as_good_as_absent() {
        let raw: Raw = read("detection:\nsilences:\nwatch:\n  namespaces:\n").expect("no error");
        assert!(raw.silences.is_empty() && raw.detection.window.is_none());
    }

    #[test]
    fn aliases_cannot_make_a_small_file_large() {
        let tens = ('b'..='h')
            .zip('a'..)
            .map(|(name, last)| format!("{name}: &{name} [{}]\n", format!("*{last}, ").repeat(10)));
        let text: String =
            ["watch: {namespaces: &a [x, x, x, x, x, x, x, x, x, x]}\n".to_owned()].into_iter().chain(tens).collect();
        assert!(read::<std::collections::BTreeMap<String, serde_json::Value>>(&text).is_err());
        assert!(read::<std::collections::BTreeMap<String, serde_json::Value>>("a: &a [x]\nb: [*a, *a]\n").is_ok());
    }
}
