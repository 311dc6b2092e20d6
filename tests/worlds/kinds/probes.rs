//! Faults of the probe.

use super::Plan;
use crate::kubelet::app::{Answer, Speaks};
use crate::kubelet::manifest::{Handler, Kind, Port, Probe, Workload};
use crate::worlds::draw::{ASKS, Asks, CHECK, Draw, WRONG_PATHS, Well, budget, cycle, probe_mut};
use crate::worlds::truth::{Claim, Expect, Needs};

const PATH: &[&str] = &["livenessProbe.httpGet.path"];

/// Kills by the first container's liveness probe, for that reason.
pub fn killed(ill: &Workload, causes: &[&'static str]) -> Expect {
    let claim = Claim::by(Kind::Liveness, causes);
    Expect::new(ill, ill.containers[0].name, claim, Needs::Kills(Kind::Liveness))
}

/// Seconds for that many kills, including back-offs.
pub fn kills(ill: &Workload, times: i64) -> i64 {
    times * cycle(ill, 0, Kind::Liveness) + 10 * ((1 << (times - 1).min(5)) - 1) + 20
}

fn set_path(probe: &mut Probe, wanted: &'static str) {
    if let Handler::Http { path, .. } = &mut probe.handler {
        *path = wanted;
    }
}

pub fn wrong_path(draw: &mut Draw) -> Plan {
    let well = draw.http();
    let wrong = draw.pick(WRONG_PATHS);
    let ill = well.probing(|probe| set_path(probe, wrong));
    let truth = killed(&ill, &["WrongPath"]).fields(PATH);
    let lasts = kills(&ill, draw.pick(&[3, 4, 6, 8]));
    Plan::either(draw, well.workload, ill, truth, lasts)
}

/// A probe that did not exist, or had another handler before.
pub fn wrong_path_added(draw: &mut Draw) -> Plan {
    let well = draw.http();
    let wrong = draw.pick(WRONG_PATHS);
    let ill = well.probing(|probe| set_path(probe, wrong));
    let before = match draw.chance.between(0, 3) {
        0 => well.with(|it| it.probes.retain(|(kind, _)| *kind != Kind::Liveness)),
        1 => well.probing(|probe| probe.handler = Handler::Exec(CHECK)),
        _ => well.probing(|probe| probe.handler = Handler::Tcp(Port::Number(well.port))),
    };
    let truth = killed(&ill, &["WrongPath"]).fields(PATH);
    let lasts = kills(&ill, 4);
    Plan::rollout(before, ill, truth, lasts)
}

pub fn wrong_startup_path(draw: &mut Draw) -> Plan {
    let mut well = draw.http();
    let (wrong, every, times) = (draw.pick(WRONG_PATHS), draw.pick(&[2, 3, 5]), draw.pick(&[3, 5, 6]));
    let start = Probe { grace: None, delay: 0, ..well.liveness().clone() }.every(every).failing(times);
    well.workload = well.with(|it| {
        it.probes.retain(|(kind, _)| *kind != Kind::Startup);
        it.probes.push((Kind::Startup, start.clone()));
    });
    let ill = well.with(|it| set_path(probe_mut(it, Kind::Startup), wrong));
    let claim = Claim::by(Kind::Startup, &["WrongPath"]);
    let truth = Expect::new(&ill, well.container(), claim, Needs::Kills(Kind::Startup));
    let truth = truth.fields(&["startupProbe.httpGet.path"]);
    let lasts = 4 * cycle(&ill, 0, Kind::Startup) + 100;
    Plan::either(draw, well.workload, ill, truth, lasts)
}

pub fn wrong_readiness_path(draw: &mut Draw) -> Plan {
    let mut well = draw.http();
    let wrong = draw.pick(WRONG_PATHS);
    let ready = Probe { grace: None, delay: 0, ..well.liveness().clone() }.every(draw.pick(&[2, 5, 10]));
    well.workload = well.with(|it| {
        it.probes.retain(|(kind, _)| *kind != Kind::Readiness);
        it.probes.push((Kind::Readiness, ready.clone()));
    });
    let ill = well.with(|it| set_path(probe_mut(it, Kind::Readiness), wrong));
    let truth = Expect::new(&ill, well.container(), Claim::never_ready(&["WrongPath"]), Needs::NotReady);
    let truth = truth.fields(&["readinessProbe.httpGet.path"]);
    Plan::either(draw, well.workload, ill, truth, 480)
}

pub fn wrong_port(draw: &mut Draw) -> Plan {
    let well = draw.asks(&[Asks::Http, Asks::Http, Asks::Tcp, Asks::Grpc]);
    let wrong = draw.pick(&[7070, 9999, 8888, 6000]);
    let ill = well.probing(|probe| match &mut probe.handler {
        Handler::Http { port, .. } | Handler::Tcp(port) => *port = Port::Number(wrong),
        Handler::Grpc { port, .. } => *port = wrong,
        Handler::Exec(_) => {}
    });
    // A readiness probe on another port proves nothing about this one.
    let fields = &["livenessProbe.httpGet.port", "livenessProbe.tcpSocket.port", "livenessProbe.grpc.port"];
    let truth = killed(&ill, &["WrongPort"]).or_causes(&["NothingListening"]).fields(fields);
    let lasts = kills(&ill, draw.pick(&[4, 6]));
    Plan::either(draw, well.workload, ill, truth, lasts)
}

pub fn wrong_scheme(draw: &mut Draw) -> Plan {
    let mut well = draw.http();
    let set = |workload: &Workload, to: &'static str| {
        let mut it = workload.clone();
        for (_, probe) in &mut it.containers[0].probes {
            if let Handler::Http { scheme, .. } = &mut probe.handler {
                *scheme = to;
            }
        }
        it
    };
    let tls = draw.chance.happens(1, 2);
    if tls {
        well.workload = set(&well.running(None, crate::kubelet::app::App::tls), "HTTPS");
    }
    let ill = well.probing(|probe| {
        if let Handler::Http { scheme, .. } = &mut probe.handler {
            *scheme = if tls { "HTTP" } else { "HTTPS" };
        }
    });
    let truth = killed(&ill, &["WrongScheme"]).fields(&["livenessProbe.httpGet.scheme"]);
    let lasts = kills(&ill, 4);
    if tls {
        Plan::rollout(well.workload, ill, truth, lasts)
    } else {
        Plan::either(draw, well.workload, ill, truth, lasts)
    }
}

