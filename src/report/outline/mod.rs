//! The outline of a message: paragraphs, facts, remedies and small print, the same for every chat and for
//! mail, in the same words and order.
//!
//! Raw text: each medium escapes it, and cuts each part to its own [`Share`] of what the medium accepts.

mod digest;
pub mod escape;
pub mod medium;
mod phone;
mod single;

use super::sentence::{Part, Sentence};
use super::update::{Dispatch, FindingUpdate, Kind, Why};
use crate::engine::Severity;
use crate::time::Time;

/// The content of a message besides its findings.
#[derive(Copy, Clone, Debug)]
pub struct Context<'a> {
    /// The name of the cluster.
    pub cluster: Option<&'a str>,
    /// The time of the message.
    pub now: Time,
}

/// A message, laid out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outline {
    /// The whole message in one or two sentences: what a phone shows.
    pub phone: String,
    /// The severity of the worst of it.
    pub icon: Icon,
    /// Its parts, in order.
    pub blocks: Vec<Block>,
}

/// A part of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Block {
    /// Lines that belong together.
    Paragraph(Vec<Line>),
    /// What the finding is based on, a line of code each.
    Facts(Vec<String>),
    /// A command on lines of its own.
    Command {
        /// What precedes it.
        label: Span,
        /// The command, to be shown exactly or not at all.
        command: String,
        /// What follows the label instead, if it cannot be shown.
        instead: Vec<Span>,
    },
    /// The findings of a digest.
    Items(Vec<Item>),
    /// Small print.
    Small(Line),
}

/// One finding of a digest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Its lines.
    pub lines: Vec<Line>,
    /// Commands, the best first: the first that can be shown is.
    pub commands: Vec<String>,
}

/// A line of text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// What the line may take.
    pub share: Share,
    /// Its pieces, in order.
    pub spans: Vec<Span>,
}

/// A piece of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Span {
    /// An icon.
    Icon(Icon),
    /// Words.
    Words(String),
    /// Words that stand out.
    Bold(String),
    /// A name or a value from the cluster.
    Code(String),
    /// A short command among words.
    Command(String),
}

/// What a line is, hence how much of a message it may take.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Share {
    /// Who it is about, and what is wrong.
    Headline,
    /// A sentence.
    Sentence,
    /// A line of evidence.
    Fact,
    /// A command or advice.
    Remedy,
    /// Another possible cause.
    Hypothesis,
    /// Small print.
    Small,
    /// A finding of a digest.
    Item,
    /// A sentence or command of a finding in a digest of few.
    ItemDetail,
}

/// The severity, or that it is over.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Icon {
    /// Critical.
    Critical,
    /// Warning.
    Warning,
    /// Info.
    Info,
    /// It is over.
    Resolved,
    /// Another finding took its place.
    Withdrawn,
}

impl Outline {
    /// The outline of a dispatch.
    pub fn new(dispatch: &Dispatch, context: Context) -> Self {
        match dispatch {
            Dispatch::One(news) => Self::single(news, None, context),
            Dispatch::Digest(digest) => match (digest.news.as_slice(), digest.why) {
                ([news], Why::FirstLook) => Self::single(news, Some("First report: this goes on already."), context),
                ([news], Why::Storm) => Self::single(news, None, context),
                _ => digest::outline(digest, context),
            },
        }
    }

    fn single(news: &FindingUpdate, preface: Option<&str>, context: Context) -> Self {
        Self {
            phone: phone::single(news, context),
            icon: Icon::of(news),
            blocks: single::blocks(news, preface, context),
        }
    }
}

impl Line {
    fn new(share: Share, spans: impl IntoIterator<Item = Span>) -> Self {
        Self { share, spans: joined(spans) }
    }

    /// What precedes a command, and what follows.
    pub fn labelled(label: &Span, rest: &[Span]) -> Self {
        Self::new(Share::Small, [label].into_iter().chain(rest).cloned())
    }

    fn sentence(share: Share, sentence: &Sentence) -> Self {
        Self::new(share, spans(sentence))
    }

    /// The line without markup: values of several words are in quotes, and neighbouring words are one span.
    #[must_use]
    pub fn plain(&self) -> Self {
        let spans = self.spans.iter().map(|span| match span {
            Span::Code(text) if text.is_empty() || text.contains(' ') => Span::Words(format!("\"{text}\"")),
            Span::Code(text) | Span::Command(text) => Span::Words(text.clone()),
            other => other.clone(),
        });
        Self { share: self.share, spans: joined(spans) }
    }
}

impl Span {
    fn words(text: impl Into<String>) -> Self {
        Self::Words(text.into())
    }
}

impl Icon {
    /// The icon of an update.
    pub fn of(news: &FindingUpdate) -> Self {
        match (news.kind, news.finding.severity) {
            (Kind::Resolved | Kind::Missed, _) => Self::Resolved,
            (Kind::Withdrawn, _) => Self::Withdrawn,
            (_, Severity::Critical) => Self::Critical,
            (_, Severity::Warning) => Self::Warning,
            (_, Severity::Info) => Self::Info,
        }
    }

    /// The character that every phone can draw.
    pub const fn emoji(self) -> &'static str {
        match self {
            Self::Critical => "🔴",
            Self::Warning => "🟠",
            Self::Info => "🔵",
            Self::Resolved => "✅",
            Self::Withdrawn => "↩",
        }
    }
}

/// Names and values apart from words; neighbouring words are one span.
fn spans(sentence: &Sentence) -> Vec<Span> {
    let spans = sentence.parts().iter().map(|part| match part {
        Part::Words(text) => Span::Words(text.clone()),
        Part::Name(text) | Part::Value(text) => Span::Code(text.clone()),
    });
    joined(spans)
}

fn joined(spans: impl IntoIterator<Item = Span>) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match (joined.last_mut(), span) {
            (Some(Span::Words(words)), Span::Words(more)) => words.push_str(&more),
            (_, Span::Words(words)) if words.is_empty() => {}
            (_, span) => joined.push(span),
        }
    }
    joined
}
