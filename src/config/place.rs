//! Which key of a YAML text is at a line and column.

use serde_saphyr::granit_parser::{Event, Parser};

/// The node at a position.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// The mapping or list that contains it: `detection`, `silences[2]`; empty at the top.
    pub parent: String,
    /// Its full path: `detection.window`.
    pub path: String,
    /// The path of the outermost node that begins there: a mapping, not its first key.
    pub outermost: String,
}

/// A mapping or list being read.
enum Open {
    Mapping { path: String, key: Option<String> },
    List { path: String, next: usize },
}

/// The node at that line and column, both from 1: the last node that begins no later.
pub fn of(text: &str, line: u64, column: u64) -> Place {
    let mut open = Vec::new();
    let mut place = Place::default();
    let mut last = None;
    for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
        let begins = (span.start.line() as u64, span.start.col() as u64 + 1);
        if begins > (line, column) {
            break;
        }
        let (parent, path) = match &event {
            Event::MappingStart(..) | Event::SequenceStart(..) | Event::Alias(_) => enter(&mut open, None),
            Event::Scalar(value, ..) => enter(&mut open, Some(value)),
            Event::MappingEnd | Event::SequenceEnd => {
                open.pop();
                continue;
            }
            _ => continue,
        };
        match &event {
            Event::MappingStart(..) => open.push(Open::Mapping { path: path.clone(), key: None }),
            Event::SequenceStart(..) => open.push(Open::List { path: path.clone(), next: 0 }),
            _ => {}
        }
        let outermost = if last == Some(begins) { place.outermost } else { path.clone() };
        // A list that is not indented begins where its first item does: the item is meant.
        last = (!matches!(event, Event::SequenceStart(..))).then_some(begins);
        place = Place { parent, path, outermost };
    }
    place
}

/// Takes in the next node: in a mapping every other one is a key. Returns its parent and its path.
fn enter(open: &mut [Open], scalar: Option<&str>) -> (String, String) {
    match open.last_mut() {
        None => (String::new(), String::new()),
        Some(Open::List { path, next }) => {
            let item = format!("{path}[{next}]");
            *next += 1;
            (path.clone(), item)
        }
        Some(Open::Mapping { path, key }) => {
            let name = key.take().unwrap_or_else(|| {
                let name = scalar.unwrap_or("?").to_owned();
                *key = Some(name.clone());
                name
            });
            let dot = if path.is_empty() { "" } else { "." };
            (path.clone(), format!("{path}{dot}{name}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
a: 1
b:
  c: {d: 2}
  e:
  - f: 3
    g: [4, 5]
  - h: 6
";

    #[test]
    fn keys_and_values_are_found_by_their_place() {
        let cases = [
            ((1, 1), ("", "a")),
            ((1, 4), ("", "a")),
            ((3, 7), ("b.c", "b.c.d")),
            ((3, 10), ("b.c", "b.c.d")),
            ((5, 5), ("b.e[0]", "b.e[0].f")),
            ((6, 12), ("b.e[0].g", "b.e[0].g[1]")),
            ((7, 8), ("b.e[1]", "b.e[1].h")),
        ];
        for ((line, column), (parent, path)) in cases {
            let place = of(TEXT, line, column);
            assert_eq!((place.parent.as_str(), place.path.as_str()), (parent, path), "{line}:{column}");
        }
    }

    #[test]
    fn the_largest_that_begins_at_a_place_is_found() {
        let place = of(TEXT, 5, 5);
        assert_eq!((place.outermost.as_str(), place.path.as_str()), ("b.e[0]", "b.e[0].f"));
        assert_eq!(of("- a\n", 1, 1).outermost, "");
    }

    #[test]
    fn a_text_that_is_no_yaml_has_places_up_to_there() {
        assert_eq!(of("a:\n  b: [1, ]\n}", 3, 1).parent, "a.b");
        assert_eq!(of("", 1, 1), Place::default());
    }
}
