//! The truth about an incident, and the comparison with findings.

use std::fmt;

use probehound::time::Time;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, de};

use super::document::{Document, Finding, PROBE_FAULTS};

/// An `expect.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// The findings that have to be found.
    pub findings: Vec<Expected>,
    /// The findings that are tolerated besides.
    #[serde(default)]
    pub may: Vec<Expected>,
}

/// An expected finding; what is absent is not judged.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub workload: Judged,
    #[serde(default)]
    pub container: Judged,
    #[serde(default)]
    pub effect: Judged,
    #[serde(default)]
    pub probe: Judged,
    #[serde(default)]
    pub cause: Judged,
    #[serde(default)]
    pub field: Judged,
    #[serde(default)]
    pub current: Judged,
    #[serde(default)]
    pub suggested: Judged,
    /// Other values that work.
    #[serde(default)]
    pub works: Judged,
    #[serde(default)]
    pub revision: Judged,
    #[serde(default)]
    pub confidence: Judged,
    pub resolved: Option<bool>,
    pub episodes: Option<u32>,
    /// Number of affected pods.
    pub affected: Option<u32>,
    /// Number of pods of the workload.
    pub total: Option<u32>,
    pub namespace: Option<String>,
    /// A pattern that one of its commands or sentences has to match.
    pub remedy_has: Option<String>,
    /// A pattern that none of them may match.
    pub remedy_not: Option<String>,
    /// A pattern that no fact may match.
    pub evidence_not: Option<String>,
    pub first_restart_at: Option<Time>,
}

/// The accepted values.
#[derive(Debug, Default)]
pub enum Judged {
    /// Anything is accepted.
    #[default]
    Not,
    /// One of these is required; `None` means that there must be none.
    AnyOf(Vec<Option<String>>),
}

/// How much of the truth is required.
#[derive(Copy, Clone, PartialEq, Eq)]
pub enum Scale {
    /// All of it: the stream is complete.
    Whole,
    /// The stream has gaps: a cause may be missed or be `Unknown`.
    Lenient,
}

/// The problems of findings compared to the truth.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Expected findings that are missing.
    pub missed: Vec<String>,
    /// Findings with a wrong field, value, revision, confidence or resolution.
    pub inexact: Vec<String>,
    /// Suggestions that are not known to work.
    pub bad_advice: Vec<String>,
    /// Findings that are neither expected nor tolerated.
    pub false_alarms: Vec<String>,
    /// Those of them that blame a probe.
    pub blamed: Vec<String>,
    /// Seconds from the first restart to the confirmation, for faults of probes.
    pub delays: Vec<i64>,
}

impl Truth {
    /// Whether it blames a probe anywhere, even if only as a possibility.
    pub fn blames_a_probe(&self) -> bool {
        let all = self.findings.iter().chain(&self.may);
        all.map(|expected| &expected.cause).any(|cause| PROBE_FAULTS.iter().any(|fault| cause.accepts(Some(fault))))
    }

    /// Compares findings with it.
    pub fn judge(&self, said: &Document, scale: Scale) -> Verdict {
        let mut verdict = Verdict::default();
        let mut rest: Vec<&Finding> = said.confirmed().collect();
        let said_at_all: Vec<String> = rest.iter().map(|finding| finding.brief()).collect();
        for expected in &self.findings {
            if let Some(place) = rest.iter().position(|finding| expected.matches(finding)) {
                expected.judge(rest.remove(place), &mut verdict);
            } else if let Some(place) = rest.iter().position(|finding| expected.is_left_open_by(finding, scale)) {
                rest.remove(place);
            } else if scale == Scale::Whole {
                verdict.missed.push(format!("{expected}; said {said_at_all:?}"));
            }
        }
        rest.retain(|finding| !self.may.iter().any(|expected| expected.matches(finding)));
        for finding in rest {
            verdict.false_alarms.push(finding.brief());
            if finding.blames_a_probe() {
                verdict.blamed.push(finding.brief());
            }
        }
        verdict
    }
}

impl Verdict {
    /// All problems, one text each.
    pub fn problems(&self) -> Vec<String> {
        let kinds = [
            ("missed", &self.missed),
            ("inexact", &self.inexact),
            ("bad advice", &self.bad_advice),
            ("false alarm", &self.false_alarms),
            ("BLAMED A PROBE", &self.blamed),
        ];
        let problems = kinds.into_iter();
        problems.flat_map(|(kind, said)| said.iter().map(move |what| format!("{kind}: {what}"))).collect()
    }
}

impl Expected {
    fn matches(&self, said: &Finding) -> bool {
        self.is_about(said)
            && self.effect.accepts(Some(&said.effect))
            && self.probe.accepts(said.probe.as_deref())
            && self.cause.accepts(Some(&said.cause))
    }

