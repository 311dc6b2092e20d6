//! The cost of a change does not depend on the number of known findings: measured in allocations, since
//! times depend on the machine. `make bench` measures the processor time of the same.

mod support;

use std::alloc::System;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use probehound::config::{Config, Page};
use probehound::findings::board::Board;
use probehound::metrics::Metrics;
use probehound::operator::driver::Driver;
use probehound::time::Time;
use stats_alloc::{Region, StatsAlloc};
use support::known::{Known, crashing as crashing_pod};

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &stats_alloc::INSTRUMENTED_SYSTEM;

/// Allocations of other tests meanwhile would be counted, too.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The minimum and maximum number of known findings: no more than 5,000 are shown at once.
const FEW: usize = 100;
const MANY: usize = 4_900;
/// How many more findings there are then.
const MORE: usize = 3;

#[test]
fn one_more_finding_costs_no_more_where_thousands_are_known() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let [few, many] = [FEW, MANY].map(|findings| {
        let mut known = Known::of(findings);
        let region = Region::new(MEMORY);
        known.tell_of(MORE);
        let stats = region.change();
        (stats.allocations + stats.reallocations, stats.bytes_allocated)
    });
    println!("allocations and bytes for {MORE} findings: {few:?} where {FEW} are known, {many:?} where {MANY} are");
    // 10,000 may cost one and a half times as much as 100.
    assert!(many.0 * 4 <= few.0 * 5, "allocations: {few:?}, {many:?}");
    assert!(many.1 * 4 <= few.1 * 5, "bytes: {few:?}, {many:?}");
}

#[test]
fn a_finding_that_goes_on_is_kept_in_four_kilobytes() {
    const FINDINGS: usize = 2_000;
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = kept_of_crashing(FINDINGS, &Config::default());
    println!("{kept} bytes are kept of a bare pod that crashes");
    // 4,099 with the pointer to what annotations ask for, which nearly all share.
    assert!(kept <= 4_200, "{kept}");
}

/// For 500 workloads of one pod each, which is the most that have a chronicle.
#[test]
fn the_picture_of_a_pod_in_trouble_costs_two_kilobytes_and_that_of_a_healthy_one_nothing() {
    const PODS: usize = 500;
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let with_page = Config { page: Page { enabled: true, ..Page::default() }, ..Config::default() };
    let crashing = [Config::default(), with_page.clone()].map(|config| kept_of_crashing(PODS, &config));
    let healthy = [Config::default(), with_page].map(|config| {
        let region = Region::new(MEMORY);
        let mut driver = driver(&config, Arc::default());
        let began = Time::parse("2026-11-30T08:00:00Z").expect("a time");
        for number in 0..PODS {
            driver.handle_input(&crashing_pod(number, 0, began), began);
        }
        driver.speak(began);
        kept(&region)
    });
    println!(
        "bytes of a pod without and with the page: {crashing:?} where it crashes; {healthy:?} of {PODS} healthy ones"
    );
    assert!(crashing[1].saturating_sub(crashing[0]) <= 2 << 10, "{crashing:?}");
    assert!(healthy[1] <= healthy[0] + 256, "{healthy:?}");
}

/// What is kept of each of that many bare pods that crash four times.
fn kept_of_crashing(findings: usize, config: &Config) -> usize {
    let board = Arc::<Board>::default();
    let mut driver = driver(config, Arc::clone(&board));
    let mut now = Time::parse("2026-11-30T08:00:00Z").expect("a time");
    let began = now;
    let region = Region::new(MEMORY);
    for restarts in 0..=3 {
        for number in 0..findings {
            driver.handle_input(&crashing_pod(number, restarts, began), now);
        }
        now = now.plus(Duration::from_secs(2));
        while driver.next_deadline().is_some_and(|deadline| deadline <= now) {
            driver.handle_deadline(now);
        }
        driver.take_needs();
        driver.speak(now);
    }
    assert_eq!(board.all().len(), findings);
    kept(&region) / findings
}

fn driver(config: &Config, board: Arc<Board>) -> Driver {
    Driver::new(config, board, Metrics::new().instruments(), Box::new(|_, _| {}))
}

fn kept(region: &Region<System>) -> usize {
    let stats = region.change();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}
