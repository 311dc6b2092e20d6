//! Findings that are found but not notified (silences).

use std::fmt;

use crate::finding::{Cause, Finding};
use crate::text::glob::Glob;
use crate::time::Time;

/// All silences, in the order of the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Silences(pub Vec<Silence>);

/// Silences the findings that match all its conditions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Silence {
    /// Its name in metrics and objects; unique.
    pub name: String,
    /// The findings that it applies to.
    pub matcher: Matcher,
    /// When it expires.
    pub until: Option<Time>,
    /// The reason, for readers.
    pub reason: Option<String>,
}

/// The conditions of a silence; a finding has to match all of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Matcher {
    /// The namespace.
    pub namespace: Option<Glob>,
    /// `KIND/NAME`.
    pub workload: Option<Glob>,
    /// The container's name.
    pub container: Option<Glob>,
    /// The cause.
    pub cause: Option<Cause>,
}

impl Silences {
    /// The first silence that applies to a finding at `now`.
    pub fn of(&self, finding: &Finding, now: Time) -> Option<&Silence> {
        self.0.iter().find(|silence| !silence.is_over(now) && silence.matcher.matches(finding))
    }
}

impl Silence {
    /// Whether it has expired.
    pub fn is_over(&self, now: Time) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl Matcher {
    /// Whether the finding matches all conditions.
    pub fn matches(&self, finding: &Finding) -> bool {
        let fits = |glob: &Option<Glob>, text: &str| glob.as_ref().is_none_or(|glob| glob.matches(text));
        fits(&self.namespace, &finding.namespace)
            && fits(&self.workload, &finding.workload)
            && fits(&self.container, &finding.container)
            && self.cause.is_none_or(|cause| cause == finding.cause)
    }

    /// Whether it applies to every finding.
    pub fn is_everything(&self) -> bool {
        let everything = |glob: &Option<Glob>| glob.as_ref().is_none_or(Glob::is_everything);
        // `*/*` matches everything too: each workload has a kind and a name.
        let workload = self.workload.as_ref().is_none_or(|glob| glob.as_str().split('/').all(|part| part == "*"));
        self.cause.is_none() && everything(&self.namespace) && workload && everything(&self.container)
    }
}

/// `namespace=shop workload=Deployment/web cause=WrongPath`
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let globs = [("namespace", &self.namespace), ("workload", &self.workload), ("container", &self.container)];
        let globs = globs.into_iter().filter_map(|(key, glob)| Some((key, glob.as_ref()?.as_str())));
        let all = globs.chain(self.cause.map(|cause| ("cause", cause.word())));
        for (place, (key, value)) in all.enumerate() {
            let gap = if place == 0 { "" } else { " " };
            write!(f, "{gap}{key}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_silenced_by_the_first_that_matches_all_it_names() {
        let silences = Silences(vec![
            silence("other-namespace", Some("pay"), None, None),
            silence("other-cause", Some("shop"), None, Some(Cause::Crash)),
            silence("first", Some("sh*"), Some("*/web-*"), Some(Cause::WrongPath)),
            silence("second", Some("shop"), None, None),
        ]);
        assert_eq!(silences.of(&finding(), Time::default()).map(|silence| silence.name.as_str()), Some("first"));
    }

    #[test]
    fn a_silence_ends_at_its_time() {
        let mut silence = silence("a", Some("shop"), None, None);
        silence.until = Some(Time::from_millis(1000));
        let silences = Silences(vec![silence]);
        assert!(silences.of(&finding(), Time::from_millis(999)).is_some());
        assert!(silences.of(&finding(), Time::from_millis(1000)).is_none());
    }

    #[test]
    fn a_matcher_that_leaves_nothing_out_is_everything() {
        let matcher = |namespace, workload| silence("a", namespace, workload, None).matcher;
        assert!(matcher(None, None).is_everything());
        assert!(matcher(Some("**"), Some("*/*")).is_everything());
        assert!(!matcher(Some("*"), Some("Deployment/*")).is_everything());
    }

    fn silence(name: &str, namespace: Option<&str>, workload: Option<&str>, cause: Option<Cause>) -> Silence {
        let glob = |text: Option<&str>| text.map(|text| Glob::new(text).expect("a pattern"));
        let matcher = Matcher { namespace: glob(namespace), workload: glob(workload), container: None, cause };
        Silence { name: name.to_owned(), matcher, until: None, reason: None }
    }

    fn finding() -> Finding {
        serde_json::from_value(serde_json::json!({
            "namespace": "shop", "workload": "Deployment/web-1", "container": "app",
            "effect": "RestartLoop", "cause": "WrongPath", "confidence": "high", "severity": "critical",
            "hypotheses": [], "evidence": [], "pods": {"affected": 1, "total": 1}, "services": [],
            "restarts": 1, "episodes": 1, "opened_at": "2026-11-22T14:00:00Z", "remedy": [],
        }))
        .expect("a finding")
    }
}