pub fn wrong_grpc_service(draw: &mut Draw) -> Plan {
    let well = draw.well(Asks::Grpc);
    let wrong = draw.pick(&["shop.Basket", "liveness", "health"]);
    let ill = well.probing(|probe| {
        if let Handler::Grpc { service, .. } = &mut probe.handler {
            *service = wrong;
        }
    });
    let truth = killed(&ill, &["WrongGrpcService"]).fields(&["livenessProbe.grpc.service"]);
    let lasts = kills(&ill, 4);
    Plan::either(draw, well.workload, ill, truth, lasts)
}

pub fn missing_command(draw: &mut Draw) -> Plan {
    let well = draw.well(Asks::Exec);
    let words = draw.pick(&[
        "sh: curl: not found\n",
        "sh: 1: wget: not found\n",
        "bash: line 1: nc: command not found\n",
        "/bin/sh: grpcurl: not found\n",
    ]);
    let command: &'static [&'static str] = match words {
        "sh: curl: not found\n" => &["sh", "-c", "curl -sf localhost:8080/health"],
        "sh: 1: wget: not found\n" => &["sh", "-c", "wget -qO- localhost:8080/health"],
        "bash: line 1: nc: command not found\n" => &["bash", "-c", "nc -z localhost 8080"],
        _ => &["/bin/sh", "-c", "grpcurl -plaintext localhost:8080 list"],
    };
    let app = |it: crate::kubelet::app::App| {
        it.special(move |ask| (*ask.handler == Handler::Exec(command)).then_some(Answer::Exit(127, words)))
    };
    let well = Well { workload: well.running(None, app), ..well };
    let ill = well.probing(|probe| probe.handler = Handler::Exec(command));
    let truth = killed(&ill, &["WrongCommand"]).fields(&["livenessProbe.exec.command"]);
    let lasts = kills(&ill, 4);
    Plan::either(draw, well.workload, ill, truth, lasts)
}

