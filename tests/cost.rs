//! The cost of a change does not depend on the number of known findings: measured in allocations, since
//! times depend on the machine. `make bench` measures the processor time of the same.

#[path = "../benches/cost/pods.rs"]
#[expect(dead_code, reason = "the bench asks for events, too")]
mod pods;
mod support;

use std::alloc::System;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use probehound::config::{Config, Page};
use probehound::engine::{Engine, Seen};
use probehound::findings::board::Board;
use probehound::metrics::Metrics;
use probehound::operator::driver::Driver;
use probehound::source::cluster::wire::{Memory, PODS};
use probehound::source::objects::{EventLite, PodLite};
use probehound::source::{Input, Observer};
use probehound::time::Time;
use serde_json::json;
use stats_alloc::{Region, StatsAlloc};
use support::known::{Known, crashing as crashing_pod};
use support::protobuf;

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &stats_alloc::INSTRUMENTED_SYSTEM;

/// Allocations of other tests meanwhile would be counted, too.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The minimum and maximum number of known findings: no more than 5,000 are shown at once.
const FEW: usize = 100;
const MANY: usize = 4_900;
/// How many more findings there are then.
const MORE: usize = 3;

/// The time between two failures of a probe, and how many come before it is measured, and while it is.
const STEP: Duration = Duration::from_secs(10);
const LOOPED: usize = 15;
const MEASURED: usize = 6;

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
    // 3,959 with the pointer to what annotations ask for, which nearly all share, and nothing of what was judged.
    assert!(kept <= 4_000, "{kept}");
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

/// Of a service mesh, with two containers; what an own container, names and labels of a Deployment take is shared by
/// its pods.
#[test]
fn a_healthy_pod_is_kept_in_few_bytes_however_small_its_deployment_is() {
    const PODS: usize = 3_000;
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    for (replicas, most) in [(20, 350), (3, 670), (1, 1_460)] {
        let began = Time::parse("2026-11-30T08:00:00Z").expect("a time");
        let region = Region::new(MEMORY);
        let (mut observer, mut engine) = (Observer::new(), Engine::default());
        for number in 0..PODS {
            let pod: PodLite = serde_json::from_str(&pods::json(number, replicas)).expect("a pod");
            let seen = observer.observe(&Input::<_, EventLite>::Pod(pod, Seen::Changed)).expect("it is whole");
            engine.apply(seen.observation.expect("a pod"), began);
            drop((engine.take_changes(), engine.take_needs()));
        }
        let kept = kept(&region) / PODS;
        println!("{kept} bytes are kept of a healthy pod in Deployments of {replicas}");
        assert!(kept <= most, "{kept} in Deployments of {replicas}");
        drop((observer, engine));
    }
}

/// Judged is only what an observation may have changed; and no workload is looked at more than once a second for
/// what is published already.
#[test]
fn an_observation_of_a_deployment_of_which_800_pods_loop_costs_no_more_than_one_of_50() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let [few, many] = [50, 800].map(|pods| allocations_of_an_observation(pods, |_| {}));
    let anew = allocations_of_an_observation(50, Engine::forget_judged);
    println!(
        "allocations an observation: {few:.1} where 50 pods loop, {many:.1} where 800 do; {anew:.1} if judged anew"
    );
    assert!(many <= few, "{few} {many}");
    assert!(4.0 * few <= anew, "{few} {anew}");
}

/// What the pods of a template have in common is read once, and remembered for those that follow.
#[test]
fn a_second_pod_of_a_template_is_read_in_a_fourth_of_the_allocations_of_the_first() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let pods = [1, 2].map(|number| serde_json::from_str(&pods::json(number, pods::REPLICAS)).expect("a pod"));
    let pods = pods.map(|pod| protobuf::object("Pod", &pod));
    let (mut memory, mut observer) = (Memory::default(), Observer::new());
    let [first, second] = pods.map(|pod| {
        let region = Region::new(MEMORY);
        let pod = PODS.decode(&mut memory, None, &pod).expect("a pod");
        let seen = observer.observe(&Input::<_, Box<EventLite>>::Pod(pod, Seen::Listed)).expect("it is whole");
        assert!(seen.observation.is_some() && seen.odd.is_empty(), "{:?}", seen.odd);
        let stats = region.change();
        stats.allocations + stats.reallocations
    });
    println!("allocations for the first pod of a template: {first}, for the second: {second}");
    assert!(4 * second <= first, "{first} {second}");
}

