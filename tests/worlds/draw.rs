//! Random healthy workloads.

use crate::kubelet::app::{App, Speaks, Term};
use crate::kubelet::chance::Chance;
use crate::kubelet::manifest::{Container, Controller, Handler, Kind, Port, Probe, Workload};

const NAMES: &[&str] = &[
    "auth",
    "billing",
    "cart",
    "catalog",
    "checkout",
    "feeds",
    "gateway",
    "inventory",
    "ledger",
    "mailer",
    "media",
    "orders",
    "payments",
    "pricing",
    "profile",
    "quotes",
    "reports",
    "search",
    "shipping",
    "users",
];
const CONTAINERS: &[&str] = &["app", "server", "api", "main", "service"];
const PATHS: &[&str] =
    &["/health", "/healthz", "/live", "/livez", "/ping", "/status", "/actuator/health", "/-/healthy", "/api/v1/health"];
pub const WRONG_PATHS: &[&str] =
    &["/v2/health", "/health/live", "/alive", "/heartbeat", "/_status", "/up", "/internal/check", "/api/v2/live"];
const SERVICES: &[&str] = &["shop.Cart", "", "grpc.health.v1.Live", "pricing.Quotes"];
const PORTS: &[u16] = &[8080, 8000, 3000, 5000, 9000, 8081];
const PORT_NAMES: &[&str] = &["http", "web", "main", "api"];
pub const CHECK: &[&str] = &["/bin/check", "--fast"];

pub fn pick<T: Copy>(chance: &mut Chance, of: &[T]) -> T {
    of[chance.between(0, of.len() as i64) as usize]
}

/// The kind of a workload's liveness probe.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Asks {
    Http,
    Tcp,
    Grpc,
    Exec,
}

pub const ASKS: &[Asks] = &[Asks::Http, Asks::Http, Asks::Http, Asks::Grpc, Asks::Exec, Asks::Tcp];
/// Those that can receive what an app reports about itself.
pub const HEARS: &[Asks] = &[Asks::Http, Asks::Http, Asks::Http, Asks::Grpc, Asks::Exec];

/// Draws workloads, each with a name of its own.
pub struct Draw {
    pub chance: Chance,
    names: Vec<&'static str>,
    /// When the fault is to begin, in seconds.
    pub begins: i64,
}

impl Draw {
    pub fn new(mut chance: Chance) -> Self {
        let begins = chance.between(70, 240);
        Self { chance, names: NAMES.to_vec(), begins }
    }

