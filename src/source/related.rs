//! The objects around the pods: controllers, revisions, Services.

mod controller;
mod history;
mod services;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::{Need, Observation, Owner, ServicesFacts, WorkloadFacts};

use super::Observer;
use super::objects::{ControllerRevisionLite, Oddity, ReplicaSetLite};
use super::recording::{Object, RecordKind};
use controller::Controller;
use history::{History, RevisionObject};
use services::Services;

/// Maximum number of controllers, and of histories, that are kept.
const MAX_KEPT: usize = 100_000;

/// Maximum length of a chain of controllers that is followed.
const MAX_CHAIN: usize = 5;

/// The current related objects, and the answers they give about a workload.
#[derive(Debug, Default)]
pub struct Related {
    controllers: BTreeMap<Key, Controller>,
    histories: BTreeMap<Key, History>,
    services: Services,
}

/// A controller's identity.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Key {
    namespace: Arc<str>,
    owner: Owner,
}

impl Related {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in an object; `false` for one that is not kept here, a pod or an event.
    ///
    /// # Errors
    /// It is of another kind than its resource, or a field that matters is invalid. What was known of it
    /// before stays.
    pub fn apply(&mut self, kind: RecordKind, object: &Object, observer: &mut Observer) -> Result<bool, Oddity> {
        let gone = kind == RecordKind::Deleted;
        match object {
            Object::Deployment(it) => self.put(controller::of_deployment(it, observer)?, gone),
            Object::Rollout(it) => self.put(controller::of_rollout(it, observer)?, gone),
            Object::StatefulSet(it) => self.put(controller::of_stateful_set(it, observer)?, gone),
            Object::DaemonSet(it) => self.put(controller::of_daemon_set(it, observer)?, gone),
            Object::Job(it) => self.put(controller::of_job(it, observer)?, gone),
            Object::CronJob(it) => self.put(controller::of_cron_job(it, observer)?, gone),
            Object::ReplicaSet(it) => self.replica_set(it, gone, observer)?,
            Object::ControllerRevision(it) => self.controller_revision(it, gone, observer)?,
            Object::Service(it) => self.services.service(it, gone, observer)?,
            Object::EndpointSlice(it) => self.services.slice(it, gone, observer)?,
            Object::Nothing | Object::Foreign | Object::Pod(_) | Object::Event(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Takes in that all relevant Services have been passed: from then on the absence of Services is known.
    pub const fn services_are_complete(&mut self) {
        self.services.complete();
    }

    /// Answers from the current state; `None` if nothing is known.
    pub fn answer(&self, need: &Need) -> Option<Observation> {
        match need {
            Need::Workload { namespace, owner } => {
                let facts = self.workload(namespace, owner)?;
                Some(Observation::Workload(Box::new(facts)))
            }
            Need::Services { namespace, owner, labels } => Some(Observation::Services(ServicesFacts {
                namespace: Arc::clone(namespace),
                owner: owner.clone(),
                services: self.services.selecting(namespace, labels)?,
            })),
        }
    }

    fn put(&mut self, (key, controller): (Key, Controller), gone: bool) {
        let before = self.controllers.get(&key);
        let another = before.is_some_and(|before| before.uid != controller.uid);
        if gone || another {
            self.controllers.remove(&key);
            if let Some(history) = self.histories.get_mut(&key) {
                history.forget_who();
            }
        }
        if !gone && (self.controllers.len() < MAX_KEPT || self.controllers.contains_key(&key)) {
            self.controllers.insert(key.clone(), controller);
        }
        self.settle(&key);
    }

    fn replica_set(&mut self, set: &ReplicaSetLite, gone: bool, observer: &mut Observer) -> Result<(), Oddity> {
        let (key, controller) = controller::of_replica_set(set, observer)?;
        let revision = if gone { None } else { history::of_replica_set(set, observer)? };
        if let Some(owner) = controller.owner.clone() {
            self.revise(&key, owner, revision);
        }
        self.put((key, controller), gone);
        Ok(())
    }

    fn controller_revision(
        &mut self,
        object: &ControllerRevisionLite,
        gone: bool,
        observer: &mut Observer,
    ) -> Result<(), Oddity> {
        let (key, owner) = controller::of_revision(object, observer)?;
        let Some(owner) = owner else {
            return Ok(());
        };
        let revision = if gone { None } else { history::of_controller_revision(object, &owner.kind, observer)? };
        self.revise(&key, owner, revision);
        Ok(())
    }

    /// Takes in that `object` is now that revision of its owner, or no revision.
    fn revise(&mut self, object: &Key, owner: Owner, revision: Option<RevisionObject>) {
        let namespace = Arc::clone(&object.namespace);
        let key = Key { namespace, owner };
        let name = &object.owner.name;
        match revision {
            Some(revision) => {
                if self.histories.len() < MAX_KEPT || self.histories.contains_key(&key) {
                    self.histories.entry(key.clone()).or_default().put(name, revision);
                }
            }
            None => {
                if let Some(history) = self.histories.get_mut(&key) {
                    history.remove(name);
                    if history.is_empty() {
                        self.histories.remove(&key);
                    }
                }
            }
        }
        self.settle(&key);
    }

    fn settle(&mut self, key: &Key) {
        if let (Some(history), Some(controller)) = (self.histories.get_mut(key), self.controllers.get(key)) {
            history.settle(controller);
        }
    }

    fn workload(&self, namespace: &Arc<str>, owner: &Owner) -> Option<WorkloadFacts> {
        let chain = self.chain(namespace, owner)?;
        let top = &chain.last()?.owner;
        let downward = || chain.iter().rev();
        let known = || downward().filter_map(|key| self.controllers.get(key));
        let desired = match &*owner.kind {
            "Pod" => Some(1),
            "ReplicaSet" if !chain[1..].iter().any(|key| self.controllers.contains_key(key)) => {
                self.replicas_below(namespace, top)
            }
            _ => known().find_map(|controller| controller.desired),
        };
        let history = downward().find_map(|key| self.histories.get(key));
        Some(WorkloadFacts {
            namespace: Arc::clone(namespace),
            owner: owner.clone(),
            top: top.clone(),
            desired,
            workload_ref: known().find_map(|controller| controller.workload_ref.clone()),
            paused: known().next().is_some_and(|controller| controller.paused),
            parallel: known().next().is_some_and(|controller| controller.parallel),
            rolling: known().next().and_then(|controller| controller.rolling),
            min_ready: known().next().map(|controller| controller.min_ready).unwrap_or_default(),
            managed_by: known().find_map(|controller| controller.managed_by.clone()),
            revisions: history.map(History::revisions).unwrap_or_default(),
        })
    }

    /// The chain from `owner` upwards, as far as known; `None` if `owner` itself is unknown.
    fn chain(&self, namespace: &Arc<str>, owner: &Owner) -> Option<Vec<Key>> {
        let mut key = Key { namespace: Arc::clone(namespace), owner: owner.clone() };
        if !self.controllers.contains_key(&key) && !self.histories.contains_key(&key) && &*owner.kind != "Pod" {
            return None;
        }
        let mut chain = Vec::new();
        while chain.len() < MAX_CHAIN && !chain.contains(&key) {
            let above = self.controllers.get(&key).and_then(|known| known.owner.clone());
            chain.push(key);
            match above {
                Some(owner) => {
                    let namespace = Arc::clone(namespace);
                    key = Key { namespace, owner };
                }
                None => break,
            }
        }
        Some(chain)
    }

    /// The total number of replicas wanted by all `ReplicaSets` of an owner that is itself unknown.
    fn replicas_below(&self, namespace: &Arc<str>, top: &Owner) -> Option<u32> {
        let is_below = |key: &Key, known: &Controller| key.owner == *top || known.owner.as_ref() == Some(top);
        let first = Key {
            namespace: Arc::clone(namespace),
            owner: Owner { kind: Arc::from("ReplicaSet"), name: Arc::from("") },
        };
        self.controllers
            .range(&first..)
            .take_while(|(key, _)| key.namespace == first.namespace && key.owner.kind == first.owner.kind)
            .filter(|(key, known)| is_below(key, known))
            .filter_map(|(_, known)| known.desired)
            .reduce(u32::saturating_add)
    }
}

#[cfg(test)]
mod tests;
