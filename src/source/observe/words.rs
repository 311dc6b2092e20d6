//! The words of commands.

use std::borrow::Cow;

use super::Observer;
use crate::source::objects::{List, Maybe};

/// The words of a command, unchanged. A number or flag that should have been quoted becomes its text;
/// anything else becomes an empty word, so that the others keep their places.
pub fn words<'a, const MAX: usize>(
    observer: &mut Observer,
    list: &'a Maybe<List<String, MAX>>,
    name: &'static str,
) -> Vec<Cow<'a, str>> {
    let Some(list) = observer.get(list, name) else {
        return Vec::new();
    };
    let mut words = Vec::with_capacity(list.0.len());
    for (index, word) in list.0.iter().enumerate() {
        words.push(match word {
            Maybe::Is(word) => Cow::Borrowed(word.as_str()),
            odd => {
                let oddity = odd.required("").err();
                if let Some(oddity) = oddity {
                    observer.note(oddity.at(index).under(name));
                }
                match odd {
                    Maybe::Odd(found) => Cow::Owned(found.plain().unwrap_or_default()),
                    _ => Cow::Borrowed(""),
                }
            }
        });
    }
    words
}
