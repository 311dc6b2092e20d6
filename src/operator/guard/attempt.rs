//! One decision, and what follows from it.

use std::time::Duration;

use tokio::time::sleep;

use super::cluster::{Cluster, Seen, Setback};
use super::known::Open;
use super::say::Saying;
use crate::finding::Finding;
use crate::finding::guard::{Guarded, Outcome as Deed, Refusal};
use crate::findings::board::Board;
use crate::guard::{Act, Case, Decision, Mode, Past, Settings, Step, Undo, concerns, decide, refused_early, settled};
use crate::operator::keeper::{Key, Refusal as Failure, Store};
use crate::report::object::GuardStatus;
use crate::runtime::clock;
use crate::runtime::leadership::Leadership;

/// How often an object that changes while it is to be patched is read again: its status changes often in the
/// middle of a rollout.
const READS: u32 = 20;
/// The pause before it is read again, times the number of the attempt.
const PAUSE: Duration = Duration::from_millis(30);
/// How long a Finding that was just confirmed may take to be written.
const WRITTEN_WITHIN: u32 = 20;

/// What one attempt works with.
pub struct Attempt<'a> {
    /// The settings at its beginning.
    pub settings: Settings,
    /// Whether annotations of namespaces count.
    pub heeds_namespaces: bool,
    /// The Deployments.
    pub cluster: &'a Cluster,
    /// The Finding objects.
    pub store: &'a Store,
    /// The findings as they are now.
    pub board: &'a Board,
    /// Whether this replica may act.
    pub leadership: &'a Leadership,
    /// Says what was done.
    pub saying: &'a Saying,
    /// What was done before.
    pub past: &'a mut Past,
}

/// The outcome of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// It was decided, and said.
    Said,
    /// It is to be decided so much later.
    Early(Duration),
    /// It could not be decided now.
    Failed {
        /// Why.
        why: String,
        /// Whether something was sent of which it is not known whether it was done.
        is_open: bool,
    },
}

/// What the object of a finding records.
struct Record {
    acts: Vec<Act>,
}

