//! Faults of the app: its probe is right.

use super::Plan;
use super::probes::{killed, kills};
use crate::kubelet::app::{Answer, App, End};
use crate::kubelet::manifest::{Handler, Kind, Workload};
use crate::worlds::draw::{Asks, Draw, HEARS, WRONG_PATHS, Well, budget, cycle, probe_mut};
use crate::worlds::truth::{Claim, Expect, Needs};

const NEW: Option<&'static str> = Some("registry.local/shop:2");

/// Kills, and readiness that fails for the same reason besides.
fn sick(ill: &Workload, exact: &[&'static str], fine: &[&'static str]) -> Expect {
    let all: Vec<_> = exact.iter().chain(fine).copied().collect();
    killed(ill, exact).or_causes(fine).beside(Claim::never_ready(&all))
}

fn own(ill: &Workload, causes: &[&'static str]) -> Expect {
    Expect::new(ill, ill.containers[0].name, Claim::own(causes), Needs::Ends)
}

/// Seconds for that many terminations, including back-offs.
fn ends(uptime: i64, times: i64) -> i64 {
    times * (uptime / 1000 + 3) + 10 * ((1 << (times - 1).min(5)) - 1) + 20
}

/// Without a startup probe, so that the liveness probe is the one that kills.
fn unhurried(mut well: Well) -> Well {
    well.workload = well.with(|it| it.probes.retain(|(kind, _)| *kind != Kind::Startup));
    well
}

pub fn image_without_routes(draw: &mut Draw) -> Plan {
    let well = unhurried(draw.http());
    let ill = well.running(NEW, |it| it.routes_after(i64::MAX));
    let truth = sick(&ill, &["ReportsUnhealthy"], &["Unknown"]);
    let lasts = kills(&ill, draw.pick(&[3, 4, 6]));
    Plan::rollout(well.workload, ill, truth, lasts)
}

pub fn image_refused(draw: &mut Draw) -> Plan {
    let well = draw.asks(&[Asks::Http, Asks::Tcp, Asks::Grpc]);
    let well = unhurried(well);
    let ill = well.running(NEW, |it| it.listens_after(i64::MAX));
    let truth = sick(&ill, &["NothingListening"], &["ReportsUnhealthy", "Unknown", "DependencyDown"]);
    let lasts = kills(&ill, draw.pick(&[4, 6]));
    Plan::rollout(well.workload, ill, truth, lasts)
}

/// The new image is up in time in one of three runs.
pub fn image_slower(draw: &mut Draw) -> Plan {
    let well = unhurried(draw.asks(&[Asks::Http, Asks::Tcp]));
    let limit = cycle(&well.workload, 0, Kind::Liveness) * 1000;
    let seed = draw.chance.next();
    let ill = well.running(NEW, |it| {
        it.special(move |ask| {
            let late = !(u64::from(ask.run) + seed + ask.pod as u64).is_multiple_of(3);
            (late && ask.uptime < limit + 20_000).then_some(Answer::Refused)
        })
        .ends(move |run| (u64::from(run) + seed).is_multiple_of(3).then_some((limit + 30_000, End::Code(0))))
    });
    let truth = sick(&ill, &["KilledWhileStarting"], &["NothingListening", "Unknown", "ReportsUnhealthy"])
        .unsteady()
        .or(Claim::own(&["Exits"]));
    let truth = Expect { needs: Needs::Nothing, ..truth };
    let lasts = kills(&ill, 5);
    Plan::rollout(well.workload, ill, truth, lasts)
}

pub fn image_tls(draw: &mut Draw) -> Plan {
    let well = unhurried(draw.http());
    let ill = well.running(NEW, App::tls);
    let truth = sick(&ill, &["ReportsUnhealthy"], &["Unknown"]);
    let lasts = kills(&ill, 4);
    Plan::rollout(well.workload, ill, truth, lasts)
}

/// Only the environment changed: the app answers 503, crashes, or has no routes.
pub fn env_breaks(draw: &mut Draw) -> Plan {
    let well = unhurried(draw.http());
    let env = vec![("DATABASE_URL", "postgres://old/shop")];
    let mut before = well.with(|it| it.env.clone_from(&env));
    let changed = Well { workload: well.with(|it| it.env = vec![("DATABASE_URL", "postgres://new/shop")]), ..well };
    let (ill, truth, lasts) = match draw.chance.between(0, 3) {
        0 => {
            let ill = changed.running(None, |it| it.sick_after(0));
            let truth = sick(&ill, &["ReportsUnhealthy"], &["Unknown"]);
            let lasts = kills(&ill, 4);
            (ill, truth, lasts)
        }
        1 => {
            let ill = changed.running(None, |it| it.ends_after(900, End::Code(1)));
            let truth = own(&ill, &["Crash"]);
            (ill, truth, ends(900, 5))
        }
        _ => {
            let ill = changed.running(None, |it| it.routes_after(i64::MAX));
            let truth = sick(&ill, &["ReportsUnhealthy"], &["Unknown"]);
            let lasts = kills(&ill, 4);
            (ill, truth, lasts)
        }
    };
    before.replicas = ill.replicas;
    Plan::rollout(before, ill, truth, lasts)
}

/// An uptime by which the liveness probe has passed, and after which it needs a while to kill.
fn later(draw: &mut Draw, well: &Well) -> i64 {
    let probe = well.liveness();
    (well.starts + probe.delay + 3 * probe.period + 8 + draw.chance.between(0, 60)) * 1000
}

/// A fault that depends on uptime: nothing was rolled out.
fn timed(draw: &mut Draw, well: Well, ill: Workload, truth: Expect, uptime: i64, times: i64) -> Plan {
    let lasts = kills(&ill, times) + times * uptime / 1000;
    // Or it was introduced by an image.
    if draw.chance.happens(1, 3) {
        let mut ill = ill;
        ill.containers[0].image = "registry.local/shop:2";
        return Plan::rollout(well.workload, ill, truth, lasts);
    }
    let mut cure = well.workload;
    cure.containers[0].image = "registry.local/shop:2";
    Plan::first(ill, cure, truth, lasts)
}

pub fn deadlock(draw: &mut Draw) -> Plan {
    let well = draw.asks(HEARS);
    let uptime = later(draw, &well);
    let ill = well.running(None, |it| it.hangs_after(uptime));
    let truth = killed(&ill, &["Hung"]);
    timed(draw, well, ill, truth, uptime, 4)
}

pub fn sick_later(draw: &mut Draw) -> Plan {
    let well = draw.asks(HEARS);
    let uptime = later(draw, &well);
    let ill = well.running(None, |it| it.sick_after(uptime));
    let truth = killed(&ill, &["ReportsUnhealthy"]).or_causes(&["Unknown"]);
    timed(draw, well, ill, truth, uptime, 4)
}

pub fn route_dropped(draw: &mut Draw) -> Plan {
    let well = draw.http();
    let uptime = later(draw, &well);
    let ill = well.running(None, |it| it.drops_route_after(uptime));
    let truth = killed(&ill, &["ReportsUnhealthy"]).or_causes(&["Unknown"]);
    timed(draw, well, ill, truth, uptime, 4)
}

/// A workload that is healthy except that it terminates after `uptime`.
fn ending(draw: &mut Draw, end: End, causes: &[&'static str]) -> Plan {
    let well = draw.asks(HEARS);
    let uptime = draw.pick(&[200, 900, 3_000, 8_000, 20_000, 45_000, 90_000]);
    let ill = well.running(None, |it| it.ends_after(uptime, end));
    let truth = own(&ill, causes);
    let lasts = ends(uptime, 5);
    if draw.chance.happens(1, 2) {
        let mut ill = ill;
        ill.containers[0].image = "registry.local/shop:2";
        return Plan::rollout(well.workload, ill, truth, lasts);
    }
    let mut cure = well.workload;
    cure.containers[0].image = "registry.local/shop:2";
    Plan::first(ill, cure, truth, lasts)
}

pub fn crash(draw: &mut Draw) -> Plan {
    let code = draw.pick(&[1, 1, 1, 2, 134, 139, 255, 137, 143]);
    let causes: &[&'static str] = if matches!(code, 137 | 143) { &["Crash", "KilledExternally"] } else { &["Crash"] };
    ending(draw, End::Code(code), causes)
}

pub fn exits(draw: &mut Draw) -> Plan {
    ending(draw, End::Code(0), &["Exits"])
}

pub fn out_of_memory(draw: &mut Draw) -> Plan {
    ending(draw, End::OutOfMemory, &["OutOfMemory"])
}

pub fn crash_at_random(draw: &mut Draw) -> Plan {
    let well = draw.asks(HEARS);
    let (seed, code) = (draw.chance.next(), draw.pick(&[1, 2, 134]));
    let ill = well.running(None, |it| {
        it.ends(move |run| {
            let mut chance = crate::kubelet::chance::Chance::new(seed ^ u64::from(run));
            Some((chance.between(1_000, 60_000), End::Code(code)))
        })
    });
    let truth = own(&ill, &["Crash"]).unsteady();
    let lasts = ends(40_000, 5);
    let mut cure = well.workload;
    cure.containers[0].image = "registry.local/shop:2";
    Plan::first(ill, cure, truth, lasts)
}

pub fn out_of_memory_hourly(draw: &mut Draw) -> Plan {
    let mut well = draw.http();
    well.workload.replicas = 1;
    let uptime = draw.chance.between(40, 70) * 60_000;
    let ill = well.running(None, |it| it.ends_after(uptime, End::OutOfMemory));
    let truth = Expect { needs: Needs::FewEnds, ..own(&ill, &["OutOfMemory"]).unsteady() };
    Plan { cure: None, calm: true, ..Plan::first(ill, well.workload, truth, 7 * uptime / 1000) }
}

pub fn sick_every_half_hour(draw: &mut Draw) -> Plan {
    let mut well = draw.http();
    well.workload.replicas = 1;
    let uptime = draw.chance.between(20, 35) * 60_000;
    let ill = well.running(None, |it| it.sick_after(uptime));
    let truth = killed(&ill, &["ReportsUnhealthy"]).or_causes(&["Unknown"]).unsteady();
    let truth = Expect { needs: Needs::FewEnds, ..truth };
    Plan { cure: None, calm: true, ..Plan::first(ill, well.workload, truth, 7 * uptime / 1000) }
}

/// A rollout changes the path, and the app crashes before the probe could kill it.
pub fn crash_beside_path(draw: &mut Draw) -> Plan {
    let mut well = draw.http();
    well.workload = well.with(|it| {
        let probe = probe_mut(it, Kind::Liveness);
        (probe.period, probe.failures) = (probe.period.max(3), probe.failures.max(3));
    });
    let wrong = draw.pick(WRONG_PATHS);
    // Failures carry over a termination: it must terminate before the first probe, or all the probes count.
    let probe = well.liveness().clone();
    let uptime = if probe.delay > 2 { (probe.delay - 2) * 1000 } else { draw.chance.between(200, 900) };
    let ill = well.running(NEW, |it| it.ends_after(uptime, End::Code(1)));
    let ill = Well { workload: ill, ..well.clone() }.probing(|probe| {
        if let Handler::Http { path, .. } = &mut probe.handler {
            *path = wrong;
        }
    });
    let truth = own(&ill, &["Crash"]).beside(Claim::by(Kind::Liveness, &["WrongPath"]));
    let truth =
        if budget(&probe) * 1000 > uptime && probe.delay > 2 { Expect { beside: Vec::new(), ..truth } } else { truth };
    Plan::rollout(well.workload, ill, truth, ends(uptime, 5))
}

/// One in five answers is late, in bursts.
pub fn slow_now_and_then(draw: &mut Draw) -> Plan {
    let well = draw.asks(&[Asks::Http, Asks::Http, Asks::Grpc]);
    let seed = draw.chance.next();
    let ill = well.running(None, |it| {
        it.special(move |ask| {
            let burst = (ask.now / 40_000).unsigned_abs();
            let mut chance = crate::kubelet::chance::Chance::new(seed ^ burst ^ ((ask.pod as u64) << 32));
            chance.happens(1, 4).then_some(Answer::Hang)
        })
    });
    let truth =
        killed(&ill, &["TimeoutTooShort", "Hung", "Unknown"]).or_causes(&["ReportsUnhealthy", "DependencyDown"]);
    let truth = truth.beside(Claim::by(Kind::Startup, &["TimeoutTooShort", "Hung", "Unknown"])).unsteady();
    let truth = Expect { needs: Needs::Nothing, ..truth };
    let mut cure = well.workload;
    cure.containers[0].image = "registry.local/shop:2";
    Plan::first(ill, cure, truth, 600)
}

/// An image that does not exist, or an environment that refers to something missing.
pub fn start_blocked(draw: &mut Draw) -> Plan {
    let well = draw.asks(HEARS);
    let (why, cause) = if draw.chance.happens(1, 2) {
        let message = "Failed to pull image \"registry.local/shop:2\": rpc error: code = NotFound desc = failed to pull \
                       and unpack image \"registry.local/shop:2\": registry.local/shop:2: not found";
        (["ErrImagePull", "ImagePullBackOff", message], "CannotPullImage")
    } else {
        let reason = "CreateContainerConfigError";
        ([reason, reason, "configmap \"shop-settings\" not found"], "CannotStart")
    };
    let mut ill = well.running(NEW, |it| it);
    ill.containers[0].blocked = Some(why);
    let claim = Claim { effects: &["StartBlocked"], probe: None, causes: vec![cause] };
    let truth = Expect::new(&ill, well.container(), claim, Needs::Blocked);
    Plan::either(draw, well.workload, ill, truth, 300)
}

/// The probe's path redirects to a port on which nothing listens.
pub fn redirected(draw: &mut Draw) -> Plan {
    let well = unhurried(draw.http());
    let to = draw.pick(&[443, 8443]);
    let ill = well.running(NEW, |it| {
        it.special(move |ask| {
            let asked = matches!(ask.handler, Handler::Http { .. }) && ask.uptime > 300;
            asked.then_some(Answer::SentTo(to))
        })
    });
    // The probe's request is unchanged: the app answers differently.
    let all = &["RedirectsElsewhere", "WrongPath", "WrongScheme", "Unknown", "ReportsUnhealthy"];
    let truth =
        killed(&ill, &["RedirectsElsewhere", "ReportsUnhealthy"]).or_causes(all).beside(Claim::never_ready(all));
    let lasts = kills(&ill, 4);
    Plan::either(draw, well.workload, ill, truth, lasts)
}
