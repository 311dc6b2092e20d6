//! Several findings in one message.

use super::{Block, Context, Icon, Item, Line, Outline, Share, Span, phone, single, spans};
use crate::engine::{Finding, Severity};
use crate::report::headline::{headline, kind_and_name};
use crate::report::remedies;
use crate::report::sentence::Sentence;
use crate::report::update::{Digest, FindingUpdate, Kind, Why};
use crate::report::when::{clock, day_if_another};
use crate::report::wording::{capitalised, extent, field_is, over, pods, restarts};
use crate::time::Time;

/// Maximum number of lines: there may be more missed findings.
const LINES: usize = 30;
/// Up to this many findings are shown with their commands.
const FEW: usize = 5;

/// The outline of a digest.
pub(super) fn outline(digest: &Digest, context: Context) -> Outline {
    let (title, icon) = (title(digest), worst_icon(digest));
    let worst: Vec<&str> = digest.news.iter().take(4).map(|news| kind_and_name(&news.finding.workload).1).collect();
    let phone = format!("{}{title}: {}", phone::cluster(context), worst.join(", "));
    let title = Line::new(Share::Headline, [Span::Icon(icon), Span::words(" "), Span::Bold(title)]);
    let blocks = vec![
        Block::Paragraph(vec![title]),
        Block::Items(items(digest, context)),
        Block::Small(small_print(digest, context)),
    ];
    Outline { phone, icon, blocks }
}

/// `12 findings at once, 3 of them critical`
fn title(digest: &Digest) -> String {
    let count = digest.news.len();
    let findings = if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") };
    let critical = |news: &&FindingUpdate| news.finding.severity == Severity::Critical && news.kind.is_alarm();
    let critical = match digest.news.iter().filter(critical).count() {
        0 => String::new(),
        all if all == count => ", all of them critical".to_owned(),
        some => format!(", {some} of them critical"),
    };
    match digest.why {
        Why::FirstLook => format!("First report: {findings}{critical}"),
        Why::Storm => format!("{findings} at once{critical}"),
        Why::Missed => format!("{findings} came and went while nothing could be told here"),
    }
}

fn worst_icon(digest: &Digest) -> Icon {
    let rank = |news: &&FindingUpdate| (news.kind.is_alarm(), news.finding.severity);
    digest.news.iter().max_by_key(rank).map_or(Icon::Resolved, Icon::of)
}

fn items(digest: &Digest, context: Context) -> Vec<Item> {
    let few = digest.news.len() <= FEW && digest.why != Why::Missed;
    let tell = if few { one_of_few } else { one_of_many };
    let mut items: Vec<Item> = digest.news.iter().take(LINES).map(|news| tell(news, context)).collect();
    match digest.news.len().saturating_sub(LINES) {
        0 => {}
        more => {
            let line = Line::new(Share::Item, [Span::words(format!("… and {more} more"))]);
            items.push(Item { lines: vec![line], commands: Vec::new() });
        }
    }
    items
}

/// `web (Deployment, namespace prod): the liveness probe … 3 of 3 pods. …` in one line.
fn one_of_many(news: &FindingUpdate, context: Context) -> Item {
    let rest = match news.kind {
        Kind::Missed => came_and_went(&news.finding, context.now),
        Kind::Resolved => over(&news.finding, context.now),
        Kind::Withdrawn => Sentence::default(),
        Kind::Opened | Kind::Changed | Kind::GoesOn => {
            let pods = Sentence::new(format!("{}. ", capitalised(&pods(news.finding.pods))));
            pods.and(field_is(&news.finding).unwrap_or_default())
        }
    };
    let mut all = head(news);
    all.push(Span::words(" "));
    all.extend(spans(&rest));
    Item { lines: vec![Line::new(Share::Item, all)], commands: Vec::new() }
}

/// The headline with more below it: its extent, the field and the first command.
fn one_of_few(news: &FindingUpdate, context: Context) -> Item {
    if !news.kind.is_alarm() {
        return one_of_many(news, context);
    }
    let finding = &news.finding;
    let mut lines = vec![Line::new(Share::Item, head(news)), Line::sentence(Share::ItemDetail, &extent(finding))];
    lines.extend(field_is(finding).map(|field| Line::sentence(Share::ItemDetail, &field)));
    let commands = remedies::lines(finding).into_iter().filter(|line| line.is_command);
    Item { lines, commands: commands.map(|line| line.text).collect() }
}

fn head(news: &FindingUpdate) -> Vec<Span> {
    let new = match news.kind {
        Kind::Opened | Kind::Missed => " ",
        Kind::Changed => " changed: ",
        Kind::GoesOn => " goes on: ",
        Kind::Resolved => " over: ",
        Kind::Withdrawn => " taken back: ",
    };
    vec![Span::Icon(Icon::of(news)), Span::words(new), Span::Bold(headline(&news.finding))]
}

/// `From 14:00:02 to 14:04:12 UTC, with 137 restarts.`
fn came_and_went(finding: &Finding, now: Time) -> Sentence {
    let to = finding.resolved_at.unwrap_or(now);
    let day = day_if_another(finding.opened_at, now);
    let other_day = day_if_another(to, finding.opened_at);
    let (from, to) = (clock(finding.opened_at), clock(to));
    Sentence::new(format!("From {day}{from} to {other_day}{to} UTC, with {}.", restarts(finding.restarts)))
}

fn small_print(digest: &Digest, context: Context) -> Line {
    let mut all = single::cluster(context);
    match digest.waiting {
        0 => {}
        more => all.push(Span::words(format!("{more} more in the next message · "))),
    }
    all.extend([Span::words("all of them: "), Span::Command("kubectl get findings -A".to_owned())]);
    Line::new(Share::Small, all)
}
