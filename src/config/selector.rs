//! Label selectors in the syntax of `kubectl -l`. (`k8s.io/apimachinery/pkg/labels/selector.go`)

use std::sync::Arc;

use super::value::{Refusal, quoted as shown};

/// Maximum length of a selector: it is part of the URL of each watch.
const LONGEST: usize = 4096;

/// Parses a label selector; returns it without surrounding spaces.
///
/// `app=web`, `tier!=test`, `env in (prod, stage)`, `app notin (a)`, `app`, `!canary`, joined by commas,
/// all of which must hold.
///
/// # Errors
/// It has another syntax, or keys and values that no label can have.
pub fn selector(text: &str) -> Result<String, Refusal> {
    const HINT: &str = "write it as for kubectl -l: app=web,tier!=test,env in (prod,stage),!canary";
    let text = text.trim();
    let refused = |why: String| Refusal { what: why, hint: Some(HINT.to_owned()) };
    if text.is_empty() || text.len() > LONGEST {
        return Err(Refusal::new(text, "is no label selector", HINT));
    }
    for part in requirements(text) {
        requirement(part.trim()).map_err(refused)?;
    }
    Ok(text.to_owned())
}

/// Whether a selector that was [read](selector) matches these labels, sorted by key.
pub fn selects(selector: &str, labels: &[(Arc<str>, Arc<str>)]) -> bool {
    requirements(selector).all(|part| holds(part.trim(), labels))
}

fn holds(part: &str, labels: &[(Arc<str>, Arc<str>)]) -> bool {
    let value = |key: &str| labels.iter().find(|(known, _)| **known == *key.trim()).map(|(_, value)| &**value);
    if let Some(key) = part.strip_prefix('!') {
        return value(key).is_none();
    }
    if let Some((key, wanted)) = part.split_once("!=") {
        return value(key) != Some(wanted.trim());
    }
    if let Some((key, wanted)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return value(key) == Some(wanted.trim());
    }
    let Some((head, wanted)) = part.split_once('(') else { return value(part).is_some() };
    let wanted = wanted.trim_end_matches(')');
    let is_among = |value: &str| wanted.split(',').any(|one| one.trim() == value);
    match head.trim().strip_suffix(" notin") {
        Some(key) => !value(key).is_some_and(is_among),
        None => value(head.trim().trim_end_matches("in")).is_some_and(is_among),
    }
}

/// The parts between the commas outside of parentheses.
fn requirements(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth <= 0
    })
}

fn requirement(part: &str) -> Result<(), String> {
    if let Some(key) = part.strip_prefix('!') {
        return is_key(key.trim());
    }
    for operator in ["!=", "==", "="] {
        if let Some((key, value)) = part.split_once(operator) {
            return is_key(key.trim()).and_then(|()| is_value(value.trim()));
        }
    }
    let Some((head, values)) = part.split_once('(') else { return is_key(part) };
    let values = values.strip_suffix(')').ok_or_else(|| format!("{} lacks its )", shown(part)))?;
    let head = head.trim();
    let key = [" notin", " in"].into_iter().find_map(|word| head.strip_suffix(word));
    is_key(key.ok_or_else(|| format!("{} has neither in nor notin before its (", shown(part)))?.trim())?;
    values.split(',').try_for_each(|value| is_value(value.trim()))
}

/// A label's key: `app`, `app.kubernetes.io/name`.
fn is_key(key: &str) -> Result<(), String> {
    let (prefix, name) = key.rsplit_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let prefixed = prefix.is_none_or(|prefix| super::value::object_name(prefix).is_ok());
    if prefixed && !name.is_empty() && is_value(name).is_ok() {
        Ok(())
    } else {
        Err(format!("{} is no label's key", shown(key)))
    }
}

/// A label's value, which may be empty.
fn is_value(value: &str) -> Result<(), String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let ends = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    let mut all = value.chars();
    if value.len() <= 63 && value.chars().all(inner) && ends(all.next()) && ends(all.next_back()) {
        Ok(())
    } else {
        Err(format!("{} is no label's value", shown(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_selects_as_kubectl_does() {
        let labels = [("app", "web"), ("tier", "front")].map(|(key, value)| (Arc::from(key), Arc::from(value)));
        for (text, is_selected) in [
            ("app=web", true),
            ("app==web,tier!=back", true),
            ("app = web , tier in (front, back)", true),
            ("app notin (web)", false),
            ("plain", false),
            ("!plain", true),
            ("plain!=x", true),
            ("plain notin (x)", true),
            ("app in (api)", false),
        ] {
            let selector = selector(text).expect("a selector");
            assert_eq!(selects(&selector, &labels), is_selected, "{text}");
        }
    }

    #[test]
    fn what_kubectl_takes_is_taken() {
        let texts = [
            "app=web",
            "app==web,tier!=test",
            "env in (prod, stage),!canary",
            "app.kubernetes.io/name notin (a,b_c.d)",
            "app",
            "app=",
            "x in ()",
        ];
        for text in texts {
            assert_eq!(selector(text).as_deref(), Ok(text));
        }
        assert_eq!(selector(" app=web ").as_deref(), Ok("app=web"));
    }

    #[test]
    fn what_no_label_can_have_is_refused() {
        let texts =
            ["", " ", ",", "app=web,", "app=we b", "=x", "a in b", "a in (b", "a (b)", "in (b)", "/x=1", "a=b=c"];
        for text in texts.into_iter().chain(["a=-b", "a=ä", "app=\u{1b}", "a/b/c=1", "!", "A B", &"a".repeat(5000)]) {
            assert!(selector(text).is_err(), "{text}");
        }
    }
}
