//! Label selectors.

use super::meta::LabelsLite;
use super::shape::{List, lean};

lean! {
    /// `spec.selector` of a controller.
    pub struct SelectorLite {
        match_labels: LabelsLite = "matchLabels",
        match_expressions: List<RequirementLite> = "matchExpressions",
    }

    /// One of `matchExpressions`.
    pub struct RequirementLite {
        key: String = "key",
        operator: String = "operator",
        values: List<String> = "values",
    }
}

impl SelectorLite {
    /// The selector as a query parameter, `app=web,tier in (a,b)`, without the requirements on the keys in
    /// `without`.
    ///
    /// `None` if nothing would be left, or if a part of it is odd: it would select too much then.
    pub fn query(&self, without: &[&str]) -> Option<String> {
        let mut parts = Vec::new();
        let pairs = self.match_labels.known("matchLabels").ok()?.into_iter().flat_map(LabelsLite::pairs);
        for (key, value) in pairs.filter(|(key, _)| !without.contains(key)) {
            parts.push(format!("{}={}", plain(key)?, plain(value)?));
        }
        let expressions = self.match_expressions.known("matchExpressions").ok()?;
        for requirement in expressions.into_iter().flat_map(|list| &list.0) {
            let requirement = requirement.ok()?;
            if !requirement.key.ok().is_some_and(|key| without.contains(&key.as_str())) {
                parts.push(requirement.query()?);
            }
        }
        Some(parts.join(",")).filter(|query| !query.is_empty())
    }
}

impl RequirementLite {
    fn query(&self) -> Option<String> {
        let key = plain(self.key.ok()?)?;
        let values = || {
            let values = self.values.ok()?.0.iter().map(|value| plain(value.ok()?));
            Some(values.collect::<Option<Vec<_>>>()?.join(","))
        };
        Some(match self.operator.ok()?.as_str() {
            "In" => format!("{key} in ({})", values()?),
            "NotIn" => format!("{key} notin ({})", values()?),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        })
    }
}

/// The text of a label's key or value; `None` if it can be neither.
fn plain(text: &str) -> Option<&str> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    text.bytes().all(legal).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn query(selector: Value, without: &[&str]) -> Option<String> {
        serde_json::from_value::<SelectorLite>(selector).expect("an object").query(without)
    }

    #[test]
    fn a_selector_is_said_as_a_request_carries_it() {
        let selector = json!({
            "matchLabels": {"app": "web", "pod-template-hash": "5f4"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["a", "b"]},
                {"key": "zone", "operator": "NotIn", "values": ["x"]},
                {"key": "example.com/on", "operator": "Exists"},
                {"key": "off", "operator": "DoesNotExist", "values": null},
            ],
        });
        let all = "app=web,pod-template-hash=5f4,tier in (a,b),zone notin (x),example.com/on,!off";
        assert_eq!(query(selector.clone(), &[]).as_deref(), Some(all));
        let some = "app=web,tier in (a,b),zone notin (x),!off";
        assert_eq!(query(selector, &["pod-template-hash", "example.com/on"]).as_deref(), Some(some));
    }

    #[test]
    fn what_would_select_too_much_is_not_said_at_all() {
        for selector in [
            json!({}),
            json!({"matchLabels": {"hash": "x"}}),
            json!({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "a", "operator": "Near"}]}),
            json!({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "a", "operator": "In"}]}),
            json!({"matchLabels": {"app": "web"}, "matchExpressions": [7]}),
            json!({"matchLabels": {"app": "web,x"}}),
            json!({"matchLabels": ["app"]}),
        ] {
            assert_eq!(query(selector.clone(), &["hash"]), None, "{selector}");
        }
    }
}
