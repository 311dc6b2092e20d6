//! Translates a recording into the place and time where it is played.

use std::sync::Arc;
use std::time::Duration;

use probehound::time::Time;
use serde_json::Value;

use super::stage;
use crate::support::Recording;

/// The times, the namespace and the node of a recording where it is played.
#[derive(Clone)]
pub struct Translation {
    /// What is added to each time, in milliseconds; whole seconds.
    span: i64,
    names: Arc<Names>,
}

struct Names {
    namespace: (String, String),
    /// Every incident has a node of its own: what happens to many workloads of one node at once would be
    /// attributed to that node.
    node: (String, String),
}

impl Translation {
    /// The translation with which `from` becomes `start`, or up to a second later.
    ///
    /// Most times in objects are truncated to whole seconds; only an offset of whole seconds keeps their
    /// distance from the moment at which they are written.
    pub fn new(recording: &Recording, namespace: &str, from: Time, start: Time) -> Self {
        let difference = start.as_millis() - from.as_millis();
        let span = (difference + 999).div_euclid(1000) * 1000;
        let names = Names {
            namespace: (stage::namespace_of(recording), namespace.to_owned()),
            node: (stage::node_of(recording), format!("node-of-{namespace}")),
        };
        Self { span, names: Arc::new(names) }
    }

    /// When that time of the recording is played.
    pub fn time(&self, recorded: Time) -> Time {
        let span = Duration::from_millis(self.span.unsigned_abs());
        if self.span < 0 { recorded.minus(span) } else { recorded.plus(span) }
    }

    /// The namespace in which it is played.
    pub fn namespace(&self) -> &str {
        &self.names.namespace.1
    }

    /// Translates everything in an object except its UIDs.
    pub fn translate(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.translate(item)),
            Value::Object(fields) => fields.iter_mut().for_each(|(key, field)| match field {
                Value::String(text) if key == "namespace" && *text == self.names.namespace.0 => {
                    text.clone_from(&self.names.namespace.1);
                }
                field => self.translate(field),
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&self, text: &mut String) {
        let (recorded, here) = &self.names.node;
        if text == recorded {
            text.clone_from(here);
        } else if let Some(later) = self.shifted(text) {
            *text = later;
        } else {
            let (recorded, here) = &self.names.namespace;
            // The kubelet's format of a pod's name: NAME_NAMESPACE(UID).
            if recorded != here && text.contains(&format!("_{recorded}(")) {
                *text = text.replace(&format!("_{recorded}("), &format!("_{here}("));
            }
        }
    }

    /// A time with the same fraction of a second, digit by digit; `None` for any other text.
    fn shifted(&self, text: &str) -> Option<String> {
        const SECONDS: usize = "2026-11-22T20:33:35".len();
        let (seconds, rest) = text.split_at_checked(SECONDS)?;
        if !rest.ends_with('Z') || !seconds.starts_with("20") {
            return None;
        }
        let time = Time::parse(&format!("{seconds}Z")).ok()?;
        let later = self.time(time).to_string();
        Some(format!("{}{rest}", &later[..SECONDS]))
    }
}
