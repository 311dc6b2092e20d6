//! The engine, fed with arbitrary sequences of observations of a small world.
//!
//! - It never panics and never stops moving on in time.
//! - What it holds is bounded by the size of the world, not by the length of the sequence.
//! - No `RestartLoop` and no `Killed` is confirmed of a container whose status never showed an end.
//! - The times of a finding are in order and never ahead of what the engine was told.
//! - The same sequence gives the same changes.
#![no_main]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use probehound::engine::{
    Change, ChangeKind, ContainerId, ContainerSnapshot, ContainerSpec, Effect, Engine, HashLabel, KubeletEvent,
    Observation, Owner, PodId, PodSnapshot, PodTemplate, RestartPolicy, Revision, Role, Scope, Seen, ServiceFacts,
    ServicesFacts, Settings, State, Terminated, Uid, WorkloadFacts,
};
use probehound::kubelet::{Handler, HttpGet, Port, ProbeSpec, Scheme, parse};
use probehound::time::Time;

#[global_allocator]
static MEMORY: probehound_fuzz::Counting = probehound_fuzz::Counting::new();

/// The most that an engine may hold that has seen nothing but this world.
const HELD: usize = 16 << 20;
/// Ticks for one step in time.
const TICKS: usize = 10_000;

const PODS: u8 = 6;
const NAMES: [&str; 3] = ["app", "sidecar", "init"];
const REASONS: [&str; 5] = ["Error", "Completed", "OOMKilled", "StartError", "ContainerStatusUnknown"];
const WAITS: [&str; 5] = ["CrashLoopBackOff", "ContainerCreating", "ImagePullBackOff", "RunContainerError", ""];
const EVENTS: [&str; 5] = ["Unhealthy", "Killing", "ProbeWarning", "Failed", "FailedPostStartHook"];
const MESSAGES: [&str; 12] = [
    "Liveness probe failed: HTTP probe failed with statuscode: 404",
    "Readiness probe failed: HTTP probe failed with statuscode: 404",
    "Startup probe failed: Get \"http://10.0.0.7:8080/health\": dial tcp 10.0.0.7:8080: connect: connection refused",
    "Liveness probe failed: Get \"http://10.0.0.7:8080/health\": context deadline exceeded",
    "Liveness probe failed: HTTP probe failed with statuscode: 500",
    "Liveness probe errored: strconv.Atoi: parsing \"http\": invalid syntax",
    "Container app failed liveness probe, will be restarted",
    "Container sidecar failed startup probe, will be restarted",
    "Stopping container app",
    "FailedPostStartHook",
    "Readiness probe warning: Probe terminated redirects",
    "Error: failed to create containerd task",
];

#[derive(Arbitrary, Debug)]
enum Step {
    Pod {
        pod: u8,
        template: u8,
        listed: bool,
        deleting: bool,
        ended: bool,
        version: u8,
        statuses: [Status; 3],
    },
    Gone(u8),
    Event {
        pod: u8,
        container: Option<u8>,
        reason: u8,
        message: u8,
        text: Option<String>,
        ago: u8,
        count: u8,
        again: bool,
    },
    ListStarted(Option<bool>),
    ListFinished(Option<bool>),
    Workload {
        workload: u8,
        desired: Option<u8>,
        revisions: Vec<(u8, u8)>,
    },
    Services {
        workload: u8,
        ready: u8,
        total: u8,
    },
    Remember(u8),
    Settings {
        window: u16,
        probe_kills: u8,
        own_ends: u8,
    },
    Wait(u16),
}

#[derive(Arbitrary, Debug)]
struct Status {
    there: bool,
    restarts: u8,
    incarnation: u8,
    state: Does,
    last: Option<End>,
    ready: bool,
    started: bool,
}

#[derive(Arbitrary, Debug)]
enum Does {
    Wait(u8),
    Run { ago: Option<u8> },
    End(End),
}

#[derive(Arbitrary, Debug)]
struct End {
    exit: u8,
    reason: u8,
    incarnation: u8,
    ran: Option<u8>,
    ago: Option<u8>,
}

