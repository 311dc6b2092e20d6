//! YAML → the objects in it, each as a separate text: a list is split while it is read.
//!
//! In the form written by `kubectl` and `oc`: block style, a list's items under `items:`, each after a dash
//! at the same indentation.

use super::piece::{Extent, MAX_ITEM, MAX_WORD, Piece, Syntax, of_items};

/// Splits YAML, line by line.
#[derive(Debug, Default)]
pub struct Yaml {
    number: u64,
    /// The current object, and the line on which it begins.
    text: Vec<u8>,
    line: u64,
    too_long: bool,
    /// `kind` and `apiVersion` of the document.
    kind: String,
    api_version: String,
    /// The indentation of the items' dashes, once `items:` has come.
    items: Items,
    /// Whether the document has `items:`.
    is_list: bool,
}

/// The position relative to a list.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
enum Items {
    /// Not in the items of a list.
    #[default]
    Outside,
    /// After `items:`.
    Begun,
    /// In an item, whose dash is at that column.
    At(usize),
}

impl Yaml {
    /// At the beginning of the line after that one.
    pub fn new(number: u64) -> Self {
        Self { number, ..Self::default() }
    }

    /// Whether such a text can begin with that line.
    pub fn begins(line: &[u8]) -> bool {
        let is =
            |word: &[u8]| line.strip_prefix(word).is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace));
        line.starts_with(b"---")
            || [&b"apiVersion:"[..], b"kind:", b"items:", b"metadata:", b"- apiVersion:", b"- kind:", b"- metadata:"]
                .into_iter()
                .any(is)
    }

    /// Takes in a line without its line break.
    pub fn feed(&mut self, line: &[u8], on: &mut dyn FnMut(&Piece<'_>)) {
        self.number += 1;
        if line.starts_with(b"---") || line == b"..." {
            self.end(Extent::Whole, on);
            (self.kind, self.api_version, self.items, self.is_list) = <_>::default();
            return;
        }
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        let content = &line[indent..];
        if content.is_empty() || content[0] == b'#' && indent == 0 {
            return self.store(line);
        }
        let has_dash = content.starts_with(b"- ") || content == b"-";
        match self.items {
            Items::Outside if has_dash && indent == 0 && self.text.is_empty() => self.begin(line, indent, on),
            Items::Begun if has_dash => self.begin(line, indent, on),
            Items::At(at) if has_dash && indent == at => self.begin(line, indent, on),
            Items::At(at) if indent > at => self.store(line),
            Items::Outside if indent > 0 => self.store(line),
            _ => self.field(line, on),
        }
    }

    /// Takes in the end of the input. `false` if the content cannot end here.
    pub fn finish(&mut self, on: &mut dyn FnMut(&Piece<'_>)) -> bool {
        let is_open = self.is_list && !self.kind.ends_with("List");
        self.end(Extent::Last, on);
        !is_open
    }

    /// The last line read.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Begins an item, replacing its dash by a space.
    fn begin(&mut self, line: &[u8], indent: usize, on: &mut dyn FnMut(&Piece<'_>)) {
        self.end(Extent::Whole, on);
        self.items = Items::At(indent);
        let mut line = line.to_vec();
        line[indent] = b' ';
        self.store(&line);
    }

    /// A field of the document itself.
    fn field(&mut self, line: &[u8], on: &mut dyn FnMut(&Piece<'_>)) {
        if self.items != Items::Outside {
            self.end(Extent::Whole, on);
            self.items = Items::Outside;
        }
        let text = String::from_utf8_lossy(&line[..line.len().min(MAX_WORD)]);
        let value = |key: &str| {
            let value = text.strip_prefix(key)?.trim();
            Some(value.trim_matches(['"', '\'']).to_owned())
        };
        if let Some(kind) = value("kind:") {
            self.kind = kind;
        } else if let Some(version) = value("apiVersion:") {
            self.api_version = version;
        } else if value("items:").is_some_and(|value| value.is_empty()) {
            // What came before belongs to the list.
            self.drop_text();
            (self.items, self.is_list) = (Items::Begun, true);
            return;
        }
        self.store(line);
    }

    fn store(&mut self, line: &[u8]) {
        if self.text.is_empty() && !self.too_long {
            if line.iter().all(|byte| *byte == b' ') {
                return;
            }
            self.line = self.number;
        }
        if self.too_long || self.text.len() + line.len() >= MAX_ITEM {
            self.too_long = true;
            self.text = Vec::new();
            return;
        }
        self.text.extend_from_slice(line);
        self.text.push(b'\n');
    }

    fn drop_text(&mut self) {
        self.text.clear();
        self.too_long = false;
    }

    /// The current object has ended.
    fn end(&mut self, extent: Extent, on: &mut dyn FnMut(&Piece<'_>)) {
        let in_list = matches!(self.items, Items::At(_));
        // What follows the items of a list belongs to the list.
        let is_rest = !in_list && self.is_list;
        if !is_rest && (self.too_long || !self.text.is_empty()) {
            let (kind, api_version) = match in_list {
                true if self.kind == "List" => ("", ""),
                true => (of_items(&self.kind), self.api_version.as_str()),
                false => (self.kind.as_str(), self.api_version.as_str()),
            };
            let extent = if self.too_long { Extent::TooLong } else { extent };
            on(&Piece { line: self.line, text: &self.text, syntax: Syntax::Yaml, kind, api_version, extent });
        }
        self.drop_text();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> (Vec<(u64, String, String)>, bool) {
        let (mut yaml, mut all) = (Yaml::new(0), Vec::new());
        let mut on = |piece: &Piece<'_>| {
            all.push((piece.line, piece.kind.to_owned(), String::from_utf8_lossy(piece.text).into_owned()));
        };
        text.lines().for_each(|line| yaml.feed(line.as_bytes(), &mut on));
        let whole = yaml.finish(&mut on);
        (all, whole)
    }

    #[test]
    fn a_list_is_taken_apart() {
        let text = "apiVersion: v1\nitems:\n- kind: Pod\n  spec:\n    args:\n    - |\n      - x\n- kind: Event\nkind: List\n\
                    metadata:\n  resourceVersion: \"\"\n";
        let (all, whole) = pieces(text);
        assert!(whole);
        assert_eq!(
            all,
            [
                (3, String::new(), "  kind: Pod\n  spec:\n    args:\n    - |\n      - x\n".to_owned()),
                (8, String::new(), "  kind: Event\n".to_owned()),
            ]
        );
    }

    #[test]
    fn a_list_without_its_end_is_cut() {
        let (all, whole) = pieces("apiVersion: v1\nitems:\n- kind: Pod\n");
        assert_eq!((all.len(), whole), (1, false));
        assert!(!pieces("apiVersion: v1\nitems:\n").1);
    }

    #[test]
    fn documents_are_objects_of_their_kind() {
        let (all, whole) = pieces("---\nkind: Pod\nspec:\n- a\n---\n\napiVersion: v1\nkind: \"Service\"\n...\n");
        assert!(whole);
        assert_eq!(all[0], (2, "Pod".to_owned(), "kind: Pod\nspec:\n- a\n".to_owned()));
        assert_eq!((all[1].0, &*all[1].1), (7, "Service"));
    }

    #[test]
    fn indented_items_of_a_kind_that_the_list_names_are_of_that_kind() {
        let (all, _) = pieces("kind: PodList\napiVersion: v1\nitems:\n  - metadata: {}\n\n  - metadata: {}\n");
        let kinds: Vec<&str> = all.iter().map(|(_, kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["Pod", "Pod"]);
    }
}
