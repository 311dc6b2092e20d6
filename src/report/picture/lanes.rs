//! A lane for each pod.

use super::frame::{Frame, GUTTER};
use super::svg::{Path, Svg};
use crate::engine::incident::{Happened, Mark, Phase, PodLane};
use crate::report::when::clock;
use crate::report::wording::restarts;
use crate::text::escape::cut;

/// Maximum length of a pod's name before its lane, in columns, and in its title.
const NAME: usize = 19;
const WHOLE: usize = 80;
/// Maximum length of a probe's answer.
const SAID: usize = 120;
/// Number of ends named in a title.
const ENDS: usize = 6;

/// All of them, below each other.
pub fn draw(lanes: &[PodLane], frame: Frame, top: f64, svg: &mut Svg) -> f64 {
    let shown =
        || lanes.iter().filter(|lane| lane.spans.iter().any(|span| span.to >= frame.from && span.from <= frame.to));
    let row = match shown().count() {
        0 => return top,
        1..=12 => 20.0,
        13..=30 => 15.0,
        _ => 12.0,
    };
    let shared = shared_beginning(lanes);
    let mut y = top + 4.0;
    for lane in shown() {
        one(lane, shared, frame, (y, row), svg);
        y += row;
    }
    y + 4.0
}

fn one(lane: &PodLane, shared: usize, frame: Frame, (y, row): (f64, f64), svg: &mut Svg) {
    let middle = y + row / 2.0;
    let title = title(lane);
    svg.raw("<g><title>").text(&title).raw("</title>\n");
    let name = lane.pod.as_deref().unwrap_or("?");
    let short = name.get(shared..).filter(|rest| !rest.is_empty()).unwrap_or(name);
    let short = if shared > 0 { format!("…{}", cut(short, NAME - 1)) } else { cut(short, NAME) };
    svg.label("pod end", (GUTTER - 6.0, middle + 3.5), &short);
    for phase in [Phase::Created, Phase::Forgotten, Phase::BackOff, Phase::Running, Phase::Ready] {
        svg.path(class(phase), &spans(lane, phase, frame, middle, row), None);
    }
    marks(lane, frame, middle, row, svg);
    if let Some(gone) = lane.gone.filter(|gone| frame.has(*gone)) {
        let mut end = Path::default();
        end.go(frame.x(gone), middle - row * 0.38).along(middle + row * 0.38);
        svg.path("gone", &end, None);
    }
    svg.raw("</g>\n");
}

const fn class(phase: Phase) -> &'static str {
    match phase {
        Phase::Created => "created",
        Phase::Running => "running",
        Phase::Ready => "ready",
        Phase::BackOff => "back-off",
        Phase::Forgotten => "forgotten",
    }
}

/// What runs is a bar, lower while it is not ready; what does not is a line.
fn spans(lane: &PodLane, phase: Phase, frame: Frame, middle: f64, row: f64) -> Path {
    let mut path = Path::default();
    let half = match phase {
        Phase::Ready => row * 0.36,
        Phase::Running => row * 0.2,
        _ => 0.0,
    };
    for span in lane.spans.iter().filter(|span| span.phase == phase && span.to > frame.from && span.from < frame.to) {
        let (from, to) = (frame.x(span.from), frame.x(span.to));
        if half > 0.0 {
            path.go(from, middle - half).across(to).along(middle + half).across(from).close();
        } else {
            path.go(from, middle).across(to);
        }
    }
    path
}

fn marks(lane: &PodLane, frame: Frame, middle: f64, row: f64, svg: &mut Svg) {
    let arm = (row * 0.26).min(3.6);
    let (mut failed, mut killed, mut ended) = (Path::default(), Path::default(), Path::default());
    for mark in lane.marks.iter().filter(|mark| frame.has(mark.at)) {
        let x = frame.x(mark.at);
        match mark.what {
            Happened::ProbeFailed(..) => {
                failed
                    .go(x - arm, middle - arm)
                    .by(2.0 * arm, 2.0 * arm)
                    .go(x - arm, middle + arm)
                    .by(2.0 * arm, -2.0 * arm);
            }
            Happened::Killed(_) => {
                killed.go(x - arm * 1.5, middle - arm * 1.6).by(arm * 3.0, 0.0).by(-arm * 1.5, arm * 3.2).close();
            }
            Happened::Ended(_) => {
                ended
                    .go(x, middle - arm * 1.6)
                    .by(arm * 1.6, arm * 1.6)
                    .by(-arm * 1.6, arm * 1.6)
                    .by(-arm * 1.6, -arm * 1.6)
                    .close();
            }
        }
    }
    svg.path("failed", &failed, None);
    svg.path("killed", &killed, None);
    svg.path("ended", &ended, None);
}

