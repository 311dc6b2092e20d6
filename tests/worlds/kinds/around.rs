//! Faults around an app: its dependencies, its node.

use super::Plan;
use super::probes::{killed, kills};
use crate::kubelet::Step;
use crate::kubelet::app::Answer;
use crate::kubelet::manifest::{Controller, Handler, Kind, Workload};
use crate::worlds::draw::{Asks, Draw, Well};
use crate::worlds::truth::{Claim, Expect, Needs};

/// Several workloads whose liveness probes check a shared dependency.
fn together(draw: &mut Draw, asks: &[Asks], count: i64) -> Vec<Well> {
    let mut all = Vec::new();
    for _ in 0..count {
        let mut well = draw.asks(asks);
        well.workload = well.with(|it| {
            it.probes.retain(|(kind, _)| *kind != Kind::Startup);
            for (_, probe) in &mut it.probes {
                probe.period = probe.period.min(5);
                probe.delay = probe.delay.min(5);
            }
        });
        well.workload.controller = Controller::Deployment;
        all.push(well);
    }
    all
}

fn ills(ill: Vec<Workload>, truth: Vec<Expect>, lasts: i64, steps: Vec<(i64, Step)>) -> Plan {
    Plan { well: None, ill, cure: None, truth, lasts, steps, calm: true }
}

/// It is down for a while, and comes back.
pub fn dependency_down(draw: &mut Draw) -> Plan {
    let count = draw.pick(&[2, 2, 3]);
    let wells = together(draw, &[Asks::Http, Asks::Http, Asks::Grpc], count);
    let hangs = draw.chance.happens(1, 2);
    let from = draw.begins * 1000;
    let longest = wells.iter().map(|well| kills(&well.workload, 4)).max().unwrap_or(0);
    let until = from + longest * 1000;
    let ill: Vec<_> = wells
        .iter()
        .map(|well| {
            well.running(None, |it| {
                it.special(move |ask| {
                    let down = (from..until).contains(&ask.now) && ask.uptime > 300;
                    let sick = match ask.handler {
                        _ if hangs => Answer::Hang,
                        Handler::Grpc { .. } => Answer::NotServing,
                        _ => Answer::Status(503),
                    };
                    down.then_some(sick)
                })
            })
        })
        .collect();
    let fine: &[&'static str] = if hangs { &["Hung", "Unknown"] } else { &["ReportsUnhealthy", "Unknown"] };
    let truth = ill.iter().map(|ill| {
        let truth = killed(ill, &["DependencyDown"]).or_causes(fine);
        Expect { cured: Some(until / 1000), ..truth }
    });
    let truth = truth.collect();
    ills(ill, truth, longest, Vec::new())
}

/// Nothing on one node is answered in time for a while.
pub fn node_overloaded(draw: &mut Draw) -> Plan {
    let mut wells = together(draw, &[Asks::Http, Asks::Grpc, Asks::Exec], 3);
    for well in &mut wells {
        well.workload.nodes = 1;
    }
    let longest = wells.iter().map(|well| kills(&well.workload, 4)).max().unwrap_or(0);
    let ill: Vec<_> = wells.into_iter().map(|well| well.workload).collect();
    let cured = Some(draw.begins + longest);
    let truth = ill.iter().map(|ill| {
        let truth = killed(ill, &["NodeTrouble", "DependencyDown"]).or_causes(&["Unknown", "Hung"]);
        Expect { cured, ..truth }
    });
    let truth = truth.collect();
    let steps = vec![(draw.begins, Step::Overload(0, longest * 1000))];
    ills(ill, truth, longest, steps)
}

/// Everything on a node is killed from outside, again and again.
pub fn node_strikes(draw: &mut Draw) -> Plan {
    let mut wells = together(draw, &[Asks::Http, Asks::Tcp], 3);
    for well in &mut wells {
        well.workload.nodes = 1;
    }
    let ill: Vec<_> = wells.into_iter().map(|well| well.workload).collect();
    let every = draw.pick(&[80, 110, 150]);
    let steps: Vec<_> = (0..4).map(|time| (draw.begins + time * every, Step::Strike(0))).collect();
    let cured = Some(draw.begins + 3 * every + 60);
    let truth = ill.iter().map(|ill| {
        let claim = Claim::own(&["NodeTrouble"]);
        let truth = Expect::new(ill, ill.containers[0].name, claim, Needs::Ends);
        Expect { cured, ..truth.or_causes(&["KilledExternally", "Crash"]).unsteady() }
    });
    let truth = truth.collect();
    ills(ill, truth, 4 * every, steps)
}

/// A `DaemonSet` that is healthy everywhere but on one node.
pub fn one_bad_node(draw: &mut Draw) -> Plan {
    let mut well = draw.http();
    well.workload.controller = Controller::DaemonSet;
    well.workload.replicas = 4;
    well.workload = well.with(|it| it.probes.retain(|(kind, _)| *kind != Kind::Startup));
    let (bad, answer) = (draw.pick(&[0_usize, 1, 2]), draw.pick(&[404_u16, 404, 503, 0]));
    let ill = well.running(None, |it| {
        it.special(move |ask| {
            let answer = if answer == 0 { Answer::Refused } else { Answer::Status(answer) };
            (ask.node == bad && ask.uptime > 300).then_some(answer)
        })
    });
    let fine = &["Unknown", "DependencyDown", "NodeTrouble", "NothingListening"];
    let truth = killed(&ill, &["ReportsUnhealthy"]).or_causes(fine);
    let truth = truth.beside(Claim::never_ready(&["ReportsUnhealthy", "Unknown", "NodeTrouble", "NothingListening"]));
    let lasts = kills(&ill, 4);
    Plan { cure: None, ..Plan::first(ill, well.workload, truth, lasts) }
}
