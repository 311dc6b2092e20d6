//! A first look at a cluster: a list of everything at one moment, evaluated by the engine.
//!
//! Sans-IO: objects, answers and the time are passed in; the caller reads a dump or a cluster.

mod lacks;
mod pods;
mod restarted;

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::sync::Arc;

use crate::engine::incident::Incident;
use crate::engine::{
    Chronicled, Engine, Finding, KubeletEvent, Need, Observation, Owner, PodSnapshot, Scope, Tried, Uid,
};
use crate::finding::Identity;
use crate::replay::{Moment, Replayed, replay};
use crate::source::recording::{Object, RecordKind};
use crate::source::{Observed, Observer, Oddity, Related, newest};
use crate::time::Time;
pub use lacks::{Lack, Lacks};
use pods::PodList;
pub use restarted::Restarted;

/// Maximum number of pods kept, at some 700 bytes each until the look, and 450 in the engine.
pub const MAX_PODS: usize = 200_000;
/// Maximum number of kubelet events kept, at some 300 bytes each.
pub const MAX_EVENTS: usize = 200_000;
/// Maximum number of findings whose course is kept.
const MAX_INCIDENTS: usize = 200;
/// Maximum number of consecutive rounds of answers.
const MAX_ROUNDS: usize = 16;

/// A look in progress.
#[derive(Default)]
pub struct Look {
    engine: Engine,
    observer: Observer,
    related: Related,
    pods: PodList,
    places: HashMap<Uid, usize>,
    events: Vec<KubeletEvent>,
    newest: newest::Newest,
    tops: Tops,
    restarted: Vec<Restarted>,
    owners: BTreeMap<(Arc<str>, Owner), Below>,
    counts: Counts,
}

/// What belongs to an owner: its topmost controller, as inferred from its name, and its pods.
#[derive(Default)]
struct Below {
    guess: Option<Owner>,
    pods: Vec<Arc<str>>,
}

/// The pods of one owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    /// Their namespace.
    pub namespace: Arc<str>,
    /// Their controller, or the pod itself.
    pub owner: Owner,
    /// `Deployment/web`, as far as it is known.
    pub workload: String,
    /// Their names.
    pub pods: Vec<Arc<str>>,
}

/// The top of the chain of controllers of an owner, by namespace and owner.
type Tops = BTreeMap<(Arc<str>, Owner), Owner>;

/// Counts of what was taken in.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Pods.
    pub pods: usize,
    /// Kubelet events on pods.
    pub events: usize,
    /// Objects around the pods.
    pub related: usize,
    /// Pods and events beyond the limits.
    pub left_out: usize,
    /// Objects of a cluster that could not be used.
    pub unused: usize,
    /// Pods whose controller has revisions, whether in the input or not.
    pub with_revisions: usize,
}

/// The result of a look.
#[derive(Debug)]
pub struct Looked {
    /// Its time.
    pub at: Time,
    /// The open findings, worst first, including suspected ones.
    pub findings: Vec<Arc<Finding>>,
    /// The course of the worst of them, as far as lists show it.
    pub incidents: BTreeMap<Identity, Incident>,
    /// Containers that restarted or do not run, without a finding.
    pub restarted: Vec<Restarted>,
    /// The pods by their owners.
    pub owners: Vec<Placed>,
    /// Which probes have passed.
    pub tried: Vec<Tried>,
    /// Counts of what was taken in.
    pub counts: Counts,
}

impl Looked {
    /// The state at the end of a recording.
    pub fn at_the_end_of(input: impl Read) -> (Self, Replayed) {
        let mut engine = Engine::default();
        engine.keep_chronicle(Chronicled::All);
        let (mut pods, mut counts) = (BTreeMap::new(), Counts::default());
        let replayed = replay(input, &mut engine, |moment| {
            if let Moment::Record(progress) = moment {
                match progress.observation {
                    Some(Observation::Pod(pod)) => {
                        pods.insert(pod.id.uid, pod.as_ref().clone());
                    }
                    Some(Observation::PodGone(id)) => _ = pods.remove(&id.uid),
                    Some(Observation::Event(_)) => counts.events += 1,
                    _ => {}
                }
            }
        });
        engine.settle();
        counts.pods = pods.len();
        let at = replayed.last.unwrap_or_default();
        let mut look = Look { engine, counts, ..Look::default() };
        look.remember(pods.values());
        (look.finish(at), replayed)
    }
}

impl Look {
    /// An empty look.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins to take in lists, discarding earlier ones.
    pub fn begin(&mut self) {
        self.pods.clear();
        self.places.clear();
        self.events.clear();
        self.counts = Counts::default();
    }

    /// An object could not be used.
    pub const fn note_unused(&mut self) {
        self.counts.unused += 1;
    }

    /// Takes in an object of a list; returns its oddities.
    ///
    /// # Errors
    /// It cannot be used at all.
    pub fn take(&mut self, object: &Object) -> Result<Vec<Oddity>, Oddity> {
        self.newest.note(object);
        let Some(input) = object.input(RecordKind::Added) else {
            let kept = self.related.apply(RecordKind::Added, object, &mut self.observer);
            let odd = self.observer.take_oddities();
            self.counts.related += usize::from(kept?);
            return Ok(odd);
        };
        let Observed { observation, odd } = self.observer.observe(&input)?;
        match observation {
            Some(Observation::Pod(pod)) => self.pod(*pod),
            Some(Observation::Event(event)) => self.event(*event),
            _ => {}
        }
        Ok(odd)
    }

