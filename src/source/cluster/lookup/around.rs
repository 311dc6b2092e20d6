//! Which objects answer a need.

use std::sync::Arc;

use super::Attempt;
use super::fetch::{Extent, Fetcher, Found, Reply};
use crate::engine::{Need, Owner};
use crate::source::cluster::trouble::Trouble;
use crate::source::cluster::watched::Lean;
use crate::source::objects::{
    ControllerRevisionLite, CronJobLite, DaemonSetLite, DeploymentLite, EndpointSliceLite, JobLite, Maybe, ObjectMeta,
    ReplicaSetLite, SelectorLite, ServiceLite, Shape, StatefulSetLite,
};
use crate::source::recording::Object;

/// Revisions: a Deployment keeps ten by default, and twelve are passed on.
const REVISIONS: Extent = Extent { page: 50, most: 200 };
/// The Services of a namespace.
const SERVICES: Extent = Extent { page: 250, most: 5000 };
/// The slices of some Services, 100 endpoints each.
const SLICES: Extent = Extent { page: 50, most: 500 };
/// Number of Services whose slices are read with one request.
const AT_ONCE: usize = 16;
/// Maximum number of Services of one workload, and passed on.
const MAX_SERVICES: usize = 64;

/// The labels of a `ReplicaSet` that differ from those of its siblings.
const OF_ONE_REVISION: [&str; 2] = ["pod-template-hash", "rollouts-pod-template-hash"];

/// What was found, and what is missing.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The objects.
    pub objects: Vec<Arc<Object>>,
    troubles: Vec<Trouble>,
    is_cut: bool,
}

/// Gathers the objects for a need.
pub async fn around(fetcher: &Fetcher, need: &Need, attempt: Attempt) -> Gathered {
    let mut looking = Looking { fetcher, namespace: namespace(need), attempt, gathered: Gathered::default() };
    match need {
        Need::Workload { owner, .. } => looking.workload(owner).await,
        Need::Services { labels, .. } => looking.services(labels).await,
    }
    looking.gathered
}

impl Gathered {
    /// Whether nothing is missing.
    pub fn is_whole(&self) -> bool {
        self.troubles.is_empty() && !self.is_cut
    }

    /// Whether what is missing may be available a little later.
    pub fn may_become_whole(&self) -> bool {
        self.troubles.iter().any(|trouble| trouble.may_pass())
    }
}

const fn namespace(need: &Need) -> &Arc<str> {
    match need {
        Need::Workload { namespace, .. } | Need::Services { namespace, .. } => namespace,
    }
}

struct Looking<'a> {
    fetcher: &'a Fetcher,
    namespace: &'a Arc<str>,
    attempt: Attempt,
    gathered: Gathered,
}

