//! What a change costs does not depend on how many findings are known: counted in what is allocated,
//! since times depend on the machine. `make bench` measures the processor time of the same.

mod support;

use std::alloc::System;

use stats_alloc::{Region, StatsAlloc};
use support::known::Known;

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &stats_alloc::INSTRUMENTED_SYSTEM;

/// The least and the most that are known: no more than 5,000 are shown at once.
const FEW: usize = 100;
const MANY: usize = 4_900;
/// How many more there are then.
const MORE: usize = 3;

#[test]
fn one_more_finding_costs_no_more_where_thousands_are_known() {
    let [few, many] = [FEW, MANY].map(|findings| {
        let mut known = Known::of(findings);
        let region = Region::new(MEMORY);
        known.tell_of(MORE);
        let stats = region.change();
        (stats.allocations + stats.reallocations, stats.bytes_allocated)
    });
    println!("allocations and bytes for {MORE} findings: {few:?} where {FEW} are known, {many:?} where {MANY} are");
    // 10,000 may cost one and a half times what 100 do.
    assert!(many.0 * 4 <= few.0 * 5, "allocations: {few:?}, {many:?}");
    assert!(many.1 * 4 <= few.1 * 5, "bytes: {few:?}, {many:?}");
}