    /// The newest timestamp taken in: the time of a dump.
    pub fn newest(&self) -> Option<Time> {
        self.newest.time(&self.events)
    }

    /// Passes everything taken in to the engine, as lists that were read at `at`.
    pub fn show(&mut self, at: Time) {
        let pods = std::mem::take(&mut self.pods);
        self.remember(pods.iter());
        self.places.clear();
        self.engine.apply(Observation::ListStarted(Scope::All), at);
        for pod in pods.into_all() {
            self.engine.apply(Observation::Pod(Box::new(pod)), at);
        }
        self.engine.apply(Observation::ListFinished(Scope::All), at);
        for event in std::mem::take(&mut self.events) {
            self.engine.apply(Observation::Event(Box::new(event)), at);
        }
        self.engine.tick(at);
    }

    /// Lets time pass.
    pub fn tick(&mut self, at: Time) {
        self.engine.tick(at);
    }

    /// The engine's needs.
    pub fn take_needs(&mut self) -> Vec<Need> {
        // Changes are evaluated at the end.
        self.engine.take_changes();
        self.engine.take_needs()
    }

    /// Takes in an answer.
    pub fn answer(&mut self, answer: Observation, at: Time) {
        if let Observation::Workload(facts) = &answer {
            let key = (Arc::clone(&facts.namespace), facts.owner.clone());
            self.tops.insert(key, facts.top.clone());
        }
        self.engine.apply(answer, at);
    }

    /// The observer for reading answers.
    pub const fn observer(&mut self) -> &mut Observer {
        &mut self.observer
    }

    /// Answers the engine's needs from the objects that were taken in, and lets it publish everything.
    pub fn settle_from_input(&mut self, at: Time) {
        for _ in 0..2 {
            for _ in 0..MAX_ROUNDS {
                let needs = self.take_needs();
                if needs.is_empty() {
                    break;
                }
                for need in needs {
                    if let Some(answer) = self.related.answer(&need) {
                        self.answer(answer, at);
                    }
                }
            }
            self.engine.settle();
        }
    }

    /// Ends all waits.
    pub fn settle(&mut self) {
        self.engine.settle();
    }

    /// The result.
    pub fn finish(&mut self, at: Time) -> Looked {
        let mut findings = self.engine.findings();
        findings.retain(|finding| finding.resolved_at.is_none());
        findings.sort_by_key(|finding| std::cmp::Reverse(crate::finding::rank::Rank::from_finding(finding)));
        let is_told = |one: &Restarted| findings.iter().any(|finding| one.is_of(finding));
        let mut restarted: Vec<Restarted> = std::mem::take(&mut self.restarted);
        for one in &mut restarted {
            one.find_top(&self.tops, &self.related);
        }
        restarted.retain(|one| !is_told(one));
        let placed = std::mem::take(&mut self.owners).into_iter().map(|(key, Below { guess, pods })| {
            let top = restarted::top(&key.0, &key.1, &self.tops, &self.related);
            let top = top.as_ref().or(guess.as_ref()).unwrap_or(&key.1);
            let workload = format!("{}/{}", top.kind, top.name);
            Placed { namespace: key.0, owner: key.1, workload, pods }
        });
        let owners = placed.collect();
        let worst = findings.iter().take(MAX_INCIDENTS).map(|finding| finding.identity());
        let incidents = worst.map(|identity| (identity.clone(), self.engine.incident(&identity))).collect();
        Looked { at, findings, incidents, restarted, owners, tried: self.engine.tried(), counts: self.counts }
    }

    /// Keeps what is reported about the pods besides the findings.
    fn remember<'a>(&mut self, pods: impl Iterator<Item = &'a PodSnapshot> + Clone) {
        self.restarted = restarted::of(pods.clone());
        self.owners.clear();
        for pod in pods {
            let key = (Arc::clone(&pod.id.namespace), restarted::owner(pod));
            let below = self.owners.entry(key).or_default();
            below.guess = restarted::guess(pod);
            below.pods.push(Arc::clone(&pod.id.name));
        }
    }

    fn pod(&mut self, pod: PodSnapshot) {
        self.newest.note_pod(&pod);
        match self.places.get(&pod.id.uid) {
            Some(at) => {
                if let Some(known) = self.pods.get_mut(*at).filter(|known| known.version <= pod.version) {
                    *known = pod;
                }
            }
            None if self.pods.len() >= MAX_PODS => self.counts.left_out += 1,
            None => {
                self.counts.pods += 1;
                self.counts.with_revisions += usize::from(lacks::has_revisions(&pod));
                self.places.insert(pod.id.uid, self.pods.len());
                self.pods.push(pod);
            }
        }
    }

    fn event(&mut self, event: KubeletEvent) {
        if self.events.len() >= MAX_EVENTS {
            self.counts.left_out += 1;
            return;
        }
        self.counts.events += 1;
        self.events.push(event);
    }
}
