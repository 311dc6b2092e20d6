//! What happens in the cluster: workloads that break, loop, are fixed and deleted, on nodes whose clocks
//! jump.

use std::time::Duration;

use serde_json::Value;

use super::kubelet::Step::{Apply, Delete, Lag, Reboot, RestartKubelet, Scale, Skew};
use super::kubelet::app::{App, End};
use super::kubelet::manifest::{Container, Controller, Probe, Workload};
use super::kubelet::stream::{Line, Stream};
use super::kubelet::{Step, play};
use crate::support::Recording;

/// Namespaces, each with a story of its own.
const NAMESPACES: [&str; 4] = ["soak-a", "soak-b", "soak-c", "soak-d"];
/// How much later everything happens in a namespace than in the previous one, in seconds.
const APART: i64 = 37;
/// Names of bare pods: new ones would be new series.
const BARE: [&str; 6] = ["bare-0", "bare-1", "bare-2", "bare-3", "bare-4", "bare-5"];
const PATH: &str = "/health";

/// The stories of all namespaces, with that length.
pub fn all(length: Duration) -> Vec<(&'static str, Recording)> {
    let seconds = length.as_secs() as i64;
    let of = |(number, namespace): (usize, &'static str)| (namespace, one(namespace, number as i64, seconds));
    NAMESPACES.into_iter().enumerate().map(of).collect()
}

fn one(namespace: &str, number: i64, seconds: i64) -> Recording {
    let mut tale = Tale { steps: Vec::new(), shift: number * APART, seconds };
    tale.goes_on();
    tale.is_rolled_out_and_undone();
    tale.comes_and_goes();
    tale.nodes();
    tale.steps.sort_by_key(|(at, _)| *at);
    let stream = play(number as u64 + 1, &tale.steps, seconds).stream;
    // Each namespace has nodes of its own: what happens to one is part of one story only.
    let text = String::from_utf8(Stream(stream.0.into_iter().map(served).collect()).bytes()).expect("JSON is text");
    Recording::parse(&text.replace("\"node-", &format!("\"{namespace}-node-")))
}

/// As a controller writes it: without an address it is not an endpoint yet, and the server rejects it.
fn served(mut line: Line) -> Line {
    if let Some(endpoints) = line.object.get_mut("endpoints").and_then(Value::as_array_mut) {
        endpoints.retain(|endpoint| endpoint["addresses"][0].as_str().is_some_and(|address| !address.is_empty()));
    }
    line
}

/// The steps, and their times.
struct Tale {
    steps: Vec<(i64, Step)>,
    shift: i64,
    seconds: i64,
}

impl Tale {
    fn at(&mut self, at: i64, step: Step) {
        self.steps.push((at, step));
    }

    /// A step at this interval in seconds, the first one at `first` and later in later namespaces.
    fn each(&mut self, first: i64, every: i64, step: impl Fn(usize) -> Step) {
        let times = (first + self.shift..self.seconds).step_by(every as usize);
        self.steps.extend(times.enumerate().map(|(number, at)| (at, step(number))));
    }

    /// Workloads that loop from the beginning to the end, and healthy ones.
    fn goes_on(&mut self) {
        let crashes = App::serving(PATH).ends_after(15_000, End::Code(1));
        self.at(0, Apply(deployment("worker", crashes, |it| it)));
        let hangs = App::serving(PATH).hangs_after(45_000);
        self.at(0, Apply(deployment("cache", hangs, |it| it.liveness(Probe::http(PATH)))));
        self.at(0, Apply(probed("shop", PATH, PATH).replicas(5)));
        self.each(80, 120, |number| Scale("shop", 3 + number % 4));
    }

    /// Rollouts that break a probe, and are undone.
    fn is_rolled_out_and_undone(&mut self) {
        self.at(0, Apply(probed("web", PATH, PATH).replicas(3).nodes(3)));
        self.each(30, 600, |_| Apply(probed("web", "/v2/health", PATH).replicas(3).nodes(3)));
        self.each(180, 600, |_| Apply(probed("web", PATH, PATH).replicas(3).nodes(3)));

        self.at(0, Apply(probed("front", PATH, PATH).replicas(2)));
        self.each(200, 900, |_| Apply(probed("front", PATH, "/ready").replicas(2)));
        self.each(500, 900, |_| Apply(probed("front", PATH, PATH).replicas(2)));

        let slow = |failures| {
            let app = App::serving(PATH).listens_after(20_000);
            Apply(deployment("slow", app, |it| it.startup(Probe::http(PATH).failing(failures))))
        };
        self.at(0, slow(30));
        self.each(100, 800, |_| slow(3));
        self.each(330, 800, |_| slow(30));

        let stateful = |port| {
            let container = Container::new("app", App::serving(PATH)).liveness(Probe::tcp(port));
            Apply(Workload::new(Controller::StatefulSet, "db", &[container]).replicas(2))
        };
        self.at(0, stateful(8080));
        self.each(260, 1000, |_| stateful(9090));
        self.each(430, 1000, |_| stateful(8080));
    }

    /// Workloads and bare pods that crash, and are deleted.
    fn comes_and_goes(&mut self) {
        let bursts = || Apply(deployment("report", App::serving(PATH).ends_after(10_000, End::OutOfMemory), |it| it));
        self.each(10, 700, |_| bursts());
        self.each(310, 700, |_| Delete("report"));

        let bare = |name: &'static str| {
            let app = App::serving(PATH).ends_after(3_000, End::Code(2));
            Apply(Workload::new(Controller::Nobody, name, &[Container::new("app", app)]))
        };
        self.each(5, 60, |number| bare(BARE[number % BARE.len()]));
        self.each(105, 60, |number| Delete(BARE[number % BARE.len()]));

        let fails = App::serving(PATH).ends_after(2_000, End::Code(3));
        let job = Workload::new(Controller::Job, "migrate", &[Container::new("app", fails)]);
        self.each(150, 900, |_| Apply(job.clone()));
        self.each(550, 900, |_| Delete("migrate"));
    }

    /// Clocks that jump, late updates, kubelets and nodes that restart.
    fn nodes(&mut self) {
        const JUMPS: [i64; 5] = [30_000, -20_000, 0, 120_000, -5_000];
        self.each(45, 240, |number| Skew(number % 3, JUMPS[number % JUMPS.len()]));
        self.each(90, 480, |number| Lag(number % 3, 1500));
        self.each(330, 480, |number| Lag(number % 3, 0));
        self.each(400, 660, |number| RestartKubelet(number % 3));
        self.each(900, 1500, |_| Reboot(2));
    }
}

fn deployment(name: &'static str, app: App, probed: impl Fn(Container) -> Container) -> Workload {
    Workload::deployment(name, probed(Container::new("app", app)))
}

fn probed(name: &'static str, live: &'static str, ready: &'static str) -> Workload {
    deployment(name, App::serving(PATH), |it| it.liveness(Probe::http(live)).readiness(Probe::http(ready)))
}
