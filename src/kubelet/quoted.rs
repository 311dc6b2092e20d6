//! Strings as Go's `%q` writes them.

/// The content of a quoted string, and the text after it.
pub struct Quoted<'a> {
    /// Its bytes; any bytes, as Go strings need not be text.
    pub bytes: Vec<u8>,
    /// What follows the closing quote; `None` if the text was cut before it.
    pub rest: Option<&'a str>,
}

impl Quoted<'_> {
    /// The string as text; invalid UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Parses the quoted string at the beginning of `text`.
///
/// An escape that Go would not write, or that was cut off, loses at least its backslash; nothing is
/// rejected.
pub fn unquote(text: &str) -> Option<Quoted<'_>> {
    let mut left = text.strip_prefix('"')?;
    let mut bytes = Vec::new();
    loop {
        let Some(stop) = left.find(['"', '\\']) else {
            bytes.extend_from_slice(left.as_bytes());
            return Some(Quoted { bytes, rest: None });
        };
        bytes.extend_from_slice(&left.as_bytes()[..stop]);
        if let Some(rest) = left[stop..].strip_prefix('"') {
            return Some(Quoted { bytes, rest: Some(rest) });
        }
        left = escape(&left[stop + 1..], &mut bytes);
    }
}

/// The URL and the error of `Get "URL": error`, the format of Go's HTTP client.
///
/// The error is `None` if the text was cut within the URL.
pub fn get_error(output: &str) -> Option<(String, Option<&str>)> {
    let url = unquote(output.strip_prefix("Get ")?)?;
    Some((url.text(), url.rest.and_then(|rest| rest.strip_prefix(": "))))
}

/// Decodes what follows a backslash and returns the rest.
fn escape<'a>(text: &'a str, bytes: &mut Vec<u8>) -> &'a str {
    let Some(letter) = text.chars().next() else { return text };
    let rest = &text[letter.len_utf8()..];
    let digits = match letter {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => {
            let meant = plain(letter);
            bytes.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes());
            return rest;
        }
    };
    let Some(code) = rest.get(..digits).and_then(|hex| u32::from_str_radix(hex, 16).ok()) else {
        return if rest.len() < digits { "" } else { rest };
    };
    match u8::try_from(code) {
        Ok(byte) if letter == 'x' => bytes.push(byte),
        _ => {
            let meant = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            bytes.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    &rest[digits..]
}

/// The character that a one-letter escape means.
const fn plain(letter: char) -> char {
    match letter {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_decoded() {
        let quoted = unquote(r#""a\"b\\c\n\x00\u00e9\U0001f600 é": rest"#).unwrap();

        assert_eq!(quoted.text(), "a\"b\\c\n\0é😀 é");
        assert_eq!(quoted.rest, Some(": rest"));
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_as_bytes() {
        assert_eq!(unquote(r#""\xff\xfe""#).unwrap().bytes, [0xff, 0xfe]);
    }

    #[test]
    fn a_cut_string_has_no_rest() {
        for cut in [r#""sleep 10"#, r#""sleep 10\"#, r#""sleep 10\x0"#, r#""sleep 10\u12"#] {
            let quoted = unquote(cut).unwrap();
            assert_eq!((quoted.text().as_str(), quoted.rest), ("sleep 10", None), "{cut}");
        }
    }

    #[test]
    fn a_url_may_contain_anything() {
        let (url, error) = get_error(r#"Get "http://1.2.3.4:80/a\": EOF": dial tcp"#).unwrap();

        assert_eq!(url, "http://1.2.3.4:80/a\": EOF");
        assert_eq!(error, Some("dial tcp"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\"(\\\\|\"|x|u|U|[0-9a-f]|\\PC)*") {
            unquote(&text);
            get_error(&format!("Get {text}"));
        }
    }
}
