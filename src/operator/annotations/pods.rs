//! The annotations of pods, as the watch shows them; those of most pods are none and take no place.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::notes::Notes;
use crate::engine::Scope;
use crate::source::objects::PodLite;
use crate::time::Time;

/// Maximum number of pods with annotations: at most 1.6 KB of each are kept.
const MAX_PODS: usize = 5_000;
/// Maximum number of them per namespace: a tenant gets no more than a fifth.
const MAX_OF_ONE: usize = 1_000;
/// How long those of a pod that is gone count: its findings end a minute later, or have another example by
/// then.
const AFTERWARDS: Duration = Duration::from_mins(15);

/// Namespace and name.
type Key = (Arc<str>, Arc<str>);

/// The pods with annotations.
#[derive(Debug, Default)]
pub struct Pods {
    all: BTreeMap<Key, Pod>,
    of_one: BTreeMap<Arc<str>, usize>,
    /// The number of lists so far, and of the one that runs in each scope.
    lists: u64,
    running: BTreeMap<Scope, u64>,
    listed: bool,
}

#[derive(Debug)]
struct Pod {
    notes: Notes,
    /// The number of lists when it was last seen.
    list: u64,
    gone: Option<Time>,
}

impl Pods {
    /// Takes in a pod as it is now; `false` if that changes nothing.
    pub fn saw(&mut self, pod: &PodLite) -> bool {
        let notes = Notes::from_metadata(&pod.metadata);
        if notes.is_empty() && self.all.is_empty() {
            return false;
        }
        let Some(key) = key(pod) else { return false };
        if notes.is_empty() {
            return self.remove(&key);
        }
        let list = self.lists;
        if let Some(known) = self.all.get_mut(&key) {
            let is_new = known.notes != notes;
            *known = Pod { notes, list, gone: None };
            return is_new;
        }
        let of_one = self.of_one.get(&key.0).copied().unwrap_or_default();
        if self.all.len() >= MAX_PODS || of_one >= MAX_OF_ONE {
            return false;
        }
        self.of_one.insert(Arc::clone(&key.0), of_one + 1);
        self.all.insert(key, Pod { notes, list, gone: None });
        true
    }

    /// Takes in that a pod is gone.
    pub fn gone(&mut self, pod: &PodLite, now: Time) {
        if let Some(pod) = key(pod).and_then(|key| self.all.get_mut(&key)) {
            pod.gone.get_or_insert(now);
        }
    }

    /// A list begins.
    pub fn list_started(&mut self, scope: &Scope) {
        self.lists += 1;
        self.running.insert(scope.clone(), self.lists);
    }

    /// A list is complete: pods that were not in it are gone.
    pub fn list_finished(&mut self, scope: &Scope, now: Time) {
        self.listed = true;
        let Some(began) = self.running.remove(scope) else { return };
        for ((namespace, _), pod) in &mut self.all {
            if scope.includes(namespace) && pod.list < began {
                pod.gone.get_or_insert(now);
            }
        }
    }

    /// Forgets pods that have been gone for long.
    pub fn forget(&mut self, now: Time) {
        let is_past = |pod: &Pod| pod.gone.is_some_and(|gone| now.since(gone) >= AFTERWARDS);
        let past: Vec<Key> = self.all.iter().filter(|(_, pod)| is_past(pod)).map(|(key, _)| key.clone()).collect();
        for key in past {
            self.remove(&key);
        }
    }

    /// The annotations of a pod.
    pub fn get(&self, namespace: &Arc<str>, name: &Arc<str>) -> Option<&Notes> {
        self.all.get(&(Arc::clone(namespace), Arc::clone(name))).map(|pod| &pod.notes)
    }

    /// Whether the pods that exist have been seen.
    pub const fn are_listed(&self) -> bool {
        self.listed
    }

    fn remove(&mut self, key: &Key) -> bool {
        if self.all.remove(key).is_none() {
            return false;
        }
        if let Some(count) = self.of_one.get_mut(&key.0) {
            *count -= 1;
            if *count == 0 {
                self.of_one.remove(&key.0);
            }
        }
        true
    }
}

fn key(pod: &PodLite) -> Option<Key> {
    let (namespace, name) = pod.metadata.ok()?.identity().ok()?;
    Some((namespace.into(), name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::asked::Annotation;
    use crate::operator::testing::at;

    #[test]
    fn a_pod_that_is_gone_counts_for_a_while() {
        let mut pods = Pods::default();
        assert!(pods.saw(&pod("shop", "web", "off")));
        assert!(!pods.saw(&pod("shop", "web", "off")), "nothing new");
        pods.gone(&pod("shop", "web", "off"), at(10));
        pods.forget(at(10).plus(AFTERWARDS).minus(Duration::from_secs(1)));
        assert!(get(&pods, "web").is_some());
        pods.forget(at(10).plus(AFTERWARDS));
        assert!(get(&pods, "web").is_none());
    }

    #[test]
    fn what_a_list_does_not_show_is_gone() {
        let mut pods = Pods::default();
        pods.saw(&pod("shop", "web", "off"));
        pods.saw(&pod("shop", "api", "off"));
        pods.list_started(&Scope::All);
        pods.saw(&pod("shop", "web", "off"));
        pods.list_finished(&Scope::All, at(10));
        pods.forget(at(10).plus(AFTERWARDS));
        assert!(get(&pods, "web").is_some() && get(&pods, "api").is_none());
    }

    #[test]
    fn an_annotation_that_is_taken_away_is_gone_at_once() {
        let mut pods = Pods::default();
        pods.saw(&pod("shop", "web", "off"));
        let bare = serde_json::json!({"metadata": {"namespace": "shop", "name": "web"}});
        assert!(pods.saw(&serde_json::from_value(bare).expect("a pod")));
        assert!(get(&pods, "web").is_none());
    }

    #[test]
    fn a_tenant_cannot_take_the_place_of_the_others() {
        let mut pods = Pods::default();
        for number in 0..2 * MAX_OF_ONE {
            pods.saw(&pod("tenant", &number.to_string(), &"x".repeat(100_000)));
        }
        assert_eq!(pods.all.len(), MAX_OF_ONE);
        let is_cut = |pod: &Pod| pod.notes.get(Annotation::Guard).is_some_and(|text| text.len() < 1000);
        assert!(pods.all.values().all(is_cut));
        assert!(pods.saw(&pod("shop", "web", "off")));
    }

    fn get<'a>(pods: &'a Pods, name: &str) -> Option<&'a Notes> {
        pods.get(&"shop".into(), &name.into())
    }

    fn pod(namespace: &str, name: &str, guard: &str) -> PodLite {
        let annotations = serde_json::json!({"probehound.dev/guard": guard});
        let metadata = serde_json::json!({"namespace": namespace, "name": name, "annotations": annotations});
        serde_json::from_value(serde_json::json!({"metadata": metadata})).expect("a pod")
    }
}