    pub fn name(&mut self) -> &'static str {
        let number = self.chance.between(0, self.names.len() as i64);
        self.names.swap_remove(number as usize)
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        pick(&mut self.chance, of)
    }

    pub fn asks(&mut self, of: &[Asks]) -> Well {
        let asks = self.pick(of);
        self.well(asks)
    }

    pub fn http(&mut self) -> Well {
        self.well(Asks::Http)
    }

    /// A random reaction to SIGTERM.
    pub fn term(&mut self) -> Term {
        match self.chance.between(0, 10) {
            0 => Term::Ignored,
            1..=3 => Term::Exits(0, self.chance.between(10, 1500)),
            4 => Term::Exits(2, 15),
            _ => Term::Exits(self.pick(&[1, 130, 143, 143, 255, 0]), self.chance.between(10, 2500)),
        }
    }

    fn numbers(&mut self, probe: Probe, starts: i64) -> Probe {
        let period = self.pick(&[1, 2, 3, 5, 5, 10, 10, 10, 15]);
        let failures = self.pick(&[1, 2, 2, 3, 3, 3, 3, 5]);
        let timeout = self.pick(&[1, 1, 1, 2, 3]).min(period);
        let mut probe =
            probe.every(period).failing(failures as u32).within(timeout).after(self.pick(&[0, 0, 0, 5, 10]));
        if budget(&probe) < starts + 2 {
            probe.delay = starts + 3;
        }
        if self.chance.happens(1, 10) {
            probe.grace = Some(self.pick(&[2, 5, 10]));
        }
        probe
    }

    /// A healthy workload with that kind of liveness probe.
    pub fn well(&mut self, asks: Asks) -> Well {
        let name = self.name();
        let port = if asks == Asks::Grpc { 50_051 } else { self.pick(PORTS) };
        let named = if asks == Asks::Grpc { "grpc" } else { self.pick(PORT_NAMES) };
        let path = if asks == Asks::Grpc { self.pick(SERVICES) } else { self.pick(PATHS) };
        let starts = self.pick(&[300, 300, 800, 2_000, 4_000]);
        let speaks = if asks == Asks::Grpc { Speaks::Grpc } else { Speaks::Http };
        let app =
            App::serving(path).port(port).speaks(speaks).listens_after(starts).latency(self.pick(&[1, 5, 40, 200]));
        let app = app.term(self.term());
        let by_name = self.chance.happens(2, 3);
        let to = if by_name { Port::Name(named) } else { Port::Number(port) };
        let handler = match asks {
            Asks::Http => Handler::Http { path, port: to, scheme: "HTTP" },
            Asks::Tcp => Handler::Tcp(to),
            Asks::Grpc => Handler::Grpc { port, service: path },
            Asks::Exec => Handler::Exec(CHECK),
        };
        let ask = Probe { handler, ..Probe::tcp(port) };
        let starts = starts / 1000 + 1;
        let container_name = self.pick(CONTAINERS);
        let mut container = Container::new(container_name, app).ports(&[(named, port)]);
        if self.chance.happens(1, 5) {
            // It gives the app enough time.
            let start = ask.clone().every(self.pick(&[2, 5, 10])).failing(12);
            container = container.startup(start);
        }
        let liveness = self.numbers(ask.clone(), starts);
        container = container.liveness(liveness);
        if self.chance.happens(7, 10) {
            let other = if asks == Asks::Exec || self.chance.happens(1, 4) { Probe::tcp(port) } else { ask };
            let readiness =
                other.every(self.pick(&[2, 5, 10])).failing(self.pick(&[1, 2, 3])).within(self.pick(&[1, 1, 2]));
            container = container.readiness(readiness);
        }
        let controller = self.pick(&[Controller::Deployment; 8]);
        let controller = match self.chance.between(0, 12) {
            0 => Controller::StatefulSet,
            1 => Controller::DaemonSet,
            2 => Controller::Rollout,
            _ => controller,
        };
        let mut workload = Workload::new(controller, name, &[container]);
        workload.replicas = self.pick(&[1, 2, 2, 3, 4]);
        workload.grace = self.pick(&[1, 3, 5, 10, 30]);
        workload.gradual = self.chance.happens(1, 4);
        workload.nodes = self.pick(&[1, 2, 3]);
        Well { workload, port, starts }
    }
}

/// The earliest kill after the start, in seconds.
pub fn budget(probe: &Probe) -> i64 {
    probe.delay + (i64::from(probe.failures) - 1) * probe.period
}

/// The maximum duration of a run that a probe kills, in seconds.
pub fn cycle(workload: &Workload, container: usize, kind: Kind) -> i64 {
    let it = &workload.containers[container];
    let probe = it.probed(kind).expect("the probe that kills");
    let before = if kind == Kind::Liveness { 2 } else { 0 };
    budget(probe) + 2 * probe.period + probe.timeout + probe.grace.unwrap_or(workload.grace) + 6 + before
}

/// A healthy workload, and the port of its app.
#[derive(Clone, Debug)]
pub struct Well {
    pub workload: Workload,
    pub port: u16,
    /// Seconds until it is up.
    pub starts: i64,
}

impl Well {
    pub fn container(&self) -> &'static str {
        self.workload.containers[0].name
    }

    /// The same with its first container changed.
    pub fn with(&self, change: impl FnOnce(&mut Container)) -> Workload {
        let mut workload = self.workload.clone();
        change(&mut workload.containers[0]);
        workload
    }

    /// The same with another liveness probe.
    pub fn probing(&self, change: impl FnOnce(&mut Probe)) -> Workload {
        self.with(|it| change(probe_mut(it, Kind::Liveness)))
    }

    /// The same with another app in the same image, or in another.
    pub fn running(&self, image: Option<&'static str>, change: impl FnOnce(App) -> App) -> Workload {
        self.with(|it| {
            it.app = change(it.app.clone());
            it.image = image.unwrap_or(it.image);
        })
    }

    pub fn liveness(&self) -> &Probe {
        self.workload.containers[0].probed(Kind::Liveness).expect("every workload that is drawn has one")
    }
}

pub fn probe_mut(it: &mut Container, kind: Kind) -> &mut Probe {
    &mut it.probes.iter_mut().find(|(its, _)| *its == kind).expect("the container has that probe").1
}
