//! The recorded UIDs, and those assigned by the server instead.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

/// How long an object waits for the one that it references, which came before it.
const PATIENCE: Duration = Duration::from_mins(3);

/// A UID is 32 hexadecimal digits in five groups.
const GROUPS: [usize; 4] = [8, 13, 18, 23];
const LENGTH: usize = 36;

/// The UIDs assigned so far.
pub struct Uids {
    /// All UIDs that will be assigned; others stay as they are.
    expected: BTreeSet<String>,
    given: Mutex<BTreeMap<String, String>>,
    news: Notify,
}

impl Uids {
    /// None yet, of all that are expected.
    pub fn expecting(expected: BTreeSet<String>) -> Self {
        Self { expected, given: Mutex::default(), news: Notify::new() }
    }

    /// Takes in that an object was created.
    pub fn give(&self, recorded: &str, given: &str) {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).insert(recorded.to_owned(), given.to_owned());
        self.news.notify_waiters();
    }

    /// Replaces the UIDs in an object by those of the server, except its own; waits for those that are
    /// about to be assigned.
    ///
    /// # Panics
    /// One is not assigned in time.
    pub async fn put_into(&self, object: &mut Value, own: &str) {
        let mut wanted = BTreeSet::new();
        mentioned(object, &mut wanted);
        wanted.retain(|uid| uid != own && self.expected.contains(uid));
        if wanted.is_empty() {
            return;
        }
        let all = tokio::time::timeout(PATIENCE, self.all_of(&wanted)).await;
        let all = all.unwrap_or_else(|_| panic!("these objects were not made, or too late: {wanted:?}"));
        replace(object, &all);
    }

    async fn all_of(&self, wanted: &BTreeSet<String>) -> BTreeMap<String, String> {
        loop {
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            if let Some(all) = self.given(wanted) {
                return all;
            }
            news.await;
        }
    }

    fn given(&self, wanted: &BTreeSet<String>) -> Option<BTreeMap<String, String>> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.iter().map(|uid| Some((uid.clone(), given.get(uid)?.clone()))).collect()
    }
}

/// Finds what looks like a UID in an object, also in the middle of texts.
fn mentioned(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => into.extend(places(text).map(|place| text[place..place + LENGTH].to_owned())),
        Value::Array(items) => items.iter().for_each(|item| mentioned(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| mentioned(field, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn replace(value: &mut Value, by: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            let known: Vec<_> =
                places(text).filter_map(|place| Some((place, by.get(&text[place..place + LENGTH])?))).collect();
            for (place, given) in known {
                text.replace_range(place..place + LENGTH, given);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, by)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, by)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Where UIDs begin.
fn places(text: &str) -> impl Iterator<Item = usize> + use<> {
    let bytes = text.as_bytes();
    let places: Vec<usize> = match bytes.len().checked_sub(LENGTH) {
        Some(last) => (0..=last).filter(|place| is_uid(&bytes[*place..*place + LENGTH])).collect(),
        None => Vec::new(),
    };
    places.into_iter()
}

fn is_uid(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(place, byte)| match byte {
        b'-' => GROUPS.contains(&place),
        byte => byte.is_ascii_hexdigit() && !GROUPS.contains(&place),
    })
}