/// Over a minute of a Deployment of which that many pods are killed every half a minute.
fn allocations_of_an_observation(pods: usize, before_each: fn(&mut Engine)) -> f64 {
    let mut observer = Observer::new();
    let mut engine = Engine::default();
    let began = Time::parse("2026-11-30T08:00:00Z").expect("a time");
    let mut measured = (0, 0);
    for step in 0..LOOPED + MEASURED {
        let mut seen = Vec::new();
        for number in 0..pods {
            let now = began.plus(STEP * step as u32 + STEP * number as u32 / pods as u32);
            for input in looping(number, step, now) {
                let observation = observer.observe(&input).expect("it is whole").observation;
                seen.extend(observation.map(|observation| (now, observation)));
            }
        }
        let (observations, region) = (seen.len(), Region::new(MEMORY));
        for (now, observation) in seen {
            while let Some(due) = engine.next_deadline().filter(|due| *due <= now) {
                before_each(&mut engine);
                engine.tick(due);
            }
            before_each(&mut engine);
            engine.apply(observation, now);
            drop((engine.take_changes(), engine.take_needs()));
        }
        if step >= LOOPED {
            let stats = region.change();
            measured = (measured.0 + observations, measured.1 + stats.allocations + stats.reallocations);
        }
    }
    let found = engine.findings();
    assert!(found.iter().all(|finding| finding.confirmed_at.is_some()) && found.len() == 1, "{found:?}");
    measured.1 as f64 / measured.0 as f64
}

/// What is seen of a pod whose liveness probe fails every ten seconds, and kills it at every third time.
fn looping(number: usize, step: usize, now: Time) -> Vec<Input> {
    let (name, restarts) = (format!("web-7d9f-{number:05}"), step / 3);
    let uid = format!("5f0c1a7e-3b7d-4c51-9a58-{number:012x}");
    let event = |place: usize, reason: &str, message: &str, count: usize| {
        let json = json!({
            "metadata": {"name": format!("{name}.{place}"), "namespace": "shop",
                "uid": format!("7f0c1a7e-3b7d-4c51-9a5{place}-{number:012x}")},
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": name, "uid": uid,
                "fieldPath": "spec.containers{app}"},
            "reason": reason, "message": message, "count": count, "firstTimestamp": now.minus(STEP * (count as u32 - 1)),
            "lastTimestamp": now, "source": {"component": "kubelet", "host": "node-1"},
            "reportingComponent": "kubelet", "type": "Warning",
        });
        Input::Event(serde_json::from_value(json).expect("lean types take everything"))
    };
    let failed = event(0, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404", step + 1);
    if !step.is_multiple_of(3) {
        return vec![failed];
    }
    let killed = event(1, "Killing", "Container app failed liveness probe, will be restarted", restarts + 1);
    let run = |restarts: usize| format!("containerd://{number}-{restarts}");
    let last = restarts.checked_sub(1).map(|last| {
        json!({"terminated": {"containerID": run(last), "exitCode": 137, "reason": "Error",
            "startedAt": now.minus(STEP * 3), "finishedAt": now.minus(Duration::from_secs(1))}})
    });
    let json = json!({
        "metadata": {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": (step + 1).to_string(),
            "creationTimestamp": "2026-11-30T08:00:00Z", "labels": {"app": "web", "pod-template-hash": "7d9f"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7d9f",
                "uid": "9e0c1a7e-3b7d-4c51-9a58-000000000000", "controller": true}]},
        "spec": {"nodeName": format!("node-{}", number % 30), "containers": [{"name": "app", "image": "web:2",
            "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 10}}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": restarts,
            "containerID": run(restarts), "ready": true, "started": true,
            "state": {"running": {"startedAt": now}}, "lastState": last}]},
    });
    let pod = Input::Pod(serde_json::from_value(json).expect("lean types take everything"), Seen::Changed);
    if restarts == 0 { vec![pod, failed] } else { vec![killed, pod, failed] }
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
