//! Findings ignored by an annotation, with a reason.

use super::object::Object;
use super::{Finding, Rule, Said, Severity};
use crate::source::manifest::At;

/// `probehound.dev/lint-ignore: "kill-budget: starts in 200 ms, measured"`, on the object or its pods'
/// template; several separated by semicolons or line breaks, and `RULE/CONTAINER` for one container.
pub const ANNOTATION: &str = "probehound.dev/lint-ignore";

/// A finding that is accepted by people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ignored {
    /// The finding.
    pub finding: Finding,
    /// Why it is accepted.
    pub reason: String,
}

/// One entry of an annotation.
struct Entry<'a> {
    at: At,
    text: &'a str,
    rule: Option<Rule>,
    container: Option<&'a str>,
    reason: &'a str,
    used: bool,
}

/// Removes ignored findings, and reports entries that ignore nothing.
pub fn apply(object: &Object<'_>, all: Vec<Finding>) -> Said {
    let mut entries: Vec<Entry<'_>> = entries(object);
    let mut said = Said::default();
    for finding in all {
        match entries.iter_mut().find(|entry| entry.covers(&finding)) {
            Some(entry) => {
                entry.used = true;
                said.ignored.push(Ignored { finding, reason: entry.reason.to_owned() });
            }
            None => said.findings.push(finding),
        }
    }
    said.findings.extend(entries.iter().filter_map(Entry::complaint));
    said.findings.sort_by_key(|finding| finding.at);
    said
}

fn entries<'a>(object: &Object<'a>) -> Vec<Entry<'a>> {
    let holders = [Some(object.node), Some(object.template).filter(|template| !std::ptr::eq(*template, object.node))];
    let metadata = holders.into_iter().flatten().filter_map(|node| node.at_path(&["metadata", "annotations"]));
    let annotations = metadata.filter_map(|annotations| annotations.entry(ANNOTATION));
    let parts = annotations.flat_map(|entry| {
        let text = entry.node.text().unwrap_or_default();
        text.split([';', '\n']).map(str::trim).filter(|part| !part.is_empty()).map(|part| (entry.at, part))
    });
    parts.map(|(at, text)| Entry::parse(at, text)).collect()
}

impl<'a> Entry<'a> {
    fn parse(at: At, text: &'a str) -> Self {
        let (who, reason) = text.split_once(':').map_or((text, ""), |(who, reason)| (who.trim(), reason.trim()));
        let (id, container) = who.split_once('/').map_or((who, None), |(id, container)| (id, Some(container)));
        Self { at, text, rule: Rule::from_id(id), container, reason, used: false }
    }

    fn covers(&self, finding: &Finding) -> bool {
        !self.reason.is_empty()
            && self.rule == Some(finding.rule)
            && self.container.is_none_or(|name| finding.container.as_deref() == Some(name))
    }

    fn complaint(&self) -> Option<Finding> {
        let (severity, why) = match (self.rule, self.reason.is_empty(), self.used) {
            (None, ..) => (Severity::Warning, "there is no such rule"),
            (Some(_), true, _) => (Severity::Warning, "it lacks a reason, so nothing is ignored"),
            (Some(_), false, false) => (Severity::Info, "nothing is found that it would ignore"),
            (Some(_), false, true) => return None,
        };
        let field = format!("metadata.annotations[{ANNOTATION}]");
        let finding = Finding::new(Rule::Ignore, self.at, field, why).severity(severity).current(self.text);
        Some(finding.suggest("RULE: REASON, such as kill-budget: starts in 200 ms, measured"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::lint;
    use super::super::testing::{ids, object_of, tree};

    fn said(annotation: &str) -> (Vec<&'static str>, Vec<String>) {
        let text = format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p, annotations: {{probehound.dev/lint-ignore: {annotation:?}}}}}, \
             spec: {{containers: [{{name: a, image: i, livenessProbe: {{tcpSocket: {{port: 1}}, periodSeconds: 1}}}}]}}}}"
        );
        let root = tree(&text);
        let said = lint(&object_of(&root), Vec::new());
        (ids(&said.findings), said.ignored.into_iter().map(|one| one.reason).collect())
    }

    #[test]
    fn what_is_ignored_with_a_reason_is_kept_apart() {
        assert_eq!(said("kill-budget: starts in 200 ms"), (vec![], vec!["starts in 200 ms".to_owned()]));
        assert_eq!(said("kill-budget/a: x: y"), (vec![], vec!["x: y".to_owned()]));
    }

    #[test]
    fn what_ignores_nothing_is_told() {
        for annotation in ["kill-budget", "kill-budget:", "kill-bugdet: fast", "kill-budget/b: fast", "port-name: fast"]
        {
            assert_eq!(said(annotation).0, ["lint-ignore", "kill-budget"], "{annotation}");
        }
        assert_eq!(said("").0, ["kill-budget"]);
    }
}
