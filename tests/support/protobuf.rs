//! Writes objects in protobuf as the API server does, from their JSON and the fields of the messages in
//! `messages.txt`: number, name and type; `?` is a field that is written only where the JSON has it, `@` one
//! whose fields stand among those around it. Every other field is always written, empty or not, as by the
//! marshalers of gogo.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// A message's fields.
struct Field {
    number: u64,
    name: &'static str,
    kind: &'static str,
    only_if_there: bool,
}

static MESSAGES: LazyLock<BTreeMap<&str, Vec<Field>>> =
    LazyLock::new(|| include_str!("messages.txt").lines().map(message).collect());

fn message(line: &'static str) -> (&'static str, Vec<Field>) {
    let (name, fields) = line.split_once(": ").expect("a name");
    let field = |text: &'static str| {
        let mut words = text.split(' ');
        let mut word = || words.next().expect("number, name and type");
        let (number, name, kind) = (word().parse().expect("a number"), word(), word());
        Field { number, name, kind: kind.trim_end_matches('?'), only_if_there: kind.ends_with('?') }
    };
    (name, fields.split(", ").map(field).collect())
}

/// Which server writes an object.
#[derive(Copy, Clone, PartialEq, Eq)]
pub enum Server {
    /// One of today.
    Known,
    /// A newer one: each message of it has further fields.
    Newer,
}

/// An object of that kind, without an envelope: as in a list.
pub fn object(kind: &str, json: &Value) -> Vec<u8> {
    object_of(Server::Newer, kind, json)
}

/// The same, of that server.
pub fn object_of(server: Server, kind: &str, json: &Value) -> Vec<u8> {
    let empty = Map::new();
    let json = json.as_object().unwrap_or(&empty);
    let mut out = Vec::new();
    for field in &MESSAGES[kind] {
        put_field(server, field, json, &mut out);
    }
    if server == Server::Newer {
        put_news(&mut out);
    }
    out
}

/// Fields of all types, with numbers that nobody has given away yet.
fn put_news(out: &mut Vec<u8>) {
    put_bytes(20_001, b"new", out);
    put_number(20_002, u64::MAX, out);
    put_key(20_003, 5, out);
    out.extend([1; 4]);
    put_key(20_004, 1, out);
    out.extend([1; 8]);
}

/// The same in its envelope: as in a watch.
pub fn enveloped(kind: &str, message: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    put_bytes(1, b"v1", &mut types);
    put_bytes(2, kind.as_bytes(), &mut types);
    let mut out = b"k8s\0".to_vec();
    put_bytes(1, &types, &mut out);
    put_bytes(2, message, &mut out);
    put_bytes(3, b"", &mut out);
    put_bytes(4, b"", &mut out);
    out
}

/// A list of such objects, in its envelope; the next page begins at `rest`, if it is not empty.
pub fn list(kind: &str, version: &str, rest: &str, items: &[Value]) -> Vec<u8> {
    let meta = serde_json::json!({"resourceVersion": version, "continue": rest});
    let mut out = Vec::new();
    put_bytes(1, &object("ListMeta", &meta), &mut out);
    for item in items {
        put_bytes(2, &object(kind, item), &mut out);
    }
    enveloped(&format!("{kind}List"), &out)
}

/// An event of a watch with its length before it: `change` is `ADDED`, `MODIFIED` or `DELETED`.
pub fn watched(change: &str, kind: &str, json: &Value) -> Vec<u8> {
    let (mut raw, mut event) = (Vec::new(), Vec::new());
    put_bytes(1, &enveloped(kind, &object(kind, json)), &mut raw);
    put_bytes(1, change.as_bytes(), &mut event);
    put_bytes(2, &raw, &mut event);
    let length = u32::try_from(event.len()).expect("a short event");
    [&length.to_be_bytes()[..], &event].concat()
}

