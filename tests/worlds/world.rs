//! A random world: what happens in it, its truth, and what is observed.

use std::fmt;

use crate::kubelet::chance::Chance;
use crate::kubelet::manifest::Workload;
use crate::kubelet::stream::Stream;
use crate::kubelet::{Played, Step, play};
use crate::worlds::draw::{ASKS, Draw};
use crate::worlds::kinds::{KINDS, Plan};
use crate::worlds::noise::Noise;
use crate::worlds::truth::Expect;

#[derive(Clone, Debug)]
pub struct World {
    pub seed: u64,
    pub kind: &'static str,
    /// In chronological order, in seconds.
    pub steps: Vec<(i64, Step)>,
    pub seconds: i64,
    pub noise: Vec<Noise>,
    pub truth: Vec<Expect>,
}

impl World {
    /// The world of that seed, always the same.
    pub fn draw(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let all: u64 = KINDS.iter().map(|(_, weight, _)| weight).sum();
        let mut number = chance.next() % all;
        let drawn = KINDS.iter().find(|(_, weight, _)| {
            let found = number < *weight;
            number = number.saturating_sub(*weight);
            found
        });
        let (kind, _, make) = drawn.expect("a number below the sum of the weights");
        let mut draw = Draw::new(chance);
        let plan = make(&mut draw);
        Self::of(seed, kind, draw, plan)
    }

    fn of(seed: u64, kind: &'static str, mut draw: Draw, plan: Plan) -> Self {
        let begins = draw.begins;
        let mut steps = Vec::new();
        if draw.chance.happens(12, 100) {
            let millis = draw.pick(&[-300_000, -60_000, -20_000, 10_000, 60_000, 300_000]);
            let nodes = draw.pick(&[1, 4]);
            steps.extend((0..nodes).map(|node| (0, Step::Skew(node, millis))));
        }
        // What happens to a node happens to everything on it.
        let others = if plan.steps.iter().any(|(_, step)| is_of_a_node(step)) { 0 } else { draw.pick(&[0, 0, 1, 2]) };
        for _ in 0..others {
            let other = draw.asks(ASKS).workload;
            steps.push((draw.chance.between(0, 20), Step::Apply(other)));
        }
        if let Some(well) = &plan.well {
            steps.push((0, Step::Apply(well.clone())));
        }
        let ill = plan.ill.iter().enumerate();
        let at = |number: usize| if plan.well.is_some() { begins } else { number as i64 };
        steps.extend(ill.map(|(number, ill)| (at(number), Step::Apply(ill.clone()))));
        let from = if plan.well.is_some() || plan.truth.iter().any(|it| it.cured.is_some()) { begins } else { 0 };
        let shown = begins.min(from + 60) + plan.lasts;
        steps.extend(plan.steps.iter().cloned());
        if !plan.calm {
            meanwhile(&mut draw, &plan.ill[0], from, shown, &mut steps);
        }
        let (cured, seconds) = over(&mut draw, &plan, shown, &mut steps);
        let mut truth = plan.truth;
        for it in &mut truth {
            it.begins = from;
            it.cured = it.cured.or(cured);
        }
        steps.sort_by_key(|(at, _)| *at);
        let noise = Noise::draw(&mut draw.chance, seconds);
        Self { seed, kind, steps, seconds, noise, truth }
    }

    /// What happens.
    pub fn play(&self) -> Played {
        play(self.seed, &self.steps, self.seconds)
    }

    /// The observed stream.
    pub fn spoilt(&self, stream: Stream) -> Stream {
        let mut chance = Chance::new(self.seed ^ 0x0150);
        self.noise.iter().fold(stream, |stream, noise| noise.spoil(&stream, &mut chance))
    }

    /// Whether the observed stream lacks what a cause may be based on.
    pub fn is_spoilt(&self) -> bool {
        self.noise.iter().any(|noise| noise.is_heavy())
    }