fuzz_target!(|data: &[u8]| {
    let (mut first, mut second) = (World::new(), World::new());
    let mut bytes = Unstructured::new(data);
    let steps: Vec<Step> =
        bytes.arbitrary_iter().map(|steps| steps.map_while(Result::ok).collect()).unwrap_or_default();
    let before = MEMORY.held();
    for step in &steps {
        first.take(step);
    }
    let held = MEMORY.held().saturating_sub(before);
    assert!(held < HELD, "{held} bytes are held after {} steps", steps.len());
    for step in &steps {
        second.take(step);
    }
    assert_eq!(first.said, second.said, "the same sequence does not give the same changes");
    assert_eq!(format!("{:?}", first.engine.findings()), format!("{:?}", second.engine.findings()));
});

struct World {
    engine: Engine,
    now: Time,
    templates: Vec<Arc<PodTemplate>>,
    /// Containers whose end or restart stood in a status.
    ended: BTreeSet<&'static str>,
    /// Marks of what was said, so that two runs can be compared.
    said: u64,
    remembered: Vec<Arc<probehound::engine::Finding>>,
}

impl World {
    fn new() -> Self {
        Self {
            engine: Engine::default(),
            now: Time::from_millis(1_800_000_000_000),
            templates: (0..4).map(template).collect(),
            ended: BTreeSet::new(),
            said: 0,
            remembered: Vec::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        if let Step::Wait(tenths) = step {
            self.now = self.now.plus(Duration::from_millis(u64::from(*tenths) * 100));
            self.tick();
        } else if let Step::Settings { window, probe_kills, own_ends } = step {
            self.engine.set_settings(Settings {
                window: Duration::from_secs(u64::from(*window)),
                probe_kills: u32::from(*probe_kills),
                own_ends: u32::from(*own_ends),
                exec_output: own_ends % 2 == 0,
            });
        } else if let Some(observation) = self.observation(step) {
            self.engine.apply(observation, self.now);
        }
        let _ = self.engine.take_needs();
        self.listen();
        let counts = self.engine.take_counts();
        assert!(counts.iter().all(|count| count.by > 0), "nothing was counted: {counts:?}");
        self.said = mark(self.said, &format!("{counts:?}"));
        assert!(self.engine.pods() <= usize::from(PODS), "more pods are kept than there are");
    }

    fn tick(&mut self) {
        for _ in 0..TICKS {
            let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= self.now) else { return };
            self.engine.tick(deadline);
            let _ = self.engine.take_needs();
            self.listen();
        }
        panic!("the engine does not get to {}: next is {:?}", self.now, self.engine.next_deadline());
    }

    fn listen(&mut self) {
        let changes = self.engine.take_changes();
        assert!(changes.len() < 1000, "{} changes at once", changes.len());
        for change in changes {
            self.check(&change);
            self.said = mark(self.said, &format!("{change:?}"));
            if change.kind == ChangeKind::Confirmed && self.remembered.len() < 8 {
                self.remembered.push(change.finding);
            }
        }
    }

    fn check(&self, change: &Change) {
        let finding = &change.finding;
        assert!(change.at <= self.now, "{change:?} is ahead of {}", self.now);
        let by_status = matches!(finding.effect, Effect::RestartLoop | Effect::Killed);
        if by_status && change.kind == ChangeKind::Confirmed {
            assert!(self.ended.contains(&*finding.container), "confirmed without a status: {change:?}");
        }
        if change.kind == ChangeKind::Confirmed {
            assert!(finding.confirmed_at.is_some_and(|at| at >= finding.opened_at), "{change:?}");
        }
        if change.kind == ChangeKind::Resolved {
            assert!(finding.resolved_at.is_some_and(|at| at >= finding.opened_at), "{change:?}");
        }
        assert!(finding.opened_at <= change.at && finding.confirmed_at.is_none_or(|at| at <= change.at), "{change:?}");
        assert!(finding.evidence.len() < 1000 && finding.remedy.len() < 100 && finding.hypotheses.len() < 100);
    }

