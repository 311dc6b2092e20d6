//! What every medium does with text from a cluster before it escapes it in its own way.

use crate::text::escape::visible;

/// Stands for a back-tick, which would end the code.
pub const BACK_TICK: char = 'ˋ';
/// Stands for a colon that would make a link or an emoji.
pub const COLON: char = '∶';
/// Stands for a full stop that would make a link.
const DOT: char = '․';
/// Stands for what was cut.
const ELLIPSIS: &str = "…";

/// The beginning, with invisible characters made visible: the rest is cut anyway.
pub fn head(text: &str, max: usize) -> String {
    let head: String = text.chars().take(max.saturating_add(1)).collect();
    visible(&head)
}

/// Text that is not empty to the eye.
pub fn seen(text: &str) -> String {
    if text.trim().is_empty() { format!("\"{text}\"") } else { text.to_owned() }
}

/// As many pieces as fit into `max`, as `length` measures; an ellipsis stands for the rest.
pub fn fit<P: AsRef<str>>(pieces: impl IntoIterator<Item = P>, max: usize, length: impl Fn(&str) -> usize) -> String {
    let mut out = String::new();
    let (mut used, mut with_room) = (0, 0);
    for piece in pieces {
        out.push_str(piece.as_ref());
        used += length(piece.as_ref());
        if used > max {
            out.truncate(with_room);
            out.push_str(ELLIPSIS);
            break;
        }
        if used + length(ELLIPSIS) <= max {
            with_room = out.len();
        }
    }
    out
}

/// The characters of a text that no program turns into a link: of `://` and of `www.` one becomes a
/// look-alike.
pub fn unlinked(text: &str) -> Vec<char> {
    let characters: Vec<char> = text.chars().collect();
    let www = |at: usize| {
        let before = at.checked_sub(3).and_then(|start| characters.get(start..at));
        before.is_some_and(|before| before.iter().all(|letter| letter.eq_ignore_ascii_case(&'w')))
    };
    let unlinked = characters.iter().enumerate().map(|(at, character)| match character {
        ':' if characters[at + 1..].starts_with(&['/', '/']) => COLON,
        '.' if www(at) => DOT,
        other => *other,
    });
    unlinked.collect()
}

/// Whether [`visible`] and [`unlinked`] leave the text as it is.
pub fn is_harmless(text: &str) -> bool {
    visible(text) == text && unlinked(text).into_iter().eq(text.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_leaves_room_for_the_ellipsis() {
        for max in 3..30 {
            let cut = fit(["&amp;"; 9], max, str::len);
            assert!(cut.len() <= max && cut.ends_with('…'), "{cut} in {max}");
        }
        assert_eq!(fit(["a", "b"], 2, str::len), "ab");
    }

    #[test]
    fn nothing_is_a_link() {
        let text: String = unlinked("see HTTPS://evil.example, Www.evil.example and a:b at 14:00:02").iter().collect();
        assert_eq!(text, "see HTTPS∶//evil.example, Www․evil.example and a:b at 14:00:02");
        assert!(is_harmless("kubectl -n prod get pod web.a:b"));
        assert!(!is_harmless("curl http://10.0.0.7"));
        assert!(!is_harmless("kubectl get\u{202e}"));
    }
}
