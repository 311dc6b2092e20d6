//! The findings as a table in the style of `kubectl`: borderless, upper-case headers, as many
//! columns as the width has room for.

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::Look;
use super::layout::{pad_left, pad_right};
use crate::engine::{Finding, Pods, Value};
use crate::report::headline::kind_and_name;
use crate::report::when::{lasted, span};
use crate::text::escape::{cut, terminal};
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

/// What gives way, in this order, until the rest is readable.
const CONCESSIONS: &[Concession] = &[
    Concession::Drop(Column::Container),
    Concession::Drop(Column::Effect),
    Concession::Drop(Column::Probe),
    Concession::Drop(Column::Severity),
    Concession::DropIfSame(Column::Namespace),
    Concession::Drop(Column::Age),
    Concession::Shorten(Column::Field),
    Concession::Shorten(Column::Workload),
    Concession::Drop(Column::Namespace),
    Concession::Drop(Column::Restarts),
    Concession::Drop(Column::Field),
];

#[derive(Copy, Clone, Debug)]
enum Concession {
    Drop(Column),
    /// Only where all rows say the same.
    DropIfSame(Column),
    Shorten(Column),
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Form {
    Full,
    Short,
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
    let mut columns: Vec<Cells> =
        Column::ALL.iter().map(|&column| Cells::new(column, Form::Full, &findings, now, look.width)).collect();
    for concession in CONCESSIONS {
        if total(&columns, Cells::least) <= look.width {
            break;
        }
        match *concession {
            Concession::Drop(column) => columns.retain(|cells| cells.column != column),
            Concession::DropIfSame(column) => columns.retain(|cells| cells.column != column || cells.differ()),
            Concession::Shorten(column) => {
                for cells in columns.iter_mut().filter(|cells| cells.column == column) {
                    *cells = Cells::new(column, Form::Short, &findings, now, look.width);
                }
            }
        }
    }
    squeeze(&mut columns, look.width);
    write_rows(&columns, &findings, look, out)
}

/// Cuts the widest columns, down to what they need to be readable; where that is not enough, the
/// widest further.
fn squeeze(columns: &mut [Cells], width: usize) {
    while total(columns, Cells::width) > width {
        let room = |cells: &Cells| (cells.width() > cells.least(), cells.width());
        let Some(widest) = columns.iter_mut().max_by_key(|cells| room(cells)) else {
            return;
        };
        if widest.width() <= widest.column.header().len() {
            return;
        }
        widest.cut(widest.width() - 1);
    }
}

fn total(columns: &[Cells], width: impl Fn(&Cells) -> usize) -> usize {
    columns.iter().map(width).sum::<usize>() + GAP * columns.len().saturating_sub(1)
}

fn write_rows(columns: &[Cells], findings: &[&Finding], look: Look, out: &mut impl Write) -> fmt::Result {
    let faint = look.palette.faint;
    let header = line(columns, |cells| cells.column.header());
    writeln!(out, "{faint}{header}{faint:#}")?;
    for (row, finding) in findings.iter().enumerate() {
        let style = match finding.resolved_at {
            Some(_) => look.palette.good,
            None => look.palette.severity(finding.severity),
        };
        let row = line(columns, |cells| &cells.rows[row]);
        writeln!(out, "{style}{row}{style:#}")?;
    }
    Ok(())
}

fn line<'a>(columns: &'a [Cells], cell: impl Fn(&'a Cells) -> &'a str) -> String {
    let padded: Vec<String> = columns
        .iter()
        .map(|cells| {
            let pad = if cells.column.is_number() { pad_left } else { pad_right };
            pad(cell(cells), cells.width())
        })
        .collect();
    padded.join(&" ".repeat(GAP)).trim_end().to_owned()
}

/// A column's cells.
struct Cells {
    column: Column,
    form: Form,
    rows: Vec<String>,
}

impl Cells {
    fn new(column: Column, form: Form, findings: &[&Finding], now: Time, width: usize) -> Self {
        // No value takes more than a quarter of the room; 20 columns it always may.
        let most = (width / 4).max(20);
        let cell = |finding: &&Finding| match form {
            Form::Full => column.cell(finding, now, most),
            Form::Short => column.short(finding, most),
        };
        Self { column, form, rows: findings.iter().map(cell).collect() }
    }

    fn width(&self) -> usize {
        let header = self.column.header().len();
        self.rows.iter().map(|cell| cell.width()).fold(header, usize::max)
    }

    /// The width below which it is no longer readable.
    fn least(&self) -> usize {
        let readable = match (self.column, self.form) {
            (Column::Workload | Column::Field, Form::Full) => 40,
            (Column::Field, Form::Short) => 24,
            (Column::Workload, Form::Short) | (Column::Namespace | Column::Container, _) => 16,
            (Column::Current | Column::Suggested, _) => 12,
            _ => usize::MAX,
        };
        self.width().min(readable)
    }

    fn differ(&self) -> bool {
        self.rows.iter().any(|cell| *cell != self.rows[0])
    }

    fn cut(&mut self, columns: usize) {
        for cell in &mut self.rows {
            *cell = cut(cell, columns);
        }
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

    /// The cell, harmless and at most that wide.
    fn cell(self, finding: &Finding, now: Time, most: usize) -> String {
        match self {
            Self::Namespace => terminal(&finding.namespace, most),
            Self::Workload => terminal(&finding.workload, most),
            Self::Container => terminal(&finding.container, most),
            Self::Effect => finding.effect.to_string(),
            Self::Probe => finding.probe.map_or(ABSENT.to_owned(), |probe| probe.to_string()),
            Self::Cause => finding.cause.to_string(),
            Self::Field => finding.field.as_ref().map_or(ABSENT.to_owned(), |field| terminal(&field.to_string(), most)),
            Self::Current => value(finding.current.as_ref(), most),
            Self::Suggested => value(finding.suggested.as_ref(), most),
            Self::Pods => pods(finding.pods),
            Self::Restarts => finding.restarts.to_string(),
            Self::Severity => finding.severity.to_string(),
            Self::State => state(finding).to_owned(),
            Self::Age => span(lasted(finding, now)),
        }
    }

    /// A shorter form of the same, for the columns that have one.
    fn short(self, finding: &Finding, most: usize) -> String {
        match (self, &finding.field) {
            (Self::Workload, _) => terminal(kind_and_name(&finding.workload).1, most),
            (Self::Field, Some(field)) => terminal(&short_field(&field.to_string()), most),
            _ => ABSENT.to_owned(),
        }
    }
}

/// `3/50`, or `3` where it is not known how many are wanted.
fn pods(pods: Pods) -> String {
    match pods {
        Pods { affected, total: 0 } => affected.to_string(),
        Pods { affected, total } => format!("{affected}/{total}"),
    }
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

/// `liveness path` for `livenessProbe.httpGet.path`, `limits.memory` for `resources.limits.memory`.
fn short_field(field: &str) -> String {
    let (first, rest) = field.split_once('.').unwrap_or((field, ""));
    match (first.strip_suffix("Probe"), rest.rsplit('.').next().unwrap_or(rest)) {
        (_, "") => first.to_owned(),
        (Some(probe), last) => format!("{probe} {last}"),
        (None, _) => rest.to_owned(),
    }
}