    fn observation(&mut self, step: &Step) -> Option<Observation> {
        Some(match step {
            Step::Pod { .. } => Observation::Pod(Box::new(self.pod(step)?)),
            Step::Gone(pod) => Observation::PodGone(id(*pod)),
            Step::Event { .. } => Observation::Event(Box::new(self.event(step)?)),
            Step::ListStarted(which) => Observation::ListStarted(scope(*which)),
            Step::ListFinished(which) => Observation::ListFinished(scope(*which)),
            Step::Workload { workload, desired, revisions } => {
                let owner = owner(*workload);
                let top = Owner { kind: Arc::from("Deployment"), name: Arc::from(format!("web-{}", workload % 2)) };
                let revision = |(number, template): &(u8, u8)| Revision {
                    number: u64::from(*number),
                    hash: self.template(*template).revision_hash.clone(),
                    at: Some(self.ago(*template)),
                    created: Some(self.ago(*template)),
                    by: Some(Arc::from("kubectl")),
                    template: self.template(*template),
                };
                Observation::Workload(Box::new(WorkloadFacts {
                    namespace: Arc::from("prod"),
                    owner,
                    top,
                    desired: desired.map(u32::from),
                    workload_ref: None,
                    paused: false,
                    parallel: false,
                    min_ready: Duration::ZERO,
                    rolling: None,
                    managed_by: None,
                    revisions: revisions.iter().take(8).map(revision).collect(),
                }))
            }
            Step::Services { workload, ready, total } => Observation::Services(ServicesFacts {
                namespace: Arc::from("prod"),
                owner: owner(*workload),
                services: vec![ServiceFacts {
                    name: Arc::from("web"),
                    ready: u32::from(*ready),
                    total: u32::from(*total),
                }],
            }),
            Step::Remember(which) => {
                let finding = self.remembered.get(usize::from(*which) % self.remembered.len().max(1))?;
                Observation::Remembered(Box::new((**finding).clone()))
            }
            Step::Settings { .. } | Step::Wait(_) => return None,
        })
    }

    fn pod(&mut self, step: &Step) -> Option<PodSnapshot> {
        let Step::Pod { pod, template, listed, deleting, ended, version, statuses } = step else { return None };
        let template = self.template(*template);
        let mut containers = Vec::new();
        for (index, (status, spec)) in statuses.iter().zip(template.containers.iter()).enumerate() {
            if status.there {
                containers.push(self.status(index, status));
                if status.restarts > 0 || status.last.is_some() || matches!(status.state, Does::End(_)) {
                    self.ended.extend(NAMES.into_iter().find(|name| *name == &*spec.name));
                }
            }
        }
        Some(PodSnapshot {
            id: id(*pod),
            event_uid: (pod % PODS == 5).then_some(Uid(77)),
            is_static: pod % PODS == 5,
            owner: Some(owner(*pod)).filter(|_| pod % PODS != 4),
            template,
            node: Some(Arc::from(if pod % 2 == 0 { "node-a" } else { "node-b" })),
            ip: Some("10.0.0.7".parse().expect("an address")),
            created: Some(self.ago(200)),
            start_time: Some(self.ago(200)),
            deleting: *deleting,
            ended_by: ended.then(|| Arc::from("Evicted")),
            containers,
            version: u64::from(*version),
            seen: if *listed { Seen::Listed } else { Seen::Changed },
        })
    }

    fn status(&self, index: usize, status: &Status) -> ContainerSnapshot {
        ContainerSnapshot {
            index,
            restarts: u32::from(status.restarts % 16),
            id: Some(ContainerId(u64::from(status.incarnation % 8))),
            state: match &status.state {
                Does::Wait(reason) => State::Waiting { reason: pick(&WAITS, *reason), message: None },
                Does::Run { ago } => State::Running { since: ago.map(|ago| self.ago(ago)) },
                Does::End(end) => State::Terminated(self.end(end)),
            },
            last: status.last.as_ref().map(|end| self.end(end)),
            ready: status.ready,
            started: status.started,
        }
    }

    fn end(&self, end: &End) -> Terminated {
        let finished = end.ago.map(|ago| self.ago(ago));
        Terminated {
            id: Some(ContainerId(u64::from(end.incarnation % 8))),
            exit: i32::from(end.exit),
            reason: pick(&REASONS, end.reason),
            started: end.ran.map(|ran| finished.unwrap_or(self.now).minus(Duration::from_secs(ran.into()))),
            finished,
            message: None,
        }
    }

