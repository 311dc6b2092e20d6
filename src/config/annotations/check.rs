//! From the raw section to a validated one.

use std::time::Duration;

use serde_saphyr::Spanned;

use super::{Annotations, raw};
use crate::config::check::Checker;
use crate::config::notifications::Receiver;
use crate::config::value::{duration, quoted};
use crate::delivery::annotated::{Grant, Grants};
use crate::text::glob::Glob;

/// Maximum number of grants: each finding is checked against each of them.
const MAX_GRANTS: usize = 200;
/// A silence that may last longer is one for good, which belongs into the settings.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// Checks the section.
pub(in crate::config) fn check(raw: &raw::Annotations, receivers: &[Receiver], checker: &mut Checker) -> Annotations {
    const KEY: &str = "annotations.maxSilence";
    if let Some(over) = raw.grants.get(MAX_GRANTS) {
        let what = format!("more than {MAX_GRANTS} grants");
        checker.refuse(over.referenced, "annotations.grants", what, "a * in a pattern stands for any text");
    }
    let max_silence = checker.read(KEY, raw.max_silence.as_ref(), duration);
    if let (Some(span), Some(text)) = (max_silence, &raw.max_silence)
        && !(Duration::from_mins(1)..=LONGEST).contains(&span)
    {
        let what = format!("{} is not from 1m to 365d", quoted(&text.value));
        checker.refuse(text.referenced, KEY, what, "the default is 30d");
    }
    let grants = raw.grants.iter().take(MAX_GRANTS).enumerate();
    let grants = grants.filter_map(|(place, raw)| grant(place, raw, receivers, checker)).collect();
    let default = Annotations::default();
    Annotations {
        max_silence: max_silence.unwrap_or(default.max_silence),
        namespaces: raw.namespaces.unwrap_or(default.namespaces),
        grants: Grants(grants),
    }
}

fn grant(place: usize, raw: &Spanned<raw::Grant>, receivers: &[Receiver], checker: &mut Checker) -> Option<Grant> {
    let path = format!("annotations.grants[{place}]");
    let (at, raw) = (raw.referenced, &raw.value);
    if raw.namespaces.is_empty() {
        checker.refuse(at, &path, "it names no namespaces", "name those of the team that the receiver belongs to");
    }
    if raw.allow.is_empty() {
        checker.refuse(at, &path, "it allows nothing", "write allow: [silence, receiver, window], or some of them");
    }
    let namespaces = raw.namespaces.iter();
    let namespaces =
        namespaces.filter_map(|text| checker.read(&format!("{path}.namespaces"), Some(text), Glob::new)).collect();
    let Some(name) = &raw.receiver else {
        checker.refuse(at, &path, "it names no receiver", "write receiver: NAME");
        return None;
    };
    if !receivers.iter().any(|receiver| receiver.name == name.value) {
        let what = format!("there is no receiver {}", quoted(&name.value));
        checker.refuse(name.referenced, &format!("{path}.receiver"), what, "name one of notifications.receivers");
    }
    let allows = raw.allow.iter().map(|allowed| (*allowed).into()).collect();
    Some(Grant { receiver: name.value.clone(), namespaces, allows })
}