impl Attempt<'_> {
    /// Decides about a finding, and does it. If this is the last attempt, what cannot be read is a refusal.
    pub async fn decide(mut self, finding: &Finding, is_last: bool) -> Outcome {
        let mut record = match self.record_of(finding).await {
            Ok(record) => record,
            Err(failure) if is_last || matches!(failure, Failure::NoApi | Failure::Forbidden(_)) => {
                return self.say(finding, refused(finding, Refusal::NoRecord)).await;
            }
            Err(failure) => return Outcome::Failed { why: failure.to_string(), is_open: false },
        };
        if let Some(refusal) = refused_early(finding, &self.settings) {
            return self.refuse(finding, &mut record, refusal).await;
        }
        for number in 1..=READS {
            match self.step(finding, &mut record).await {
                Turn::Said(outcome) => return outcome,
                Turn::Again(why) if number == READS => {
                    let is_open = record.is_open();
                    if is_last && !is_open {
                        return self.refuse(finding, &mut record, Refusal::Unreachable).await;
                    }
                    return Outcome::Failed { why, is_open };
                }
                Turn::Again(_) => sleep(PAUSE * number).await,
            }
        }
        Outcome::Said
    }

    /// Finds out what became of an undo that was intended when its process ended.
    pub async fn settle(mut self, open: Open) {
        let Open { key, deployment, finding, act } = open;
        let seen = match self.cluster.read(&key.namespace, &deployment).await {
            Ok(seen) => Some(seen),
            Err(Setback::Missing) => None,
            // It stays an intent: a decision about the finding, or the next take-over, settles it.
            Err(_) => return,
        };
        let done = seen.as_ref().and_then(|seen| settled(&act, &seen.deployment));
        let goes_on = seen.is_some_and(|seen| seen.deployment.generation == act.generation);
        let Ok(mut record) = self.record_of(&finding).await else { return };
        match done {
            Some(done) => self.was_done(&finding, &mut record, done).await,
            None if goes_on => return,
            None => self.refuse(&finding, &mut record, Refusal::Unclear).await,
        };
    }

    /// Reads the cluster, decides, and acts.
    async fn step(&mut self, finding: &Finding, record: &mut Record) -> Turn {
        let name = finding.workload.split_once('/').map_or("", |(_, name)| name);
        let seen = match self.read(&finding.namespace, name).await {
            Ok(seen) => seen,
            Err(Setback::Missing) => return Turn::Said(self.refuse(finding, record, Refusal::Leaving).await),
            Err(Setback::Refused(_)) => return Turn::Said(self.refuse(finding, record, Refusal::NoRight).await),
            Err(Setback::Changed) => return Turn::Again("it changed while it was read".to_owned()),
            Err(Setback::Unknown(why)) => return Turn::Again(why),
        };
        if let Some(done) = self.done_after_all(&seen) {
            return Turn::Said(self.was_done(finding, record, done).await);
        }
        let may_patch = match self.may_patch(finding, name).await {
            Ok(may_patch) => may_patch,
            Err(why) => return Turn::Again(why),
        };
        let key = Key::from_identity(&finding.identity());
        let case = Case {
            finding,
            name: &key.name,
            deployment: &seen.deployment,
            replica_sets: &seen.replica_sets,
            past: self.past,
            may_patch,
            trusts_events: self.trusts_events(finding).await,
        };
        match decide(&case, &self.settings, clock::now()) {
            Decision::Wait(until) => Turn::Said(Outcome::Early(until.since(clock::now()))),
            Decision::Refuse(refusal) => Turn::Said(self.refuse(finding, record, refusal).await),
            Decision::Undo(undo) if self.settings.mode == Mode::Watch => {
                let guarded = guarded(Deed::WouldUndo, &undo.act);
                Turn::Said(self.conclude(finding, record, guarded).await)
            }
            Decision::Undo(undo) => self.undo(finding, name, record, undo).await,
        }
    }

    /// The Deployment as it is; turned off too where its namespace turns the guard off. One that may not be read
    /// might do so.
    async fn read(&self, namespace: &str, name: &str) -> Result<Seen, Setback> {
        let mut seen = self.cluster.read(namespace, name).await?;
        if self.heeds_namespaces && !seen.deployment.is_off {
            seen.deployment.is_off = self.cluster.turns_off(namespace).await?;
        }
        Ok(seen)
    }

    async fn may_patch(&self, finding: &Finding, name: &str) -> Result<bool, String> {
        if self.settings.mode == Mode::Watch {
            return Ok(true);
        }
        self.cluster.may_patch(&finding.namespace, name).await.map_err(|setback| format!("{setback:?}"))
    }

    /// Whether the events of this finding prove anything; asked only where nothing else does.
    async fn trusts_events(&self, finding: &Finding) -> bool {
        let is_needed = finding.confirmed_at.is_none() && self.settings.trust_events;
        is_needed && matches!(self.cluster.only_kubelets_write_events(&finding.namespace).await, Ok(true))
    }

    /// Records the intent, patches, and records the outcome.
    async fn undo(&mut self, finding: &Finding, name: &str, record: &mut Record, undo: Undo) -> Turn {
        let Undo { act, patch } = undo;
        // What a process that ended was about to do is its word that the revision before was healthy.
        let earlier = self.past.of(&act.deployment, &act.template).cloned();
        record.put(act.clone());
        if let Err(failure) = self.saying.record(finding, &guarded(Deed::Undoing, &act), &record.acts).await {
            return match failure {
                Failure::NoApi | Failure::Forbidden(_) => {
                    Turn::Said(self.say(finding, refused(finding, Refusal::NoRecord)).await)
                }
                failure => {
                    self.restore(record, &act, earlier);
                    Turn::Again(failure.to_string())
                }
            };
        }
        self.past.add(act.clone());
        if !self.is_still_wanted(finding) {
            return Turn::Said(self.not_done(finding, record, &act, Refusal::Over).await);
        }
        if !self.leadership.holds() {
            // The next leader settles what was intended.
            self.saying.count(finding, &refused(finding, Refusal::NotLeader));
            return Turn::Said(Outcome::Said);
        }
        match self.cluster.patch(&finding.namespace, name, &patch).await {
            Ok(()) => Turn::Said(self.was_done(finding, record, Act { step: Step::Done, ..act }).await),
            Err(Setback::Changed) => {
                self.restore(record, &act, earlier);
                Turn::Again("the Deployment changed meanwhile".to_owned())
            }
            Err(Setback::Missing) => Turn::Said(self.not_done(finding, record, &act, Refusal::Leaving).await),
            Err(Setback::Refused(why)) => {
                tracing::warn!(why, "The API server refused to undo a rollout");
                Turn::Said(self.not_done(finding, record, &act, Refusal::Denied).await)
            }
            Err(Setback::Unknown(why)) => Turn::Again(why),
        }
    }

    fn is_still_wanted(&self, finding: &Finding) -> bool {
        let entry = self.board.get(&finding.identity());
        entry.is_some_and(|entry| {
            entry.is_open() && concerns(&entry.finding, &self.settings) && entry.finding.cause == finding.cause
        })
    }

    /// An undo of this Deployment of which the outcome was not known, if it shows that it was carried out.
    fn done_after_all(&self, seen: &Seen) -> Option<Act> {
        let (_, template) = seen.deployment.undone.as_ref()?;
        let act = self.past.of(&seen.deployment.uid, template).filter(|act| act.step == Step::Intended)?;
        settled(act, &seen.deployment)
    }

    async fn was_done(&mut self, finding: &Finding, record: &mut Record, act: Act) -> Outcome {
        self.past.add(act.clone());
        let guarded = guarded(Deed::Undone, &act);
        record.put(act);
        self.conclude(finding, record, guarded).await
    }

    async fn not_done(&mut self, finding: &Finding, record: &mut Record, act: &Act, refusal: Refusal) -> Outcome {
        self.restore(record, act, None);
        self.refuse(finding, record, refusal).await
    }

    /// Forgets what was certainly not done: what is known is as it was before.
    fn restore(&mut self, record: &mut Record, act: &Act, earlier: Option<Act>) {
        self.past.take_back(&act.deployment, &act.template);
        record.take_back(act);
        if let Some(earlier) = earlier {
            self.past.add(earlier.clone());
            record.put(earlier);
        }
    }

    async fn refuse(&mut self, finding: &Finding, record: &mut Record, refusal: Refusal) -> Outcome {
        // What was done stays what is said, also when the cluster looks as it should afterwards.
        let is_of_it = |act: &Act| match &finding.rollout {
            Some(rollout) => *rollout.template == *act.template,
            // After a restart, until its pods have been looked at.
            None => finding.revision.is_none_or(|revision| revision == act.revision),
        };
        if record.acts.iter().any(|act| act.step == Step::Done && is_of_it(act)) {
            return Outcome::Said;
        }
        self.conclude(finding, record, refused(finding, refusal)).await
    }

    /// Records it and says it, unless the same was said of this episode.
    async fn conclude(&mut self, finding: &Finding, record: &Record, guarded: Guarded) -> Outcome {
        // What is only suspected is told to nobody, and so is what is not done about it.
        if finding.confirmed_at.is_none() && guarded.outcome == Deed::Refused && record.acts.is_empty() {
            return Outcome::Said;
        }
        let said = self.board.get(&finding.identity()).and_then(|entry| entry.finding.guard.clone());
        // The revision may become known a moment later: that is no news.
        let is_of_it = |said: &Guarded| said.revision.zip(guarded.revision).is_none_or(|(said, now)| said == now);
        if said.is_some_and(|said| said.word() == guarded.word() && is_of_it(&said)) {
            return Outcome::Said;
        }
        for number in 1..=WRITTEN_WITHIN {
            match self.saying.record(finding, &guarded, &record.acts).await {
                Ok(()) | Err(Failure::NoApi | Failure::Forbidden(_) | Failure::NoNamespace) => break,
                Err(Failure::NotLeading) => return Outcome::Said,
                Err(failure) if number == WRITTEN_WITHIN => {
                    tracing::warn!(cause = %failure, "What the guard did is not recorded");
                }
                Err(_) => sleep(PAUSE * number).await,
            }
        }
        self.say(finding, guarded).await
    }

    async fn say(&self, finding: &Finding, guarded: Guarded) -> Outcome {
        self.saying.tell(finding, guarded).await;
        Outcome::Said
    }

    /// What the object of a finding records, once the object is there.
    async fn record_of(&mut self, finding: &Finding) -> Result<Record, Failure> {
        let key = Key::from_identity(&finding.identity());
        let mut tries = 0;
        let object = loop {
            tries += 1;
            match self.store.read(&key).await {
                // What is only suspected has no object yet.
                Err(Failure::Missing) if finding.confirmed_at.is_none() => break None,
                Err(Failure::Missing) if tries < WRITTEN_WITHIN => sleep(PAUSE * tries).await,
                read => break Some(read?),
            }
        };
        let acts = object
            .as_ref()
            .and_then(|object| object.status())
            .and_then(|status| status.guard.as_ref())
            .map(GuardStatus::acts);
        let acts = acts.unwrap_or_default();
        for act in &acts {
            self.past.add(act.clone());
        }
        Ok(Record { acts })
    }
}

/// What came of one reading of the cluster.
enum Turn {
    Said(Outcome),
    Again(String),
}

impl Record {
    /// Whether it is not known of one of them whether it was done.
    fn is_open(&self) -> bool {
        self.acts.iter().any(|act| act.step == Step::Intended)
    }

    fn put(&mut self, act: Act) {
        self.acts.retain(|known| !known.is_of(&act.deployment, &act.template));
        self.acts.push(act);
    }

    fn take_back(&mut self, act: &Act) {
        self.acts.retain(|known| known.step == Step::Done || !known.is_of(&act.deployment, &act.template));
    }
}

fn guarded(outcome: Deed, act: &Act) -> Guarded {
    let (revision, to_revision) = (Some(act.revision), Some(act.to_revision));
    Guarded { outcome, refusal: None, revision, to_revision, at: clock::now() }
}

fn refused(finding: &Finding, refusal: Refusal) -> Guarded {
    let (outcome, refusal) = (Deed::Refused, Some(refusal));
    Guarded { outcome, refusal, revision: finding.revision, to_revision: None, at: clock::now() }
}
