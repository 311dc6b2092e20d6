//! A finding as templates show it: every text cut, and nothing invisible in it.

use crate::engine::{Considered, Severity, Standing};
use crate::finding::{Fault, Finding};
use crate::report::case::{Case, Side};
use crate::report::headline::{headline, kind_and_name};
use crate::report::picture::{self, Rules};
use crate::report::prevention;
use crate::report::remedies::{self, Line};
use crate::report::sentence::{Part, Sentence};
use crate::report::when::{clock, day, day_if_another, lasted, span};
use crate::report::wording::{capitalised, changed_by, doubt, extent, field_is, over, worst};
use crate::text::escape::{terminal, visible};
use crate::time::Time;

/// Maximum length of a text, in columns.
const TEXT: usize = 1200;

/// A piece of a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// The text.
    pub text: String,
    /// Whether it came from the cluster, and is set off.
    pub is_code: bool,
}

/// A sentence in pieces.
pub type Pieces = Vec<Piece>;

/// A finding.
#[derive(Clone, Debug)]
pub struct FindingView {
    /// Its anchor, unique in the document.
    pub id: String,
    /// `critical`, `warning`, `info`.
    pub severity: &'static str,
    /// `suspected`, `open`, `resolved`.
    pub state: &'static str,
    /// Who and what is wrong.
    pub headline: String,
    /// Where: namespace, kind, workload, container.
    pub place: [String; 4],
    /// What it means, in sentences.
    pub lead: Vec<Pieces>,
    /// The facts beside it, each with its name.
    pub facts: Vec<(&'static str, Pieces)>,
    /// What to type or do.
    pub remedies: Vec<RemedyView>,
    /// The picture, as SVG that is escaped already.
    pub picture: String,
    /// What happened when.
    pub timeline: Vec<EntryView>,
    /// The facts that it rests on, with their times.
    pub evidence: Vec<(String, String)>,
    /// What was considered.
    pub candidates: Vec<CandidateView>,
    /// The confidence and what else it could be.
    pub doubt: Option<String>,
    /// What was told to whom: time, receiver, words.
    pub told: Vec<(String, String, String)>,
    /// What would have prevented it.
    pub prevention: Vec<String>,
}

/// A remedy.
#[derive(Clone, Debug)]
pub struct RemedyView {
    /// `Fix`, `or`, `then`.
    pub label: &'static str,
    /// The command or the advice.
    pub text: String,
    /// Whether it can be pasted into a shell.
    pub is_command: bool,
}

/// An entry of the timeline.
#[derive(Clone, Debug)]
pub struct EntryView {
    /// The time of day.
    pub at: String,
    /// After the first entry: `+12s`.
    pub after: String,
    /// Whether probehound said it.
    pub is_said: bool,
    /// What happened.
    pub what: String,
}

/// A cause that was considered.
#[derive(Clone, Debug)]
pub struct CandidateView {
    /// Its name.
    pub cause: &'static str,
    /// `named`, `possible`, `ruled out`.
    pub standing: &'static str,
    /// What speaks for it.
    pub explains: Vec<String>,
    /// What would have to be known.
    pub lacks: Vec<String>,
    /// What contradicts it.
    pub against: Vec<String>,
}

impl FindingView {
    /// A finding as it was at `now`.
    pub fn new(case: &Case, now: Time) -> Self {
        let finding = &*case.finding;
        let (kind, name) = kind_and_name(&finding.workload);
        Self {
            id: crate::report::object::object_name(&finding.identity()),
            severity: severity(finding.severity),
            state: state(finding),
            headline: plain(&headline(finding)),
            place: [&*finding.namespace, kind, name, &*finding.container].map(plain),
            lead: lead(finding),
            facts: facts(case, now),
            remedies: remedies::lines(finding).iter().map(remedy).collect(),
            picture: picture::draw(finding, &case.incident, now, Rules::Outside),
            timeline: timeline(case),
            evidence: finding.evidence.iter().map(|fact| (clock(fact.at), plain(&fact.what))).collect(),
            candidates: finding.considered.iter().map(candidate).collect(),
            doubt: doubt(finding).map(|doubt| plain(&doubt)),
            told: case.told.iter().map(|told| (clock(told.at), plain(&told.to), plain(&told.what))).collect(),
            prevention: prevention::advice(finding),
        }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.state == "resolved"
    }
}

/// Text of one line without anything that cannot be seen.
pub fn plain(text: &str) -> String {
    terminal(text, TEXT)
}

/// A sentence in pieces, those from the cluster set off.
pub fn pieces(sentence: &Sentence) -> Pieces {
    let piece = |part: &Part| match part {
        Part::Words(text) => Piece { text: plain(text), is_code: false },
        Part::Name(text) | Part::Value(text) => Piece { text: plain(text), is_code: true },
    };
    sentence.parts().iter().map(piece).collect()
}

/// The word for a severity.
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// Whether a finding is suspected, open or resolved.
pub const fn state(finding: &Finding) -> &'static str {
    match (finding.confirmed_at, finding.resolved_at) {
        (_, Some(_)) => "resolved",
        (None, None) => "suspected",
        (Some(_), None) => "open",
    }
}

