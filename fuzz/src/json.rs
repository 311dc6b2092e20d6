//! Mutations that keep JSON valid: bytes flipped at random rarely get past the parser.

use serde_json::{Map, Number, Value};

/// Values that have broken decoders before.
const ODD: &[&str] = &[
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "0",
    "-1",
    "2147483647",
    "2147483648",
    "-2147483649",
    "4294967296",
    "1e300",
    "18446744073709551615",
    "\"0001-01-01T00:00:00Z\"",
    "\"9999-12-31T23:59:60Z\"",
    "\"2026-11-23T07:18:46.5+14:00\"",
    "\"\\u0000\\u202e\"",
    "[null]",
    "[[[]]]",
    "\"http\"",
    "\"CrashLoopBackOff\"",
    "\"Always\"",
];

/// Longest text that is made of a shorter one; longer than any bound of the decoders.
const LONGEST: usize = 20_000;

/// Changes one to four places of a JSON text; `None` where it is none, or the result is too long.
pub fn mutate(data: &[u8], max: usize, seed: u32) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(data).ok()?;
    let mut dice = Dice(u64::from(seed) | 1 << 40);
    for _ in 0..=dice.roll(3) {
        let place = dice.roll(count(&value));
        at(&mut value, place, &mut |found| change(found, &mut dice));
    }
    let text = serde_json::to_vec(&value).ok()?;
    (text.len() <= max).then_some(text)
}

fn change(value: &mut Value, dice: &mut Dice) {
    match (dice.roll(4), value) {
        (0 | 1, Value::Object(map)) if !map.is_empty() => member(map, dice),
        (0 | 1, Value::Array(list)) if !list.is_empty() => item(list, dice),
        (0 | 1, Value::Number(number)) => {
            let near = number.as_i64().unwrap_or(0).wrapping_add(dice.roll(5) as i64 - 2);
            *number = Number::from(near);
        }
        (0, Value::String(text)) => {
            let times = (1 + dice.roll(3) * 100).min(1 + LONGEST / text.len().max(1));
            *text = text.repeat(times);
        }
        (1, Value::String(text)) => {
            let cut = text.floor_char_boundary(dice.roll(text.len() + 1));
            text.truncate(cut);
        }
        (_, value) => {
            let odd = ODD[dice.roll(ODD.len())];
            *value = serde_json::from_str(odd).unwrap_or_default();
        }
    }
}

fn member(map: &mut Map<String, Value>, dice: &mut Dice) {
    let key = map.keys().nth(dice.roll(map.len())).cloned().unwrap_or_default();
    if dice.roll(2) == 0 {
        map.remove(&key);
    } else {
        let other = map.values().nth(dice.roll(map.len())).cloned();
        map.insert(key, other.unwrap_or_default());
    }
}

fn item(list: &mut Vec<Value>, dice: &mut Dice) {
    let place = dice.roll(list.len());
    if dice.roll(2) == 0 {
        list.remove(place);
    } else {
        let again = list[place].clone();
        list.insert(dice.roll(list.len() + 1), again);
    }
}

/// Values in it, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// Applies `change` to the value at a place, counted as by [`count`].
fn at(value: &mut Value, place: usize, change: &mut impl FnMut(&mut Value)) {
    if place == 0 {
        return change(value);
    }
    let below: Vec<&mut Value> = match value {
        Value::Array(list) => list.iter_mut().collect(),
        Value::Object(map) => map.values_mut().collect(),
        _ => return,
    };
    let mut left = place - 1;
    for child in below {
        let size = count(child);
        if left < size {
            return at(child, left, change);
        }
        left -= size;
    }
}

/// SplitMix64: the same seed gives the same mutation.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides.max(1) as u64) as usize
    }
}
