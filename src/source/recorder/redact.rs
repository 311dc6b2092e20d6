//! Objects → their recorded form.

use ring::hmac;
use serde_json::{Map, Value, json};

use super::names::Names;
use super::rules::{self, Rule};
use super::{Resource, vocabulary};
use crate::source::mask::{self, MAX_TEXT};
use crate::text::{MASK, cut};

/// Maximum length of a name, value or reason, in bytes; the API allows less for all of them but images.
const MAX_VALUE: usize = MAX_TEXT;

/// Maximum number of list items and object keys; a slice of endpoints has 1000.
const MAX_ITEMS: usize = 1000;

/// Whether a recording contains real names.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Disclosure {
    /// Names as they are.
    Named,
    /// Every name is replaced by another one, always the same.
    Anonymous,
}

/// Removes from objects what must not be in a recording.
#[derive(Debug)]
pub struct Redactor {
    key: hmac::Key,
    names: Option<Names>,
}

impl Redactor {
    /// A redactor whose hashes cannot be computed without `key`; forget it with the recorder.
    pub fn new(key: &[u8; 32], disclosure: Disclosure) -> Self {
        let names = (disclosure == Disclosure::Anonymous).then(Names::default);
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), names }
    }

    /// The recorded form of an object.
    pub fn redact(&mut self, resource: Resource, object: &Value) -> Value {
        self.apply(rules::of(resource), object).unwrap_or(Value::Null)
    }

    /// `None` if nothing of it is left.
    fn apply(&mut self, rule: Rule, value: &Value) -> Option<Value> {
        match (rule, value) {
            (_, Value::Null) => Some(Value::Null),
            (Rule::Fields(fields), Value::Object(object)) => Some(self.fields(fields, object)),
            (Rule::Each(rule), Value::Object(object)) => Some(self.each(*rule, object)),
            (Rule::Labels, Value::Object(object)) => Some(self.each(Rule::Name, object)),
            (Rule::List(rule), Value::Array(items)) => {
                Some(items.iter().take(MAX_ITEMS).filter_map(|item| self.apply(*rule, item)).collect())
            }
            (Rule::Words, Value::Array(words)) => Some(self.words(words)),
            (Rule::Managed, Value::Array(managers)) => {
                Some(managers.iter().take(MAX_ITEMS).filter_map(|manager| self.manager(manager)).collect())
            }
            (Rule::Keep | Rule::Name, Value::Bool(_) | Value::Number(_)) => Some(value.clone()),
            (Rule::Keep, Value::String(text)) => Some(cut(text, MAX_VALUE).into()),
            (Rule::Name, Value::String(text)) => Some(self.name(cut(text, MAX_VALUE)).into()),
            (Rule::Text, Value::String(text)) => Some(self.name(&mask::message(text)).into()),
            (Rule::Path, Value::String(text)) => Some(self.name(&mask::path(text)).into()),
            (Rule::Secret, Value::String(text)) => Some(self.secret(text).into()),
            // Not of the type in the API: it could be anything.
            _ => None,
        }
    }

    fn fields(&mut self, fields: &[(&str, Rule)], object: &Map<String, Value>) -> Value {
        let mut kept = Map::new();
        for (name, rule) in fields {
            if let Some(value) = object.get(*name).and_then(|value| self.apply(*rule, value)) {
                kept.insert((*name).to_owned(), value);
            }
        }
        Value::Object(kept)
    }

    fn each(&mut self, rule: Rule, object: &Map<String, Value>) -> Value {
        let mut kept = Map::new();
        for (name, value) in object.iter().take(MAX_ITEMS) {
            if let Some(value) = self.apply(rule, value) {
                kept.insert(self.key_of(name), value);
            }
        }
        Value::Object(kept)
    }

    /// A key of a label or resource; Kubernetes' own keys have a meaning.
    fn key_of(&mut self, key: &str) -> String {
        let key = cut(key, MAX_VALUE);
        if vocabulary::is_known_key(key) { key.to_owned() } else { self.name(key) }
    }

    /// The words of a command; of those beyond what is ever shown only hashes.
    fn words(&mut self, words: &[Value]) -> Value {
        let texts: Vec<&str> = words.iter().take(MAX_ITEMS).map(|word| word.as_str().unwrap_or_default()).collect();
        let shown = mask::command(texts.iter().copied());
        let pairs = shown.iter().zip(&texts);
        let mut kept: Vec<String> = pairs.map(|(shown, text)| self.marked(shown, text)).collect();
        // A hash must not change what is shown when the command is masked again.
        if mask::command(kept.iter().map(String::as_str)) != shown {
            kept = shown;
        }
        kept.extend(texts[kept.len()..].iter().map(|text| self.secret(text)).collect::<Vec<_>>());
        kept.iter().map(|word| self.name(word)).collect()
    }

    /// A masked word with a hash of the original: after the first secret, or at the end if it was only cut.
    fn marked(&self, masked: &str, text: &str) -> String {
        if masked == text {
            return masked.to_owned();
        }
        let mark = self.mark(text);
        match masked.split_once(MASK) {
            Some((before, after)) => format!("{before}{MASK}{mark}{after}"),
            None => format!("{masked}{mark}"),
        }
    }

    fn secret(&self, text: &str) -> String {
        if text.is_empty() { String::new() } else { format!("{MASK}{}", self.mark(text)) }
    }

    /// Eight hexadecimal digits that distinguish secrets.
    fn mark(&self, text: &str) -> String {
        let tag = hmac::sign(&self.key, text.as_bytes());
        let number = tag.as_ref().iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        format!("{number:08x}")
    }

    fn name(&mut self, text: &str) -> String {
        match &mut self.names {
            Some(names) => names.replace(text),
            None => text.to_owned(),
        }
    }

    /// An entry of `managedFields`, if it owns a part of the pod template, without the names of the fields
    /// below.
    fn manager(&mut self, entry: &Value) -> Option<Value> {
        let template = ["template", "jobTemplate"]
            .into_iter()
            .find(|name| !entry["fieldsV1"]["f:spec"][format!("f:{name}")].is_null())?;
        let mut kept = self.fields(
            &[("operation", Rule::Keep), ("time", Rule::Keep), ("subresource", Rule::Keep), ("manager", Rule::Name)],
            entry.as_object()?,
        );
        kept["fieldsV1"] = json!({"f:spec": {format!("f:{template}"): {}}});
        Some(kept)
    }
}
