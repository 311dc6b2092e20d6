//! The costs of probehound: decoding, the engine, memory, replay, a change with many known findings. `make
//! bench`; the results are in docs/benchmarks.md.
//!
//! `cost memory` measures memory alone, `cost change` a change; `cost repeat CASE TIMES` runs a case that
//! many times and prints nothing: both for `benches/instructions`.

mod change;
mod pods;
mod sample;
mod support;

use std::alloc::System;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::Criterion;
use k8s_openapi::api::core::v1::Pod;
use pods::REPLICAS;
use probehound::engine::{Chronicled, Engine, Finding, Observation, PodSnapshot, Seen};
use probehound::replay::replay;
use probehound::report::case;
use probehound::report::html::Report;
use probehound::source::cluster::wire::{EVENTS, Memory, PODS};
use probehound::source::objects::{EventLite, PodLite};
use probehound::source::{Input, Observer};
use probehound::time::Time;
use sample::{Case, measure, timed};
use stats_alloc::{Region, StatsAlloc};
use support::protobuf::{self, Server};

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &stats_alloc::INSTRUMENTED_SYSTEM;

static OUTAGE: &[u8] = include_bytes!("../../src/cli/demo/auth-service-outage.jsonl.gz");

/// Numbers of pods whose memory is measured, and pods per Deployment: collections that grow in steps are
/// sometimes full and sometimes half empty, and what pods share counts less for many.
const KEPT: [(usize, usize); 5] = [(5_000, 20), (50_000, 20), (15_000, 10), (20_000, 3), (20_000, 1)];
/// The case of nodes with clocks of their own.
const NODE_CLOCKS: &str = "600 node clocks";
/// Number of full pods whose memory is measured.
const KEPT_FULL: usize = 2_000;
/// Number of updates made at once.
const BATCH: usize = 500;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [only] if only == "memory" => memory(),
        [only] if only == "change" => change::measure(),
        [repeat, name, times] if repeat == "repeat" => again(name, times.parse().expect("a number")),
        _ => all(&mut Criterion::default().configure_from_args()),
    }
}

fn all(criterion: &mut Criterion) {
    memory();
    change::measure();
    let json = pods::json(1, REPLICAS);
    println!("a pod event has {} bytes", json.len());
    measure(criterion, "decode", decode(&json), 100);
    let engines = [100, 5_000, 50_000].map(engine).into_iter().chain([node_clocks()]).collect();
    measure(criterion, "engine, one observation", engines, 100);
    measure(criterion, "replay of the outage", recording(&unzipped()), 10);
    measure(criterion, "report of the outage", vec![report()], 10);
    criterion.final_summary();
}

/// Runs one case that many times.
fn again(name: &str, times: usize) {
    let (json, plain) = (pods::json(1, REPLICAS), if name == "plain" { unzipped() } else { Vec::new() });
    let mut cases = match name.strip_suffix(" pods") {
        Some(pods) => vec![engine(pods.parse().expect("a number"))],
        None if name == NODE_CLOCKS => vec![node_clocks()],
        None => decode(&json).into_iter().chain(recording(&plain)).collect(),
    };
    let case = cases.iter_mut().find(|case| case.name == name).expect("a case of that name");
    black_box((case.sample)(times));
}

fn start() -> Time {
    Time::parse("2026-11-23T08:00:00Z").expect("a time")
}

fn decode(json: &str) -> Vec<Case<'_>> {
    let mut observer = Observer::new();
    let bytes = Some(json.len());
    let lean = move || {
        let pod: PodLite = serde_json::from_str(black_box(json)).expect("a pod");
        black_box(observed(&mut observer, &pod));
    };
    let alone = || drop(black_box(serde_json::from_str::<PodLite>(black_box(json)).expect("a pod")));
    let full = || drop(black_box(serde_json::from_str::<Pod>(black_box(json)).expect("a pod")));
    let mut cases = vec![
        Case::new("lean, to a snapshot", bytes, lean),
        Case::new("lean, alone", bytes, alone),
        Case::new("full Pod", bytes, full),
    ];
    cases.extend(decode_wire());
    cases
}

