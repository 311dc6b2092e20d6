//! The expected findings of a story, and whether they are met.

use std::fmt::Write;

use probehound::engine::{Cause, Confidence, Effect, Engine, Fault, Finding};
use probehound::kubelet::ProbeKind;
use probehound::replay::{Moment, replay};

use super::stream::{Line, Stream};
use super::{Step, record};

/// Number of seeds with which each story is played.
const SEEDS: u64 = 4;

/// A finding that must be confirmed. What is `None` or empty is not judged.
#[derive(Clone, Debug)]
pub struct Truth {
    pub workload: &'static str,
    pub container: &'static str,
    pub effect: Effect,
    pub probe: Option<ProbeKind>,
    pub causes: Vec<Cause>,
    pub field: Option<&'static str>,
    pub current: Option<&'static str>,
    /// Values that work; `"-"` if it may suggest none.
    pub suggested: Vec<&'static str>,
    pub revision: Option<u64>,
    pub resolved: Option<bool>,
    pub at_most: Option<Confidence>,
    /// Whether its confidence must be high if nothing of the stream is missing.
    pub sure: bool,
    pub episodes: Option<u32>,
    /// Whether it may be missing.
    pub may: bool,
}

impl Truth {
    fn new(effect: Effect, probe: Option<ProbeKind>, causes: &[Cause]) -> Self {
        Self {
            workload: "Deployment/web",
            container: "app",
            effect,
            probe,
            causes: causes.to_vec(),
            field: None,
            current: None,
            suggested: Vec::new(),
            revision: None,
            resolved: None,
            at_most: None,
            sure: false,
            episodes: None,
            may: false,
        }
    }

    /// A loop of `Deployment/web`, container `app`, caused by the liveness probe.
    pub fn killed(causes: &[Cause]) -> Self {
        Self::new(Effect::RestartLoop, Some(ProbeKind::Liveness), causes)
    }

    /// A loop not caused by a probe.
    pub fn own(causes: &[Cause]) -> Self {
        Self::new(Effect::RestartLoop, None, causes)
    }

    pub fn never_ready(causes: &[Cause]) -> Self {
        Self::new(Effect::NeverReady, Some(ProbeKind::Readiness), causes)
    }

    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    pub fn probe(mut self, probe: ProbeKind) -> Self {
        self.probe = Some(probe);
        self
    }

    pub fn of(mut self, workload: &'static str, container: &'static str) -> Self {
        self.workload = workload;
        self.container = container;
        self
    }

    pub fn field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    pub fn now(mut self, current: &'static str) -> Self {
        self.current = Some(current);
        self
    }

    pub fn suggest(mut self, values: &[&'static str]) -> Self {
        self.suggested = values.to_vec();
        self
    }

    pub fn revision(mut self, revision: u64) -> Self {
        self.revision = Some(revision);
        self
    }

    pub fn resolved(mut self) -> Self {
        self.resolved = Some(true);
        self
    }

    pub fn looping(mut self) -> Self {
        self.resolved = Some(false);
        self
    }

    pub fn at_most(mut self, confidence: Confidence) -> Self {
        self.at_most = Some(confidence);
        self
    }

    pub fn sure(mut self) -> Self {
        self.sure = true;
        self
    }

    pub fn episodes(mut self, episodes: u32) -> Self {
        self.episodes = Some(episodes);
        self
    }

    pub fn may(mut self) -> Self {
        self.may = true;
        self
    }

    fn is_of(&self, finding: &Finding) -> bool {
        *finding.workload == *self.workload && *finding.container == *self.container
    }

    fn names(&self, finding: &Finding) -> bool {
        self.is_of(finding)
            && finding.effect == self.effect
            && finding.probe == self.probe
            && self.causes.contains(&finding.cause)
    }

    /// The deviations of a finding with the right identity.
    fn inexact(&self, it: &Finding) -> Option<String> {
        let text = |value: &Option<_>| value.as_ref().map_or("-".to_owned(), ToString::to_string);
        if self.field.is_some_and(|field| it.field.as_ref().map(ToString::to_string).as_deref() != Some(field)) {
            return Some(format!("field {:?}", it.field));
        }
        if self.current.is_some_and(|current| text(&it.current) != current) {
            return Some(format!("current {}", text(&it.current)));
        }
        if !self.suggested.is_empty() && !self.suggested.contains(&text(&it.suggested).as_str()) {
            return Some(format!("suggested {}", text(&it.suggested)));
        }
        if self.revision.is_some_and(|revision| it.revision != Some(revision)) {
            return Some(format!("revision {:?}", it.revision));
        }
        if self.resolved.is_some_and(|resolved| it.resolved_at.is_some() != resolved) {
            return Some(format!("resolved at {:?}", it.resolved_at.map(|at| at.to_string())));
        }
        if self.at_most.is_some_and(|most| it.confidence > most) {
            return Some(format!("confidence {}", it.confidence));
        }
        if self.episodes.is_some_and(|episodes| it.episodes != episodes) {
            return Some(format!("episodes {}", it.episodes));
        }
        None
    }

    /// Whether it suggests something known not to work.
    fn is_bad_advice(&self, it: &Finding) -> bool {
        let suggested = it.suggested.as_ref().map(ToString::to_string);
        suggested.is_some_and(|value| {
            self.current == Some(value.as_str())
                || !self.suggested.is_empty() && !self.suggested.contains(&value.as_str())
        })
    }
}

/// What happens, and the expected findings.
pub struct Story {
    steps: Vec<(i64, Step)>,
    seconds: i64,
    truths: Vec<Truth>,
    /// When streams with gaps begin, in seconds.
    cut: Option<i64>,
    gap: Option<(i64, i64)>,
}

impl Story {
    pub fn new(seconds: i64, steps: &[(i64, Step)]) -> Self {
        Self { steps: steps.to_vec(), seconds, truths: Vec::new(), cut: None, gap: None }
    }

