//! A text → its documents, each by itself: an error in one does not affect the others.

use serde_json::value::RawValue;

use super::node::{At, Entry, Node, Value};
use super::{Found, Place, Sink, Trouble, tree};

/// How Helm names the template above what it rendered.
const SOURCE: &str = "# Source: ";

/// What to lint instead of a template.
const TEMPLATE: &str = "it is a Helm template; lint what it renders: helm template CHART | probehound lint -";

/// A document of a manifest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// The file, as it was given.
    pub file: String,
    /// The template of a Helm chart that it was rendered from, according to Helm's comment.
    pub source: Option<String>,
    /// Its content.
    pub root: Node,
}

/// Passes on the documents of a text.
pub fn read(file: &str, text: &str, sink: &mut Sink<'_>) {
    for (before, text) in cut(text) {
        let place = |line: u64| Place { file: file.to_owned(), line: before + line };
        match tree::read(text) {
            Ok(None | Some(Node { value: Value::Null, .. })) => {}
            Ok(Some(mut root)) => {
                shift(&mut root, before);
                let at = root.at.line;
                let source = source(text);
                sink(&place(at - before), Found::Document(Document { file: file.to_owned(), source, root }));
            }
            Err(_) if text.contains("{{") => {
                sink(&place(1), Found::Other(TEMPLATE.to_owned()));
            }
            Err((line, what)) => sink(&place(line), Found::Trouble(Trouble::Broken(what))),
        }
    }
}

/// The documents, each with the number of lines before it.
fn cut(text: &str) -> Vec<(u64, &str)> {
    if text.trim_start().starts_with(['{', '[']) {
        let values = json(text);
        if !values.is_empty() {
            return values;
        }
    }
    yaml(text)
}

/// A sequence of JSON values; empty for anything else.
fn json(text: &str) -> Vec<(u64, &str)> {
    let mut values = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let (mut end, mut lines) = (0, 0);
    while let Some(value) = stream.next() {
        if value.is_err() {
            return Vec::new();
        }
        let piece = &text[end..stream.byte_offset()];
        values.push((lines, piece));
        lines += breaks(piece);
        end = stream.byte_offset();
    }
    values
}

/// The documents of YAML: a line of three dashes begins one, wherever it is.
fn yaml(text: &str) -> Vec<(u64, &str)> {
    let mut documents = Vec::new();
    let (mut begin, mut first, mut line, mut at) = (0, 0, 0, 0);
    for piece in text.split_inclusive('\n') {
        if begins(piece) && at > begin {
            documents.push((first, &text[begin..at]));
            (begin, first) = (at, line);
        }
        at += piece.len();
        line += 1;
    }
    documents.push((first, &text[begin..]));
    documents
}

fn begins(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

fn breaks(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u64
}

/// The template named in Helm's comment.
fn source(text: &str) -> Option<String> {
    let mut comments = text.lines().take_while(|line| line.is_empty() || line.starts_with(['#', '-']));
    comments.find_map(|line| line.strip_prefix(SOURCE)).map(|source| source.trim_end().to_owned())
}

/// Adds the number of lines before the document.
fn shift(node: &mut Node, lines: u64) {
    node.at.line += lines;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| shift(item, lines)),
        Value::Map(entries) => entries.iter_mut().for_each(|Entry { at: At { line, .. }, node, .. }| {
            *line += lines;
            shift(node, lines);
        }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(u64, Result<Document, String>)> {
        let mut all = Vec::new();
        read("f.yaml", text, &mut |place, found| {
            all.push((
                place.line,
                match found {
                    Found::Document(document) => Ok(document),
                    Found::Other(what) => Err(what),
                    Found::Trouble(trouble) => Err(trouble.to_string()),
                },
            ));
        });
        all
    }

    #[test]
    fn one_broken_document_spoils_no_other() {
        let all = found("a: 1\n---\nb: [\n---\n# Source: web/templates/a.yaml\nc: 3\n--- # end\n");
        assert_eq!(all.len(), 3, "{all:?}");
        assert_eq!(all[0].0, 1);
        assert!(all[1].0 >= 3 && all[1].1.is_err());
        let third = all[2].1.as_ref().unwrap();
        assert_eq!((all[2].0, third.source.as_deref()), (6, Some("web/templates/a.yaml")));
        assert_eq!(third.root.entry("c").unwrap().at, At { line: 6, column: 1 });
    }

    #[test]
    fn line_ends_of_windows_are_line_ends() {
        let all = found("---\r\na: 1\r\n---\r\nb: x\r\n");
        let second = all[1].1.as_ref().unwrap();
        assert_eq!(second.root.entry("b").unwrap().at.line, 4);
        assert_eq!(second.root.text_of("b"), Some("x"));
    }

    #[test]
    fn json_values_may_follow_one_another() {
        let all = found("{\n \"a\": 1}\n{\"b\": 2}\n");
        assert_eq!(all[1].1.as_ref().unwrap().root.entry("b").unwrap().at, At { line: 3, column: 2 });
    }

    #[test]
    fn a_template_is_told_as_what_it_is() {
        let all = found("a:\n  {{- include \"x\" . | nindent 2 }}\n");
        assert!(all[0].1.as_ref().unwrap_err().starts_with("it is a Helm template"), "{all:?}");
    }
}