/// Two pods of a Deployment, each after the other: what one has told of their template is remembered for the
/// other, but where it says that the template is new.
fn decode_wire() -> [Case<'static>; 4] {
    let pods = [1, 2].map(|number| wired("Pod", &pods::json(number, REPLICAS)));
    let bytes = Some(pods[0].len());
    let reader = || {
        let (mut memory, mut turn) = (Memory::default(), pods.clone().into_iter().cycle());
        move || {
            let pod = turn.next().and_then(|wire| PODS.decode(&mut memory, Some("Pod"), black_box(&wire)).ok());
            pod.expect("a pod")
        }
    };
    let (mut next_pod, mut observer) = (reader(), Observer::new());
    let to_snapshot = move || {
        black_box(observed(&mut observer, &next_pod()));
    };
    let mut next_pod = reader();
    let alone = move || drop(black_box(next_pod()));
    let [pod, _] = pods;
    let of_new_template = move || {
        let pod = PODS.decode(&mut Memory::default(), Some("Pod"), black_box(&pod)).expect("a pod");
        black_box(observed(&mut Observer::new(), &pod));
    };
    let event = wired("Event", &pods::event(1, REPLICAS, (start(), start())));
    let (event_bytes, mut memory, mut observer) = (Some(event.len()), Memory::default(), Observer::new());
    let to_event = move || {
        let event = EVENTS.decode(&mut memory, Some("Event"), black_box(&event)).expect("an event");
        black_box(heard(&mut observer, &event));
    };
    [
        Case::new("protobuf, to a snapshot", bytes, to_snapshot),
        Case::new("protobuf, alone", bytes, alone),
        Case::new("protobuf, of a new template", bytes, of_new_template),
        Case::new("event in protobuf", event_bytes, to_event),
    ]
}

fn wired(kind: &str, json: &str) -> Arc<[u8]> {
    protobuf::object_of(Server::Known, kind, &serde_json::from_str(json).expect("JSON")).into()
}

/// Status updates of a cluster in which one Deployment of 20 pods loops.
fn engine(count: usize) -> Case<'static> {
    let mut observer = Observer::new();
    let mut engine = Engine::default();
    let snapshots: Vec<PodSnapshot> = (0..count).map(|number| snapshot(&mut observer, number, REPLICAS)).collect();
    for pod in &snapshots {
        tell(&mut engine, Observation::Pod(Box::new(pod.clone())), start());
    }
    let (mut turn, mut now) = (0_usize, start());
    let mut batch = move |times| {
        let mut next = || {
            turn += 1;
            update(&snapshots, turn)
        };
        let updates: Vec<PodSnapshot> = (0..times).map(|_| next()).collect();
        timed(|| {
            for pod in updates {
                now = now.plus(Duration::from_millis(10));
                tell(&mut engine, Observation::Pod(Box::new(pod)), now);
            }
        })
    };
    // The updates are created before the clock runs, and not all of them at once.
    let sample = move |times: usize| (0..times).step_by(BATCH).map(|done| batch(BATCH.min(times - done))).sum();
    Case { name: format!("{count} pods"), bytes: None, sample: Box::new(sample) }
}

/// Events of pods on 600 nodes, each of which has a clock of its own, up to five minutes off.
fn node_clocks() -> Case<'static> {
    const NODES: usize = 600;
    const ON_A_NODE: usize = 30;
    let (mut observer, mut engine) = (Observer::new(), Engine::default());
    for number in 0..NODES * ON_A_NODE {
        let pod = snapshot(&mut observer, number, REPLICAS);
        tell(&mut engine, Observation::Pod(Box::new(pod)), start());
    }
    let (mut turn, mut now) = (0_usize, start());
    let mut batch = move |times| {
        let mut next = || {
            turn += 1;
            now = now.plus(Duration::from_millis(10));
            let number = turn.wrapping_mul(7919) % (NODES * ON_A_NODE);
            let ahead = Duration::from_secs((number / ON_A_NODE % NODES) as u64);
            let node = now.plus(ahead).minus(Duration::from_mins(5)).whole_second();
            let event = pods::event(number, REPLICAS, (node, now.whole_second()));
            let event: EventLite = serde_json::from_str(&event).expect("an event");
            (heard(&mut observer, &event), now)
        };
        let events: Vec<(Observation, Time)> = (0..times).map(|_| next()).collect();
        timed(|| events.into_iter().for_each(|(event, now)| tell(&mut engine, event, now)))
    };
    let sample = move |times: usize| (0..times).step_by(BATCH).map(|done| batch(BATCH.min(times - done))).sum();
    Case { name: NODE_CLOCKS.to_owned(), bytes: None, sample: Box::new(sample) }
}