    pub fn truth(mut self, truth: Truth) -> Self {
        self.truths.push(truth);
        self
    }

    pub fn cut(mut self, at: i64) -> Self {
        self.cut = Some(at);
        self
    }

    pub fn gap(mut self, from: i64, to: i64) -> Self {
        self.gap = Some((from, to));
        self
    }

    /// Checks that the expectations are met with each seed and each kind of faulty stream.
    ///
    /// # Panics
    /// They are not.
    pub fn holds(&self) {
        all_hold([("", self)]);
    }

    /// The problems, line by line.
    fn wrong(&self) -> String {
        let mut wrong = String::new();
        for seed in 0..SEEDS {
            let whole = record(seed, &self.steps, self.seconds);
            keep(&whole, seed);
            let mut streams = vec![
                ("whole", whole.clone(), true),
                ("without Killing", whole.without(Line::is_killing), true),
                ("doubled", whole.doubled(), true),
                ("without events", whole.without(|line| line.resource == "events"), false),
                ("cut", whole.starting(self.cut.unwrap_or(self.seconds / 2)), false),
            ];
            if let Some((from, to)) = self.gap {
                streams.push(("gap", whole.gap(from, to), false));
            }
            for (name, stream, strict) in streams {
                for what in self.judge(&stream, strict, name == "whole") {
                    // Writing to a string cannot fail.
                    let _ = writeln!(wrong, "seed {seed}, {name}: {what}");
                }
            }
        }
        wrong
    }

    /// The problems of the findings. If the stream has gaps, a cause may be unknown.
    fn judge(&self, stream: &Stream, strict: bool, whole: bool) -> Vec<String> {
        let mut engine = Engine::default();
        let mut skipped = Vec::new();
        let bytes = stream.bytes();
        replay(bytes.as_slice(), &mut engine, |moment| {
            if let Moment::Skipped(line) = moment {
                skipped.push(format!("skipped {line:?}"));
            }
        });
        let mut findings = engine.findings();
        findings.retain(|finding| finding.confirmed_at.is_some());
        let mut wrong = skipped;
        for truth in &self.truths {
            match findings.iter().position(|it| truth.names(it)) {
                Some(index) => {
                    let found = findings.remove(index);
                    let inexact = truth.inexact(&found).filter(|_| strict);
                    let advice = truth.is_bad_advice(&found).then(|| format!("BAD ADVICE {:?}", found.suggested));
                    let unsure = (truth.sure && whole && found.confidence < Confidence::High)
                        .then(|| format!("not sure, also {:?}", found.hypotheses));
                    wrong.extend(advice.or(inexact).or(unsure).map(|what| format!("{}: {what}", brief(&found))));
                }
                None if strict && !truth.may => {
                    let said: Vec<_> = findings.iter().map(|it| brief(it)).collect();
                    wrong.push(format!("missed {:?} of {}, said {said:?}", truth.causes, truth.workload));
                }
                None => {}
            }
        }
        for it in findings {
            let unsure =
                !strict && it.cause.fault() != Some(Fault::Probe) && self.truths.iter().any(|of| of.is_of(&it));
            if !unsure {
                wrong.push(format!("false alarm: {}", brief(&it)));
            }
        }
        wrong
    }
}

/// Checks that all of these stories, named by their differences, meet their expectations.
///
/// # Panics
/// They do not.
pub fn all_hold<N: std::fmt::Display, S: std::borrow::Borrow<Story>>(stories: impl IntoIterator<Item = (N, S)>) {
    let stories = stories.into_iter().map(|(name, story)| (name, story.borrow().wrong()));
    let wrong: Vec<_> = stories.filter(|(_, wrong)| !wrong.is_empty()).collect();
    let wrong: Vec<_> = wrong.iter().map(|(name, wrong)| format!("{name}\n{wrong}")).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Stores a recording in the folder `STORIES`, for inspection with `probehound replay`.
fn keep(stream: &Stream, seed: u64) {
    let Some(folder) = std::env::var_os("STORIES") else {
        return;
    };
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let file = std::path::Path::new(&folder).join(format!("{test}-{seed}.jsonl"));
    std::fs::write(file, stream.bytes()).expect("the folder is there");
}

fn brief(it: &Finding) -> String {
    let value = |value: &Option<_>| value.as_ref().map_or("-".to_owned(), ToString::to_string);
    let probe = it.probe.map_or("-".to_owned(), |probe| format!("{probe:?}"));
    format!(
        "{}/{} {} {probe} {} {} {} -> {} ({})",
        it.workload,
        it.container,
        it.effect,
        it.cause,
        it.field.as_ref().map_or("-".to_owned(), ToString::to_string),
        value(&it.current),
        value(&it.suggested),
        it.confidence
    )
}