pub fn cannot_run(draw: &mut Draw) -> Plan {
    let well = draw.asks(&[Asks::Http, Asks::Tcp, Asks::Exec]);
    let ill = if matches!(well.liveness().handler, Handler::Exec(_)) {
        let gone: &'static [&'static str] = &["/opt/check/alive"];
        let app = well.running(None, |it| {
            it.special(move |ask| (*ask.handler == Handler::Exec(gone)).then_some(Answer::NoBinary))
        });
        let well = Well { workload: app, ..well.clone() };
        well.probing(|probe| probe.handler = Handler::Exec(gone))
    } else {
        well.probing(|probe| {
            if let Handler::Http { port, .. } | Handler::Tcp(port) = &mut probe.handler {
                *port = Port::Name("metrics");
            }
        })
    };
    let claim = Claim::ineffective(Kind::Liveness, &["ProbeCannotRun", "WrongPort", "WrongCommand"]);
    let truth = Expect::new(&ill, well.container(), claim, Needs::Errors(Kind::Liveness));
    let lasts = 8 * well.liveness().period + 2 * well.liveness().delay + 60;
    Plan::either(draw, well.workload, ill, truth, lasts)
}

pub fn credentials_wanted(draw: &mut Draw) -> Plan {
    let well = draw.http();
    let (guarded, code) = (draw.pick(WRONG_PATHS), draw.pick(&[401, 403]));
    let guard = |it: crate::kubelet::app::App| {
        it.special(move |ask| {
            let guards = matches!(ask.handler, Handler::Http { path, .. } if *path == guarded);
            (guards && ask.uptime > 2_000).then_some(Answer::Status(code))
        })
    };
    let well = Well { workload: well.running(None, guard), ..well };
    let mut ill = well.probing(|probe| set_path(probe, guarded));
    let probe = probe_mut(&mut ill.containers[0], Kind::Liveness);
    probe.delay = probe.delay.max(3);
    let truth = killed(&ill, &["AuthRequired"]).or_causes(&["WrongPath"]);
    let lasts = kills(&ill, 4);
    Plan::either(draw, well.workload, ill, truth, lasts)
}

pub fn wrong_handler(draw: &mut Draw) -> Plan {
    let well = draw.well(Asks::Grpc);
    let well = Well { workload: well.running(None, |it| it.speaks(Speaks::Grpc)), ..well };
    let ill = well.probing(|probe| {
        probe.handler = Handler::Http { path: "/healthz", port: Port::Number(well.port), scheme: "HTTP" };
    });
    let truth = killed(&ill, &["WrongHandler"]);
    let lasts = kills(&ill, 4);
    Plan::either(draw, well.workload, ill, truth, lasts)
}

pub fn timeout_cut(draw: &mut Draw) -> Plan {
    let well = draw.asks(&[Asks::Http, Asks::Http, Asks::Grpc, Asks::Exec]);
    let latency = draw.chance.between(1_400, 2_800);
    let mut well = Well { workload: well.running(None, |it| it.latency(latency)), ..well };
    for (_, probe) in &mut well.workload.containers[0].probes {
        probe.period = probe.period.max(5);
        probe.timeout = 5;
    }
    let ill = well.probing(|probe| probe.timeout = 1);
    let truth = killed(&ill, &["TimeoutTooShort"]).fields(&["livenessProbe.timeoutSeconds"]);
    let lasts = kills(&ill, 4);
    Plan::rollout(well.workload, ill, truth, lasts)
}