/// The update of that number: one in fifty is a restart in the Deployment that loops.
fn update(snapshots: &[PodSnapshot], turn: usize) -> PodSnapshot {
    let loops = turn.is_multiple_of(50);
    let number = if loops { turn / 50 % 20 } else { turn.wrapping_mul(7919) % snapshots.len() };
    let mut pod = snapshots[number].clone();
    pod.version = turn as u64 + 10_000_000;
    if loops {
        pod.containers[0].restarts = (turn / 1000) as u32 + 1;
    } else {
        pod.containers[0].ready = turn.is_multiple_of(3);
    }
    pod
}

fn recording(plain: &[u8]) -> Vec<Case<'_>> {
    let bytes = Some(plain.len());
    let run = |input: &[u8]| drop(black_box(replay(black_box(input), &mut Engine::default(), |_| {})));
    vec![Case::new("plain", bytes, move || run(plain)), Case::new("gzipped", bytes, move || run(OUTAGE))]
}

/// The report of the outage, from an engine that has seen it.
fn report() -> Case<'static> {
    let mut engine = Engine::default();
    engine.keep_chronicle(Chronicled::All);
    let at = replay(OUTAGE, &mut engine, |_| {}).last.expect("it has lines");
    let write = move || {
        let shown = |finding: Arc<Finding>| {
            let incident = engine.incident(&finding.identity());
            case::Case { finding, incident, told: Vec::new() }
        };
        let cases: Vec<_> = engine.findings().into_iter().map(shown).collect();
        let report = Report { source: "incident.jsonl.gz", at, cases: &cases, notes: &[] };
        drop(black_box(report.render().expect("it can be written")));
    };
    Case::new("from the engine's memory to HTML", None, write)
}

/// Not timed: the memory held once everything but the engine and the observer is dropped.
fn memory() {
    let region = Region::new(MEMORY);
    let full: Vec<Pod> =
        (0..KEPT_FULL).map(|number| serde_json::from_str(&pods::json(number, REPLICAS)).expect("a pod")).collect();
    println!("kept of a healthy pod as a full Pod: {} bytes", held(&region) / full.len());
    drop(full);
    for (pods, replicas) in KEPT {
        println!("kept of a healthy pod, of {pods} in Deployments of {replicas}: {} bytes", kept(pods, replicas));
    }
}

fn kept(pods: usize, replicas: usize) -> usize {
    let region = Region::new(MEMORY);
    let mut observer = Observer::new();
    let mut engine = Engine::default();
    for number in 0..pods {
        let pod = snapshot(&mut observer, number, replicas);
        tell(&mut engine, Observation::Pod(Box::new(pod)), start());
    }
    let kept = held(&region) / pods;
    drop((engine, observer));
    kept
}

fn held(region: &Region<'_, System>) -> usize {
    let stats = region.change();
    // What grows or shrinks in place is in both counts already.
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}

fn snapshot(observer: &mut Observer, number: usize, replicas: usize) -> PodSnapshot {
    let pod: PodLite = serde_json::from_str(&pods::json(number, replicas)).expect("a pod");
    match observed(observer, &pod) {
        Some(Observation::Pod(pod)) => *pod,
        other => panic!("a pod: {other:?}"),
    }
}

fn observed(observer: &mut Observer, pod: &PodLite) -> Option<Observation> {
    observer.observe(&Input::<_, &EventLite>::Pod(pod, Seen::Changed)).expect("a pod").observation
}

fn heard(observer: &mut Observer, event: &EventLite) -> Observation {
    let seen = observer.observe(&Input::<PodLite, _>::Event(event)).expect("an event");
    seen.observation.expect("an event of a kubelet")
}

/// Like a driver: time first, then the observation, then the engine's changes.
fn tell(engine: &mut Engine, observation: Observation, now: Time) {
    while let Some(deadline) = engine.next_deadline().filter(|deadline| *deadline <= now) {
        engine.tick(deadline);
    }
    engine.apply(observation, now);
    black_box((engine.take_changes(), engine.take_needs()));
}

fn unzipped() -> Vec<u8> {
    let mut json = Vec::new();
    std::io::copy(&mut flate2::read::MultiGzDecoder::new(OUTAGE), &mut json).expect("memory takes everything");
    json
}
