//! The content of a mail as HTML: no script, style sheet, image or link, and nothing that is fetched.

use super::text::{SHARES, shown};
use crate::report::outline::escape::{fit, head, seen, unlinked};
use crate::report::outline::medium::{Medium, Shares, text, texts};
use crate::report::outline::{Block, Item, Line, Outline, Span};

const OPENS: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"></head>\n<body>\n";
const CLOSES: &str = "</body></html>\n";

/// HTML; lengths are those of the escaped text, tags aside.
struct Html;

impl Medium for Html {
    type Piece = String;
    const SHARES: Shares = SHARES;

    fn piece(span: &Span, max: usize) -> String {
        match span {
            Span::Icon(icon) => icon.emoji().to_owned(),
            Span::Words(text) => escaped(text, max),
            Span::Bold(text) => format!("<b>{}</b>", escaped(text, max.saturating_sub(7))),
            Span::Code(text) | Span::Command(text) => {
                format!("<code>{}</code>", escaped(&seen(text), max.saturating_sub(13)))
            }
        }
    }

    fn length(piece: &String) -> usize {
        length(piece)
    }
}

/// The paragraphs.
pub(super) fn render(outline: &Outline) -> String {
    let blocks: String = outline.blocks.iter().map(block).collect();
    format!("{OPENS}{blocks}{CLOSES}")
}

fn block(block: &Block) -> String {
    match block {
        Block::Paragraph(lines) => paragraph(&broken(lines)),
        Block::Facts(facts) => {
            let lines: Vec<String> = facts.iter().map(|fact| escaped(fact, SHARES.fact)).collect();
            pre(&lines.join("\n"))
        }
        Block::Command { label, command, instead } => match shown(command, SHARES.remedy) {
            Some(command) => paragraph(&text::<Html>(&Line::labelled(label, &[]))) + &pre(&whole(command)),
            None => paragraph(&text::<Html>(&Line::labelled(label, instead))),
        },
        Block::Items(items) => items.iter().map(item).collect(),
        Block::Small(line) => format!("<p><small>{}</small></p>\n", text::<Html>(line)),
    }
}

fn item(item: &Item) -> String {
    let command = item.commands.iter().find_map(|command| shown(command, SHARES.item_detail));
    paragraph(&broken(&item.lines)) + &command.map(|command| pre(&whole(command))).unwrap_or_default()
}

fn broken(lines: &[Line]) -> String {
    texts::<Html>(lines).replace('\n', "<br>\n")
}

fn paragraph(html: &str) -> String {
    format!("<p>{html}</p>\n")
}

fn pre(html: &str) -> String {
    format!("<pre style=\"white-space:pre-wrap\">{html}</pre>\n")
}

fn escaped(text: &str, max: usize) -> String {
    fit(unlinked(&head(text, max)).into_iter().map(entity), max, length)
}

fn whole(text: &str) -> String {
    text.chars().map(entity).collect()
}

fn entity(character: char) -> String {
    match character {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        other => other.to_string(),
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}