fn words(text: impl Into<String>) -> Pieces {
    vec![Piece { text: text.into(), is_code: false }]
}

fn lead(finding: &Finding) -> Vec<Pieces> {
    let first = match finding.resolved_at {
        Some(at) => over(finding, at).words(" ").and(worst(finding)),
        None => extent(finding),
    };
    [Some(first), field_is(finding), changed_by(finding)].iter().flatten().map(pieces).collect()
}

fn facts(case: &Case, now: Time) -> Vec<(&'static str, Pieces)> {
    let finding = &*case.finding;
    let mut all = vec![
        ("Cause", words(format!("{} ({}), confidence {}", finding.cause, finding.effect, finding.confidence))),
        ("Whose fault", words(finding.fault.map_or("not known", fault))),
        ("Pods", words(pods(finding))),
        ("Restarts", words(finding.restarts.to_string())),
        ("Lasted", words(lasted_words(finding, now))),
    ];
    let services = finding.services.iter().map(|one| {
        let text = plain(&one.name);
        [
            Piece { text, is_code: true },
            Piece { text: format!(" {} of {} ready. ", one.ready, one.total), is_code: false },
        ]
    });
    let services: Pieces = services.flatten().collect();
    if !services.is_empty() {
        all.push(("Services at the worst moment", services));
    }
    if finding.episodes > 1 {
        all.push(("Episode", words(finding.episodes.to_string())));
    }
    all.extend(case.mended().map(|mended| ("Mended", words(plain(&mended)))));
    all
}

const fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Probe => "the probe",
        Fault::App => "the app",
        Fault::Spec => "another part of the specification",
        Fault::Environment => "the environment",
        Fault::Unknown => "not known",
    }
}

fn pods(finding: &Finding) -> String {
    crate::report::wording::pods(finding.pods)
}

/// `2026-11-22 14:00:12 to 14:04:22 UTC (4m10s)`
fn lasted_words(finding: &Finding, now: Time) -> String {
    let (from, long) = (finding.opened_at, span(lasted(finding, now)));
    match finding.resolved_at {
        Some(to) => format!("{} {} to {}{} UTC ({long})", day(from), clock(from), day_if_another(to, from), clock(to)),
        None => format!("since {} {} UTC ({long})", day(from), clock(from)),
    }
}

fn remedy(line: &Line) -> RemedyView {
    // A command is never cut: half of one is another one.
    let text = if line.is_command { visible(&line.text) } else { plain(&line.text) };
    RemedyView { label: line.label.word(), text, is_command: line.is_command }
}

fn timeline(case: &Case) -> Vec<EntryView> {
    let all = case.timeline();
    let start = all.first().map(|entry| entry.at).unwrap_or_default();
    let view = |entry: &crate::report::case::Entry| EntryView {
        at: clock(entry.at),
        after: crate::report::when::offset(entry.at, start),
        is_said: entry.of == Side::Said,
        what: plain(&capitalised(&entry.what)),
    };
    all.iter().map(view).collect()
}

fn candidate(one: &Considered) -> CandidateView {
    let texts = |texts: &[String]| texts.iter().map(|text| plain(text)).collect();
    CandidateView {
        cause: one.cause.word(),
        standing: match one.standing {
            Standing::Named => "named",
            Standing::Possible => "possible",
            Standing::Contradicted => "ruled out",
        },
        explains: texts(&one.explains),
        lacks: texts(&one.lacks),
        against: texts(&one.against),
    }
}
