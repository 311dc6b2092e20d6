//! Times as JSON shows them: RFC 3339, in UTC.

use super::field::{Unreadable, Wired, next_field};

const DAY: i64 = 86_400;

/// The years that have four digits.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

/// A time as text, without the heap.
pub struct Stamp {
    text: [u8; 32],
    length: usize,
}

impl Stamp {
    /// Reads a time; in microseconds, which are written with six digits, or in whole seconds.
    ///
    /// A year without four digits becomes a text that is no time: nothing else can come of it.
    ///
    /// # Errors
    /// The bytes are no such message.
    pub fn read(bytes: &[u8], in_micros: bool) -> Result<Self, Unreadable> {
        let (mut seconds, mut nanos, mut rest) = (0_i64, 0_i64, bytes);
        while let Some((number, value)) = next_field(&mut rest)? {
            match number {
                1 => seconds = value.varint()? as i64,
                2 => nanos = value.varint()? as i64,
                _ => {}
            }
        }
        let mut stamp = Self { text: [0; 32], length: 0 };
        if (FIRST..=LAST).contains(&seconds) {
            stamp.put_time(seconds, in_micros.then(|| nanos.clamp(0, 999_999_999) / 1000));
        } else {
            stamp.put(b"out of range");
        }
        Ok(stamp)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }

    fn put_time(&mut self, seconds: i64, micros: Option<i64>) {
        let (year, month, day) = date(seconds.div_euclid(DAY));
        let of_day = seconds.rem_euclid(DAY);
        self.number(year, 4);
        for (before, number) in
            [(b"-", month), (b"-", day), (b"T", of_day / 3600), (b":", of_day / 60 % 60), (b":", of_day % 60)]
        {
            self.put(before);
            self.number(number, 2);
        }
        if let Some(micros) = micros {
            self.put(b".");
            self.number(micros, 6);
        }
        self.put(b"Z");
    }

    fn put(&mut self, text: &[u8]) {
        self.text[self.length..self.length + text.len()].copy_from_slice(text);
        self.length += text.len();
    }

    fn number(&mut self, mut number: i64, digits: usize) {
        for place in (self.length..self.length + digits).rev() {
            self.text[place] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.length += digits;
    }
}

/// Year, month and day of the day that many days after 1970-01-01, by years that begin in March, so that
/// the day of a leap year is the last one.
const fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// Whether this is the time that stands for none.
pub const fn is_zero(value: Wired<'_>) -> bool {
    matches!(value, Wired::Bytes([]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::encoding::{encode_varint, int64};

    use super::*;

    fn stamp(seconds: i64, nanos: i64, in_micros: bool) -> String {
        let mut bytes = Vec::new();
        int64::encode(1, &seconds, &mut bytes);
        int64::encode(2, &nanos, &mut bytes);
        Stamp::read(&bytes, in_micros).expect("readable").as_str().to_owned()
    }

    #[test]
    fn times_are_written_like_those_of_json() {
        assert_eq!(stamp(1_795_514_398, 5, false), "2026-11-24T09:59:58Z");
        assert_eq!(stamp(1_795_514_398, 123_456_789, true), "2026-11-24T09:59:58.123456Z");
        assert_eq!(stamp(0, 0, false), "1970-01-01T00:00:00Z");
        assert_eq!(stamp(951_782_400, 0, true), "2000-02-29T00:00:00.000000Z");
        assert_eq!(stamp(-62_135_596_800, 0, false), "0001-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_out_of_range_is_no_time() {
        for seconds in [i64::MIN, FIRST - 1, LAST + 1, i64::MAX] {
            assert!(crate::time::Time::parse(&stamp(seconds, i64::MAX, true)).is_err());
        }
        assert_eq!(stamp(LAST, -1, false), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn numbers_that_are_cut_are_refused() {
        let mut bytes = vec![0x08];
        encode_varint(1 << 60, &mut bytes);
        bytes.pop();
        assert_eq!(Stamp::read(&bytes, false).err(), Some(Unreadable::Number));
    }

    proptest! {
        #[test]
        fn each_second_is_that_of_the_library(seconds in FIRST + DAY..LAST - DAY, micros in 0_i64..1_000_000) {
            let time = jiff::Timestamp::new(seconds, (micros * 1000) as i32).expect("in range");
            prop_assert_eq!(stamp(seconds, micros * 1000, true), format!("{time:.6}"));
        }
    }
}
