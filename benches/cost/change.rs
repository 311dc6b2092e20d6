//! The cost of one more finding, from the pod's status to the object, the Event and the alert, with few and
//! with many known findings.

use std::time::Duration;

use crate::sample::timed;
use crate::support::known::Known;

/// The minimum and maximum number of known findings: no more than 5,000 are shown at once.
const KNOWN: [usize; 2] = [100, 4_900];
/// Number of findings per measurement; each is notified by itself, one per second.
const MORE: usize = 10;
/// Number of measurements, of which the minimum counts: other processes make it longer, never shorter.
const TIMES: usize = 3;

/// Not by criterion: it is mostly waiting.
pub fn measure() {
    let [few, many] = KNOWN.map(|findings| {
        let cost = cost(findings);
        println!("one more finding where {findings} are known: {} µs", cost.as_micros());
        cost
    });
    println!("of the one the other, where 10,000 may cost 1.5: {:.2}", many.as_secs_f64() / few.as_secs_f64());
}

fn cost(findings: usize) -> Duration {
    let mut known = Known::of(findings);
    let times = (0..TIMES).map(|_| timed(|| known.tell_of(MORE)));
    times.min().unwrap_or_default() / MORE as u32
}
