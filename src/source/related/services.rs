//! Services and their endpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::ServiceFacts;
use crate::source::Observer;
use crate::source::objects::{
    EndpointLite, EndpointSliceLite, LabelsLite, Maybe, Meta, Oddity, ServiceLite, check_kind,
};
use crate::text::hash::mark;

/// Maximum number of Services, and of slices, that are kept.
const MAX_KEPT: usize = 100_000;

/// Maximum number of Services passed on for one workload.
const MAX_TOLD: usize = 64;

/// Namespace and name.
type Place = (Arc<str>, Arc<str>);

/// The Services of a cluster.
#[derive(Debug, Default)]
pub struct Services {
    /// Their selectors.
    selectors: BTreeMap<Place, LabelsLite>,
    slices: BTreeMap<Place, Slice>,
    /// Whether any was ever seen: otherwise the absence of Services means nothing.
    seen: bool,
}

/// Endpoints of one Service.
#[derive(Debug)]
struct Slice {
    service: Arc<str>,
    endpoints: Vec<Endpoint>,
}

#[derive(Debug)]
struct Endpoint {
    /// A hash of the object behind it, or of its address if there is none.
    id: u64,
    ready: bool,
}

impl Services {
    /// Takes in a Service.
    pub fn service(&mut self, it: &ServiceLite, gone: bool, observer: &mut Observer) -> Result<(), Oddity> {
        check_kind(&it.kind, "Service", "services")?;
        let place = place(&it.metadata, observer)?;
        let selector =
            observer.read(&it.spec, "spec", |observer, spec| observer.get(&spec.selector, "selector").cloned());
        self.seen = true;
        if gone {
            self.selectors.remove(&place);
        } else if self.selectors.len() < MAX_KEPT || self.selectors.contains_key(&place) {
            self.selectors.insert(place, selector.flatten().unwrap_or_default());
        }
        Ok(())
    }

    /// Takes in that all relevant Services have been passed, even if there are none.
    pub const fn complete(&mut self) {
        self.seen = true;
    }

    /// Takes in an `EndpointSlice`.
    pub fn slice(&mut self, it: &EndpointSliceLite, gone: bool, observer: &mut Observer) -> Result<(), Oddity> {
        check_kind(&it.kind, "EndpointSlice", "endpointslices")?;
        let place = place(&it.metadata, observer)?;
        let service = it.metadata.required("metadata")?.label("kubernetes.io/service-name");
        let Some(service) = service.filter(|_| !gone) else {
            self.slices.remove(&place);
            return Ok(());
        };
        let mut endpoints = Vec::new();
        observer.each(&it.endpoints, "endpoints", |observer, endpoint| endpoints.extend(read(observer, endpoint)));
        if self.slices.len() < MAX_KEPT || self.slices.contains_key(&place) {
            let service = observer.name(service);
            self.slices.insert(place, Slice { service, endpoints });
        }
        Ok(())
    }

    /// The Services of a namespace that select pods with these labels, by name; `None` if no Service was
    /// ever seen.
    pub fn selecting(&self, namespace: &Arc<str>, labels: &[(Arc<str>, Arc<str>)]) -> Option<Vec<ServiceFacts>> {
        if !self.seen {
            return None;
        }
        let first: Place = (Arc::clone(namespace), Arc::from(""));
        let here = self.selectors.range(&first..);
        Some(
            here.take_while(|((of, _), _)| of == namespace)
                .filter(|(_, selector)| selector.select(labels))
                .take(MAX_TOLD)
                .map(|((_, name), _)| self.facts(namespace, name))
                .collect(),
        )
    }

    fn facts(&self, namespace: &Arc<str>, name: &Arc<str>) -> ServiceFacts {
        let first: Place = (Arc::clone(namespace), Arc::from(""));
        let mut endpoints: BTreeMap<u64, bool> = BTreeMap::new();
        for ((of, _), slice) in self.slices.range(&first..) {
            if of != namespace {
                break;
            }
            for endpoint in slice.endpoints.iter().filter(|_| slice.service == *name) {
                *endpoints.entry(endpoint.id).or_default() |= endpoint.ready;
            }
        }
        ServiceFacts {
            name: Arc::clone(name),
            ready: endpoints.values().filter(|ready| **ready).count() as u32,
            total: endpoints.len() as u32,
        }
    }
}

fn place(metadata: &Maybe<Meta>, observer: &mut Observer) -> Result<Place, Oddity> {
    let meta = metadata.required("metadata")?;
    let (namespace, name) = meta.identity().map_err(|oddity| oddity.under("metadata"))?;
    Ok((observer.name(namespace), observer.name(name)))
}

/// An endpoint; `None` if it is terminating.
fn read(observer: &mut Observer, endpoint: &EndpointLite) -> Option<Endpoint> {
    let conditions = observer.read(&endpoint.conditions, "conditions", |observer, conditions| {
        let ready = observer.flag(&conditions.ready, "ready") != Some(false);
        let terminating = observer.flag(&conditions.terminating, "terminating") == Some(true);
        (ready, terminating)
    });
    let (ready, terminating) = conditions.unwrap_or((true, false));
    let target = observer.get(&endpoint.target_ref, "targetRef");
    let id = match target.filter(|target| target.name.ok().is_some()) {
        Some(target) => mark(target),
        None => mark(&endpoint.addresses),
    };
    (!terminating).then_some(Endpoint { id, ready })
}
