//! The findings about a world, from the JSON document.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use probehound::engine::Engine;
use probehound::replay::{Moment, replay};
use probehound::time::Time;
use serde_json::Value;

use crate::kubelet::stream::{BASE, Stream};
use crate::support::document::PROBE_FAULTS;

/// A finding as JSON.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding(pub Value);

impl Finding {
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0[field].as_str()
    }

    pub fn word(&self, field: &str) -> &str {
        self.text(field).unwrap_or("-")
    }

    /// A string or a number as it is written.
    pub fn value(&self, field: &str) -> Option<String> {
        match &self.0[field] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// Milliseconds since the world's start.
    pub fn time(&self, field: &str) -> Option<i64> {
        self.text(field).and_then(millis)
    }

    pub fn is_confirmed(&self) -> bool {
        self.text("confirmed_at").is_some()
    }

    pub fn blames_a_probe(&self) -> bool {
        PROBE_FAULTS.contains(&self.word("cause"))
    }

    pub fn identity(&self) -> String {
        ["workload", "container", "effect", "probe"].map(|field| self.word(field)).join(" ")
    }

    pub fn lines(&self, field: &str) -> Vec<String> {
        let all = self.0[field].as_array().into_iter().flatten();
        all.filter_map(|it| it.as_str().or(it["what"].as_str()).map(str::to_owned)).collect()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cause, confidence, field) = (self.word("cause"), self.word("confidence"), self.word("field"));
        let value = |field| self.value(field).unwrap_or_else(|| "-".to_owned());
        write!(f, "{} {cause} ({confidence}) {field} ", self.identity())?;
        write!(f, "{} -> {}, episode {}", value("current"), value("suggested"), self.0["episodes"])
    }
}

/// A time of the document, in milliseconds since the world's start.
pub fn millis(text: &str) -> Option<i64> {
    Time::parse(text).ok().map(|time| time.as_millis() - BASE)
}

/// A change that was published.
#[derive(Clone, Debug)]
pub struct Change {
    /// Milliseconds since the world's start.
    pub at: i64,
    /// `Confirmed`, `Withdrawn`.
    pub kind: String,
    pub finding: Finding,
}

/// Everything published about a world.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub changes: Vec<Change>,
    pub findings: Vec<Finding>,
    pub skipped: Vec<String>,
}

impl Said {
    pub fn confirmed(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.is_confirmed())
    }
}

/// The findings for a recording; an error is a panic's message.
pub fn listen(stream: &Stream) -> Result<Said, String> {
    listen_with(stream, |_| {})
}

/// The same, with each change passed on.
pub fn listen_with(stream: &Stream, mut hear: impl FnMut(&probehound::engine::Change)) -> Result<Said, String> {
    let bytes = stream.bytes();
    catch_unwind(AssertUnwindSafe(|| {
        let mut said = Said::default();
        let mut engine = Engine::default();
        replay(bytes.as_slice(), &mut engine, |moment| match moment {
            Moment::Change(change) => {
                hear(&change);
                said.changes.push(Change {
                    at: change.at.as_millis() - BASE,
                    kind: format!("{:?}", change.kind),
                    finding: Finding(serde_json::to_value(&*change.finding).expect("a finding is plain data")),
                });
            }
            Moment::Skipped(line) | Moment::Odd(line) => said.skipped.push(format!("{line:?}")),
            Moment::Record(_) | Moment::Answer(_) => {}
        });
        let all = engine.findings();
        said.findings =
            all.iter().map(|it| Finding(serde_json::to_value(&**it).expect("a finding is plain data"))).collect();
        said
    }))
    .map_err(|panic| match panic.downcast_ref::<String>() {
        Some(text) => text.clone(),
        None => panic.downcast_ref::<&str>().map_or_else(|| "a panic".to_owned(), |text| (*text).to_owned()),
    })
}
