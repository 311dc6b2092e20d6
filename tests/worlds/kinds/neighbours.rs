//! Pods of several containers, and pods of controllers other than Deployments.

use super::Plan;
use super::probes::{killed, kills};
use crate::kubelet::app::App;
use crate::kubelet::manifest::{Container, Controller, Handler, Kind, Port, Probe, Workload};
use crate::worlds::draw::{Asks, Draw, WRONG_PATHS, Well, cycle};
use crate::worlds::truth::{Claim, Expect, Needs};

/// A container that serves metrics on a port of its own, and is probed at `path`.
fn metrics(path: &'static str) -> Container {
    let app = App::serving("/metrics").port(9102);
    let probe = Probe::http(path).on(Port::Number(9102)).every(5).after(2);
    Container::new("metrics", app).ports(&[("metrics", 9102)]).liveness(probe)
}

fn beside(well: &Well, second: Container) -> Workload {
    let mut workload = well.workload.clone();
    workload.containers.push(second);
    workload
}

/// The fault is in the second container, or in a sidecar.
pub fn second_container(draw: &mut Draw) -> Plan {
    let well = draw.asks(&[Asks::Http, Asks::Grpc, Asks::Exec, Asks::Tcp]);
    let (wrong, sidecar) = (draw.pick(WRONG_PATHS), draw.chance.happens(1, 2));
    let make = |path| {
        let it = metrics(path);
        if sidecar { it.sidecar() } else { it }
    };
    let (before, ill) = (beside(&well, make("/metrics")), beside(&well, make(wrong)));
    let claim = Claim::by(Kind::Liveness, &["WrongPath"]);
    let truth =
        Expect::new(&ill, "metrics", claim, Needs::Kills(Kind::Liveness)).fields(&["livenessProbe.httpGet.path"]);
    let lasts = 4 * cycle(&ill, 1, Kind::Liveness) + 100;
    Plan::either(draw, before, ill, truth, lasts)
}

/// A new image no longer opens its port, while a neighbour listens on another.
pub fn port_of_a_neighbour(draw: &mut Draw) -> Plan {
    let mut well = draw.asks(&[Asks::Http, Asks::Tcp]);
    well.workload = well.with(|it| it.probes.retain(|(kind, _)| *kind != Kind::Startup));
    let before = beside(&well, metrics("/metrics"));
    let well = Well { workload: before.clone(), ..well };
    let ill = well.running(Some("registry.local/shop:2"), |it| it.listens_after(i64::MAX));
    let fine = &["ReportsUnhealthy", "Unknown", "DependencyDown"];
    let truth = killed(&ill, &["NothingListening"]).or_causes(fine);
    let truth =
        truth.beside(Claim::never_ready(&["NothingListening", "ReportsUnhealthy", "Unknown", "DependencyDown"]));
    let lasts = kills(&ill, 4);
    Plan::rollout(before, ill, truth, lasts)
}

/// A Job whose pods are killed by their probe, in place or not.
pub fn job(draw: &mut Draw) -> Plan {
    let well = draw.http();
    let wrong = draw.pick(WRONG_PATHS);
    let in_place = draw.chance.happens(1, 2);
    let mut ill = well.probing(|probe| {
        if let Handler::Http { path, .. } = &mut probe.handler {
            *path = wrong;
        }
    });
    ill.containers[0].probes.retain(|(kind, _)| *kind == Kind::Liveness);
    ill.containers[0].app.term = crate::kubelet::app::Term::Exits(143, 20);
    ill.controller = Controller::Job;
    ill.restart = if in_place { "OnFailure" } else { "Never" };
    ill.replicas = 1;
    let fields = &["livenessProbe.httpGet.path"];
    let truth = if in_place {
        killed(&ill, &["WrongPath"])
    } else {
        let claim = Claim::killed(Kind::Liveness, &["WrongPath"]);
        Expect::new(&ill, well.container(), claim, Needs::OneEnd(Kind::Liveness))
    };
    let truth = truth.fields(fields).unsteady();
    let lasts = kills(&ill, 4);
    Plan { cure: None, calm: true, ..Plan::first(ill, well.workload, truth, lasts) }
}

/// A container whose own restart policy differs from its pod's.
pub fn own_policy(draw: &mut Draw) -> Plan {
    let well = draw.http();
    let wrong = draw.pick(WRONG_PATHS);
    let mut ill = beside(&well, metrics(wrong));
    ill.controller = Controller::Deployment;
    let never = draw.chance.happens(1, 2);
    ill.containers[1].restart = Some(if never { "Never" } else { "Always" });
    let mut cure = beside(&well, metrics("/metrics"));
    cure.controller = Controller::Deployment;
    cure.containers[1].restart = ill.containers[1].restart;
    let (claim, needs) = if never {
        (Claim::killed(Kind::Liveness, &["WrongPath"]), Needs::OneEnd(Kind::Liveness))
    } else {
        (Claim::by(Kind::Liveness, &["WrongPath"]), Needs::Kills(Kind::Liveness))
    };
    let mut truth = Expect::new(&ill, "metrics", claim, needs).fields(&["livenessProbe.httpGet.path"]);
    truth.steady = !never;
    let lasts = 4 * cycle(&ill, 1, Kind::Liveness) + 100;
    Plan { calm: never, ..Plan::first(ill, cure, truth, lasts) }
}

pub fn bare_pod(draw: &mut Draw) -> Plan {
    let well = draw.http();
    let wrong = draw.pick(WRONG_PATHS);
    let mut ill = well.probing(|probe| {
        if let Handler::Http { path, .. } = &mut probe.handler {
            *path = wrong;
        }
    });
    (ill.controller, ill.replicas) = (Controller::Nobody, 1);
    let truth = killed(&ill, &["WrongPath"]).fields(&["livenessProbe.httpGet.path"]);
    let lasts = kills(&ill, 4);
    Plan { cure: None, calm: true, ..Plan::first(ill, well.workload, truth, lasts) }
}