/// The facts of a lane, in words.
fn title(lane: &PodLane) -> String {
    let mut parts = vec![cut(lane.pod.as_deref().unwrap_or("a pod whose name is not known"), WHOLE)];
    parts.extend(lane.revision.map(|revision| format!("revision {revision}")));
    parts.extend(lane.node.as_ref().map(|node| format!("on {}", cut(node, WHOLE))));
    parts.push(restarts(u64::from(lane.restarts)));
    let ends: Vec<String> = lane.marks.iter().filter_map(end).collect();
    if !ends.is_empty() {
        let more = ends.len().saturating_sub(ENDS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        parts.push(format!("{}{more}", ends.iter().take(ENDS).cloned().collect::<Vec<_>>().join(", ")));
    }
    parts.extend(lane.said.as_ref().map(|said| format!("last answer: {}", cut(said, SAID))));
    parts.join("; ")
}

fn end(mark: &Mark) -> Option<String> {
    match mark.what {
        Happened::ProbeFailed(..) => None,
        Happened::Killed(probe) => Some(format!("{} killed by its {probe} probe", clock(mark.at))),
        Happened::Ended(exit) => Some(format!("{} ended with exit code {exit}", clock(mark.at))),
    }
}

/// The length of what all names begin with, up to a hyphen.
fn shared_beginning(lanes: &[PodLane]) -> usize {
    let mut names = lanes.iter().filter_map(|lane| lane.pod.as_deref());
    let Some(first) = names.next() else { return 0 };
    let shared = names.fold(first.len(), |shared, name| {
        let same = first.bytes().zip(name.bytes()).take_while(|(one, other)| one == other).count();
        shared.min(same)
    });
    if lanes.len() < 2 { 0 } else { first.get(..shared).and_then(|start| start.rfind('-')).map_or(0, |at| at + 1) }
}

/// What the forms mean.
pub fn legend(top: f64, svg: &mut Svg) -> f64 {
    const PHASES: [(Phase, &str); 4] = [
        (Phase::Created, "created"),
        (Phase::Running, "running, not ready"),
        (Phase::Ready, "ready"),
        (Phase::BackOff, "ended, waits to start"),
    ];
    let y = top + 14.0;
    let mut x = 2.0;
    for (phase, word) in PHASES {
        let mut path = Path::default();
        match phase {
            Phase::Ready => _ = path.go(x, y - 5.0).across(x + 22.0).along(y + 5.0).across(x).close(),
            Phase::Running => _ = path.go(x, y - 3.0).across(x + 22.0).along(y + 3.0).across(x).close(),
            _ => _ = path.go(x, y).across(x + 22.0),
        }
        svg.path(class(phase), &path, None);
        svg.label("key", (x + 28.0, y + 4.0), word);
        x += word.len() as f64 * 6.1 + 50.0;
    }
    let (mut failed, mut killed, mut ended, mut gone) =
        (Path::default(), Path::default(), Path::default(), Path::default());
    failed.go(x - 3.0, y - 3.0).by(6.0, 6.0).go(x - 3.0, y + 3.0).by(6.0, -6.0);
    svg.path("failed", &failed, None);
    svg.label("key", (x + 9.0, y + 4.0), "probe failed");
    x += 104.0;
    killed.go(x - 5.0, y - 5.0).by(10.0, 0.0).by(-5.0, 10.0).close();
    svg.path("killed", &killed, None);
    svg.label("key", (x + 10.0, y + 4.0), "killed by a probe");
    x += 134.0;
    ended.go(x, y - 5.0).by(5.0, 5.0).by(-5.0, 5.0).by(-5.0, -5.0).close();
    svg.path("ended", &ended, None);
    svg.label("key", (x + 10.0, y + 4.0), "ended otherwise");
    x += 122.0;
    gone.go(x, y - 6.0).along(y + 6.0);
    svg.path("gone", &gone, None);
    svg.label("key", (x + 7.0, y + 4.0), "gone");
    top + 30.0
}
