//! Marks: short stand-ins for what is compared but never kept.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::engine::Uid;

/// A mark of a value: equal for equal values, and the same in every run.
pub fn mark(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A mark of a text that is cheaper, for the many that are only compared with their own past:
/// whoever chooses the text can choose the mark.
pub fn quick(text: &str) -> u64 {
    let mut words = text.as_bytes().chunks_exact(8);
    let mut all = mix(text.len() as u64, 0);
    for word in &mut words {
        all = mix(all, word.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
    }
    let rest = words.remainder();
    mix(all, rest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// A mark of two marks in their order.
pub fn mix(one: u64, other: u64) -> u64 {
    const ONE: u64 = 0x9e37_79b9_7f4a_7c15;
    const OTHER: u64 = 0xd1b5_4a32_d192_ed03;
    let product = u128::from(one.rotate_left(23) ^ ONE) * u128::from(other.wrapping_add(one) ^ OTHER);
    (product >> 64) as u64 ^ product as u64
}

/// A UID from its text: a UUID as it is, any other text by hash, none at all as zero.
pub fn uid(text: &str) -> Uid {
    if text.is_empty() {
        return Uid::default();
    }
    Uid(uuid(text).unwrap_or_else(|| u128::from(mark(&(text, 0))) << 64 | u128::from(mark(&(text, 1)))))
}

/// Reads `8-4-4-4-12` hexadecimal digits.
fn uuid(text: &str) -> Option<u128> {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    if text.len() != 36 {
        return None;
    }
    let mut value = 0;
    for (at, byte) in text.bytes().enumerate() {
        if HYPHENS.contains(&at) {
            if byte != b'-' {
                return None;
            }
        } else {
            value = value << 4 | u128::from(char::from(byte).to_digit(16)?);
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_its_number() {
        assert_eq!(uid("250cb86a-5af0-496b-bff3-c5b05383b08b"), Uid(0x250c_b86a_5af0_496b_bff3_c5b0_5383_b08b));
        assert_eq!(uid("250CB86A-5AF0-496B-BFF3-C5B05383B08B"), uid("250cb86a-5af0-496b-bff3-c5b05383b08b"));
    }

    #[test]
    fn quick_marks_tell_texts_apart() {
        let texts = ["", "a", "b", "ab", "ba", "aaaaaaaa", "aaaaaaab", "aaaaaaaaa", "baaaaaaaaaaaaaaa", "\0", "\0\0"];
        let marks: std::collections::BTreeSet<_> = texts.iter().map(|text| quick(text)).collect();
        assert_eq!(marks.len(), texts.len());
        assert_ne!(mix(1, 2), mix(2, 1));
    }

    #[test]
    fn other_texts_are_told_apart_and_none_is_zero() {
        assert_eq!(uid(""), Uid(0));
        assert_ne!(uid("a"), uid("b"));
        assert_ne!(uid("250cb86a-5af0-496b-bff3-c5b05383b08x"), Uid(0));
        assert_eq!(uid("d8f2c1"), uid("d8f2c1"));
    }
}
