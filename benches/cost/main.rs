//! What probehound costs: decoding, the engine, memory, replay. `make bench`; the results stand in
//! docs/benchmarks.md.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

mod pods;

use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use k8s_openapi::api::core::v1::Pod;
use probehound::engine::{Engine, Observation, PodSnapshot, Seen};
use probehound::replay::replay;
use probehound::source::Observer;
use probehound::source::objects::PodLite;
use probehound::time::Time;
use stats_alloc::{Region, StatsAlloc};

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &stats_alloc::INSTRUMENTED_SYSTEM;

static OUTAGE: &[u8] = include_bytes!("../../src/cli/demo/auth-service-outage.jsonl.gz");

/// Pods of which the memory is measured.
const KEPT: usize = 20_000;
/// Full pods of which the memory is measured.
const KEPT_FULL: usize = 2_000;

fn start() -> Time {
    Time::parse("2026-11-23T08:00:00Z").expect("a time")
}

fn decode(criterion: &mut Criterion) {
    let json = pods::json(1, 0, true);
    println!("a pod event has {} bytes", json.len());
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(json.len() as u64));
    let mut observer = Observer::new();
    group.bench_function("lean, to a snapshot", |bench| {
        bench.iter(|| {
            let pod: PodLite = serde_json::from_str(black_box(&json)).expect("a pod");
            observer.pod(&pod, Seen::Changed).expect("a pod")
        });
    });
    group.bench_function("lean, alone", |bench| {
        bench.iter(|| serde_json::from_str::<PodLite>(black_box(&json)).expect("a pod"));
    });
    group.bench_function("full Pod", |bench| {
        bench.iter(|| serde_json::from_str::<Pod>(black_box(&json)).expect("a pod"));
    });
    group.finish();
}

/// Status updates of a cluster in which one Deployment of 20 pods loops.
fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine, one observation");
    for count in [100, 5_000, 50_000] {
        let mut observer = Observer::new();
        let mut engine = Engine::default();
        let snapshots: Vec<PodSnapshot> = (0..count).map(|number| snapshot(&mut observer, number, 0, true)).collect();
        for pod in &snapshots {
            tell(&mut engine, pod.clone(), start());
        }
        let mut turn: usize = 0;
        let mut now = start();
        group.bench_function(format!("{count} pods"), |bench| {
            bench.iter_batched(
                || {
                    turn += 1;
                    let loops = turn.is_multiple_of(50);
                    let number = if loops { turn / 50 % 20 } else { turn.wrapping_mul(7919) % count };
                    let mut pod = snapshots[number].clone();
                    pod.version = turn as u64 + 10_000_000;
                    if loops {
                        pod.containers[0].restarts = (turn / 1000) as u32 + 1;
                    } else {
                        pod.containers[0].ready = turn.is_multiple_of(3);
                    }
                    pod
                },
                |pod| {
                    now = now.plus(Duration::from_millis(10));
                    tell(&mut engine, pod, now);
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn recording(criterion: &mut Criterion) {
    let json = unzipped();
    let mut group = criterion.benchmark_group("replay");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function("the outage, plain", |bench| {
        bench.iter(|| replay(black_box(&json[..]), &mut Engine::default(), |_| {}));
    });
    group.bench_function("the outage, gzipped", |bench| {
        bench.iter(|| replay(black_box(OUTAGE), &mut Engine::default(), |_| {}));
    });
    group.finish();
}

/// Not timed: what is held once everything but the engine and the observer is dropped.
fn memory(_: &mut Criterion) {
    let region = Region::new(MEMORY);
    let mut observer = Observer::new();
    let mut engine = Engine::default();
    for number in 0..KEPT {
        tell(&mut engine, snapshot(&mut observer, number, 0, true), start());
    }
    let lean = held(&region) / KEPT;
    drop((engine, observer));
    let region = Region::new(MEMORY);
    let full: Vec<Pod> =
        (0..KEPT_FULL).map(|number| serde_json::from_str(&pods::json(number, 0, true)).expect("a pod")).collect();
    let full_bytes = held(&region) / full.len();
    println!("kept of a healthy pod: {lean} bytes; as a full Pod: {full_bytes} bytes");
}

fn held(region: &Region<'_, System>) -> usize {
    let stats = region.change();
    // What grows or shrinks in place is in both counts already.
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}

fn snapshot(observer: &mut Observer, number: usize, restarts: u32, ready: bool) -> PodSnapshot {
    let pod: PodLite = serde_json::from_str(&pods::json(number, restarts, ready)).expect("a pod");
    observer.pod(&pod, Seen::Changed).expect("a pod")
}

/// As a driver does it: time first, then the observation, then what the engine has to say.
fn tell(engine: &mut Engine, pod: PodSnapshot, now: Time) {
    while let Some(deadline) = engine.next_deadline().filter(|deadline| *deadline <= now) {
        engine.tick(deadline);
    }
    engine.apply(Observation::Pod(Box::new(pod)), now);
    black_box((engine.take_changes(), engine.take_needs()));
}

fn unzipped() -> Vec<u8> {
    let mut json = Vec::new();
    std::io::copy(&mut flate2::read::MultiGzDecoder::new(OUTAGE), &mut json).expect("memory takes everything");
    json
}

criterion_group!(benches, memory, decode, engine, recording);
criterion_main!(benches);
