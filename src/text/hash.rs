//! Hashes: short stand-ins for what is compared but never kept.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The hash of a value: equal for equal values, and the same in every run.
pub fn mark(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A cheaper hash of a text, for the many that are only compared with their own past: whoever chooses the
/// text can choose the hash.
pub fn quick(text: &str) -> u64 {
    let mut words = text.as_bytes().chunks_exact(8);
    let mut all = mix(text.len() as u64, 0);
    for word in &mut words {
        all = mix(all, word.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
    }
    let rest = words.remainder();
    mix(all, rest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The hash of two hashes in their order.
pub fn mix(one: u64, other: u64) -> u64 {
    const ONE: u64 = 0x9e37_79b9_7f4a_7c15;
    const OTHER: u64 = 0xd1b5_4a32_d192_ed03;
    let product = u128::from(one.rotate_left(23) ^ ONE) * u128::from(other.wrapping_add(one) ^ OTHER);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_marks_tell_texts_apart() {
        let texts = ["", "a", "b", "ab", "ba", "aaaaaaaa", "aaaaaaab", "aaaaaaaaa", "baaaaaaaaaaaaaaa", "\0", "\0\0"];
        let marks: std::collections::BTreeSet<_> = texts.iter().map(|text| quick(text)).collect();
        assert_eq!(marks.len(), texts.len());
        assert_ne!(mix(1, 2), mix(2, 1));
    }
}