    /// The effective manifest of a workload at a time, in seconds.
    pub fn manifest(&self, name: &str, at: i64) -> Option<&Workload> {
        let applied = self.steps.iter().rev().filter(|(when, _)| *when <= at);
        let mut named = applied.filter_map(|(_, step)| match step {
            Step::Apply(workload) if workload.name == name => Some(workload),
            _ => None,
        });
        named.next()
    }

    /// The workloads of all manifests.
    pub fn manifests(&self) -> impl Iterator<Item = &Workload> {
        self.steps.iter().filter_map(|(_, step)| match step {
            Step::Apply(workload) => Some(workload),
            _ => None,
        })
    }
}

fn is_of_a_node(step: &Step) -> bool {
    matches!(step, Step::Overload(..) | Step::Strike(_))
}

/// Things that happen while the fault persists, and do not end it.
fn meanwhile(draw: &mut Draw, ill: &Workload, from: i64, shown: i64, steps: &mut Vec<(i64, Step)>) {
    let length = (shown - from).max(30);
    let at = |draw: &mut Draw| from + draw.chance.between(length / 3, length * 9 / 10);
    if draw.chance.happens(10, 100) {
        steps.push((at(draw), Step::RestartKubelet(0)));
    }
    if draw.chance.happens(4, 100) {
        steps.push((at(draw), Step::Reboot(0)));
    }
    if draw.chance.happens(8, 100) {
        steps.push((at(draw), Step::Restart(ill.name)));
    }
    if draw.chance.happens(7, 100) {
        let mut other = ill.clone();
        other.containers[0].image = "registry.local/shop:7";
        steps.push((at(draw), Step::Apply(other)));
    }
    if draw.chance.happens(5, 100) {
        steps.push((at(draw), Step::Scale(ill.name, ill.replicas + 1)));
    }
    if draw.chance.happens(8, 100) {
        let (at, millis) = (at(draw), draw.pick(&[5_000, 20_000, 70_000, 90_000]));
        steps.push((at, Step::Lag(0, millis)));
        steps.push((at + draw.chance.between(60, 200), Step::Lag(0, 0)));
    }
}

/// When it is cured, if it is, and when the world ends.
fn over(draw: &mut Draw, plan: &Plan, shown: i64, steps: &mut Vec<(i64, Step)>) -> (Option<i64>, i64) {
    let rest = if draw.chance.happens(1, 2) { 1_500 } else { draw.chance.between(40, 240) };
    if plan.truth.iter().any(|it| it.cured.is_some()) {
        return (None, shown + rest);
    }
    let Some(cure) = plan.cure.as_ref().filter(|_| draw.chance.happens(1, 2)) else {
        return (None, shown + draw.chance.between(40, 120));
    };
    let step = match draw.chance.between(0, 10) {
        0 => Step::Delete(cure.name),
        1 => Step::Scale(cure.name, 0),
        _ => Step::Apply(cure.clone()),
    };
    steps.push((shown, step));
    (Some(shown), shown + rest)
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "world {} ({}), {} s, seen with {:?}", self.seed, self.kind, self.seconds, self.noise)?;
        for (at, step) in &self.steps {
            match step {
                Step::Apply(it) => {
                    write!(f, "  {at:>6} s  apply {}/{} x{}", it.controller.kind(), it.name, it.replicas)?;
                    writeln!(f, " grace {} gradual {} nodes {}", it.grace, it.gradual, it.nodes)?;
                    for it in &it.containers {
                        writeln!(f, "            {} {} {:?} {:?} {:?}", it.name, it.image, it.ports, it.env, it.app)?;
                        for (kind, probe) in &it.probes {
                            writeln!(f, "            {kind:?} {probe:?}")?;
                        }
                    }
                }
                other => writeln!(f, "  {at:>6} s  {other:?}")?,
            }
        }
        for it in &self.truth {
            let (begins, cured) = (it.begins, it.cured);
            writeln!(f, "  truth: {}/{} {:?} from {begins} s, cured {cured:?}", it.workload, it.container, it.exact)?;
            writeln!(f, "         or {:?}, beside {:?}", it.fine, it.beside)?;
        }
        Ok(())
    }
}
