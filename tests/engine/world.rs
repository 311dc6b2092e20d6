//! One-container pods that are shown to an engine, second by second.

use std::sync::Arc;
use std::time::Duration;

use probehound::engine::{
    Change, ChangeKind, ContainerId, ContainerSnapshot, ContainerSpec, Containers, Engine, KubeletEvent, Observation,
    Owner, PodId, PodSnapshot, PodTemplate, RestartPolicy, Role, Scope, Seen, Settings, State, Terminated, Uid,
};
use probehound::kubelet::{Handler, HttpGet, Port, ProbeSpec, Scheme, parse};
use probehound::time::Time;

/// An engine, and the time.
pub struct World {
    pub engine: Engine,
    pub now: Time,
}

impl World {
    /// An engine that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        Self { engine: Engine::new(settings), now: Time::parse("2026-12-01T10:00:00Z").expect("a time") }
    }

    /// Lets time pass, deadline by deadline.
    pub fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
        while let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= self.now) {
            self.engine.tick(deadline);
        }
    }

    /// Passes an observation to the engine now.
    pub fn tell(&mut self, observation: Observation) {
        self.engine.apply(observation, self.now);
    }

    /// Shows a pod in its current state.
    pub fn show(&mut self, pod: &PodSnapshot) {
        self.tell(Observation::Pod(Box::new(pod.clone())));
    }

    /// Shows pods in their current state, one after the other.
    pub fn show_all(&mut self, pods: &[PodSnapshot]) {
        for pod in pods {
            self.show(pod);
        }
    }

    pub fn list_starts(&mut self, scope: Scope) {
        self.tell(Observation::ListStarted(scope));
    }

    pub fn list_ends(&mut self, scope: Scope) {
        self.tell(Observation::ListFinished(scope));
    }

    /// The changes published since the last call.
    pub fn said(&mut self) -> Vec<(ChangeKind, String)> {
        let brief = |change: &Change| (change.kind, format!("{} {}", change.finding.effect, change.finding.workload));
        self.engine.take_changes().iter().map(brief).collect()
    }

    /// Whether something was confirmed since the last call.
    pub fn confirms(&mut self) -> bool {
        let of_loop = |what: &str| what.starts_with("RestartLoop") || what.starts_with("Killed");
        self.said().iter().any(|(kind, what)| *kind == ChangeKind::Confirmed && of_loop(what))
    }

    /// The container is seen to terminate with that exit code after it has run for 5 s, and is replaced at
    /// once; two more seconds pass, in which the engine waits for answers to its needs.
    pub fn restart(&mut self, pod: &mut PodSnapshot, exit: i32) {
        let State::Running { since: Some(since) } = pod.containers[0].state else { panic!("it does not run") };
        let until = since.plus(Duration::from_secs(5));
        let mut ended = pod.clone();
        ended.containers[0].state = State::Terminated(Terminated {
            id: pod.containers[0].id,
            exit,
            reason: Arc::from("Error"),
            started: Some(since),
            finished: Some(until),
            message: None,
        });
        self.wait(until.since(self.now).as_secs());
        self.show(&ended);
        self.restart_ended(pod, exit, until);
    }

    /// The same if its termination is not observed, as when it is killed.
    pub fn replace(&mut self, pod: &mut PodSnapshot, exit: i32) {
        let State::Running { since: Some(since) } = pod.containers[0].state else { panic!("it does not run") };
        self.restart_ended(pod, exit, since.plus(Duration::from_secs(5)));
    }

    /// The same with a termination at that time.
    pub fn restart_ended(&mut self, pod: &mut PodSnapshot, exit: i32, until: Time) {
        let container = &mut pod.containers[0];
        let State::Running { since } = container.state else { panic!("it does not run") };
        container.last = Some(Terminated {
            id: container.id,
            exit,
            reason: Arc::from("Error"),
            started: since,
            finished: Some(until),
            message: None,
        });
        container.restarts += 1;
        container.id = Some(ContainerId(u64::from(container.restarts)));
        container.state = State::Running { since: Some(until) };
        self.wait(until.since(self.now).as_secs());
        self.show(pod);
        self.wait(2);
    }

    /// The container refuses its liveness probe from its start on, and is killed and replaced for that.
    pub fn kill_refusing(&mut self, pod: &mut PodSnapshot) {
        let refused = "Liveness probe failed: Get \"http://10.0.0.7:8080/health\": dial tcp 10.0.0.7:8080: connect: \
                       connection refused";
        let id = 10 * u128::from(pod.containers[0].restarts) + 100;
        self.event(pod, id, "Unhealthy", refused, 1);
        self.wait(3);
        self.event(pod, id, "Unhealthy", refused, 2);
        self.event(pod, id + 1, "Killing", "Container app failed liveness probe, will be restarted", 1);
        self.replace(pod, 137);
    }

    /// An event on the pod's container, occurring now.
    pub fn event(&mut self, pod: &PodSnapshot, id: u128, reason: &str, message: &str, count: u32) {
        self.event_at(self.now, pod, id, reason, message, count);
    }

    /// An event on the pod's container that arrives now, with that time.
    pub fn event_at(&mut self, at: Time, pod: &PodSnapshot, id: u128, reason: &str, message: &str, count: u32) {
        let (said, aggregated) = parse(reason, message).expect("an event that matters");
        self.tell(Observation::Event(Box::new(KubeletEvent {
            id: Uid(id),
            pod: pod.id.clone(),
            container: Some(Arc::from("app")),
            aggregated,
            said,
            created: Some(at),
            first: at,
            last: at,
            count,
        })));
    }
}

