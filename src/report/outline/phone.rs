//! What a phone shows of a message.

use super::Context;
use crate::engine::Finding;
use crate::finding::field::Field;
use crate::report::headline::{kind_and_name, what_is_wrong};
use crate::report::update::{FindingUpdate, Kind};
use crate::report::wording::{capitalised, out, over, pods};

/// `CRITICAL: auth-service (prod): the liveness probe asks for … 50 of 50 pods.
/// Fix: path /v2/health → /health.`
pub(super) fn single(news: &FindingUpdate, context: Context) -> String {
    let finding = &news.finding;
    let (_, name) = kind_and_name(&finding.workload);
    let cluster = cluster(context);
    let first = format!("{cluster}{}: {name} ({}): {}.", alert(news), finding.namespace, what_is_wrong(finding));
    let rest = match news.kind {
        Kind::Resolved | Kind::Missed => format!(" {}", over(finding, context.now)),
        Kind::Withdrawn => String::new(),
        Kind::Opened | Kind::Changed | Kind::GoesOn => reach(finding) + &fix(finding),
    };
    first + &rest
}

/// `[prod-eu] `, or nothing.
pub(super) fn cluster(context: Context) -> String {
    context.cluster.map(|cluster| format!("[{cluster}] ")).unwrap_or_default()
}

/// ` 50 of 50 pods; Service auth is down (0 of 50 endpoints ready).`
fn reach(finding: &Finding) -> String {
    let down = out(finding)
        .map(|service| format!("; Service {} is down (0 of {} endpoints ready)", service.name, service.total));
    format!(" {}{}.", capitalised(&pods(finding.pods)), down.unwrap_or_default())
}

/// ` Fix: path /v2/health → /health.`
fn fix(finding: &Finding) -> String {
    let field = finding.field.as_ref().map(Field::last).unwrap_or_default();
    match (&finding.current, &finding.suggested) {
        (Some(current), Some(suggested)) => format!(" Fix: {field} {current} → {suggested}."),
        (None, Some(suggested)) => format!(" Fix: {field} {suggested}."),
        _ => String::new(),
    }
}

/// The first word.
fn alert(news: &FindingUpdate) -> String {
    let severity = news.finding.severity.to_string().to_uppercase();
    match news.kind {
        Kind::Opened => severity,
        Kind::Changed => format!("UPDATE, {severity}"),
        Kind::GoesOn => format!("STILL {severity}"),
        Kind::Resolved | Kind::Missed => "RESOLVED".to_owned(),
        Kind::Withdrawn => "TAKEN BACK".to_owned(),
    }
}
