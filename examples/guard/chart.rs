//! Lines of ready pods over time, as an SVG that is read in light and dark, and without colours.

use std::fmt::Write;

/// The stories that are drawn, each with its words, its colour and its dashes: of Okabe and Ito's colours, which
/// people tell apart who see fewer of them, four that stand out on white.
const STYLES: [(&str, &str, &str, &str); 4] = [
    ("unguarded", "without the guard", "#d55e00", ""),
    ("defaults", "guard, maxSurge 25 %, maxUnavailable 25 %", "#0072b2", "10 3"),
    ("surge", "guard, maxSurge 1, maxUnavailable 0", "#009e73", "2 3"),
    ("min-ready", "guard, minReadySeconds above the kill budget", "#7a4fa3", "8 3 2 3"),
];

/// Size of the picture, and where its axes are.
const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 52.0;
const TOP: f64 = 50.0;
const RIGHT: f64 = 836.0;
const BOTTOM: f64 = 286.0;
/// Seconds between two marks of the time.
const MARK: usize = 10;
/// Most seconds and pods that are drawn.
const MAX: usize = 600;
/// Lines of the same numbers are drawn this far apart.
const APART: f64 = 1.5;

/// The ready pods of each second since a rollout.
#[derive(Debug, PartialEq, Eq)]
pub struct Course {
    style: usize,
    ready: Vec<usize>,
}

/// Reads the courses: a line for each, its name and the number of each second.
///
/// # Errors
/// A line is none, a name is not known, or there is nothing to draw.
pub fn courses(text: &str) -> Result<Vec<Course>, String> {
    let one = |line: &str| -> Result<Course, String> {
        let mut words = line.split_whitespace();
        let name = words.next().ok_or("a line is empty")?;
        let style = STYLES.iter().position(|(known, ..)| *known == name);
        let style = style.ok_or_else(|| format!("{name} is no story that is known"))?;
        let number = |word: &str| word.parse().ok().filter(|number| *number <= MAX);
        let ready: Option<Vec<usize>> = words.take(MAX).map(number).collect();
        let ready = ready.filter(|ready| !ready.is_empty()).ok_or_else(|| format!("{name} has no numbers"))?;
        Ok(Course { style, ready })
    };
    let courses: Result<Vec<Course>, String> = text.lines().map(one).collect();
    courses.and_then(|all| if all.is_empty() { Err("it is empty".to_owned()) } else { Ok(all) })
}

/// Draws them, with their lowest numbers and their ends in words.
pub fn svg(courses: &[Course]) -> String {
    let seconds = courses.iter().map(|course| course.ready.len()).max().unwrap_or_default().next_multiple_of(MARK);
    // At first all that are wanted are ready; a surge adds to them.
    let wanted = courses.iter().filter_map(|course| course.ready.first()).max().copied().unwrap_or_default();
    let pods = courses.iter().flat_map(|course| &course.ready).copied().max().unwrap_or_default().max(1);
    let at = |second: f64, ready: f64| {
        (LEFT + (RIGHT - LEFT) * second / seconds as f64, BOTTOM - (BOTTOM - TOP) * ready / pods as f64)
    };
    let mut out = head();
    for ready in (0..=pods).step_by(pods.div_ceil(4)) {
        let (_, y) = at(0.0, ready as f64);
        line(&mut out, "g", (LEFT, y), (RIGHT, y));
        label(&mut out, "e", (LEFT - 8.0, y + 4.0), &ready.to_string());
    }
    for second in (0..=seconds).step_by(MARK) {
        let (x, _) = at(second as f64, 0.0);
        line(&mut out, "g", (x, BOTTOM), (x, BOTTOM + 5.0));
        label(&mut out, "m", (x, BOTTOM + 19.0), &second.to_string());
    }
    label(
        &mut out,
        "",
        (LEFT - 32.0, 28.0),
        &format!("ready pods of {wanted}, after a rollout broke the liveness probe"),
    );
    label(&mut out, "e", (RIGHT, BOTTOM + 36.0), "seconds since the rollout");
    for (place, course) in courses.iter().enumerate() {
        let aside = place as f64 * APART;
        let points = course.ready.iter().enumerate().map(|(second, ready)| {
            let (x, y) = at(second as f64, *ready as f64);
            (x, y - aside)
        });
        steps(&mut out, STYLES[course.style], points);
        key(&mut out, place, course);
    }
    out + "</svg>\n"
}

/// Its own ground, so that it reads on any.
fn head() -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} \
         {HEIGHT}\" role=\"img\">\n<title>Ready pods over time, without and with the guard</title>\n\
         <style>text{{font:13px system-ui,'DejaVu Sans',sans-serif;fill:#24292f}}.e{{text-anchor:end}}\
         .m{{text-anchor:middle}}.g{{stroke:#d0d7de}}.c{{fill:none;stroke-width:2.5}}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d0d7de\"/>\n"
    )
}

/// A course: a number stands until the next one.
fn steps(out: &mut String, style: (&str, &str, &str, &str), mut points: impl Iterator<Item = (f64, f64)>) {
    let (_, words, colour, dashes) = style;
    let Some((x, y)) = points.next() else { return };
    let mut path = format!("M{x:.1} {y:.1}");
    let mut last = y;
    let mut end = x;
    for (x, y) in points {
        end = x;
        // Writing to a string cannot fail.
        if (y - last).abs() > f64::EPSILON {
            let _ = write!(path, "H{x:.1}V{y:.1}");
            last = y;
        }
    }
    let _ = writeln!(
        out,
        "<path class=\"c\" stroke=\"{colour}\" stroke-dasharray=\"{dashes}\" d=\"{path}H{end:.1}\"><title>{words}</title></path>"
    );
}

/// A line of the key: how it looks, what it is, and what came of it.
fn key(out: &mut String, place: usize, course: &Course) {
    let (name, words, colour, dashes) = STYLES[course.style];
    let y = (place as f64).mul_add(24.0, BOTTOM + 64.0);
    let _ =
        writeln!(out, "<path class=\"c\" stroke=\"{colour}\" stroke-dasharray=\"{dashes}\" d=\"M{LEFT} {y:.1}h44\"/>");
    label(out, "", (LEFT + 56.0, y + 4.0), words);
    let lowest = course.ready.iter().min().copied().unwrap_or_default();
    let seconds = course.ready.len() - 1;
    let end = if name == "unguarded" { "not undone" } else { "all back" };
    label(out, "e", (RIGHT, y + 4.0), &format!("lowest {lowest}; {end} after {seconds} s"));
}

fn line(out: &mut String, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = writeln!(out, "<path class=\"{class}\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>");
}

/// A text of ours: none of them has a character that SVG would take for its own.
fn label(out: &mut String, class: &str, (x, y): (f64, f64), text: &str) {
    let _ = writeln!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
}