/// A running pod of the Deployment `web` that was just started, probed at `/health` every 5 s.
pub fn pod(world: &World, namespace: &str, name: &str) -> PodSnapshot {
    PodSnapshot {
        id: PodId {
            namespace: Arc::from(namespace),
            name: Arc::from(name),
            uid: Uid(format!("{namespace}/{name}").bytes().fold(0, |uid, byte| uid << 8 | u128::from(byte))),
        },
        event_uid: None,
        is_static: false,
        owner: Some(Owner { kind: Arc::from("Deployment"), name: Arc::from("web") }),
        template: template_of(&["app"]),
        node: Some(Arc::from("node-a")),
        ip: None,
        created: Some(world.now),
        start_time: Some(world.now),
        deleting: false,
        ended_by: None,
        containers: vec![ContainerSnapshot {
            index: 0,
            restarts: 0,
            id: Some(ContainerId(0)),
            state: State::Running { since: Some(world.now) },
            last: None,
            ready: true,
            started: true,
        }],
        version: 0,
        seen: Seen::Changed,
    }
}

/// A template of containers of these names.
pub fn template_of(names: &[&str]) -> Arc<PodTemplate> {
    template_with(names.iter().map(|name| container(name)).collect())
}

/// A template of these containers.
pub fn template_with(containers: Containers) -> Arc<PodTemplate> {
    Arc::new(PodTemplate {
        revision_hash: None,
        hash_label: Some(probehound::engine::HashLabel::PodTemplate),
        restart: RestartPolicy::Always,
        host_network: false,
        grace: Duration::from_secs(5),
        labels: Arc::from([]),
        containers,
    })
}

/// A container that its liveness probe kills when it has failed twice.
pub fn container(name: &str) -> ContainerSpec {
    let liveness = ProbeSpec {
        handler: Handler::Http(HttpGet {
            scheme: Scheme::Http,
            host: None,
            port: Port::Number(8080),
            path: Arc::from("/health"),
            headers: Box::default(),
            headers_mark: 0,
        }),
        initial_delay: Duration::ZERO,
        period: Duration::from_secs(5),
        timeout: Duration::from_secs(1),
        failure_threshold: 2,
        grace: None,
    };
    ContainerSpec {
        name: Arc::from(name),
        role: Role::App,
        restart: None,
        restart_rules: Box::default(),
        image: Arc::from("app:1"),
        pull_policy: None,
        invocation: Arc::from("app"),
        invocation_mark: 1,
        env_mark: 1,
        env_sources: Box::default(),
        ports: Box::from([(None, 8080)]),
        memory_limit: None,
        post_start: false,
        liveness: Some(liveness.into()),
        readiness: None,
        startup: None,
    }
}
