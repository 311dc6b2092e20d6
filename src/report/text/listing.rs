//! Findings as `kubectl get findings -A` prints them: the printer columns of the CRD, each filled by its
//! JSON path.

use std::time::Duration;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::layout::{fold, pad_right};
use crate::engine::Finding;
use crate::report::object::{COLUMNS, Column, FindingSpec, FindingState, FindingStatus, object_name};
use crate::text::escape::terminal;
use crate::time::Time;

/// Spaces between columns, and the minimum width of a column (`cli-runtime/pkg/printers`).
const GAP: usize = 3;
const LEAST: usize = 6;
/// Maximum length of a cell, in columns.
const CELL: usize = 600;

/// A header and a row for each finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Listing {
    /// Of confirmed findings, at `now`.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>, now: Time) -> Self {
        let named = ["NAMESPACE", "NAME"].map(str::to_owned).into_iter();
        let headers = named.chain(columns().map(|column| column.name.to_uppercase())).collect();
        let row = |finding| row(finding, now);
        Self { headers, rows: findings.into_iter().map(row).collect() }
    }

    /// The width of the longest line.
    pub fn width(&self) -> usize {
        self.lines().iter().map(|line| line.width()).max().unwrap_or(0)
    }

    /// As `kubectl` prints it.
    pub fn lines(&self) -> Vec<String> {
        let lines = || std::iter::once(&self.headers).chain(&self.rows);
        let width = |column: usize| {
            let widest = lines().map(|line| line[column].width()).max().unwrap_or(0);
            (widest + GAP).max(LEAST)
        };
        let widths: Vec<usize> = (0..self.headers.len()).map(width).collect();
        let padded = |line: &Vec<String>| {
            let cells = line.iter().zip(&widths).map(|(cell, width)| pad_right(cell, *width));
            cells.collect::<String>().trim_end().to_owned()
        };
        lines().map(padded).collect()
    }

    /// The columns of each finding below each other, in lines of at most `columns`.
    pub fn upright(&self, columns: usize) -> Vec<String> {
        let label = self.headers.iter().map(|header| header.width()).max().unwrap_or(0) + GAP;
        let mut lines = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            lines.extend((index > 0).then(String::new));
            for (header, cell) in self.headers.iter().zip(row) {
                let parts = fold(cell, columns.saturating_sub(label));
                let labels = std::iter::once(header.as_str()).chain(std::iter::repeat(""));
                let beside = labels.zip(parts).map(|(header, part)| pad_right(header, label) + &part);
                lines.extend(beside.map(|line| line.trim_end().to_owned()));
            }
        }
        lines
    }
}

/// The columns shown without `-o wide`.
fn columns() -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(|column| !column.is_wide)
}

fn row(finding: &Finding, now: Time) -> Vec<String> {
    let status = FindingStatus::new(finding, FindingState::Confirmed, None);
    let object = json!({"spec": FindingSpec::from_finding(finding), "status": status});
    let at = |column: &Column| cell(object.pointer(&column.path.replace('.', "/")), column.of_type, now);
    let own = [finding.namespace.to_string(), object_name(&finding.identity())];
    own.iter().map(|own| terminal(own, CELL)).chain(columns().map(at)).collect()
}

/// Formats a cell as the API server does
/// (`apiextensions-apiserver/pkg/registry/customresource/tableconvertor`).
fn cell(value: Option<&Value>, of_type: &str, now: Time) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if of_type == "date" => {
            Time::parse(text).map_or_else(|_| "<invalid>".to_owned(), |at| age(now.since(at)))
        }
        Some(Value::String(text)) => terminal(text, CELL),
        Some(other) => terminal(&other.to_string(), CELL),
    }
}

/// `HumanDuration` of `apimachinery/pkg/util/duration`, up to eight days.
fn age(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: u64, unit: char, small: u64, small_unit: char| match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit}{small}{small_unit}"),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, 'd', hours % 24, 'h'),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_what_kubectl_makes_of_it() {
        let ages = [(0, "0s"), (111, "111s"), (120, "2m"), (223, "3m43s"), (659, "10m"), (11_100, "3h5m")];
        let older = [(36_000, "10h"), (190_800, "2d5h"), (864_000, "10d")];
        for (seconds, text) in ages.into_iter().chain(older) {
            assert_eq!(age(Duration::from_secs(seconds)), text);
        }
    }

    #[cfg(feature = "operator")]
    #[test]
    fn the_columns_are_those_of_the_definition() {
        let definition = crate::report::object::definition().expect("plain data");
        let listing = Listing::of([], Time::default());
        assert!(listing.headers.len() > 6, "{listing:?}");
        for header in &listing.headers[2..] {
            let name = format!("name: {}{}", &header[..1], header[1..].to_lowercase());
            assert!(definition.contains(&name), "{name} is not in the definition");
        }
    }

    #[test]
    fn columns_stand_as_far_apart_as_kubectl_sets_them() {
        let cells = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let listing = Listing { headers: cells(["NAME", "A", "AGE"]), rows: vec![cells(["web", "", "111s"])] };
        assert_eq!(listing.lines(), ["NAME   A     AGE", "web          111s"]);
        assert_eq!(listing.upright(20), ["NAME   web", "A", "AGE    111s"]);
    }
}
