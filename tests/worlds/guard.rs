//! The guard in a world: which rollouts it would undo, and whether that helps.

use probehound::engine::{Change, ChangeKind};
use probehound::guard::cluster::{Deployment, ReplicaSet};
use probehound::guard::{Act, Case, Decision, Mode, Past, Settings, Step, concerns, decide};
use serde_json::Value;

use crate::kubelet::controllers::hash;
use crate::kubelet::manifest::Workload;
use crate::kubelet::stream::{BASE, Stream};
use crate::worlds::cure;
use crate::worlds::told::Finding;
use crate::worlds::world::World;

/// How often a template can have been restarted in a world: each time has a hash of its own.
const RESTARTS: std::ops::Range<u32> = 0..6;

/// A rollout that the guard undoes.
#[derive(Clone, Debug)]
pub struct Undone {
    /// Milliseconds since the world's start.
    pub at: i64,
    /// The finding by which it does.
    pub finding: Finding,
    /// The hash of the template that it goes back to.
    pub back_to: String,
}

/// Listens to findings, and decides about each as the operator would, by the objects as they are then.
pub struct Guard<'a> {
    cluster: &'a Stream,
    past: Past,
    settings: Settings,
    pub undone: Vec<Undone>,
}

impl<'a> Guard<'a> {
    /// Of a cluster whose objects are these; others may be seen of them elsewhere.
    pub fn new(cluster: &'a Stream) -> Self {
        let settings = Settings { mode: Mode::Undo, ..Settings::default() };
        Self { cluster, past: Past::default(), settings, undone: Vec::new() }
    }

    pub fn hear(&mut self, change: &Change) {
        let finding = &*change.finding;
        if !matches!(change.kind, ChangeKind::Confirmed | ChangeKind::Updated) || !concerns(finding, &self.settings) {
            return;
        }
        let Some(name) = finding.workload.strip_prefix("Deployment/") else { return };
        let at = change.at.as_millis() - BASE;
        let deployment = self.newest("deployments", at, |meta| meta["name"] == name).pop();
        let Some(deployment) = deployment.and_then(|object| Deployment::read(&object)) else { return };
        let is_own = |meta: &Value| meta["ownerReferences"][0]["uid"] == deployment.uid;
        let sets = self.newest("replicasets", at, is_own);
        let replica_sets: Vec<_> = sets.iter().filter_map(|set| ReplicaSet::read(set, &deployment.uid)).collect();
        let (deployment, replica_sets) = (&deployment, replica_sets.as_slice());
        let past = &self.past;
        let case = Case { finding, name, deployment, replica_sets, past, may_patch: true, trusts_events: false };
        let Decision::Undo(undo) = decide(&case, &self.settings, change.at) else { return };
        let before = replica_sets.iter().find(|set| set.revision == undo.act.to_revision);
        let back_to = before.expect("it goes back to one of them").hash.clone();
        let finding = Finding(serde_json::to_value(finding).expect("a finding is plain data"));
        self.undone.push(Undone { at, finding, back_to });
        self.past.add(Act { step: Step::Done, ..undo.act });
    }

    /// The objects of a resource as they are at a time.
    fn newest(&self, resource: &str, at: i64, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut all = std::collections::BTreeMap::new();
        let lines = self.cluster.0.iter().filter(|line| line.resource == resource && line.at <= at);
        for line in lines.filter(|line| wanted(&line.object["metadata"])) {
            let uid = line.object["metadata"]["uid"].to_string();
            match line.kind {
                "DELETED" => _ = all.remove(&uid),
                _ => _ = all.insert(uid, line.object.clone()),
            }
        }
        all.into_values().collect()
    }
}

impl Undone {
    /// Whether the world is cured by it.
    pub fn helps(&self, world: &World) -> bool {
        let at = self.at / 1000 + 1;
        self.template(world).is_some_and(|old| cure::works(world, &self.finding, at, old))
    }

    /// The template that it goes back to.
    fn template(&self, world: &World) -> Option<Workload> {
        let named = world.manifests().filter(|it| self.finding.word("workload").ends_with(&format!("/{}", it.name)));
        let mut restarted = named.flat_map(|it| {
            RESTARTS.map(|times| {
                let mut it = it.clone();
                it.restarted += times;
                it
            })
        });
        restarted.find(|it| hash(&it.template_key()) == self.back_to)
    }
}
