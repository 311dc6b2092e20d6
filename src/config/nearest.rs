//! Suggests the word meant by a typing error.

/// The word within a few typing errors; `None` if there is none.
///
/// An error is an extra, missing or wrong letter, or two that are swapped; one per three letters is
/// allowed.
pub fn nearest<'a>(typed: &str, words: &[&'a str]) -> Option<&'a str> {
    // A word this long is not a typing error, and the cost grows with its length.
    const LONGEST: usize = 64;
    let typed: Vec<char> = typed.to_lowercase().chars().take(LONGEST).collect();
    let allowed = typed.len().div_ceil(3);
    let distances =
        words.iter().map(|word| (distance(&typed, &word.to_lowercase().chars().collect::<Vec<_>>()), *word));
    distances.filter(|(distance, _)| *distance <= allowed).min().map(|(_, word)| word)
}

/// The optimal string alignment distance, row by row.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut cost = (last[j + 1] + 1).min(row[j] + 1).min(last[j] + usize::from(a != b));
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_near() {
        let words = ["window", "probeKills", "ownEnds"];
        for (typed, meant) in
            [("widnow", "window"), ("Window", "window"), ("probekils", "probeKills"), ("own_ends", "ownEnds")]
        {
            assert_eq!(nearest(typed, &words), Some(meant));
        }
    }

    #[test]
    fn another_word_is_not() {
        assert_eq!(nearest("threshold", &["window", "probeKills", "ownEnds"]), None);
        assert_eq!(nearest(&"w".repeat(10_000), &["window"]), None);
    }
}
