//! The routes.

use jiff::tz::TimeZone;
use serde_saphyr::Spanned;

use super::values::{hours, kind, zone};
use super::{Key, MAX_ROUTES};
use crate::config::annotations::raw::{Allowed, Annotations, Grant};
use crate::config::check::Checker;
use crate::config::notifications::Receiver;
use crate::config::notifications::raw::{self, Route as RawRoute};
use crate::config::value::quoted;
use crate::config::written::Text;
use crate::delivery::mute::{DAY, Mute};
use crate::delivery::route::Route;
use crate::finding::{Confidence, Severity};
use crate::text::glob::Glob;

/// Checks the routes; without any each receiver gets the default one.
pub(super) fn routes(raw: &[Spanned<RawRoute>], receivers: &[Receiver], checker: &mut Checker) -> Vec<Route> {
    if let Some(over) = raw.get(MAX_ROUTES) {
        let what = format!("more than {MAX_ROUTES} routes");
        checker.refuse(over.referenced, "notifications.routes", what, "a * in a pattern stands for any text");
    }
    if raw.is_empty() {
        return receivers.iter().map(|receiver| Route::default_to(&receiver.name)).collect();
    }
    let routes = raw.iter().take(MAX_ROUTES).enumerate();
    routes.filter_map(|(place, raw)| route(place, raw, receivers, checker)).collect()
}

fn route(place: usize, raw: &Spanned<RawRoute>, receivers: &[Receiver], checker: &mut Checker) -> Option<Route> {
    let key = Key { at: raw.referenced, path: format!("notifications.routes[{place}]") };
    let raw = &raw.value;
    let receiver = to(&key, raw.receiver.as_ref(), receivers, checker);
    if raw.namespaces.is_empty() {
        const HINT: &str = "name them, or write [\"*\"]: a receiver hears only of namespaces that a route names";
        checker.refuse(key.at, &key.path, "it names no namespaces", HINT);
    }
    let namespaces =
        raw.namespaces.iter().filter_map(|text| checker.read(&key.of("namespaces"), Some(text), Glob::new));
    let namespaces = namespaces.collect();
    let kinds = raw.workload_kinds.iter().filter_map(|text| checker.read(&key.of("workloadKinds"), Some(text), kind));
    let workload_kinds = kinds.collect();
    let labels = raw.labels.iter();
    let label =
        |(name, text): (&String, &Text)| Some((name.clone(), checker.read(&key.of("labels"), Some(text), Glob::new)?));
    let labels = labels.filter_map(label).collect();
    let mutes = raw.mute.iter().filter_map(|raw| mute(&key, raw, checker)).collect();
    Some(Route {
        receiver: receiver?,
        namespaces,
        workload_kinds,
        causes: raw.causes.clone(),
        faults: raw.faults.clone(),
        effects: raw.effects.clone(),
        severity: raw.severity.unwrap_or(Severity::Warning),
        confidence: raw.confidence.unwrap_or(Confidence::Low),
        labels,
        mutes,
    })
}

fn to(key: &Key, name: Option<&Text>, receivers: &[Receiver], checker: &mut Checker) -> Option<String> {
    let Some(name) = name else {
        checker.refuse(key.at, &key.path, "it leads to no receiver", "write receiver: NAME");
        return None;
    };
    if receivers.iter().any(|receiver| receiver.name == name.value) {
        return Some(name.value.clone());
    }
    let names: Vec<&str> = receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    let hint =
        if names.is_empty() { "there are no receivers".to_owned() } else { format!("receivers: {}", names.join(", ")) };
    checker.refuse(
        name.referenced,
        &key.of("receiver"),
        format!("there is no receiver {}", quoted(&name.value)),
        &hint,
    );
    None
}

/// Receivers without a route are a mistake, unless annotations may name them: they would never be notified.
pub(super) fn unreached(
    receivers: &[Spanned<raw::Receiver>],
    routes: &[Route],
    annotations: &Annotations,
    checker: &mut Checker,
) {
    let may_be_named = |name: &str| {
        let mut grants = annotations.grants.iter().map(|grant| &grant.value);
        let names = |grant: &Grant| grant.receiver.as_ref().is_some_and(|receiver| receiver.value == name);
        grants.any(|grant| names(grant) && grant.allow.contains(&Allowed::Receiver))
    };
    for (place, raw) in receivers.iter().enumerate() {
        let Some(name) = &raw.value.name else { continue };
        if !routes.iter().any(|route| route.receiver == name.value) && !may_be_named(&name.value) {
            let what = format!("no route leads to {}", quoted(&name.value));
            let key = format!("notifications.receivers[{place}]");
            checker.refuse(name.referenced, &key, what, "add a route, or take the receiver out");
        }
    }
}

fn mute(key: &Key, raw: &raw::Mute, checker: &mut Checker) -> Option<Mute> {
    let key = Key { at: key.at, path: key.of("mute") };
    if raw.days.is_empty() && raw.hours.is_none() {
        checker.refuse(
            key.at,
            &key.path,
            "it names neither days nor hours",
            "write days: [Sat, Sun] or hours: 22:00-07:00",
        );
        return None;
    }
    let (from, to) = match &raw.hours {
        None => (0, DAY),
        Some(text) => checker.read(&key.of("hours"), Some(text), hours)?,
    };
    let zone = match &raw.time_zone {
        None => TimeZone::UTC,
        Some(text) => checker.read(&key.of("timeZone"), Some(text), zone)?,
    };
    Some(Mute { days: raw.days.iter().copied().collect(), from, to, zone })
}
