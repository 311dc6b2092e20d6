//! Many findings: 20,000 objects of earlier runs, 5,000 open ones, and 10,000 pods that crash and are
//! deleted.

use std::path::PathBuf;
use std::time::Duration;

use futures::{StreamExt, stream};
use probehound::finding::Finding;
use probehound::report::object::{FindingObject, FindingState, ObjectKey};
use probehound::time::Time;
use serde_json::json;

use super::usage::{self, mebibytes};
use crate::harness::clock::{self, Stopwatch};
use crate::harness::{Api, Signal, waiting};
use crate::installed::Installed;
use crate::operator::Operator;
use crate::samples::finding;

const OBJECTS: usize = 20_000;
const LIVE: usize = 5_000;
const CHURN: usize = 10_000;
/// A slow machine can measure a part of it: `PART=10 make bench-cluster` a tenth.
const PART: &str = "PART";
const NAMESPACES: usize = 25;
/// Maximum number of concurrent requests.
const AT_ONCE: usize = 16;
/// Number of pods crashing at once, each existing until it is notified.
const PODS_AT_ONCE: usize = 100;
const STAYS: Duration = Duration::from_secs(4);
/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_mins(10);
/// The memory limit of the manifests.
const MEMORY: u64 = 128 << 20;
/// The goal for resident memory.
const GOAL: u64 = 64 << 20;
/// Time within which it is ready after it was killed.
const READY: Duration = Duration::from_secs(10);
/// Time within which it ends when asked to.
const ENDED: Duration = Duration::from_secs(5);

#[tokio::test]
#[ignore = "it measures for minutes: make bench-cluster"]
async fn many_findings() {
    let part = std::env::var(PART).ok().and_then(|part| part.parse().ok()).unwrap_or(1);
    let [objects, live, churn] = [OBJECTS, LIVE, CHURN].map(|count| count / part);
    let installed = Installed::start("crowded").await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin().persistent();
    for number in 0..NAMESPACES {
        api.create_namespace(&namespace(number)).await;
    }
    let since = Stopwatch::start();
    all(objects, AT_ONCE, |number| object_of_before(&api, number)).await;
    println!("{objects} objects of earlier runs, made in {:.0?}", since.elapsed());
    let cgroup = Cgroup::of(MEMORY);
    let settings = installed.settings("crowded").await;

    let (mut operator, until_ready) = start(&installed, &settings, cgroup.as_ref()).await;
    let before = report(&operator, &format!("ready after {until_ready:.1?}, beside the objects"));
    all(live, AT_ONCE, |number| crash(&api, "live", number)).await;
    goes_on(&api, live).await;
    let with_them = report(&operator, &format!("{live} findings that go on"));
    println!("  that is {} bytes for each", with_them.saturating_sub(before) / live as u64);
    all(churn, PODS_AT_ONCE, |number| come_and_go(&api, number)).await;
    report(&operator, &format!("after {churn} pods that crashed and went"));

    operator.kill();
    drop(operator);
    let (mut operator, until_ready) = start(&installed, &settings, cgroup.as_ref()).await;
    report(&operator, &format!("killed, and ready again after {until_ready:.1?} (goal: {READY:.0?})"));
    assert!(until_ready <= READY);
    goes_on(&api, live).await;

    // Changes of counts are delayed, in all of them.
    all(live, AT_ONCE, |number| crash_again(&api, number)).await;
    report(&operator, "before its end");
    ends_in_time(&mut operator).await;
}

async fn ends_in_time(operator: &mut Operator) {
    let since = Stopwatch::start();
    operator.signal(Signal::Terminate);
    let status = operator.ended(LIMIT).await;
    println!("ended {:.1?} after SIGTERM (goal: {ENDED:.0?}), {status}", since.elapsed());
    assert!(since.elapsed() <= ENDED && status.success());
    assert!(!operator.log().contains("A task did not come to its end"));
}

/// Starts one in the cgroup; returns how long it takes until it is ready.
async fn start(
    installed: &Installed,
    settings: &crate::operator::Settings,
    cgroup: Option<&Cgroup>,
) -> (Operator, Duration) {
    let since = Stopwatch::start();
    let operator = settings.start(installed.cluster.folder());
    if let Some(cgroup) = cgroup {
        cgroup.add(operator.pid());
    }
    waiting::eventually("it is ready", LIMIT, async || operator.get("/readyz").await).await;
    (operator, since.elapsed())
}

/// Prints its usage; returns the resident memory.
fn report(operator: &Operator, when: &str) -> u64 {
    let usage = usage::of(operator.pid());
    let (resident, peak) = (mebibytes(usage.resident), mebibytes(usage.peak));
    println!(
        "{when}: {resident} resident, {peak} at most (goal: {}), {:.1?} of processor",
        mebibytes(GOAL),
        usage.processor
    );
    assert!(usage.peak <= GOAL, "{peak}");
    usage.resident
}

/// Waits until that many objects have open findings.
async fn goes_on(api: &Api, count: usize) {
    waiting::eventually("all of them are found", LIMIT, async || {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let confirmed = confirmed(api).await;
        if confirmed >= count { Ok(()) } else { Err(confirmed) }
    })
    .await;
}

