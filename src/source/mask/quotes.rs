//! Running text: messages and scripts, split at white space and quotes.

/// The length of the white space at the beginning, written or escaped.
pub fn length_of_space(text: &str) -> usize {
    let mut length = 0;
    while let Some(space) = space_at(&text[length..]) {
        length += space;
    }
    length
}

/// The length of one white space, written or escaped as in Go's quoted strings.
fn space_at(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if first.is_whitespace() {
        return Some(first.len_utf8());
    }
    let name = text.trim_start_matches('\\');
    let escaped = name.len() < text.len() && name.starts_with(['n', 't', 'r']);
    escaped.then(|| text.len() - name.len() + 1)
}

/// The length of the word at the beginning, white space in quotes included.
pub fn length_of_word(text: &str) -> usize {
    let mut length = 0;
    while length < text.len() {
        let rest = &text[length..];
        if space_at(rest).is_some() {
            break;
        }
        length += match Quoted::at(rest, &text[..length]) {
            Some(quoted) => quoted.length,
            None => rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    length
}

/// A quoted part of a text; the quotes may be escaped.
#[derive(Debug)]
pub struct Quoted<'a> {
    /// Including both quotes.
    pub length: usize,
    /// The opening and closing quote, with its backslashes.
    pub quote: &'a str,
    /// The text between them.
    pub inner: &'a str,
}

impl<'a> Quoted<'a> {
    /// The quoted part at the beginning of `text`, which follows `before` in the same word.
    ///
    /// A quote is closed by one with as many backslashes; one that is never closed, and the apostrophe of
    /// `can't`, do not count.
    pub fn at(text: &'a str, before: &str) -> Option<Self> {
        let escaped = text.trim_start_matches('\\');
        let backslashes = text.len() - escaped.len();
        let letter = escaped.chars().next().filter(|letter| matches!(letter, '"' | '\''))?;
        let in_word = before.ends_with(char::is_alphanumeric);
        if letter == '\'' && in_word && !before.starts_with('-') && !before.contains('=') {
            return None;
        }
        let quote = &text[..=backslashes];
        let start = quote.len();
        let mut from = start;
        loop {
            let found = from + text[from..].find(letter)?;
            let before = &text[start..found];
            if before.len() - before.trim_end_matches('\\').len() == backslashes {
                return Some(Self { length: found + 1, quote, inner: &text[start..found - backslashes] });
            }
            from = found + 1;
        }
    }

    /// The first quoted part of `word` that contains white space, and where it begins.
    pub fn with_space(word: &'a str) -> Option<(usize, Self)> {
        let mut at = 0;
        while at < word.len() {
            match Self::at(&word[at..], &word[..at]) {
                Some(quoted) if quoted.holds_space() => return Some((at, quoted)),
                Some(quoted) => at += quoted.length,
                None => at += word[at..].chars().next().map_or(1, char::len_utf8),
            }
        }
        None
    }

    fn holds_space(&self) -> bool {
        (self.inner.char_indices()).any(|(at, letter)| letter.is_whitespace() || space_at(&self.inner[at..]).is_some())
    }
}
