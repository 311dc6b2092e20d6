//! The findings as a table in the style of `kubectl`: borderless, upper-case headers, as many
//! columns as the width has room for.

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::Look;
use super::layout::{pad_left, pad_right};
use crate::engine::{Finding, Value};
use crate::report::escape::{cut, terminal};
use crate::report::headline::kind_and_name;
use crate::report::when::{lasted, span};
use crate::time::Time;

/// Spaces between columns.
const GAP: usize = 2;
/// What stands for a value that is absent.
const ABSENT: &str = "-";

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Column {
    Namespace,
    Workload,
    Container,
    Effect,
    Probe,
    Cause,
    Field,
    Current,
    Suggested,
    Pods,
    Restarts,
    Severity,
    State,
    Age,
}

/// What gives way, in this order, until the table fits.
const CONCESSIONS: &[Concession] = &[
    Concession::Drop(Column::Container),
    Concession::Drop(Column::Effect),
    Concession::Drop(Column::Probe),
    Concession::Drop(Column::Severity),
    Concession::DropIfSame(Column::Namespace),
    Concession::Drop(Column::Age),
    Concession::Shorten(Column::Field),
    Concession::Shorten(Column::Workload),
    Concession::Drop(Column::Restarts),
];

#[derive(Copy, Clone, Debug)]
enum Concession {
    Drop(Column),
    /// Only where all rows say the same.
    DropIfSame(Column),
    Shorten(Column),
}

/// Writes a header and a row per finding; `now` is where the ages end.
///
/// # Errors
/// Those of `out`.
pub fn write<'a>(
    findings: impl Iterator<Item = &'a Finding>,
    now: Time,
    look: Look,
    out: &mut impl Write,
) -> fmt::Result {
    let findings: Vec<&Finding> = findings.collect();
    let mut table = Table::new(&findings, now, look.width);
    table.fit(look.width);
    table.write(&findings, look, out)
}

/// The columns that are left, each with its cells.
struct Table {
    columns: Vec<(Column, Vec<String>)>,
    short: Vec<(Column, Vec<String>)>,
}

impl Table {
    fn new(findings: &[&Finding], now: Time, width: usize) -> Self {
        // No value may take more than a quarter of the room; 20 columns it always may.
        let most = (width / 4).max(20);
        let cells = |column: Column| findings.iter().map(|finding| column.cell(finding, now, most)).collect();
        let short = |column: Column| findings.iter().map(|finding| column.short(finding, most)).collect();
        Self {
            columns: Column::ALL.iter().map(|&column| (column, cells(column))).collect(),
            short: [Column::Workload, Column::Field]
                .map(|column| (column, short(column)))
                .into(),
        }
    }

    fn fit(&mut self, width: usize) {
        for concession in CONCESSIONS {
            if self.width() <= width {
                return;
            }
            match *concession {
                Concession::Drop(column) => self.columns.retain(|(other, _)| *other != column),
                Concession::DropIfSame(column) => {
                    self.columns
                        .retain(|(other, cells)| *other != column || cells.iter().any(|cell| *cell != cells[0]));
                }
                Concession::Shorten(column) => self.shorten(column),
            }
        }
        self.squeeze(width);
    }

    fn shorten(&mut self, column: Column) {
        let short = self.short.iter().find(|(other, _)| *other == column);
        let long = self.columns.iter_mut().find(|(other, _)| *other == column);
        if let (Some((_, short)), Some((_, long))) = (short, long) {
            long.clone_from(short);
        }
    }

    /// Cuts the widest columns until the table fits, but none below the width of its header.
    fn squeeze(&mut self, width: usize) {
        while self.width() > width {
            let widest = self
                .columns
                .iter_mut()
                .filter(|(column, cells)| cells_width(cells) > column.header().len().max(8))
                .max_by_key(|(_, cells)| cells_width(cells));
            let Some((_, cells)) = widest else { return };
            let narrower = cells_width(cells) - 1;
            for cell in cells {
                *cell = cut(cell, narrower);
            }
        }
    }

    fn width(&self) -> usize {
        let columns: usize = self.columns.iter().map(|(column, cells)| column.width(cells)).sum();
        columns + GAP * self.columns.len().saturating_sub(1)
    }

    fn write(&self, findings: &[&Finding], look: Look, out: &mut impl Write) -> fmt::Result {
        let faint = look.palette.faint;
        let header = self.line(|column, _| column.header().to_owned());
        writeln!(out, "{faint}{header}{faint:#}")?;
        for (row, finding) in findings.iter().enumerate() {
            let style = match finding.resolved_at {
                Some(_) => look.palette.good,
                None => look.palette.severity(finding.severity),
            };
            let line = self.line(|_, cells| cells[row].clone());
            writeln!(out, "{style}{line}{style:#}")?;
        }
        Ok(())
    }