async fn confirmed(api: &Api) -> usize {
    let (mut confirmed, mut next) = (0, String::new());
    loop {
        let page = api.get(&format!("/apis/probehound.dev/v1alpha1/findings?limit=500&continue={next}")).await.body;
        let items = page["items"].as_array().map_or(&[][..], Vec::as_slice);
        confirmed += items.iter().filter(|object| object["status"]["state"] == "Confirmed").count();
        page["metadata"]["continue"].as_str().unwrap_or_default().clone_into(&mut next);
        if next.is_empty() {
            return confirmed;
        }
    }
}

async fn all<F: Future<Output = ()>>(count: usize, at_once: usize, of: impl Fn(usize) -> F) {
    stream::iter(0..count).for_each_concurrent(at_once, of).await;
}

fn namespace(number: usize) -> String {
    format!("team-{}", number % NAMESPACES)
}

/// A finding that was resolved an hour ago.
async fn object_of_before(api: &Api, number: usize) {
    let over = clock::now().minus(Duration::from_hours(1));
    let finding = Finding {
        namespace: namespace(number).into(),
        workload: format!("Pod/before-{number}").into(),
        opened_at: over.minus(Duration::from_mins(20)),
        confirmed_at: Some(over.minus(Duration::from_mins(19))),
        resolved_at: Some(over),
        ..finding("before", 10)
    };
    let mut object = json!(FindingObject::from_finding(&finding, FindingState::Resolved, None));
    let status = object.as_object_mut().and_then(|object| object.remove("status"));
    let key = ObjectKey::from_identity(&finding.identity());
    let path = format!("/apis/probehound.dev/v1alpha1/namespaces/{}/findings", key.namespace);
    api.create(&format!("{path}?fieldManager=probehound"), &object).await.unless_there();
    api.patch(&format!("{path}/{}/status", key.name), "probehound", &json!({"status": status}))
        .await
        .expect("a status");
}

async fn crash(api: &Api, kind: &str, number: usize) {
    let pods = format!("/api/v1/namespaces/{}/pods", namespace(number));
    let name = format!("{kind}-{number}");
    let pod = json!({
        "metadata": {"name": name},
        "spec": {"nodeName": format!("node-{}", number % 200), "containers": [{"name": "app", "image": "app:1"}]},
    });
    api.create(&pods, &pod).await.unless_there();
    let began = clock::now();
    for restarts in 0..=3 {
        show(api, &format!("{pods}/{name}/status"), began, restarts).await;
    }
}

async fn crash_again(api: &Api, number: usize) {
    let path = format!("/api/v1/namespaces/{}/pods/live-{number}/status", namespace(number));
    show(api, &path, clock::now(), 4).await;
}

async fn come_and_go(api: &Api, number: usize) {
    crash(api, "bare", number).await;
    tokio::time::sleep(STAYS).await;
    api.delete(&format!("/api/v1/namespaces/{}/pods/bare-{number}", namespace(number)), 0).await;
}

/// Writes a status like the kubelet, of a container that terminated that many times, a second apart.
async fn show(api: &Api, path: &str, began: Time, restarts: u64) {
    let at = |restarts: u64| began.minus(Duration::from_secs(10 - 2 * restarts)).whole_second();
    let waits = restarts >= 3;
    let ended = if waits { Some(restarts) } else { restarts.checked_sub(1) };
    let last = ended.map_or(json!({}), |ended| {
        json!({"terminated": {"containerID": format!("c://{ended}"), "exitCode": 1, "reason": "Error",
            "startedAt": at(ended), "finishedAt": at(ended + 1)}})
    });
    let state = if waits {
        json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=app"}})
    } else {
        json!({"running": {"startedAt": at(restarts)}})
    };
    let status = json!({"phase": "Running", "containerStatuses": [{
        "name": "app", "ready": false, "started": false, "restartCount": restarts, "image": "app:1", "imageID": "",
        "containerID": format!("c://{restarts}"), "state": state, "lastState": last,
    }]});
    api.patch(path, "kubelet", &json!({"status": status})).await.expect("a status");
}

/// A memory limit like that of a container; removed on drop.
struct Cgroup {
    folder: PathBuf,
}

impl Cgroup {
    /// One with this limit; `None` if none can be created on this machine.
    fn of(limit: u64) -> Option<Self> {
        let name = format!("probehound-{}", std::process::id());
        for (root, file) in [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")] {
            let folder = PathBuf::from(root).join(&name);
            if std::fs::create_dir(&folder).is_ok() {
                let cgroup = Self { folder };
                if std::fs::write(cgroup.folder.join(file), limit.to_string()).is_ok() {
                    return Some(cgroup);
                }
            }
        }
        println!("no cgroup can be made here: the limit of memory is only compared");
        None
    }

    fn add(&self, pid: u32) {
        std::fs::write(self.folder.join("cgroup.procs"), pid.to_string()).expect("a process can be put into it");
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // If something still runs in it, it stays.
        drop(std::fs::remove_dir(&self.folder));
    }
}