impl Looking<'_> {
    /// The chain of controllers, as far as their kinds are known, and the revisions. A custom owner is
    /// known only from the owner reference below it.
    async fn workload(&mut self, owner: &Owner) {
        match &*owner.kind {
            "ReplicaSet" => self.replica_set(owner).await,
            "StatefulSet" => self.with_history::<StatefulSetLite>(owner, selector_of_stateful_set).await,
            "DaemonSet" => self.with_history::<DaemonSetLite>(owner, selector_of_daemon_set).await,
            "Job" => self.job(owner).await,
            _ => {}
        }
    }

    async fn replica_set(&mut self, owner: &Owner) {
        let reply = self.named::<ReplicaSetLite>(&owner.name).await;
        self.take(&reply);
        let Some(Object::ReplicaSet(set)) = first(&reply) else { return };
        let Some(above) = controller(&set.metadata) else { return };
        let selector = set.spec.ok().and_then(|spec| spec.selector.ok());
        let siblings = self.revisions::<ReplicaSetLite>(selector, &OF_ONE_REVISION);
        let (siblings, deployment) = if &*above.kind == "Deployment" {
            let deployment = self.named::<DeploymentLite>(&above.name);
            let (siblings, deployment) = futures::join!(siblings, deployment);
            (siblings, Some(deployment))
        } else {
            (siblings.await, None)
        };
        if let Some(deployment) = deployment {
            self.take(&deployment);
        }
        self.take_owned(&siblings, &above);
    }

    async fn with_history<T: Lean>(&mut self, owner: &Owner, selector: fn(&Object) -> Option<&SelectorLite>) {
        let reply = self.named::<T>(&owner.name).await;
        self.take(&reply);
        let Some(selector) = first(&reply).and_then(selector) else { return };
        let revisions = self.revisions::<ControllerRevisionLite>(Some(selector), &[]).await;
        self.take_owned(&revisions, owner);
    }

    async fn job(&mut self, owner: &Owner) {
        let reply = self.named::<JobLite>(&owner.name).await;
        self.take(&reply);
        let Some(Object::Job(job)) = first(&reply) else { return };
        if let Some(above) = controller(&job.metadata).filter(|above| &*above.kind == "CronJob") {
            let cron_job = self.named::<CronJobLite>(&above.name).await;
            self.take(&cron_job);
        }
    }

    /// The Services that select these labels, each with all of its endpoints or not at all: half of them
    /// would look like an outage.
    async fn services(&mut self, labels: &[(Arc<str>, Arc<str>)]) {
        let all = self.fetcher.selected::<ServiceLite>(self.namespace, "", SERVICES, self.attempt).await;
        self.note(&all);
        let Ok(all) = all else { return };
        let selecting: Vec<_> =
            all.objects.iter().filter(|object| selects(object, labels)).take(MAX_SERVICES).collect();
        for services in selecting.chunks(AT_ONCE) {
            let names: Vec<_> = services.iter().filter_map(|service| name(service)).collect();
            let labels = format!("kubernetes.io/service-name in ({})", names.join(","));
            let slices =
                self.fetcher.selected::<EndpointSliceLite>(self.namespace, &labels, SLICES, self.attempt).await;
            self.note(&slices);
            if let Ok(slices) = slices.as_deref()
                && !slices.is_cut
            {
                self.gathered.objects.extend(services.iter().copied().chain(&slices.objects).cloned());
            }
        }
    }

    async fn named<T: Lean>(&self, name: &Arc<str>) -> Reply {
        self.fetcher.named::<T>(self.namespace, name, self.attempt).await
    }

    /// The revisions that match a selector, ignoring the labels that only one of them has.
    async fn revisions<T: Lean>(&self, selector: Option<&SelectorLite>, without: &[&str]) -> Reply {
        match selector.and_then(|selector| selector.query(without)) {
            Some(labels) => self.fetcher.selected::<T>(self.namespace, &labels, REVISIONS, self.attempt).await,
            None => Ok(Arc::new(Found { is_cut: true, ..Found::default() })),
        }
    }

    fn note(&mut self, reply: &Reply) {
        match reply {
            Ok(found) => self.gathered.is_cut |= found.is_cut,
            Err(trouble) => self.gathered.troubles.push(*trouble),
        }
    }

    fn take(&mut self, reply: &Reply) {
        self.note(reply);
        self.gathered.objects.extend(reply.iter().flat_map(|found| &found.objects).cloned());
    }

    fn take_owned(&mut self, reply: &Reply, owner: &Owner) {
        self.note(reply);
        let objects = reply.iter().flat_map(|found| &found.objects);
        self.gathered.objects.extend(objects.filter(|object| owner_of(object).as_ref() == Some(owner)).cloned());
    }
}

fn first(reply: &Reply) -> Option<&Object> {
    reply.as_ref().ok()?.objects.first().map(|object| &**object)
}

fn selector_of_stateful_set(object: &Object) -> Option<&SelectorLite> {
    let Object::StatefulSet(set) = object else { return None };
    set.spec.ok()?.selector.ok()
}

fn selector_of_daemon_set(object: &Object) -> Option<&SelectorLite> {
    let Object::DaemonSet(set) = object else { return None };
    set.spec.ok()?.selector.ok()
}

fn owner_of(object: &Object) -> Option<Owner> {
    match object {
        Object::ReplicaSet(set) => controller(&set.metadata),
        Object::ControllerRevision(revision) => controller(&revision.metadata),
        _ => None,
    }
}

fn controller<M: Shape>(metadata: &Maybe<ObjectMeta<M>>) -> Option<Owner> {
    let (kind, name) = metadata.ok()?.controller()?;
    Some(Owner { kind: kind.into(), name: name.into() })
}

fn selects(object: &Object, labels: &[(Arc<str>, Arc<str>)]) -> bool {
    let Object::Service(service) = object else { return false };
    service.spec.ok().and_then(|spec| spec.selector.ok()).is_some_and(|selector| selector.select(labels))
}

fn name(object: &Object) -> Option<&str> {
    let Object::Service(service) = object else { return None };
    service.metadata.ok()?.name.ok().map(String::as_str)
}