    fn is_about(&self, said: &Finding) -> bool {
        self.workload.accepts(Some(&said.workload)) && self.container.accepts(Some(&said.container))
    }

    fn is_left_open_by(&self, said: &Finding, scale: Scale) -> bool {
        scale == Scale::Lenient && self.is_about(said) && said.cause == "Unknown"
    }

    fn judge(&self, said: &Finding, verdict: &mut Verdict) {
        if let (Some(first), Some(confirmed), true) = (self.first_restart_at, said.confirmed_at, said.blames_a_probe())
        {
            verdict.delays.push(seconds(confirmed) - seconds(first));
        }
        if let Some(what) = self.inexact(said) {
            verdict.inexact.push(format!("{}: {what}", said.brief()));
        }
        if self.is_badly_advised_by(said) {
            verdict.bad_advice.push(format!("{}: {:?}", said.brief(), said.suggested));
        }
    }

    fn inexact(&self, said: &Finding) -> Option<String> {
        let revision = said.revision.map(|revision| revision.to_string());
        let judged = [
            ("field", &self.field, said.field.as_deref()),
            ("current", &self.current, said.current.as_deref()),
            ("suggested", &self.suggested, said.suggested.as_deref()),
            ("revision", &self.revision, revision.as_deref()),
            ("confidence", &self.confidence, Some(said.confidence.as_str())),
        ];
        for (what, right, said) in judged {
            if !right.accepts(said) {
                return Some(format!("{what}={said:?}, right is {right:?}"));
            }
        }
        if self.episodes.is_some_and(|episodes| episodes != said.episodes) {
            return Some(format!("episodes={}: told anew", said.episodes));
        }
        if self.namespace.as_ref().is_some_and(|namespace| *namespace != said.namespace) {
            return Some(format!("namespace={}", said.namespace));
        }
        for (what, right, said) in
            [("affected", self.affected, said.pods.affected), ("total", self.total, said.pods.total)]
        {
            if right.is_some_and(|right| right != said) {
                return Some(format!("{what}={said}, right is {right:?}"));
            }
        }
        let evidence: Vec<_> = said.evidence.iter().map(|fact| fact.what.as_str()).collect();
        let remedy = said.remedy.join("\n");
        for (what, pattern, text, wanted) in [
            ("remedy", &self.remedy_has, &remedy, true),
            ("remedy", &self.remedy_not, &remedy, false),
            ("evidence", &self.evidence_not, &evidence.join("\n"), false),
        ] {
            if pattern.as_ref().is_some_and(|pattern| matches(pattern, text) != wanted) {
                return Some(format!("{what}={text:?}, right is {pattern:?}: {wanted}"));
            }
        }
        match (self.resolved, said.resolved_at.is_some()) {
            (Some(true), false) => Some("not resolved".to_owned()),
            (Some(false), true) => Some("called resolved while it loops".to_owned()),
            _ => None,
        }
    }

    fn is_badly_advised_by(&self, said: &Finding) -> bool {
        let Some(suggested) = said.suggested.as_deref() else {
            return false;
        };
        let works = self.suggested.accepts(Some(suggested)) || self.works.names(suggested);
        !works || self.current.names(suggested)
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    regex::Regex::new(pattern).expect("the pattern of a truth is one").is_match(text)
}

impl Judged {
    /// Whether `said` is accepted.
    pub fn accepts(&self, said: Option<&str>) -> bool {
        match self {
            Self::Not => true,
            Self::AnyOf(right) => right.iter().any(|right| right.as_deref() == said),
        }
    }

    /// Whether `value` is named explicitly.
    fn names(&self, value: &str) -> bool {
        matches!(self, Self::AnyOf(_)) && self.accepts(Some(value))
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [&self.effect, &self.probe, &self.cause, &self.workload, &self.container];
        for (place, word) in words.into_iter().enumerate() {
            let Judged::AnyOf(right) = word else { continue };
            let right: Vec<&str> = right.iter().map(|value| value.as_deref().unwrap_or("-")).collect();
            write!(f, "{}{}", if place == 0 { "" } else { " " }, right.join("|"))?;
        }
        Ok(())
    }
}

fn seconds(time: Time) -> i64 {
    time.as_millis().div_euclid(1000)
}

impl<'de> Deserialize<'de> for Judged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;

        impl<'de> Visitor<'de> for Values {
            type Value = Vec<Option<String>>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a value, null, or a list of these")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(vec![None])
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(vec![Some(text.to_owned())])
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(Judged::AnyOf(item)) = list.next_element()? {
                    values.extend(item);
                }
                Ok(values)
            }
        }

        deserializer.deserialize_any(Values).map(Self::AnyOf)
    }
}
