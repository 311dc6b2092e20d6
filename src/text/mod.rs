//! Text utilities: cutting, escaping, patterns, and hashes.

pub mod escape;
pub mod glob;
pub(crate) mod hash;
#[cfg(feature = "operator")]
pub mod no_proxy;
pub mod refusal;

/// Replaces what was masked.
pub const MASK: &str = "***";

/// Whether a text was masked, completely or in part.
pub fn is_masked(text: &str) -> bool {
    text.contains(MASK)
}

/// The beginning of `text`, at most `max` bytes long.
pub fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
