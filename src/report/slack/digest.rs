//! Several findings in one message.

use super::escape::{command, length, prose};
use super::{Block, Context, MAX_OF_SECTION, fallback, icon, sentence, single};
use crate::engine::{Finding, Severity};
use crate::report::headline::{headline, kind_and_name};
use crate::report::remedies;
use crate::report::sentence::Sentence;
use crate::report::update::{Digest, FindingUpdate, Kind, Why};
use crate::report::when::{clock, day_if_another};
use crate::report::wording::{capitalised, extent, field_is, over, pods, restarts};
use crate::time::Time;

/// Maximum length of a digest's line: with the maximum number of findings, within the whole budget.
const LINE: usize = 330;
/// Maximum number of lines: there may be more missed findings.
const LINES: usize = 30;
/// Maximum length of a headline within a line.
const HEADLINE: usize = 200;
/// Up to this many findings are shown with their commands.
const FEW: usize = 5;
/// Maximum length of a sentence or command of one of few.
const OF_FEW: usize = 600;

/// The fallback text and the blocks.
pub(super) fn render(digest: &Digest, context: Context) -> (String, Vec<Block>) {
    if let ([news], Why::FirstLook | Why::Storm) = (digest.news.as_slice(), digest.why) {
        let preface = (digest.why == Why::FirstLook).then_some("First report: this goes on already.");
        return (fallback(news, context), single::blocks(news, preface, context));
    }
    let title = title(digest);
    let cluster = context.cluster.map(|cluster| format!("[{cluster}] ")).unwrap_or_default();
    let worst: Vec<&str> = digest.news.iter().take(4).map(|news| kind_and_name(&news.finding.workload).1).collect();
    let text = prose(&format!("{cluster}{title}: {}", worst.join(", ")), super::FALLBACK);
    let mut blocks = vec![Block::section(format!("{} *{}*", worst_icon(digest), prose(&title, HEADLINE)))];
    blocks.extend(sections(digest, context).into_iter().map(Block::section));
    blocks.push(Block::context(small_print(digest, context)));
    (text, blocks)
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

fn worst_icon(digest: &Digest) -> &'static str {
    let rank = |news: &&FindingUpdate| (news.kind.is_alarm(), news.finding.severity);
    digest.news.iter().max_by_key(rank).map_or(":white_check_mark:", icon)
}

/// The lines, in as few sections as possible.
fn sections(digest: &Digest, context: Context) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    let few = digest.news.len() <= FEW && digest.why != Why::Missed;
    let tell = if few { one_of_few } else { line };
    let mut lines: Vec<String> = digest.news.iter().take(LINES).map(|news| tell(news, context)).collect();
    match digest.news.len().saturating_sub(LINES) {
        0 => {}
        more => lines.push(format!("… and {more} more")),
    }
    for line in lines {
        match sections.last_mut() {
            Some(section) if length(section) + length(&line) < MAX_OF_SECTION => {
                section.push('\n');
                section.push_str(&line);
            }
            _ => sections.push(line),
        }
    }
    sections
}

/// `:red_circle: *web (Deployment, namespace prod): the liveness probe …* 3 of 3 pods. …`
fn line(news: &FindingUpdate, context: Context) -> String {
    let head = head(news);
    let rest = match news.kind {
        Kind::Missed => came_and_went(&news.finding, context.now),
        Kind::Resolved => over(&news.finding, context.now),
        Kind::Withdrawn => Sentence::default(),
        Kind::Opened | Kind::Changed | Kind::GoesOn => {
            let pods = Sentence::new(format!("{}. ", capitalised(&pods(news.finding.pods))));
            pods.and(field_is(&news.finding).unwrap_or_default())
        }
    };
    let room = LINE.saturating_sub(length(&head) + 1);
    format!("{head} {}", sentence(&rest, room)).trim_end().to_owned()
}

/// The line with more below it: its extent, the field and the first command.
fn one_of_few(news: &FindingUpdate, context: Context) -> String {
    if !news.kind.is_alarm() {
        return line(news, context);
    }
    let finding = &news.finding;
    let mut lines = vec![head(news), sentence(&extent(finding), OF_FEW)];
    lines.extend(field_is(finding).map(|field| sentence(&field, OF_FEW)));
    let commands = remedies::lines(finding).into_iter().filter(|line| line.is_command);
    let shown = commands.filter_map(|line| command(&line.text, OF_FEW));
    lines.extend(shown.map(|command| format!("```{command}```")).take(1));
    lines.join("\n")
}

fn head(news: &FindingUpdate) -> String {
    let new = match news.kind {
        Kind::Opened | Kind::Missed => "",
        Kind::Changed => "changed: ",
        Kind::GoesOn => "goes on: ",
        Kind::Resolved => "over: ",
        Kind::Withdrawn => "taken back: ",
    };
    format!("{} {new}*{}*", icon(news), prose(&headline(&news.finding), HEADLINE))
}

/// `From 14:00:02 to 14:04:12 UTC, with 137 restarts.`
fn came_and_went(finding: &Finding, now: Time) -> Sentence {
    let to = finding.resolved_at.unwrap_or(now);
    let day = day_if_another(finding.opened_at, now);
    let other_day = day_if_another(to, finding.opened_at);
    let (from, to) = (clock(finding.opened_at), clock(to));
    Sentence::new(format!("From {day}{from} to {other_day}{to} UTC, with {}.", restarts(finding.restarts)))
}

fn small_print(digest: &Digest, context: Context) -> String {
    let cluster = context.cluster.map(|cluster| format!("cluster {} · ", super::code(cluster, 80))).unwrap_or_default();
    let more = match digest.waiting {
        0 => String::new(),
        more => format!("{more} more in the next message · "),
    };
    format!("{cluster}{more}all of them: `kubectl get findings -A`")
}
