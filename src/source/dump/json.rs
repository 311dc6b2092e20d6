//! JSON → the objects in it, each as a separate text: a list is split while it is read.

use super::piece::{Extent, MAX_ITEM, MAX_NESTED, MAX_WORD, Piece, Syntax, of_items};

/// Splits JSON, byte by byte. It knows only brackets and strings; whether a text is valid JSON is checked
/// by its reader.
#[derive(Debug)]
pub struct Json {
    /// The objects that are open: lists and the current object.
    frames: Vec<Frame>,
    depth: usize,
    in_string: bool,
    escaped: bool,
    line: u64,
}

/// An unfinished object.
#[derive(Debug)]
struct Frame {
    /// The depth of its own fields.
    depth: usize,
    line: u64,
    text: Vec<u8>,
    too_long: bool,
    /// The last string at its own level.
    word: Vec<u8>,
    /// The field whose value is being read, if any.
    field: Option<Field>,
    kind: String,
    api_version: String,
    items: Items,
}

/// A field that identifies the type of an object.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Field {
    Kind,
    ApiVersion,
    Items,
    Other,
}

/// Whether an object is a list.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Items {
    None,
    Open,
    Closed,
}

impl Json {
    /// At the beginning of a value on that line.
    pub const fn new(line: u64) -> Self {
        Self { frames: Vec::new(), depth: 0, in_string: false, escaped: false, line }
    }

