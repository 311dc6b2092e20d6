//! A YAML document, or JSON → a tree of values with positions.

use std::collections::BTreeMap;

use serde_saphyr::granit_parser::{Event, Marker, Options, Parser, ScalarStyle, ScanError};

use super::node::{At, Entry, Node, Value};

/// Maximum number of values of a document, counting those behind aliases each time.
const MAX_NODES: usize = 2_000_000;

/// The first document of a text; `None` if there is none.
///
/// # Errors
/// What is wrong, and on which line.
pub fn read(text: &str) -> Result<Option<Node>, (u64, String)> {
    let mut options = Options::default();
    options.emit_comments = false;
    let mut tree = Tree::default();
    for item in Parser::new_from_str_with_options(text, options) {
        let (event, span) = item.map_err(|error| of_scan(&error))?;
        let at = place(&span.start);
        match event {
            Event::Alias(id) => tree.alias(id, at).map_err(|what| (at.line, what))?,
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = tag.is_some_and(|tag| tag.suffix() == "str");
                tree.value(at, scalar(&text, style, is_text), anchor).map_err(|what| (at.line, what))?;
            }
            Event::SequenceStart(_, anchor, _) => tree.open.push(Open::new(at, anchor, Value::List(Vec::new()))),
            Event::MappingStart(_, anchor, _) => tree.open.push(Open::new(at, anchor, Value::Map(Vec::new()))),
            Event::SequenceEnd | Event::MappingEnd => tree.close().map_err(|what| (at.line, what))?,
            Event::DocumentEnd => break,
            _ => {}
        }
    }
    Ok(tree.root)
}

fn of_scan(error: &ScanError) -> (u64, String) {
    (error.marker().line() as u64, format!("it is not YAML: {}", error.info()))
}

fn place(marker: &Marker) -> At {
    At { line: marker.line() as u64, column: marker.col() as u64 + 1 }
}

/// The type of a scalar, as `kubectl` reads it.
fn scalar(text: &str, style: ScalarStyle, is_text: bool) -> Value {
    if style != ScalarStyle::Plain || is_text {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ => match text.parse() {
            // A leading zero means octal.
            Ok(number) if !has_leading_zero(text) => Value::Number(number),
            _ if is_number(text) => Value::Odd(text.to_owned()),
            _ => Value::Text(text.to_owned()),
        },
    }
}

/// Whether it may be a number in another notation.
fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    let based = ["0x", "0o", "0b"].iter().any(|base| digits.starts_with(base));
    let counts = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    based
        || digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && (text.parse::<f64>().is_ok() || digits.bytes().all(counts))
}

fn has_leading_zero(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    digits.len() > 1 && digits.starts_with('0')
}

/// A tree under construction.
#[derive(Default)]
struct Tree {
    root: Option<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
}

/// An unfinished list or mapping.
struct Open {
    node: Node,
    anchor: usize,
    key: Option<(String, At)>,
}

impl Open {
    const fn new(at: At, anchor: usize, value: Value) -> Self {
        Self { node: Node { at, value }, anchor, key: None }
    }
}

impl Tree {
    fn value(&mut self, at: At, value: Value, anchor: usize) -> Result<(), String> {
        self.place(Node { at, value }, anchor)
    }

    fn alias(&mut self, id: usize, at: At) -> Result<(), String> {
        let Some(node) = self.anchors.get(&id) else { return Err("an alias of what has not ended".to_owned()) };
        self.nodes += count(node);
        if self.nodes > MAX_NODES {
            return Err("its aliases make it too large".to_owned());
        }
        // Values behind an alias keep the position where they are written.
        let _ = at;
        let node = node.clone();
        self.place(node, 0)
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(Open { mut node, anchor, .. }) = self.open.pop() else { return Ok(()) };
        merge(&mut node);
        self.place(node, anchor)
    }

    fn place(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err("it has too many values".to_owned());
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut open.node.value, open.key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(entries), Some((key, at))) => entries.push(Entry { key, at, node }),
            (_, None) => open.key = Some((key(&node), node.at)),
            _ => {}
        }
        Ok(())
    }
}

