//! Findings as HTML: the report, one file without script, and the parts that the operator's page shares
//! with it.
//!
//! Templates escape whatever is filled in; only the picture, which escapes by itself, and our own style go
//! in as they are. Invisible characters are made visible before ([`view`]).

pub mod view;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use super::case::Case;
use super::picture;
use super::when::{clock, day};
use crate::time::Time;
use view::FindingView;

/// The rules of everything that is HTML.
pub const STYLE: &str = include_str!("../../../templates/style.css");

/// A report of one or more findings.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was looked at: a file, a cluster.
    pub source: &'a str,
    /// The time of the report: the end of the recording, or now.
    pub at: Time,
    /// The findings, worst first.
    pub cases: &'a [Case],
    /// What was not seen, in sentences.
    pub notes: &'a [String],
}

#[derive(Template)]
#[template(path = "report.html")]
struct Document {
    title: String,
    source: String,
    at: String,
    version: &'static str,
    /// The rules, and the hash by which the document's own policy allows them.
    style: String,
    style_hash: String,
    findings: Vec<FindingView>,
    notes: Vec<String>,
}

impl Report<'_> {
    /// The whole document: self-contained, without script, printable.
    ///
    /// # Errors
    /// Does not fail: what is filled in can always be written.
    pub fn render(&self) -> Result<String, askama::Error> {
        let style = [STYLE, picture::STYLE].concat();
        let document = Document {
            title: match self.cases {
                [] => "No findings".to_owned(),
                [only] => view::plain(&super::headline::headline(&only.finding)),
                many => format!("{} findings", many.len()),
            },
            source: view::plain(self.source),
            at: format!("{} {} UTC", day(self.at), clock(self.at)),
            version: env!("CARGO_PKG_VERSION"),
            style_hash: STANDARD.encode(digest(&SHA256, style.as_bytes())),
            style,
            findings: self.cases.iter().map(|case| FindingView::new(case, self.at)).collect(),
            notes: self.notes.iter().map(|note| view::plain(note)).collect(),
        };
        document.render()
    }
}