/// An app that needs long to start, and a probe that no longer gives it that long.
pub fn budget_cut(draw: &mut Draw) -> Plan {
    let well = draw.asks(ASKS);
    let needs = draw.pick(&[25, 40, 60]);
    let by_routes = draw.chance.happens(1, 3) && matches!(well.liveness().handler, Handler::Http { .. });
    let mut well = Well {
        workload: well.running(None, |it| {
            if by_routes { it.listens_after(900).routes_after(needs * 1000) } else { it.listens_after(needs * 1000) }
        }),
        ..well
    };
    let it = &mut well.workload.containers[0];
    it.probes.retain(|(kind, _)| *kind != Kind::Startup);
    let short = Probe { period: 5, failures: 2, delay: 0, timeout: 1, ..probe_mut(it, Kind::Liveness).clone() };
    let way = draw.chance.between(0, 3);
    let ample = match way {
        0 => short.clone().after(needs + 10),
        1 => short.clone().failing(u32::try_from(needs / 5 + 3).expect("few")),
        _ => short.clone(),
    };
    *probe_mut(it, Kind::Liveness) = ample.clone();
    if way == 2 {
        it.probes.push((Kind::Startup, short.clone().failing(u32::try_from(needs / 5 + 3).expect("few"))));
    }
    let ill = well.with(|it| {
        it.probes.retain(|(kind, _)| *kind != Kind::Startup);
        *probe_mut(it, Kind::Liveness) = short.clone();
    });
    draw.begins = draw.begins.max(needs * 2 + 60);
    let fields = &[
        "startupProbe",
        "livenessProbe.initialDelaySeconds",
        "livenessProbe.failureThreshold",
        "livenessProbe.periodSeconds",
    ];
    let truth = killed(&ill, &["KilledWhileStarting"]).or_causes(&["Unknown", "NothingListening"]).fields(fields);
    let lasts = kills(&ill, 4);
    Plan::rollout(well.workload, ill, truth, lasts)
}

pub fn startup_budget_cut(draw: &mut Draw) -> Plan {
    let well = draw.asks(&[Asks::Http, Asks::Tcp, Asks::Grpc]);
    let needs = draw.pick(&[25, 40]);
    let mut well = Well { workload: well.running(None, |it| it.listens_after(needs * 1000)), ..well };
    let it = &mut well.workload.containers[0];
    it.probes.retain(|(kind, _)| *kind != Kind::Startup);
    let ample = Probe { delay: 0, timeout: 1, grace: None, ..probe_mut(it, Kind::Liveness).clone() };
    let ample = ample.every(5).failing(u32::try_from(needs / 5 + 4).expect("few"));
    it.probes.push((Kind::Startup, ample));
    let ill = well.with(|it| probe_mut(it, Kind::Startup).failures = 3);
    draw.begins = draw.begins.max(needs * 2 + 60);
    let claim = Claim::by(Kind::Startup, &["KilledWhileStarting"]);
    let truth = Expect::new(&ill, well.container(), claim, Needs::Kills(Kind::Startup))
        .or_causes(&["Unknown", "NothingListening"])
        .fields(&["startupProbe.failureThreshold"]);
    let lasts = 4 * cycle(&ill, 0, Kind::Startup) + 100;
    Plan::rollout(well.workload, ill, truth, lasts)
}

/// Never up before the kill: slow, or on another port, or bound to loopback.
pub fn slow_start(draw: &mut Draw) -> Plan {
    let well = draw.asks(&[Asks::Http, Asks::Tcp]);
    let mut ill = well.running(None, |it| it.listens_after(120_000));
    let it = &mut ill.containers[0];
    it.probes.retain(|(kind, _)| *kind == Kind::Liveness);
    let probe = probe_mut(it, Kind::Liveness);
    if budget(probe) > 40 {
        (probe.period, probe.delay) = (5, 5);
    }
    let mut cure = ill.clone();
    probe_mut(&mut cure.containers[0], Kind::Liveness).delay = 130;
    let truth = killed(&ill, &["NothingListening"]).or_causes(&["KilledWhileStarting", "Unknown"]);
    let lasts = kills(&ill, 4);
    Plan::first(ill, cure, truth, lasts)
}
