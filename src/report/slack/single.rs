//! One finding in a message of its own.

use super::escape::{command, line, prose};
use super::{Block, Context, icon, sentence};
use crate::engine::Finding;
use crate::report::message::Message;
use crate::report::object::object_name;
use crate::report::remedies::{Label, Line};
use crate::report::update::FindingUpdate;
use crate::report::when::clock;
use crate::report::wording::telling;

/// Maximum length of a headline.
const HEADLINE: usize = 700;
/// Maximum length of a sentence.
const SENTENCE: usize = 900;
/// Maximum length of a line of evidence.
const FACT: usize = 260;
/// Maximum length of a command or advice.
const REMEDY: usize = 1600;
/// Maximum number of commands and advice.
const REMEDIES: usize = 4;
/// Maximum number of hypotheses.
const HYPOTHESES: usize = 5;
/// Maximum length of a hypothesis.
const HYPOTHESIS: usize = 200;
/// Maximum length of the small print.
const SMALL: usize = 600;

/// The full content of an update, below `preface` if there is one.
pub(super) fn blocks(news: &FindingUpdate, preface: Option<&str>, context: Context) -> Vec<Block> {
    let message = Message::tell(news, context.now);
    let mut blocks = vec![Block::section(head(news, &message, preface)), Block::section(body(&message))];
    blocks.extend(evidence(&message));
    blocks.extend(change(&message));
    blocks.extend(remedies(news, &message));
    blocks.extend(message.doubt.as_ref().map(|_| Block::section(doubt(&news.finding))));
    blocks.push(Block::context(small_print(news, context)));
    blocks.retain(|block| !matches!(block, Block::Section { text } if text.text.is_empty()));
    blocks
}

fn head(news: &FindingUpdate, message: &Message, preface: Option<&str>) -> String {
    let preface = preface.map(|preface| format!("{preface}\n")).unwrap_or_default();
    let headline = format!("{preface}{} *{}*", icon(news), prose(&message.headline, HEADLINE));
    match &message.news {
        Some(news) => format!("{headline}\n{}", sentence(news, SENTENCE)),
        None => headline,
    }
}

fn body(message: &Message) -> String {
    let parts = [&message.extent, &message.since, &message.field];
    let lines: Vec<String> = parts.into_iter().flatten().map(|part| sentence(part, SENTENCE)).collect();
    lines.join("\n")
}

fn evidence(message: &Message) -> Option<Block> {
    let facts = telling(&message.facts, message.rollout.as_ref());
    if facts.is_empty() {
        return None;
    }
    let lines: Vec<String> =
        facts.iter().map(|fact| line(&format!("{}  {}", clock(fact.at), fact.what), FACT)).collect();
    Some(Block::section(format!("```{}```", lines.join("\n"))))
}

fn change(message: &Message) -> Option<Block> {
    message.change.as_ref().map(|change| Block::section(sentence(change, SENTENCE)))
}

fn remedies(news: &FindingUpdate, message: &Message) -> Vec<Block> {
    let shown = message.remedies.iter().take(REMEDIES);
    let mut blocks: Vec<Block> = shown.map(|line| Block::section(remedy(line, news))).collect();
    if message.remedies.len() > REMEDIES {
        let more = message.remedies.len() - REMEDIES;
        blocks.push(Block::section(format!("… and {more} more: {}", in_full(news))));
    }
    blocks
}

/// A command as it has to be typed in a block of code; anything else as advice.
fn remedy(line: &Line, news: &FindingUpdate) -> String {
    let word = line.label.word();
    let label = match line.label {
        Label::Fix | Label::Next => format!("*{word}:*"),
        Label::Or | Label::Then => word.to_owned(),
    };
    if !line.is_command {
        return format!("{label} {}", prose(&line.text, REMEDY));
    }
    match command(&line.text, REMEDY) {
        Some(command) => format!("{label}\n```{command}```"),
        None => format!("{label} a command that does not fit here: {}", in_full(news)),
    }
}

/// The confidence, and the alternatives.
fn doubt(finding: &Finding) -> String {
    let mut lines = vec![format!("*Confidence: {}.*", finding.confidence)];
    if !finding.hypotheses.is_empty() {
        lines[0].push_str(" It could also be:");
    }
    let shown = finding.hypotheses.iter().take(HYPOTHESES);
    lines.extend(shown.map(|hypothesis| format!("• {}", prose(&hypothesis.to_string(), HYPOTHESIS))));
    match finding.hypotheses.len().saturating_sub(HYPOTHESES) {
        0 => {}
        more => lines.push(format!("… and {more} more")),
    }
    lines.join("\n")
}

/// Where to find the full details.
fn in_full(news: &FindingUpdate) -> String {
    let finding = &news.finding;
    let text = format!("kubectl -n {} get finding {} -o yaml", finding.namespace, object_name(&finding.identity()));
    super::code(&text, SMALL / 2)
}

fn small_print(news: &FindingUpdate, context: Context) -> String {
    let cluster = context.cluster.map(|cluster| format!("cluster {} · ", super::code(cluster, 80))).unwrap_or_default();
    format!("{cluster}Details: {}", in_full(news))
}
