//! One finding in a message of its own.

use super::{Block, Context, Icon, Line, Share, Span};
use crate::engine::Finding;
use crate::report::message::Message;
use crate::report::object::object_name;
use crate::report::remedies::{self, Label};
use crate::report::update::FindingUpdate;
use crate::report::when::clock;
use crate::report::wording::telling;
use crate::text::escape::cut;

/// Maximum number of commands and advice.
const REMEDIES: usize = 4;
/// Maximum number of hypotheses.
const HYPOTHESES: usize = 5;
/// Maximum length of the cluster's name, in columns.
const CLUSTER: usize = 78;

/// The full content of an update, below `preface` if there is one.
pub(super) fn blocks(news: &FindingUpdate, preface: Option<&str>, context: Context) -> Vec<Block> {
    let message = Message::tell(news, context.now);
    let mut blocks = vec![Block::Paragraph(head(news, &message, preface))];
    blocks.extend(body(&message));
    blocks.extend(facts(&message));
    blocks
        .extend(message.change.as_ref().map(|change| Block::Paragraph(vec![Line::sentence(Share::Sentence, change)])));
    blocks.extend(all_remedies(news, &message));
    blocks.extend(message.doubt.as_ref().map(|_| Block::Paragraph(doubt(&news.finding))));
    blocks.push(Block::Small(small_print(news, context)));
    blocks
}

fn head(news: &FindingUpdate, message: &Message, preface: Option<&str>) -> Vec<Line> {
    let preface = preface.map(|preface| Line::new(Share::Sentence, [Span::words(preface)]));
    let headline = [Span::Icon(Icon::of(news)), Span::words(" "), Span::Bold(message.headline.clone())];
    let mut lines: Vec<Line> = preface.into_iter().collect();
    lines.push(Line::new(Share::Headline, headline));
    lines.extend(message.news.as_ref().map(|news| Line::sentence(Share::Sentence, news)));
    lines
}

fn body(message: &Message) -> Option<Block> {
    let parts = [&message.extent, &message.since, &message.field, &message.guard];
    let lines: Vec<Line> =
        parts.into_iter().flatten().map(|sentence| Line::sentence(Share::Sentence, sentence)).collect();
    (!lines.is_empty()).then_some(Block::Paragraph(lines))
}

fn facts(message: &Message) -> Option<Block> {
    let facts = telling(&message.facts, message.rollout.as_ref());
    let lines: Vec<String> = facts.iter().map(|fact| format!("{}  {}", clock(fact.at), fact.what)).collect();
    (!lines.is_empty()).then_some(Block::Facts(lines))
}

fn all_remedies(news: &FindingUpdate, message: &Message) -> Vec<Block> {
    let mut blocks: Vec<Block> = message.remedies.iter().take(REMEDIES).map(|line| remedy(line, news)).collect();
    if message.remedies.len() > REMEDIES {
        let more = format!("… and {} more: ", message.remedies.len() - REMEDIES);
        blocks.push(Block::Paragraph(vec![Line::new(Share::Small, [Span::words(more), in_full(news)])]));
    }
    blocks
}

/// A command as it has to be typed; anything else as advice.
fn remedy(line: &remedies::Line, news: &FindingUpdate) -> Block {
    let word = line.label.word();
    let label = match line.label {
        Label::Fix | Label::Next => Span::Bold(format!("{word}:")),
        Label::Or | Label::Then => Span::words(word),
    };
    if !line.is_command {
        let advice = [label, Span::words(" "), Span::words(line.text.clone())];
        return Block::Paragraph(vec![Line::new(Share::Remedy, advice)]);
    }
    let instead = vec![Span::words(" a command that does not fit here: "), in_full(news)];
    Block::Command { label, command: line.text.clone(), instead }
}

/// The confidence, and the alternatives.
fn doubt(finding: &Finding) -> Vec<Line> {
    let mut first = vec![Span::Bold(format!("Confidence: {}.", finding.confidence))];
    if !finding.hypotheses.is_empty() {
        first.push(Span::words(" It could also be:"));
    }
    let mut lines = vec![Line::new(Share::Sentence, first)];
    let shown = finding.hypotheses.iter().take(HYPOTHESES);
    lines.extend(
        shown.map(|hypothesis| Line::new(Share::Hypothesis, [Span::words("• "), Span::words(hypothesis.to_string())])),
    );
    match finding.hypotheses.len().saturating_sub(HYPOTHESES) {
        0 => {}
        more => lines.push(Line::new(Share::Hypothesis, [Span::words(format!("… and {more} more"))])),
    }
    lines
}

/// Where to find the full details.
fn in_full(news: &FindingUpdate) -> Span {
    let finding = &news.finding;
    let name = object_name(&finding.identity());
    Span::Command(format!("kubectl -n {} get finding {name} -o yaml", finding.namespace))
}

fn small_print(news: &FindingUpdate, context: Context) -> Line {
    let mut spans = cluster(context);
    spans.extend([Span::words("Details: "), in_full(news)]);
    Line::new(Share::Small, spans)
}

/// `cluster prod-eu · `, or nothing.
pub(super) fn cluster(context: Context) -> Vec<Span> {
    let name = context.cluster.map(|name| Span::Code(cut(name, CLUSTER)));
    name.map(|name| vec![Span::words("cluster "), name, Span::words(" · ")]).unwrap_or_default()
}
