//! The watches of a recording, started in the order in which replay needs their lists.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::stream::{BoxStream, SelectAll};
use futures::{Stream, StreamExt};
use tokio::time::Instant;

use crate::runtime::clock;
use crate::source::cluster::{Access, CatchUp, Resource as WatchedResource, Trouble, WatchHealth, watch_raw};
use crate::source::recorder::{Resource, Sight, Sighting};

/// Objects around the pods come before them, and pods before their events: then the first finding of a
/// replay has the revision and the Service, like that of the operator.
const STAGES: [&[Resource]; 3] = [
    &[
        Resource::ReplicaSets,
        Resource::ControllerRevisions,
        Resource::Deployments,
        Resource::StatefulSets,
        Resource::DaemonSets,
        Resource::Jobs,
        Resource::CronJobs,
        Resource::Services,
        Resource::EndpointSlices,
    ],
    &[Resource::Pods],
    &[Resource::Events],
];

/// Maximum wait for a stage before the next one starts: what may not be listed must not keep the rest from
/// being recorded.
const PATIENCE: Duration = Duration::from_secs(10);

/// An observation of a resource, in a namespace or, if that is empty, in all.
pub struct Seen {
    pub resource: Resource,
    pub namespace: Arc<str>,
    pub sighting: Sighting,
}

/// The watches that were started.
pub struct Streams {
    access: Access,
    /// Empty means all of them.
    namespaces: BTreeSet<Arc<str>>,
    all: SelectAll<BoxStream<'static, Seen>>,
    health: BTreeMap<Resource, Arc<WatchHealth>>,
    /// The last stage started, when it was started, and which of its lists are not complete yet.
    stage: usize,
    since: Instant,
    unlisted: BTreeSet<(Resource, Arc<str>)>,
    catch_up: CatchUp,
}

impl Streams {
    /// Those of these namespaces, or of all if there are none.
    pub fn new(access: Access, namespaces: BTreeSet<Arc<str>>) -> Self {
        let mut this = Self {
            access,
            namespaces,
            all: SelectAll::new(),
            health: BTreeMap::new(),
            stage: 0,
            since: Instant::now(),
            unlisted: BTreeSet::new(),
            catch_up: CatchUp::new(),
        };
        this.begin();
        this
    }

    /// A list is complete.
    pub fn listed(&mut self, resource: Resource, namespace: &Arc<str>) {
        self.unlisted.remove(&(resource, Arc::clone(namespace)));
        self.go_on();
    }

    /// Starts the next stage if it is time for it.
    pub fn go_on(&mut self) {
        let is_time = self.unlisted.is_empty() || self.since.elapsed() > PATIENCE;
        if is_time && self.stage + 1 < STAGES.len() {
            self.stage += 1;
            self.begin();
        }
    }

    /// The resources that currently cannot be watched, and why.
    pub fn failing(&self) -> Vec<(Resource, Trouble)> {
        let failing = |(resource, health): (&Resource, &Arc<WatchHealth>)| {
            let of = health.of(WatchedResource::Recorded(resource.plural()));
            let trouble = Trouble::ALL.into_iter().find(|trouble| of.errors(*trouble) > 0)?;
            (!of.is_up()).then_some((*resource, trouble))
        };
        self.health.iter().filter_map(failing).collect()
    }

    /// Whether pods are observed, and what happened while they were not has had time to arrive.
    pub fn sight(&mut self) -> Sight {
        let health = self.health.get(&Resource::Pods);
        let sees = health.is_some_and(|health| health.of(WatchedResource::Recorded("pods")).sees());
        if self.catch_up.is_blind(sees) { Sight::Blind } else { Sight::Sees }
    }

    fn begin(&mut self) {
        self.since = Instant::now();
        self.unlisted.clear();
        let whole = BTreeSet::from([Arc::from("")]);
        let scopes = if self.namespaces.is_empty() { &whole } else { &self.namespaces };
        for resource in STAGES[self.stage] {
            let health = self.health.entry(*resource).or_insert_with(|| Arc::new(WatchHealth::new(clock::now)));
            for namespace in scopes {
                let named = (!namespace.is_empty()).then_some(namespace);
                let (resource, namespace) = (*resource, Arc::clone(namespace));
                self.unlisted.insert((resource, Arc::clone(&namespace)));
                let sightings = watch_raw(&self.access, resource, named, health);
                let seen = move |sighting| Seen { resource, namespace: Arc::clone(&namespace), sighting };
                self.all.push(sightings.map(seen).boxed());
            }
        }
    }
}

impl Stream for Streams {
    type Item = Seen;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Seen>> {
        self.all.poll_next_unpin(context)
    }
}
