//! Ready pods and restarts over time.

use super::frame::{Frame, GUTTER};
use super::svg::{Path, Svg};
use crate::engine::incident::Point;
use crate::time::Time;

/// Height of the two charts, and the space below each.
const READY: f64 = 64.0;
const RESTARTS: f64 = 34.0;
const GAP: f64 = 12.0;

/// Ready pods as an area below the number of wanted ones.
pub fn ready(points: &[Point], frame: Frame, top: f64, svg: &mut Svg) -> f64 {
    let Some(most) = points.iter().map(|point| point.wanted.max(point.ready)).max().filter(|most| *most > 0) else {
        return top;
    };
    let chart = Chart { frame, top, height: READY, most: f64::from(most) };
    chart.grid(svg);
    let values = |value: fn(&Point) -> u32| points.iter().map(move |point| (point.at, f64::from(value(point))));
    svg.path("area", &chart.steps(values(|point| point.ready), true), Some("ready pods"));
    svg.path("ready-line", &chart.steps(values(|point| point.ready), false), None);
    svg.path("wanted", &chart.steps(values(|point| point.wanted), false), Some("wanted pods"));
    chart.names(svg, "ready pods", &most.to_string());
    chart.least(points, svg);
    top + READY + GAP
}

/// Restarts as a line that only rises.
pub fn restarts(points: &[Point], frame: Frame, top: f64, svg: &mut Svg) -> f64 {
    let before =
        points.iter().rfind(|point| point.at <= frame.from).or(points.first()).map_or(0, |point| point.restarts);
    let most = points.iter().map(|point| point.restarts.saturating_sub(before)).max().filter(|most| *most > 0);
    let Some(most) = most else { return top };
    let chart = Chart { frame, top, height: RESTARTS, most: most as f64 };
    chart.grid(svg);
    let values = points.iter().map(|point| (point.at, point.restarts.saturating_sub(before) as f64));
    svg.path("restarts", &chart.steps(values, false), Some("restarts"));
    chart.names(svg, "restarts", &most.to_string());
    top + RESTARTS + GAP
}

#[derive(Copy, Clone)]
struct Chart {
    frame: Frame,
    top: f64,
    height: f64,
    most: f64,
}

impl Chart {
    fn y(self, value: f64) -> f64 {
        (value / self.most).mul_add(-self.height, self.top + self.height)
    }

    /// A line that keeps each value until the next one, or the area below it.
    fn steps(self, values: impl Iterator<Item = (Time, f64)>, area: bool) -> Path {
        let mut path = Path::default();
        let mut last: Option<f64> = None;
        for (at, value) in values {
            let (x, y) = (self.frame.x(at), self.y(value));
            match last {
                None if area => _ = path.go(x, self.y(0.0)).along(y),
                None => _ = path.go(x, y),
                Some(before) if f64::abs(before - y) < 0.05 => {}
                Some(_) => _ = path.across(x).along(y),
            }
            last = Some(y);
        }
        if last.is_some() {
            path.across(Frame::right());
            if area {
                path.along(self.y(0.0)).close();
            }
        }
        path
    }

    fn grid(self, svg: &mut Svg) {
        let mut grid = Path::default();
        grid.go(GUTTER, self.y(0.0)).across(Frame::right()).go(GUTTER, self.top).across(Frame::right());
        svg.path("grid", &grid, None);
    }

    fn names(self, svg: &mut Svg, name: &str, most: &str) {
        svg.label("side", (0.0, self.top + 10.0), name);
        svg.label("tick end", (GUTTER - 6.0, self.top + 8.0), most);
        svg.label("tick end", (GUTTER - 6.0, self.y(0.0)), "0");
    }

    /// The worst moment, by its number.
    fn least(self, points: &[Point], svg: &mut Svg) {
        let shown = points.iter().filter(|point| self.frame.has(point.at) && point.wanted > 0);
        if let Some(least) = shown.min_by_key(|point| point.ready).filter(|point| point.ready < point.wanted) {
            let x = self.frame.x(least.at).min(Frame::right() - 120.0) + 5.0;
            svg.label("least", (x, self.y(0.0) - 5.0), &format!("{} of {} ready", least.ready, least.wanted));
        }
    }
}