    /// The current line.
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Takes in bytes up to the end of the value; returns how many, and whether it has ended.
    pub fn feed(&mut self, bytes: &[u8], on: &mut dyn FnMut(&Piece<'_>)) -> (usize, bool) {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string {
                at += self.string(&bytes[at..]);
                continue;
            }
            self.byte(bytes[at], on);
            at += 1;
            if self.depth == 0 {
                return (at, true);
            }
        }
        (at, false)
    }

    /// What is unfinished at the end of the input: line and kind of the innermost object.
    pub fn unfinished(&self) -> Option<(u64, &str)> {
        self.frames.last().map(|frame| (frame.line, frame.kind.as_str()))
    }

    /// Continues in a string; returns how many bytes belong to it.
    fn string(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            at += 1;
            self.line += u64::from(byte == b'\n');
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.in_string = false;
                    break;
                }
                _ => {}
            }
        }
        let depth = self.depth;
        if let Some(frame) = self.frames.last_mut() {
            frame.store(&bytes[..at], depth);
            if frame.depth == depth {
                frame.remember(&bytes[..at - usize::from(!self.in_string)]);
            }
        }
        at
    }

    fn byte(&mut self, byte: u8, on: &mut dyn FnMut(&Piece<'_>)) {
        match byte {
            b'{' if self.begins_object() => self.open(),
            b'{' => self.depth += 1,
            b'[' => {
                self.depth += 1;
                let (depth, is_deepest) = (self.depth, self.frames.len() >= MAX_NESTED);
                if let Some(frame) = self.frames.last_mut()
                    && frame.depth + 1 == depth
                    && frame.field == Some(Field::Items)
                    && !is_deepest
                {
                    frame.items = Items::Open;
                }
            }
            b'}' | b']' => return self.close(byte, on),
            b'"' => {
                self.in_string = true;
                let depth = self.depth;
                if let Some(frame) = self.frames.last_mut().filter(|frame| frame.depth == depth) {
                    frame.word.clear();
                }
            }
            b'\n' => self.line += 1,
            b':' | b',' => {
                let depth = self.depth;
                if let Some(frame) = self.frames.last_mut().filter(|frame| frame.depth == depth) {
                    frame.punctuation(byte);
                }
            }
            _ => {}
        }
        let depth = self.depth;
        if let Some(frame) = self.frames.last_mut() {
            frame.store(&[byte], depth);
        }
    }

    /// Whether an object that begins here is one to extract.
    fn begins_object(&self) -> bool {
        match self.frames.last() {
            None => true,
            Some(frame) => frame.items == Items::Open && self.depth == frame.depth + 1,
        }
    }

    fn open(&mut self) {
        self.depth += 1;
        self.frames.push(Frame {
            depth: self.depth,
            line: self.line,
            text: Vec::new(),
            too_long: false,
            word: Vec::new(),
            field: None,
            kind: String::new(),
            api_version: String::new(),
            items: Items::None,
        });
    }

    fn close(&mut self, byte: u8, on: &mut dyn FnMut(&Piece<'_>)) {
        let depth = self.depth;
        self.depth = self.depth.saturating_sub(1);
        let Some(frame) = self.frames.last_mut() else { return };
        frame.store(&[byte], depth);
        if depth == frame.depth {
            frame.settle();
            let extent = if byte == b'}' { Extent::Whole } else { Extent::Unbalanced };
            self.finish(extent, on);
        } else if depth == frame.depth + 1 && frame.items == Items::Open {
            frame.items = Items::Closed;
        }
    }

    fn finish(&mut self, extent: Extent, on: &mut dyn FnMut(&Piece<'_>)) {
        let Some(frame) = self.frames.pop() else { return };
        if frame.items != Items::None {
            return;
        }
        let list = self.frames.last();
        let own = |word: &'_ str| (!word.is_empty()).then(|| word.to_owned());
        let kind = own(&frame.kind).or_else(|| Some(of_items(&list?.kind).to_owned())).unwrap_or_default();
        let api = own(&frame.api_version)
            .or_else(|| list.filter(|list| list.kind != "List").map(|list| list.api_version.clone()));
        on(&Piece {
            line: frame.line,
            text: &frame.text,
            syntax: Syntax::Json,
            kind: &kind,
            api_version: &api.unwrap_or_default(),
            extent: if frame.too_long { Extent::TooLong } else { extent },
        });
    }
}

impl Frame {
    /// Stores bytes at that depth, except items of a list.
    fn store(&mut self, bytes: &[u8], depth: usize) {
        if self.too_long || self.items == Items::Open && depth > self.depth {
            return;
        }
        if self.text.len() + bytes.len() > MAX_ITEM {
            self.too_long = true;
            self.text = Vec::new();
            return;
        }
        self.text.extend_from_slice(bytes);
    }

    /// Stores the beginning of a string at its own level.
    fn remember(&mut self, bytes: &[u8]) {
        let room = MAX_WORD.saturating_sub(self.word.len());
        self.word.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn punctuation(&mut self, byte: u8) {
        if byte == b':' {
            self.field = Some(match self.word.as_slice() {
                b"kind" => Field::Kind,
                b"apiVersion" => Field::ApiVersion,
                b"items" => Field::Items,
                _ => Field::Other,
            });
            self.word.clear();
        } else {
            self.settle();
        }
    }

    /// A field has ended.
    fn settle(&mut self) {
        let word = || String::from_utf8_lossy(&self.word).into_owned();
        match self.field.take() {
            Some(Field::Kind) => self.kind = word(),
            Some(Field::ApiVersion) => self.api_version = word(),
            _ => {}
        }
        self.word.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, step: usize) -> Vec<(u64, String, String, String)> {
        let mut json = Json::new(1);
        let mut all = Vec::new();
        for bytes in text.as_bytes().chunks(step) {
            json.feed(bytes, &mut |piece| {
                let text = String::from_utf8_lossy(piece.text).into_owned();
                all.push((piece.line, piece.kind.to_owned(), piece.api_version.to_owned(), text));
            });
        }
        all
    }

    #[test]
    fn a_list_is_taken_apart_however_its_bytes_come() {
        let text = "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"kind\":\"x\"},\n\"items\":[{\"a\":\"}]\\\"\"},\n\
                    {\"kind\":\"Other\",\"b\":[{\"items\":[{}]}]}]}";
        let expected = [
            (2, "Pod".to_owned(), "v1".to_owned(), r#"{"a":"}]\""}"#.to_owned()),
            (3, "Other".to_owned(), "v1".to_owned(), r#"{"kind":"Other","b":[{"items":[{}]}]}"#.to_owned()),
        ];
        for step in [1, 2, 3, 7, 1000] {
            assert_eq!(pieces(text, step), expected, "{step}");
        }
    }

    #[test]
    fn a_list_in_a_list_and_a_bare_array_are_taken_apart_too() {
        let list = r#"{"apiVersion":"v1","items":[{"apiVersion":"v1","kind":"Pod"}],"kind":"List"}"#;
        for text in [format!("[{list}]"), format!(r#"{{"kind":"List","items":[{list}]}}"#)] {
            let all = pieces(&text, 5);
            assert_eq!(all.len(), 1, "{all:?}");
            assert_eq!((&*all[0].1, &*all[0].2), ("Pod", "v1"));
        }
    }

    #[test]
    fn what_is_too_long_is_passed_over_and_the_next_one_read() {
        let text = format!(r#"{{"items":[{{"a":"{}"}},{{"kind":"Pod"}}]}}"#, "x".repeat(MAX_ITEM));
        let (mut extents, mut json) = (Vec::new(), Json::new(1));
        json.feed(text.as_bytes(), &mut |piece| extents.push((piece.extent, piece.text.len())));
        assert_eq!(extents, [(Extent::TooLong, 0), (Extent::Whole, 14)]);
    }

    #[test]
    fn brackets_that_do_not_match_end_what_they_are_in() {
        let mut json = Json::new(1);
        let mut extents = Vec::new();
        let (read, ended) = json.feed(br#"{"a":1] {"#, &mut |piece| extents.push(piece.extent));
        assert_eq!((read, ended, extents), (7, true, vec![Extent::Unbalanced]));
    }

    #[test]
    fn what_is_open_at_the_end_is_known() {
        let mut json = Json::new(1);
        json.feed(b"{\"items\":[\n{\"kind\":\"Pod\",\"a\":\"", &mut |_| panic!("nothing has ended"));
        assert_eq!(json.unfinished(), Some((2, "Pod")));
    }
}
