//! The goals and the measurements: for reading, not for failing on a slow machine.

use std::time::Duration;

use probehound::time::Time;

use crate::cost::Cost;
use crate::milestones::{Course, Milestones};
use crate::support::Finding;

/// The `for` duration of the usual alert on CrashLoopBackOff (`KubePodCrashLooping` of kubernetes-mixin).
const USUAL_ALERT: Duration = Duration::from_mins(15);

/// The times of the user's actions.
pub struct Deeds {
    /// When the wrong path was rolled out.
    pub broken: Time,
    /// When the last of the previous pods was seen ready again.
    pub mended: Time,
}

/// Prints everything.
pub fn print(deeds: &Deeds, seen: &Milestones, course: &Course, told: &Finding, over: Option<Time>, cost: &Cost) {
    let confirmed = told.confirmed_at;
    println!("\n{:58} {:>8} {:>10}", "", "goal", "measured");
    let row = |what: &str, goal: &str, measured: String| println!("{what:58} {goal:>8} {measured:>10}");
    let since = |from: Time, to: Option<Time>| to.map_or_else(|| "never".to_owned(), |to| seconds(from, to));
    row(
        "suspected, with field and value, after the second failure",
        "2 s",
        since(course.second_failure, Some(told.opened_at)),
    );
    row("confirmed after the first restart in a status", "2 s", since(course.first_restart, confirmed));
    row("  a Finding object", "", since(course.first_restart, seen.object));
    row("  a series of /metrics", "", since(course.first_restart, seen.metric));
    row("Slack message after the confirmation", "3 s", since(confirmed.unwrap_or_default(), seen.message));
    row("Prometheus alert fires after the rollout", "60 s", since(deeds.broken, seen.alert));
    row("  and after the first failed probe", "", since(course.first_failure, seen.alert));
    let before = |at: Time| course.kills.iter().filter(|kill| **kill <= at).count().to_string();
    row("kills before it was confirmed", "", confirmed.map_or_else(|| "-".to_owned(), before));
    row("resolved message after the last pod was well again", "", since(deeds.mended, over));
    let usual = course.back_off.map(|at| at.plus(USUAL_ALERT));
    row("for comparison: the usual alert on CrashLoopBackOff", "", since(deeds.broken, usual));
    row("resident memory of the Deployment, median", "20 MiB", mebibytes(cost.median_kib));
    row("  at its highest", "", mebibytes(cost.peak_kib));
    row("processor on average", "10 m", format!("{:.1} m", cost.millicores));
    println!();
}

/// The seconds from one time to another, which may be earlier.
fn seconds(from: Time, to: Time) -> String {
    let tenths = (to.as_millis() - from.as_millis()) / 100;
    format!("{:.1} s", tenths as f64 / 10.0)
}

fn mebibytes(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}
