//! Makes text from a cluster harmless in Slack: no mention, link, emoji or formatting in it takes effect,
//! and nothing in it is invisible.
//!
//! Slack's three control characters become entities. Its formatting characters cannot be escaped: in prose
//! they are replaced by look-alikes where they would take effect, in code only the back-tick is.
//! (docs.slack.dev/messaging/formatting-message-text)

use crate::report::outline::escape::{self, BACK_TICK, COLON, head, seen};
use crate::text::escape::visible;

/// Text among words, at most `max` characters long when escaped.
pub fn prose(text: &str, max: usize) -> String {
    let characters: Vec<char> = head(text, max).chars().collect();
    let neighbour = |at: Option<usize>| at.and_then(|at| characters.get(at)).copied().unwrap_or(' ');
    let harmless = characters.iter().enumerate().map(|(at, character)| {
        let (before, after) = (neighbour(at.checked_sub(1)), neighbour(Some(at + 1)));
        let inside = before.is_alphanumeric() && after.is_alphanumeric();
        match character {
            '`' => BACK_TICK,
            '*' if !inside => '∗',
            '_' if !inside => 'ˍ',
            '~' if !inside => '∼',
            // An emoji's name is between colons.
            ':' if after.is_ascii_alphabetic() || !before.is_alphanumeric() && names_emoji(&characters[at + 1..]) => {
                COLON
            }
            character => *character,
        }
    });
    fit(harmless, max)
}

/// Whether an emoji's name and a colon follow: `:100:`, `:+1:`.
fn names_emoji(rest: &[char]) -> bool {
    let is_part = |letter: &&char| letter.is_alphanumeric() || "+-_'".contains(**letter);
    let length = rest.iter().take_while(is_part).count();
    length > 0 && rest.get(length) == Some(&':')
}

/// Text within back-ticks, these included, at most `max` characters long.
pub fn code(text: &str, max: usize) -> String {
    let text = head(&seen(text), max);
    let harmless = text.chars().map(|character| if character == '`' { BACK_TICK } else { character });
    format!("`{}`", fit(harmless, max.saturating_sub(2)))
}

/// A line within a block of code, at most `max` characters long.
pub fn line(text: &str, max: usize) -> String {
    let text = head(text, max);
    fit(text.chars().map(|character| if character == '`' { BACK_TICK } else { character }), max)
}

/// A command within a block of code, exactly as it has to be typed; `None` if it does not fit into `max`
/// characters, or cannot be shown as it is.
pub fn command(text: &str, max: usize) -> Option<String> {
    let escaped = fit(text.chars(), usize::MAX);
    let as_it_is = !text.contains('`') && visible(text) == text;
    (as_it_is && length(&escaped) <= max).then_some(escaped)
}

/// The length of a text as Slack counts it.
pub fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The escaped characters that fit; an ellipsis stands for the rest.
fn fit(characters: impl Iterator<Item = char>, max: usize) -> String {
    let escaped = characters.map(|character| match character {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        other => other.to_string(),
    });
    escape::fit(escaped, max, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_and_links_are_words() {
        assert_eq!(
            prose("<!channel> <@U1> <https://evil|ok> & more", 200),
            "&lt;!channel&gt; &lt;@U1&gt; &lt;https://evil|ok&gt; &amp; more"
        );
        assert_eq!(code("<!here>", 200), "`&lt;!here&gt;`");
        assert_eq!(line("&lt;!channel&gt;", 200), "&amp;lt;!channel&amp;gt;");
    }

    #[test]
    fn formatting_and_emoji_do_not_act() {
        assert_eq!(prose("*bold* _it_ ~no~ `code` :tada:", 200), "∗bold∗ ˍitˍ ∼no∼ ˋcodeˋ ∶tada:");
        assert_eq!(prose(":100: :+1: at 10.0.0.7:8080", 200), "∶100: ∶+1: at 10.0.0.7:8080");
        assert_eq!(prose("check_health a*b 14:00:02 port: http", 200), "check_health a*b 14:00:02 port: http");
        assert_eq!(code("a`b``` *c*", 200), "`aˋbˋˋˋ *c*`");
    }

    #[test]
    fn what_nobody_sees_is_shown() {
        assert_eq!(prose("a\u{202e}b\nc\u{200b}", 200), "a\\u{202e}b\\nc\\u{200b}");
        assert_eq!(code(" ", 200), "`\" \"`");
        assert_eq!(code("", 200), "`\"\"`");
    }

    #[test]
    fn a_cut_never_splits_an_entity_and_leaves_room_for_the_ellipsis() {
        for max in 1..40 {
            for text in ["<<<<<<<<<<", "&&&&&&&&&&", "ab<cd>&ef", "\u{1f600}\u{1f600}\u{1f600}\u{1f600}\u{1f600}"] {
                for cut in [prose(text, max), line(text, max)] {
                    assert!(length(&cut) <= max, "{text} in {max}: {cut}");
                    let entities = ["&amp;", "&lt;", "&gt;"].iter().map(|entity| cut.matches(entity).count());
                    assert_eq!(cut.matches('&').count(), entities.sum::<usize>(), "{cut}");
                }
            }
        }
    }

    #[test]
    fn a_command_is_shown_as_it_is_or_not_at_all() {
        let command = |text: &str| super::command(text, 60);
        assert_eq!(command("kubectl get pod 'a<b>&c'").as_deref(), Some("kubectl get pod 'a&lt;b&gt;&amp;c'"));
        assert_eq!(command("kubectl get pod 'a`b'"), None);
        assert_eq!(command("kubectl get pod 'a\u{202e}'"), None);
        assert_eq!(command(&"k".repeat(61)), None);
    }
}
