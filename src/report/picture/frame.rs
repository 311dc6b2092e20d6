//! The time that a picture shows, and where it lies in it.

use std::time::Duration;

use super::svg::{Path, Svg};
use crate::engine::Finding;
use crate::engine::incident::Incident;
use crate::report::when::{clock, day};
use crate::time::Time;

/// The width of a picture.
pub const WIDTH: f64 = 1000.0;
/// Where time begins: names stand before it.
pub const GUTTER: f64 = 132.0;
/// Where it ends.
const RIGHT: f64 = WIDTH - 16.0;
/// Maximum time shown; the newest of more.
const MOST: Duration = Duration::from_hours(6);
/// Minimum time shown.
const LEAST: Duration = Duration::from_secs(30);
/// Maximum time shown before the first suspicion and after the end.
const BEFORE: Duration = Duration::from_mins(3);
const AFTER: Duration = Duration::from_mins(1);
/// The distances between two times on the axis, in seconds.
const STEPS: [u64; 13] = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600];
/// The least distance between two of them.
const TICK: f64 = 92.0;
/// Half the width of a time.
const LABEL: f64 = 26.0;

/// A period of time and its place.
#[derive(Copy, Clone, Debug)]
pub struct Frame {
    /// The first moment.
    pub from: Time,
    /// The last one.
    pub to: Time,
}

impl Frame {
    /// From a little before the rollout or the first suspicion to a little after the end, or `now`.
    pub fn new(finding: &Finding, incident: &Incident, now: Time) -> Self {
        let rollout = finding.change.as_ref().and_then(|change| change.at);
        let began = rollout.unwrap_or(finding.opened_at).min(finding.opened_at).max(finding.opened_at.minus(BEFORE));
        let known = incident.lanes.iter().filter_map(|lane| lane.spans.first()).map(|span| span.from);
        let known = known.chain(incident.points.first().map(|point| point.at)).min().unwrap_or(began);
        let lead = began.minus(Duration::from_secs(20));
        let from = known.min(began).max(lead);
        let to = finding.resolved_at.map_or(now, |at| at.plus(AFTER).min(now)).max(from.plus(LEAST));
        Self { from: from.max(to.minus(MOST)), to }
    }

    /// The place of a moment; what is outside is at the edge.
    pub fn x(self, at: Time) -> f64 {
        let all = self.to.since(self.from).as_millis() as f64;
        let after = at.since(self.from).as_millis() as f64;
        (after / all).min(1.0).mul_add(RIGHT - GUTTER, GUTTER)
    }

    /// Whether a moment is shown.
    pub fn has(self, at: Time) -> bool {
        at >= self.from && at <= self.to
    }

    /// Where time ends.
    pub const fn right() -> f64 {
        RIGHT
    }

    /// The times below the lanes, in UTC.
    pub fn axis(self, top: f64, svg: &mut Svg) -> f64 {
        let mut line = Path::default();
        line.go(GUTTER, top + 4.0).across(RIGHT);
        let mut labels = Svg::default();
        for at in self.ticks() {
            line.go(self.x(at), top + 4.0).by(0.0, 5.0);
            if self.x(at) + LABEL <= WIDTH {
                labels.label("tick", (self.x(at), top + 21.0), &clock(at));
            }
        }
        svg.path("axis", &line, None);
        svg.raw(labels.as_str());
        svg.label("side", (0.0, top + 21.0), &format!("{} UTC", day(self.from)));
        top + 30.0
    }

    fn ticks(self) -> impl Iterator<Item = Time> {
        let all = self.to.since(self.from).as_secs_f64();
        let most = ((RIGHT - GUTTER) / TICK).floor();
        let step = STEPS.into_iter().find(|step| all / *step as f64 <= most).unwrap_or(STEPS[STEPS.len() - 1]);
        let step = step as i64 * 1000;
        let first = (self.from.as_millis() + step - 1).div_euclid(step) * step;
        let times = (0..64).map(move |number| Time::from_millis(first + number * step));
        times.take_while(move |at| *at <= self.to)
    }
}
