//! Changes as log lines.

use tracing::{debug, info};

use crate::engine::{Change, ChangeKind};
use crate::finding::{Finding, Value};
use crate::findings::board::Entry;
use crate::text::escape::terminal;

/// Maximum length of a logged name or value, in columns.
const VALUE: usize = 200;

macro_rules! line {
    ($level:ident, $message:literal, $notified:expr) => {{
        let notified = $notified;
        let finding = notified.finding;
        $level!(
            namespace = &*short(&finding.namespace),
            workload = &*short(&finding.workload),
            container = &*short(&finding.container),
            effect = finding.effect.word(),
            probe = finding.probe.map(|probe| probe.word()),
            cause = finding.cause.word(),
            field = finding.field.as_ref().map(|field| short(&field.to_string())),
            current = finding.current.as_ref().map(value),
            suggested = finding.suggested.as_ref().map(value),
            confidence = %finding.confidence,
            severity = %finding.severity,
            pods = %format_args!("{}/{}", finding.pods.affected, finding.pods.total),
            restarts = finding.restarts,
            episode = finding.episodes,
            silenced_by = notified.silenced_by,
            silenced_by_annotation = notified.annotation,
            $message
        );
    }};
}

/// A finding, and the silences that apply to it.
struct Told<'a> {
    finding: &'a Finding,
    silenced_by: Option<&'a str>,
    annotation: Option<String>,
}

/// One line for what a person may want to read later; what is only shown or counted is logged at debug.
pub(super) fn log(change: &Change, entry: &Entry) {
    let annotation = entry.asked.silence.as_ref().map(|silence| short(&silence.words));
    let notified = Told { finding: &change.finding, silenced_by: entry.silenced_by.as_deref(), annotation };
    match change.kind {
        ChangeKind::Confirmed => line!(info, "Confirmed a finding", notified),
        ChangeKind::Updated => line!(info, "Updated a finding", notified),
        ChangeKind::Resolved => line!(info, "Resolved a finding", notified),
        ChangeKind::Withdrawn if notified.finding.confirmed_at.is_some() => line!(info, "Withdrew a finding", notified),
        ChangeKind::Withdrawn => line!(debug, "Dropped a suspicion", notified),
        ChangeKind::Suspected => line!(debug, "Suspected a finding", notified),
        ChangeKind::Counted => {}
    }
}

fn short(text: &str) -> String {
    terminal(text, VALUE)
}

fn value(value: &Value) -> String {
    short(&value.to_string())
}
