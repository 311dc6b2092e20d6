//! What probehound said, as flags, and the revisions as bands.

use super::frame::Frame;
use super::svg::{Path, Svg};
use crate::engine::ChangeKind;
use crate::engine::incident::{Incident, Published, Rollout};
use crate::report::when::clock;
use crate::text::escape::cut;

/// The width of a letter of a label, about.
const LETTER: f64 = 6.4;
/// Height of the flags and of the bands, with the space below.
const FLAGS: f64 = 34.0;
const BANDS: f64 = 28.0;

/// Each publication as a flag, with its words where there is room.
pub fn flags(incident: &Incident, frame: Frame, svg: &mut Svg) -> f64 {
    // A flag for each change of counts and severity would hide those that matter.
    let is_shown = |one: &&Published| frame.has(one.at) && one.kind != ChangeKind::Updated;
    let shown: Vec<&Published> = incident.published.iter().filter(is_shown).collect();
    if shown.is_empty() {
        return 8.0;
    }
    svg.label("side", (0.0, 22.0), "probehound said");
    for (place, one) in shown.iter().enumerate() {
        let x = frame.x(one.at);
        let room = shown.get(place + 1).map_or(Frame::right() + 8.0, |next| frame.x(next.at)) - x;
        let words = words(one);
        // At the right edge it stands before its pole.
        let is_last = place + 1 == shown.len();
        let length = words.len() as f64 * LETTER + 16.0;
        let mut flag = Path::default();
        flag.go(x, 30.0).along(10.0).by(9.0, 4.0).by(-9.0, 4.0);
        let title = format!("{} UTC: {words}", clock(one.at));
        svg.path(class(one.kind), &flag, Some(&title));
        if length <= room {
            svg.label("flag", (x + 12.0, 20.0), &words);
        } else if is_last && place == 0 {
            svg.label("flag end", (x - 4.0, 20.0), &words);
        }
    }
    FLAGS
}

fn words(one: &Published) -> String {
    let kind = match one.kind {
        ChangeKind::Suspected => "suspected",
        ChangeKind::Confirmed => "confirmed",
        ChangeKind::Updated | ChangeKind::Counted => "updated",
        ChangeKind::Resolved => return "resolved".to_owned(),
        ChangeKind::Withdrawn => return "withdrawn".to_owned(),
    };
    format!("{kind}: {}", one.cause)
}

const fn class(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Confirmed => "said confirmed",
        ChangeKind::Resolved => "said resolved",
        _ => "said",
    }
}

/// The revision that was wanted at each time.
pub fn revisions(incident: &Incident, frame: Frame, top: f64, svg: &mut Svg) -> f64 {
    let shown = in_force(incident, frame);
    if shown.is_empty() {
        return top;
    }
    svg.label("side", (0.0, top + 14.0), "revision");
    for (place, one) in shown.iter().enumerate() {
        let from = frame.x(one.at);
        let to = shown.get(place + 1).map_or(Frame::right(), |next| frame.x(next.at));
        let class = if one.revision % 2 == 0 { "band even" } else { "band" };
        svg.rect(class, (from, top), ((to - from - 1.0).max(1.0), 20.0));
        let by = one.by.as_ref().map(|by| format!(" · {}", cut(by, 24))).unwrap_or_default();
        let number = one.revision.to_string();
        let fits = [format!("{number}{by}"), number];
        if let Some(text) = fits.iter().find(|text| text.chars().count() as f64 * LETTER + 12.0 <= to - from) {
            svg.label("flag", (from + 6.0, top + 14.0), text);
        }
    }
    top + BANDS
}

/// A line through everything where a revision was rolled out, and where the finding was confirmed.
pub fn lines(incident: &Incident, frame: Frame, (from, to): (f64, f64), svg: &mut Svg) {
    let mut rollouts = Path::default();
    for one in incident.rollouts.iter().filter(|one| frame.has(one.at)) {
        rollouts.go(frame.x(one.at), from).along(to);
    }
    svg.path("rollout", &rollouts, None);
    let mut told = Path::default();
    for one in incident.published.iter().filter(|one| frame.has(one.at)) {
        if matches!(one.kind, ChangeKind::Confirmed | ChangeKind::Resolved) {
            told.go(frame.x(one.at), from - 4.0).along(to);
        }
    }
    svg.path("told", &told, None);
}

/// The rollouts shown, by time; the one before them is in force from the left edge on.
fn in_force(incident: &Incident, frame: Frame) -> Vec<&Rollout> {
    let mut all: Vec<&Rollout> = incident.rollouts.iter().filter(|one| one.at <= frame.to).collect();
    all.sort_by_key(|one| one.at);
    let before = all.iter().rposition(|one| one.at <= frame.from).unwrap_or(0);
    all.split_off(before)
}