    fn event(&self, step: &Step) -> Option<KubeletEvent> {
        let Step::Event { pod, container, reason, message, text, ago, count, again } = step else { return None };
        let message = text.clone().unwrap_or_else(|| pick(&MESSAGES, *message).to_string());
        let (said, aggregated) = parse(&pick(&EVENTS, *reason), &message)?;
        let last = self.ago(*ago);
        Some(KubeletEvent {
            id: Uid(u128::from(if *again { 1 } else { *message.as_bytes().first()? })),
            pod: id(*pod),
            container: container.map(|container| pick(&NAMES, container)),
            aggregated,
            said,
            created: Some(last),
            first: last.minus(Duration::from_secs(u64::from(*count))),
            last,
            count: u32::from(*count).max(1),
        })
    }

    fn template(&self, which: u8) -> Arc<PodTemplate> {
        Arc::clone(&self.templates[usize::from(which) % self.templates.len()])
    }

    fn ago(&self, seconds: u8) -> Time {
        self.now.minus(Duration::from_secs(seconds.into())).whole_second()
    }
}

fn mark(before: u64, text: &str) -> u64 {
    text.bytes()
        .fold(before ^ 0xcbf2_9ce4_8422_2325, |mark, byte| (mark ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

fn pick(all: &[&str], which: u8) -> Arc<str> {
    Arc::from(all[usize::from(which) % all.len()])
}

fn id(pod: u8) -> PodId {
    let pod = pod % PODS;
    PodId { namespace: Arc::from("prod"), name: Arc::from(format!("web-{pod}")), uid: Uid(1 + u128::from(pod)) }
}

/// Everything, the namespace of all pods, or another.
fn scope(which: Option<bool>) -> Scope {
    which.map_or(Scope::All, |theirs| Scope::Namespace(Arc::from(if theirs { "prod" } else { "test" })))
}

fn owner(pod: u8) -> Owner {
    Owner { kind: Arc::from("ReplicaSet"), name: Arc::from(format!("web-{}", pod % 3)) }
}

/// Four templates: wrong path, right path with a startup probe, never restarted, two containers.
fn template(which: u8) -> Arc<PodTemplate> {
    let path = if which == 0 { "/v2/health" } else { "/health" };
    let mut containers = vec![container("app", Role::App, path, which == 1)];
    if which >= 2 {
        containers.insert(0, container("init", Role::Init, "/", false));
        containers.push(container("sidecar", Role::App, "/ready", true));
    }
    Arc::new(PodTemplate {
        revision_hash: Some(Arc::from(format!("hash-{which}"))),
        hash_label: Some(HashLabel::PodTemplate),
        host_network: which == 3,
        restart: if which == 2 { RestartPolicy::Never } else { RestartPolicy::Always },
        grace: Duration::from_secs(5),
        labels: Arc::from([(Arc::from("app"), Arc::from("web"))]),
        containers: containers.into_iter().collect(),
    })
}

fn container(name: &str, role: Role, path: &str, startup: bool) -> ContainerSpec {
    let probe = |threshold| {
        Arc::new(ProbeSpec {
            handler: Handler::Http(HttpGet {
                scheme: Scheme::Http,
                host: None,
                port: Port::Number(8080),
                path: Arc::from(path),
                headers: Box::default(),
                headers_mark: 0,
            }),
            initial_delay: Duration::ZERO,
            period: Duration::from_secs(5),
            timeout: Duration::from_secs(1),
            failure_threshold: threshold,
            grace: None,
        })
    };
    ContainerSpec {
        name: Arc::from(name),
        role,
        restart: None,
        restart_rules: Box::default(),
        image: Arc::from("app:1"),
        pull_policy: None,
        invocation: Arc::from("app"),
        invocation_mark: 1,
        env_mark: 1,
        env_sources: Box::default(),
        ports: Box::from([(Some(Arc::from("http")), 8080)]),
        memory_limit: None,
        post_start: false,
        liveness: Some(probe(2)),
        readiness: Some(probe(3)),
        startup: startup.then(|| probe(10)),
    }
}
