//! UIDs in the engine's form.

use crate::engine::Uid;
use crate::text::hash::mark;

/// A UID from its text: a UUID as it is, any other text by hash, an empty one as zero.
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
    fn other_texts_are_told_apart_and_none_is_zero() {
        assert_eq!(uid(""), Uid(0));
        assert_ne!(uid("a"), uid("b"));
        assert_ne!(uid("250cb86a-5af0-496b-bff3-c5b05383b08x"), Uid(0));
        assert_eq!(uid("d8f2c1"), uid("d8f2c1"));
    }
}