fn key(node: &Node) -> String {
    match &node.value {
        Value::Text(text) | Value::Odd(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        _ => String::new(),
    }
}

fn count(node: &Node) -> usize {
    let below: usize = match &node.value {
        Value::List(items) => items.iter().map(count).sum(),
        Value::Map(entries) => entries.iter().map(|entry| count(&entry.node)).sum(),
        _ => 0,
    };
    below + 1
}

/// Resolves `<<`: the mapping's own keys take precedence.
fn merge(node: &mut Node) {
    let Value::Map(entries) = &mut node.value else { return };
    let Some(at) = entries.iter().position(|entry| entry.key == "<<") else { return };
    let source = entries.remove(at).node;
    let sources = match source.value {
        Value::List(items) => items,
        _ => vec![source],
    };
    for entry in sources.into_iter().flat_map(|source| source.entries().to_vec()) {
        if !entries.iter().any(|known| known.key == entry.key) {
            entries.push(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Node {
        read(text).expect("it is YAML").expect("it holds something")
    }

    #[test]
    fn values_know_where_they_stand() {
        let root = tree("a: 1\nb:\n  - c: x\n    größe: [2, \"3\"]\n");
        let item = &root.get("b").unwrap().items()[0];
        assert_eq!(root.entry("b").unwrap().at, At { line: 2, column: 1 });
        assert_eq!(item.entry("größe").unwrap().at, At { line: 4, column: 5 });
        assert_eq!(item.get("größe").unwrap().items()[1].at, At { line: 4, column: 16 });
    }

    #[test]
    fn a_scalar_is_what_kubectl_reads() {
        let cases = [
            ("8080", Value::Number(8080)),
            ("-1", Value::Number(-1)),
            ("\"8080\"", Value::Text("8080".to_owned())),
            ("!!str 8080", Value::Text("8080".to_owned())),
            ("0x1F", Value::Odd("0x1F".to_owned())),
            ("010", Value::Odd("010".to_owned())),
            ("1_000", Value::Odd("1_000".to_owned())),
            ("1.5", Value::Odd("1.5".to_owned())),
            ("127.0.0.1", Value::Text("127.0.0.1".to_owned())),
            ("nan", Value::Text("nan".to_owned())),
            ("3scale", Value::Text("3scale".to_owned())),
            ("-c", Value::Text("-c".to_owned())),
            ("http", Value::Text("http".to_owned())),
            ("yes", Value::Bool(true)),
            ("~", Value::Null),
            ("|\n  a\n", Value::Text("a\n".to_owned())),
        ];
        for (text, value) in cases {
            assert_eq!(tree(&format!("k: {text}")).entries()[0].node.value, value, "{text}");
        }
    }

    #[test]
    fn json_is_read_as_well() {
        let root = tree("{\n\t\"a\": {\"b\\u0041\": \"x\\/y \\ud83d\\ude00\"},\r\n\t\"n\": null}");
        assert_eq!(root.get("a").unwrap().text_of("bA"), Some("x/y \u{1f600}"));
        assert_eq!(root.get("n"), None);
    }

    #[test]
    fn aliases_and_merges_are_followed() {
        let root = tree("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\nsame: *b\n");
        let used = root.get("use").unwrap();
        assert_eq!((used.get("x").unwrap().number(), used.get("y").unwrap().number()), (Some(1), Some(3)));
        assert_eq!(root.get("same").unwrap().get("y").unwrap().number(), Some(2));
    }

    #[test]
    fn aliases_cannot_make_a_small_file_large() {
        let mut text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (last, name) in ('a'..'i').zip('b'..) {
            text.extend([format!("{name}: &{name} ["), format!("*{last}, ").repeat(10), "]\n".to_owned()]);
        }
        assert_eq!(read(&text).unwrap_err().1, "its aliases make it too large");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let (line, what) = read("a: 1\nb: [\n").unwrap_err();
        assert!(line >= 2 && what.starts_with("it is not YAML: "), "{line} {what}");
        assert_eq!(read("# nothing\n").unwrap(), None);
    }
}
