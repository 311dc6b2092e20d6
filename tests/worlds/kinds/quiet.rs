//! Worlds in which nothing is wrong for long: there must be no findings.

use super::Plan;
use crate::kubelet::Step;
use crate::kubelet::app::{Answer, App, End};
use crate::kubelet::manifest::{Container, Controller, Kind, Workload};
use crate::worlds::draw::{ASKS, Asks, Draw, HEARS, Well};

fn quiet(ill: Vec<Workload>, lasts: i64, steps: Vec<(i64, Step)>) -> Plan {
    Plan { well: None, ill, cure: None, truth: Vec::new(), lasts, steps, calm: true }
}

/// Images, restarts, scaling: all of them healthy.
pub fn rollouts(draw: &mut Draw) -> Plan {
    let well = draw.asks(ASKS);
    let mut steps = Vec::new();
    let mut at = draw.begins;
    let mut replicas = well.workload.replicas;
    for _ in 0..draw.chance.between(2, 6) {
        at += draw.chance.between(30, 120);
        let name = well.workload.name;
        match draw.chance.between(0, 4) {
            0 => steps.push((at, Step::Restart(name))),
            1 => steps.push((at, Step::RestartKubelet(0))),
            2 => {
                replicas = draw.pick(&[1, 2, 4]);
                steps.push((at, Step::Scale(name, replicas)));
            }
            _ => {
                let image = draw.pick(&["registry.local/shop:2", "registry.local/shop:3", "registry.local/shop:1"]);
                let mut next = well.running(Some(image), |it| it);
                next.replicas = replicas;
                steps.push((at, Step::Apply(next)));
            }
        }
    }
    quiet(vec![well.workload], at - draw.begins + 200, steps)
}

/// One run of one pod hangs, is killed, and the next is healthy.
pub fn one_hang(draw: &mut Draw) -> Plan {
    let well = draw.asks(HEARS);
    let after = draw.chance.between(60_000, 120_000);
    let it = well.running(None, |it| {
        it.special(move |ask| (ask.run == 0 && ask.pod == 0 && ask.uptime > after).then_some(Answer::Hang))
    });
    quiet(vec![it], 500, Vec::new())
}

pub fn one_reboot(draw: &mut Draw) -> Plan {
    let wells: Vec<_> = (0..3).map(|_| draw.asks(ASKS).workload).collect();
    let steps = vec![(draw.begins, Step::Reboot(0))];
    quiet(wells, 500, steps)
}

/// Refused or 404 for a while at each start, but never killed for it.
pub fn slow_within_the_budget(draw: &mut Draw) -> Plan {
    let well = draw.asks(&[Asks::Http, Asks::Http, Asks::Tcp]);
    let needs = draw.pick(&[8, 15, 30]);
    let by_routes = draw.chance.happens(1, 2);
    let workload =
        well.running(None, |it| if by_routes { it.routes_after(needs * 1000) } else { it.listens_after(needs * 1000) });
    let workload = Well { workload, ..well }.with(|it| {
        it.probes.retain(|(kind, _)| *kind != Kind::Startup);
        for (_, probe) in &mut it.probes {
            (probe.delay, probe.failures) = (0, u32::try_from(needs / probe.period + 3).expect("few"));
        }
    });
    let steps = vec![(draw.begins, Step::Restart(workload.name)), (draw.begins + 100, Step::RestartKubelet(0))];
    quiet(vec![workload], 400, steps)
}

/// A container that terminates with 0 as it should, beside one that runs.
pub fn one_shot(draw: &mut Draw) -> Plan {
    let well = draw.asks(ASKS);
    let uptime = draw.pick(&[500, 5_000, 40_000]);
    let mut once = Container::new("migrate", App::serving("/none").port(9).ends_after(uptime, End::Code(0))).ports(&[]);
    once.restart = Some("Never");
    let mut workload = well.workload;
    workload.controller = Controller::Deployment;
    workload.containers.push(once);
    quiet(vec![workload], 300, Vec::new())
}
