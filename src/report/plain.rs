//! A message as plain text: in one line or in several.
//!
//! Invisible characters are made visible; beyond that each medium escapes it in its own way.

use super::headline::headline;
use super::message::Message;
use super::sentence::Sentence;
use super::update::{FindingUpdate, Kind};
use super::when::clock;
use super::wording::{capitalised, field_is, over, pods, telling};
use crate::finding::Finding;
use crate::text::escape::{cut, visible};
use crate::time::Time;

/// Maximum length of a line, in columns.
const LINE: usize = 2000;

/// Who, what is wrong, how many pods and the field, in one line.
pub fn line(news: &FindingUpdate, now: Time) -> String {
    let finding = &news.finding;
    let rest = match news.kind {
        Kind::Resolved | Kind::Missed => over(finding, now),
        Kind::Withdrawn => Sentence::new(
            "Taken back: another finding of this container took its place, or its namespace is watched no more.",
        ),
        Kind::Opened | Kind::Changed | Kind::GoesOn => {
            let pods = Sentence::new(format!("{}. ", capitalised(&pods(finding.pods))));
            pods.and(field_is(finding).unwrap_or_default())
        }
    };
    shown(format!("{}. {rest}", headline(finding)).trim_end())
}

/// Who, what is wrong and the field, stable while the diagnosis is: no counts.
pub fn summary(finding: &Finding) -> String {
    let field = field_is(finding).unwrap_or_default();
    shown(format!("{}. {field}", headline(finding)).trim_end())
}

/// All content of a finding's message, one line per sentence, fact and remedy.
pub fn lines(news: &FindingUpdate, now: Time) -> Vec<String> {
    let message = Message::tell(news, now);
    let mut lines = vec![message.headline.clone()];
    let sentences =
        [&message.news, &message.extent, &message.since, &message.field, &message.guard].into_iter().flatten();
    lines.extend(sentences.map(Sentence::to_string));
    lines.extend(
        telling(&message.facts, message.rollout.as_ref())
            .into_iter()
            .map(|fact| format!("{} {}", clock(fact.at), fact.what)),
    );
    lines.extend(message.change.iter().map(Sentence::to_string));
    lines.extend(message.remedies.iter().map(|remedy| format!("{}: {}", remedy.label.word(), remedy.text)));
    lines.extend(message.doubt);
    lines.iter().map(|line| shown(line)).collect()
}

fn shown(text: &str) -> String {
    cut(&visible(text), LINE)
}
