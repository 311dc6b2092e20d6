//! Many pods, summarised in a band for each node or revision.

use std::collections::BTreeMap;
use std::time::Duration;

use super::frame::{Frame, GUTTER};
use super::svg::{Path, Svg};
use crate::engine::incident::{Phase, PodLane};
use crate::text::escape::cut;
use crate::time::Time;

/// Number of slices of time.
const SLICES: usize = 140;
/// Maximum number of bands; the pods of the smallest are counted together.
const MAX_BANDS: usize = 24;
/// Height of a band, and of what is drawn in it.
const ROW: f64 = 30.0;
const BAR: f64 = 22.0;
/// Maximum length of a band's name, in columns.
const NAME: usize = 19;

/// The states that are drawn, from below.
const LAYERS: [(Phase, &str); 3] = [(Phase::Ready, "ready"), (Phase::Running, "running"), (Phase::BackOff, "waiting")];

/// A band for each node; for each revision where there are too many nodes or only one.
pub fn draw(lanes: &[PodLane], frame: Frame, top: f64, svg: &mut Svg) -> f64 {
    let node = |lane: &PodLane| lane.node.as_ref().map_or_else(|| "no node".to_owned(), |node| cut(node, NAME));
    let revision =
        |lane: &PodLane| lane.revision.map_or_else(|| "other".to_owned(), |number| format!("revision {number}"));
    let by_node = grouped(lanes, node);
    let groups = if (2..=MAX_BANDS).contains(&by_node.len()) { by_node } else { grouped(lanes, revision) };
    let mut y = top + 4.0;
    for (name, lanes) in &groups {
        band(name, lanes, frame, y, svg);
        y += ROW;
    }
    y + 4.0
}

fn grouped(lanes: &[PodLane], of: impl Fn(&PodLane) -> String) -> Vec<(String, Vec<&PodLane>)> {
    let mut groups: BTreeMap<String, Vec<&PodLane>> = BTreeMap::new();
    for lane in lanes {
        groups.entry(of(lane)).or_default().push(lane);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    if groups.len() > MAX_BANDS {
        groups.sort_by_key(|(_, lanes)| std::cmp::Reverse(lanes.len()));
        let rest = groups.split_off(MAX_BANDS - 1);
        groups.sort_by(|one, other| one.0.cmp(&other.0));
        groups.push((format!("{} others", rest.len()), rest.into_iter().flat_map(|(_, lanes)| lanes).collect()));
    }
    groups
}

fn band(name: &str, lanes: &[&PodLane], frame: Frame, y: f64, svg: &mut Svg) {
    let slices = Slices::new(lanes, frame);
    let kills: u32 = slices.ends.iter().sum();
    svg.raw("<g><title>").text(&format!("{name}: {} pods, ended {kills} times", lanes.len())).raw("</title>\n");
    svg.label("pod end", (GUTTER - 6.0, y + 11.0), name);
    svg.label("tick end", (GUTTER - 6.0, y + 22.0), &format!("{} pods", lanes.len()));
    let mut below = [0_u32; SLICES];
    for (layer, (_, class)) in LAYERS.iter().enumerate() {
        let mut path = Path::default();
        let scale = |count: u32| (f64::from(count) / lanes.len() as f64).mul_add(-BAR, y + BAR);
        path.go(frame.x(slices.at(0)), scale(below[0]));
        for (place, count) in slices.counts[layer].iter().enumerate() {
            path.along(scale(below[place] + count)).across(frame.x(slices.at(place + 1)));
        }
        for place in (0..SLICES).rev() {
            path.along(scale(below[place])).across(frame.x(slices.at(place)));
        }
        path.close();
        svg.path(class, &path, None);
        below.iter_mut().zip(&slices.counts[layer]).for_each(|(below, count)| *below += count);
    }
    let mut ends = Path::default();
    let most = slices.ends.iter().copied().max().unwrap_or(1).max(1);
    for (place, count) in slices.ends.iter().enumerate().filter(|(_, count)| **count > 0) {
        let height = 2.0 + 8.0 * f64::from(*count) / f64::from(most);
        ends.go(frame.x(slices.at(place)) + 2.0, y).by(0.0, height);
    }
    svg.path("ends", &ends, None);
    svg.raw("</g>\n");
}

/// How many pods were in which state, and how many ended, in each slice of time.
struct Slices {
    from: Time,
    each: Duration,
    counts: [[u32; SLICES]; LAYERS.len()],
    ends: [u32; SLICES],
}

impl Slices {
    fn new(lanes: &[&PodLane], frame: Frame) -> Self {
        let each = frame.to.since(frame.from) / SLICES as u32;
        let mut slices = Self { from: frame.from, each, counts: [[0; SLICES]; LAYERS.len()], ends: [0; SLICES] };
        for lane in lanes {
            slices.add(lane, frame);
        }
        slices
    }

    /// The start of a slice.
    fn at(&self, place: usize) -> Time {
        self.from.plus(self.each * place as u32)
    }

    /// The state in the middle of each slice, and the ends in it.
    fn add(&mut self, lane: &PodLane, frame: Frame) {
        let mut spans = lane.spans.iter().peekable();
        for place in 0..SLICES {
            let middle = self.at(place).plus(self.each / 2);
            while spans.next_if(|span| span.to <= middle).is_some() {}
            let phase = spans.peek().filter(|span| span.from <= middle).map(|span| span.phase);
            let phase = if phase == Some(Phase::Created) { Some(Phase::BackOff) } else { phase };
            let layer = phase.and_then(|phase| LAYERS.iter().position(|(of, _)| *of == phase));
            if let Some(layer) = layer {
                self.counts[layer][place] += 1;
            }
        }
        let ends = lane.marks.iter().filter(|mark| mark.is_end() && frame.has(mark.at));
        for mark in ends {
            let place = mark.at.since(self.from).as_millis() / self.each.as_millis().max(1);
            self.ends[(place as usize).min(SLICES - 1)] += 1;
        }
    }
}

/// What the colours mean.
pub fn legend(top: f64, svg: &mut Svg) -> f64 {
    let y = top + 14.0;
    let mut x = 2.0;
    for (class, word) in [("ready", "ready"), ("running", "running, not ready"), ("waiting", "waits to start")] {
        svg.rect(class, (x, y - 5.0), (18.0, 10.0));
        svg.label("key", (x + 24.0, y + 4.0), word);
        x += word.len() as f64 * 6.1 + 48.0;
    }
    let mut ends = Path::default();
    ends.go(x, y - 5.0).by(0.0, 10.0).go(x + 4.0, y - 5.0).by(0.0, 5.0);
    svg.path("ends", &ends, None);
    svg.label("key", (x + 12.0, y + 4.0), "containers ended");
    top + 30.0
}
