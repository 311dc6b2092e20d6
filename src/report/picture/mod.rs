//! The picture of an incident, as SVG: a lane for each pod, above them ready pods and restarts over time,
//! the revisions as bands, and what probehound said as flags.
//!
//! One renderer for the page, the report and the README. It uses no colour of its own but classes, so that
//! no style stands in the document where a Content-Security-Policy forbids it; [`STYLE`] has the rules.

mod bands;
mod counts;
mod frame;
mod lanes;
mod said;
mod svg;

use crate::engine::Finding;
use crate::engine::incident::{Incident, PodLane};
use crate::report::headline::headline;
use crate::report::when::{clock, span};
use crate::report::wording::restarts;
use crate::time::Time;
use frame::Frame;
use svg::Svg;

/// The rules for the classes of a picture.
pub const STYLE: &str = include_str!("style.css");

/// Maximum number of lanes that are drawn one by one; more are summarised.
const MAX_LANES: usize = 60;

/// The margin of a picture that is a file, on each side.
const MARGIN: f64 = 14.0;

/// Where the rules of a picture are.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Rules {
    /// In the document around it.
    Outside,
    /// In the picture: it is a file of its own.
    Within,
}

/// The picture of a finding's course, as it is known at `now`.
///
/// Its size is bounded: some 110 KB for 60 lanes in which much happened, and no more however many pods there are.
pub fn draw(finding: &Finding, incident: &Incident, now: Time, rules: Rules) -> String {
    let frame = Frame::new(finding, incident, now);
    let mut body = Svg::default();
    let mut top = said::flags(incident, frame, &mut body);
    let lines_from = top;
    top = said::revisions(incident, frame, top, &mut body);
    top = counts::ready(&incident.points, frame, top, &mut body);
    top = counts::restarts(&incident.points, frame, top, &mut body);
    // Where there is no room for all, those whose container ended come first.
    let ended: Vec<PodLane> = incident.lanes.iter().filter(|lane| lane.has_ended()).cloned().collect();
    let is_crowded = incident.lanes.len() > MAX_LANES;
    let is_summary = is_crowded && !(1..=MAX_LANES).contains(&ended.len());
    let shown = if is_crowded && !is_summary { &ended } else { &incident.lanes };
    top =
        if is_summary { bands::draw(shown, frame, top, &mut body) } else { lanes::draw(shown, frame, top, &mut body) };
    said::lines(incident, frame, (lines_from, top), &mut body);
    top = frame.axis(top, &mut body);
    top = note(incident, incident.lanes.len() - shown.len(), top, &mut body);
    top = if is_summary { bands::legend(top, &mut body) } else { lanes::legend(top, &mut body) };
    whole(&body, (finding, incident, frame), top, rules)
}

/// The document around what was drawn.
fn whole(body: &Svg, (finding, incident, frame): (&Finding, &Incident, Frame), height: f64, rules: Rules) -> String {
    let mut svg = Svg::default();
    let (namespace, margin) = match rules {
        Rules::Within => (" xmlns=\"http://www.w3.org/2000/svg\"", MARGIN),
        Rules::Outside => ("", 0.0),
    };
    let (width, height) = (2.0_f64.mul_add(margin, frame::WIDTH), 2.0_f64.mul_add(margin, height));
    let size = format!("{from} {from} {width} {height:.0}", from = 0.0 - margin);
    svg.raw(&format!("<svg{namespace} class=\"picture\" viewBox=\"{size}\" role=\"img\""));
    if rules == Rules::Within {
        svg.raw(&format!(" width=\"{width}\" height=\"{height:.0}\""));
    }
    svg.raw(" aria-label=\"").text(&summary(finding, incident, frame)).raw("\">\n");
    svg.raw("<title>").text(&headline(finding)).raw("</title>\n");
    if rules == Rules::Within {
        svg.raw("<style>")
            .raw(STYLE)
            .raw("</style>\n")
            .raw(&format!("<rect class=\"ground\" x=\"-{MARGIN}\" y=\"-{MARGIN}\" "))
            .raw("width=\"100%\" height=\"100%\" rx=\"8\"/>\n");
    }
    svg.raw(body.as_str()).raw("</svg>\n");
    svg.into()
}

/// What the picture shows, for those who do not see it.
fn summary(finding: &Finding, incident: &Incident, frame: Frame) -> String {
    let least = incident.points.iter().map(|point| point.ready).min();
    let ready = least.map(|least| format!(" At the worst moment {least} pods were ready.")).unwrap_or_default();
    format!(
        "From {} to {} UTC, {} in all: {} pods were in trouble, {}.{ready}",
        clock(frame.from),
        clock(frame.to),
        span(frame.to.since(frame.from)),
        incident.lanes.len() + incident.forgotten as usize,
        restarts(finding.restarts),
    )
}

/// What is not drawn.
fn note(incident: &Incident, only_failed: usize, top: f64, svg: &mut Svg) -> f64 {
    let well = match incident.well {
        0 => None,
        1 => Some("1 more pod was never in trouble.".to_owned()),
        many => Some(format!("{many} more pods were never in trouble.")),
    };
    let forgotten = match incident.forgotten {
        0 => None,
        many => Some(format!("{many} more that were are gone and not remembered.")),
    };
    let failed = match only_failed {
        0 => None,
        many => Some(format!("Of {many} more a probe failed, and no container ended.")),
    };
    let notes: Vec<String> = failed.into_iter().chain(well).chain(forgotten).collect();
    if notes.is_empty() {
        return top;
    }
    svg.label("faint", (frame::GUTTER, top + 14.0), &notes.join(" "));
    top + 22.0
}