/// The JSON that an API server makes of an object, which it has read from protobuf: without what its tags
/// leave out, and without what is finer than its times.
pub fn as_served(kind: &str, json: &mut Value) {
    let Some(fields) = json.as_object_mut() else {
        return;
    };
    for Field { name, kind, only_if_there, .. } in MESSAGES.get(kind).into_iter().flatten() {
        if let Some(inline) = kind.strip_prefix('@') {
            let mut around = Value::Object(std::mem::take(fields));
            as_served(inline, &mut around);
            if let Value::Object(left) = around {
                *fields = left;
            }
            continue;
        }
        let Some(value) = fields.get_mut(*name) else {
            continue;
        };
        match kind.strip_prefix("[]") {
            Some(item) => value.as_array_mut().into_iter().flatten().for_each(|value| as_served(item, value)),
            None => as_served(kind, value),
        }
        match *kind {
            "Time" => as_shown(value, 0),
            "MicroTime" => as_shown(value, 6),
            _ => {}
        }
        let is_left_out = match value {
            Value::Array(items) => items.is_empty(),
            Value::Object(entries) => entries.is_empty() && kind.starts_with("{}"),
            Value::String(text) => text.is_empty() && !only_if_there,
            Value::Number(number) => number.as_i64() == Some(0) && !only_if_there,
            Value::Bool(value) => !*value && !only_if_there,
            Value::Null => true,
        };
        if is_left_out {
            fields.remove(*name);
        }
    }
}

fn as_shown(value: &mut Value, digits: usize) {
    if let Some(time) = value.as_str().and_then(|text| text.parse::<Timestamp>().ok()) {
        *value = Value::String(format!("{time:.digits$}"));
    }
}

fn put_field(server: Server, field: &Field, json: &Map<String, Value>, out: &mut Vec<u8>) {
    let absent = Value::Null;
    let value = json.get(field.name).unwrap_or(&absent);
    let number = field.number;
    if let Some(item) = field.kind.strip_prefix("[]") {
        value.as_array().into_iter().flatten().for_each(|value| put_value(server, number, item, value, out));
    } else if let Some(of) = field.kind.strip_prefix("{}") {
        for (key, value) in value.as_object().into_iter().flatten() {
            let mut entry = Vec::new();
            put_bytes(1, key.as_bytes(), &mut entry);
            put_value(server, 2, of, value, &mut entry);
            put_bytes(number, &entry, out);
        }
    } else if let Some(inline) = field.kind.strip_prefix('@') {
        put_bytes(number, &object_of(server, inline, &Value::Object(json.clone())), out);
    } else if !value.is_null() || is_always_there(field) {
        put_value(server, number, field.kind, value, out);
    }
}

/// Whether an empty value is written: of objects that JSON always shows, it stands in the JSON itself.
fn is_always_there(field: &Field) -> bool {
    !field.only_if_there && matches!(field.kind, "string" | "int" | "bool" | "Time" | "MicroTime")
}

fn put_value(server: Server, number: u64, kind: &str, value: &Value, out: &mut Vec<u8>) {
    let text = || value.as_str().unwrap_or_default().as_bytes();
    match kind {
        "string" => put_bytes(number, text(), out),
        "int" => put_number(number, value.as_i64().unwrap_or_default() as u64, out),
        "bool" => put_number(number, u64::from(value.as_bool().unwrap_or_default()), out),
        "Time" | "MicroTime" => put_bytes(number, &time(value), out),
        "Quantity" => {
            let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            put_bytes(number, &text_in_message(plain.as_bytes()), out);
        }
        "FieldsV1" => put_bytes(number, &text_in_message(value.to_string().as_bytes()), out),
        "IntOrString" => {
            let mut message = Vec::new();
            put_number(1, u64::from(value.is_string()), &mut message);
            put_number(2, value.as_i64().unwrap_or_default() as u64, &mut message);
            put_bytes(3, text(), &mut message);
            put_bytes(number, &message, out);
        }
        message => put_bytes(number, &object_of(server, message, value), out),
    }
}

fn text_in_message(text: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    put_bytes(1, text, &mut message);
    message
}

/// Go's zero time, which JSON shows as `null`, is an empty message.
fn time(value: &Value) -> Vec<u8> {
    let mut message = Vec::new();
    if let Some(text) = value.as_str() {
        let time: Timestamp = text.parse().expect("a time");
        put_number(1, time.as_second() as u64, &mut message);
        put_number(2, i64::from(time.subsec_nanosecond()) as u64, &mut message);
    }
    message
}

/// A field that is a text or a message.
pub fn put_bytes(number: u64, bytes: &[u8], out: &mut Vec<u8>) {
    put_key(number, 2, out);
    put_varint(bytes.len() as u64, out);
    out.extend(bytes);
}

/// A field that is a number.
pub fn put_number(number: u64, value: u64, out: &mut Vec<u8>) {
    put_key(number, 0, out);
    put_varint(value, out);
}

fn put_key(number: u64, kind: u64, out: &mut Vec<u8>) {
    put_varint(number << 3 | kind, out);
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