    fn line(&self, cell: impl Fn(Column, &[String]) -> String) -> String {
        let cells: Vec<String> = self
            .columns
            .iter()
            .map(|(column, cells)| {
                let width = column.width(cells);
                let text = cell(*column, cells);
                if column.is_number() {
                    pad_left(&text, width)
                } else {
                    pad_right(&text, width)
                }
            })
            .collect();
        cells.join(&" ".repeat(GAP)).trim_end().to_owned()
    }
}

impl Column {
    const ALL: [Self; 14] = [
        Self::Namespace,
        Self::Workload,
        Self::Container,
        Self::Effect,
        Self::Probe,
        Self::Cause,
        Self::Field,
        Self::Current,
        Self::Suggested,
        Self::Pods,
        Self::Restarts,
        Self::Severity,
        Self::State,
        Self::Age,
    ];

    const fn header(self) -> &'static str {
        match self {
            Self::Namespace => "NAMESPACE",
            Self::Workload => "WORKLOAD",
            Self::Container => "CONTAINER",
            Self::Effect => "EFFECT",
            Self::Probe => "PROBE",
            Self::Cause => "CAUSE",
            Self::Field => "FIELD",
            Self::Current => "CURRENT",
            Self::Suggested => "SUGGESTED",
            Self::Pods => "PODS",
            Self::Restarts => "RESTARTS",
            Self::Severity => "SEVERITY",
            Self::State => "STATE",
            Self::Age => "AGE",
        }
    }

    const fn is_number(self) -> bool {
        matches!(self, Self::Pods | Self::Restarts)
    }

    fn width(self, cells: &[String]) -> usize {
        cells_width(cells).max(self.header().len())
    }

    /// The cell, harmless and at most that wide.
    fn cell(self, finding: &Finding, now: Time, most: usize) -> String {
        match self {
            Self::Namespace => terminal(&finding.namespace, most),
            Self::Workload => terminal(&finding.workload, most),
            Self::Container => terminal(&finding.container, most),
            Self::Effect => finding.effect.to_string(),
            Self::Probe => finding.probe.map_or(ABSENT.to_owned(), |probe| probe.to_string()),
            Self::Cause => finding.cause.to_string(),
            Self::Field => terminal(finding.field.as_deref().unwrap_or(ABSENT), most),
            Self::Current => value(finding.current.as_ref(), most),
            Self::Suggested => value(finding.suggested.as_ref(), most),
            Self::Pods => format!("{}/{}", finding.pods.affected, finding.pods.total),
            Self::Restarts => finding.restarts.to_string(),
            Self::Severity => finding.severity.to_string(),
            Self::State => state(finding).to_owned(),
            Self::Age => span(lasted(finding, now)),
        }
    }

    /// A shorter form of the same, for the columns that have one.
    fn short(self, finding: &Finding, most: usize) -> String {
        match (self, finding.field.as_deref()) {
            (Self::Workload, _) => terminal(&short_workload(&finding.workload), most),
            (Self::Field, Some(field)) => terminal(&short_field(field), most),
            _ => ABSENT.to_owned(),
        }
    }
}

fn cells_width(cells: &[String]) -> usize {
    cells.iter().map(|cell| cell.width()).max().unwrap_or(0)
}

fn value(value: Option<&Value>, most: usize) -> String {
    match value {
        Some(Value::Text(text)) if text.is_empty() => "\"\"".to_owned(),
        Some(value) => terminal(&value.to_string(), most),
        None => ABSENT.to_owned(),
    }
}

const fn state(finding: &Finding) -> &'static str {
    match (finding.resolved_at, finding.confirmed_at) {
        (Some(_), _) => "resolved",
        (None, Some(_)) => "confirmed",
        (None, None) => "suspected",
    }
}

/// `deploy/web`, with the short names that `kubectl` takes.
fn short_workload(workload: &str) -> String {
    let (kind, name) = kind_and_name(workload);
    let kind = match kind {
        "Deployment" => "deploy",
        "StatefulSet" => "sts",
        "DaemonSet" => "ds",
        "ReplicaSet" => "rs",
        "CronJob" => "cj",
        "Job" => "job",
        "Pod" => "po",
        other => other,
    };
    format!("{kind}/{name}")
}

/// `liveness path` for `livenessProbe.httpGet.path`: which probe, and the last part.
fn short_field(field: &str) -> String {
    let mut parts = field.split('.');
    let first = parts.next().unwrap_or(field);
    match (first.strip_suffix("Probe"), parts.next_back()) {
        (Some(probe), Some(last)) => format!("{probe} {last}"),
        (None, Some(last)) => format!("{first} {last}"),
        (_, None) => first.to_owned(),
    }
}
