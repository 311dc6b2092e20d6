//! Whether the remedies would cure the world: they are applied, and the world continues.

use crate::kubelet::manifest::{Controller, Handler, Kind, Port, Probe, Workload};
use crate::kubelet::{Step, play};
use crate::worlds::draw::budget;
use crate::worlds::told::Finding;
use crate::worlds::truth::word;
use crate::worlds::world::World;

/// The result of a remedy.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Cure {
    /// The fault is resolved.
    Works,
    /// The fault persists.
    Fails,
    /// There is no remedy that could be applied here.
    NotTried,
}

/// Seconds after a remedy in which the old pods are replaced.
const SETTLES: i64 = 90;

/// Applies a finding's remedy at the time of the finding: the suggested value, otherwise the rollback.
pub fn try_it(world: &World, finding: &Finding) -> Cure {
    let name = finding.word("workload").rsplit('/').next().unwrap_or_default().to_owned();
    let Some(at) = finding.time("confirmed_at").map(|at| at / 1000 + 5) else { return Cure::NotTried };
    let Some(manifest) = world.manifest(&name, at) else { return Cure::NotTried };
    if !matches!(manifest.controller, Controller::Deployment | Controller::DaemonSet | Controller::Rollout) {
        return Cure::NotTried;
    }
    let mut tried = Cure::NotTried;
    for cured in [set(manifest, finding), rolled_back(world, &name, finding)].into_iter().flatten() {
        if !works(world, finding, at, cured) {
            return Cure::Fails;
        }
        tried = Cure::Works;
    }
    tried
}

/// Whether the container of a finding is healthy once `cured` is applied.
pub fn works(world: &World, finding: &Finding, at: i64, mut cured: Workload) -> bool {
    let (workload, container) = (finding.word("workload"), finding.word("container"));
    let concerns = |step: &Step| match step {
        Step::Apply(it) => it.name == cured.name,
        // An app that starts on a node that just booted may be late for a probe that is right.
        Step::Reboot(_) => true,
        Step::Scale(name, _) | Step::Restart(name) | Step::Delete(name) => *name == cured.name,
        _ => false,
    };
    let mut steps: Vec<_> = world.steps.iter().filter(|(when, step)| *when < at || !concerns(step)).cloned().collect();
    // No template equals an earlier one, so that its pods are new.
    cured.restarted += 100;
    cured.gradual = false;
    let slowest = cured.containers.iter().flat_map(|it| &it.probes).map(|(_, probe)| budget(probe)).max().unwrap_or(0);
    let grace = cured.grace;
    steps.push((at, Step::Apply(cured)));
    steps.sort_by_key(|(when, _)| *when);
    let settled = at + SETTLES + grace;
    let ends = settled + 3 * slowest + 240;
    let played = play(world.seed, &steps, ends);
    if finding.word("effect") == "NeverReady" {
        return played.left.iter().filter(|(of, _)| of == workload).all(|(_, ready)| *ready);
    }
    !played.done.iter().any(|it| it.workload == workload && it.container == container && it.at > settled * 1000)
}

/// The template of the revision that the remedy rolls back to.
fn rolled_back(world: &World, name: &str, finding: &Finding) -> Option<Workload> {
    let remedy = finding.lines("remedy");
    let number = remedy.iter().find_map(|line| {
        let tail = line.split_once("--to-revision=")?.1;
        tail.split(|letter: char| !letter.is_ascii_digit()).next()?.parse::<usize>().ok()
    })?;
    let mut templates: Vec<&Workload> = Vec::new();
    for it in world.manifests().filter(|it| it.name == name) {
        if templates.last().is_none_or(|last| last.template_key() != it.template_key()) {
            templates.push(it);
        }
    }
    // Restarts create revisions too: then the numbers differ.
    let restarted = world.steps.iter().any(|(_, step)| matches!(step, Step::Restart(of) if *of == name));
    if restarted { None } else { templates.get(number - 1).map(|it| (*it).clone()) }
}

/// The manifest with the finding's field set to the suggestion.
fn set(manifest: &Workload, finding: &Finding) -> Option<Workload> {
    let (field, value) = (finding.word("field"), finding.value("suggested")?);
    let (probe, rest) = field.split_once("Probe.")?;
    let kind = Kind::ALL.into_iter().find(|kind| word(*kind) == probe)?;
    let mut cured = manifest.clone();
    let container = cured.containers.iter_mut().find(|it| it.name == finding.word("container"))?;
    let it = &mut container.probes.iter_mut().find(|(its, _)| *its == kind)?.1;
    set_value(it, rest, value)?;
    Some(cured)
}

fn set_value(it: &mut Probe, rest: &str, value: String) -> Option<()> {
    let number = value.parse::<i64>().ok();
    // A world's texts live as long as the program; there are few.
    let text = |value: String| -> &'static str { Box::leak(value.into_boxed_str()) };
    match (&mut it.handler, rest) {
        (Handler::Http { path, .. }, "httpGet.path") => *path = text(value),
        (Handler::Http { scheme, .. }, "httpGet.scheme") => *scheme = text(value),
        (Handler::Http { port, .. }, "httpGet.port") | (Handler::Tcp(port), "tcpSocket.port") => {
            *port = match number.and_then(|number| u16::try_from(number).ok()) {
                Some(number) => Port::Number(number),
                None => Port::Name(text(value)),
            };
        }
        (Handler::Grpc { port, .. }, "grpc.port") => *port = u16::try_from(number?).ok()?,
        (Handler::Grpc { service, .. }, "grpc.service") => *service = text(value),
        (_, "timeoutSeconds") => it.timeout = number?,
        (_, "periodSeconds") => it.period = number?,
        (_, "initialDelaySeconds") => it.delay = number?,
        (_, "failureThreshold") => it.failures = u32::try_from(number?).ok()?,
        _ => return None,
    }
    Some(())
}
