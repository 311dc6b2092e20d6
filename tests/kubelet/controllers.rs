//! Controllers: revisions, rolling updates, Jobs.

use serde_json::{Value, json};

use super::manifest::{Controller, Workload};
use super::pod::Pod;
use super::stream::stamp;
use super::{Action, Cluster};

/// How often a controller reconciles.
const LOOK: i64 = 400;

/// How often a `CronJob` starts a Job, and after which time a failed pod of a Job is replaced.
const EVERY: i64 = 60_000;
const REPLACED: i64 = 10_000;

/// Number of pods of a Job that may fail.
const BACKOFF_LIMIT: usize = 6;

/// A workload in the cluster.
#[derive(Clone, Debug)]
pub struct Live {
    spec: Workload,
    name: String,
    uid: String,
    owner: Option<Value>,
    generation: u32,
    created: i64,
    changed: i64,
    deleted: bool,
    revisions: Vec<Revision>,
    /// For a `CronJob`: when it started its last Job.
    ran: i64,
}

/// One template of a workload.
#[derive(Clone, Debug)]
struct Revision {
    number: u32,
    hash: String,
    uid: String,
    created: i64,
    spec: Workload,
}

impl Live {
    fn current(&self) -> &Revision {
        self.revisions.iter().max_by_key(|revision| revision.number).expect("a workload has a template")
    }

    fn object_name(&self, revision: &Revision) -> String {
        format!("{}-{}", self.name, revision.hash)
    }

    fn reference(&self, kind: &str, name: &str, uid: &str) -> Value {
        let version = if kind == "ReplicaSet" { "apps/v1" } else { self.spec.controller.version() };
        json!({"apiVersion": version, "kind": kind, "name": name, "uid": uid, "controller": true,
            "blockOwnerDeletion": true})
    }

    fn itself(&self) -> Value {
        self.reference(self.spec.controller.kind(), &self.name, &self.uid)
    }

    fn template(&self, revision: &Revision) -> Value {
        let mut template = json!({"metadata": {"labels": self.labels()}, "spec": revision.spec.pod_spec()});
        if revision.spec.restarted > 0 {
            let at = stamp(revision.created);
            template["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/restartedAt": at});
        }
        template
    }

    /// The object that people edit: `Deployment/web`.
    pub fn top(&self) -> String {
        let owner = self.owner.as_ref();
        let of = |field: &str| owner.and_then(|owner| owner[field].as_str());
        let kind = of("kind").unwrap_or(self.spec.controller.kind());
        format!("{kind}/{}", of("name").unwrap_or(&self.name))
    }

    fn labels(&self) -> Value {
        match self.spec.controller {
            Controller::Job => json!({"app": self.spec.name, "batch.kubernetes.io/job-name": self.name}),
            _ => json!({"app": self.spec.name}),
        }
    }

    fn json(&self, now: i64, observed: bool) -> Value {
        let controller = self.spec.controller;
        let mut meta = json!({
            "name": self.name, "namespace": "prod", "uid": self.uid, "generation": self.generation,
            "resourceVersion": (now + 1).to_string(), "creationTimestamp": stamp(self.created),
            "labels": {"app": self.spec.name}, "annotations": {},
            "managedFields": [{
                "manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "apps/v1",
                "time": stamp(self.changed), "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {}}}},
            }],
        });
        if let Some(owner) = &self.owner {
            meta["ownerReferences"] = json!([owner]);
        }
        if controller.keeps_sets() && observed {
            meta["annotations"][controller.labels().1] = json!(self.current().number.to_string());
        }
        let template = self.template(self.current());
        // As the API server writes it: pods are replaced one by one, or all at once.
        let (surge, unavailable) =
            if self.spec.gradual { (json!(1), json!(0)) } else { (json!("100%"), json!("100%")) };
        let strategy =
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}});
        let spec = match controller {
            Controller::Job => json!({"parallelism": 1, "completions": 1, "backoffLimit": BACKOFF_LIMIT,
                "template": template}),
            Controller::CronJob => json!({"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}}),
            Controller::DaemonSet => {
                json!({"selector": {"matchLabels": {"app": self.spec.name}}, "template": template})
            }
            Controller::Deployment => json!({"replicas": self.spec.replicas, "strategy": strategy,
                "selector": {"matchLabels": {"app": self.spec.name}}, "template": template}),
            _ => json!({"replicas": self.spec.replicas, "selector": {"matchLabels": {"app": self.spec.name}},
                "template": template}),
        };
        let mut status = json!({});
        if observed {
            status["observedGeneration"] = json!(self.generation);
        }
        if controller == Controller::DaemonSet {
            status["desiredNumberScheduled"] = json!(self.spec.replicas);
        }
        let version = controller.version();
        json!({"kind": controller.kind(), "apiVersion": version, "metadata": meta, "spec": spec, "status": status})
    }

    fn revision_json(&self, revision: &Revision, wanted: usize) -> Value {
        let (hash, number) = self.spec.controller.labels();
        let meta = json!({
            "name": self.object_name(revision), "namespace": "prod", "uid": revision.uid,
            "creationTimestamp": stamp(revision.created), "ownerReferences": [self.itself()],
            "labels": {"app": self.spec.name, hash: revision.hash, "controller-revision-hash": revision.hash},
            "annotations": {number: revision.number.to_string()},
        });
        let mut template = self.template(revision);
        if self.spec.controller.keeps_sets() {
            template["metadata"]["labels"][hash] = json!(revision.hash);
            return json!({
                "kind": "ReplicaSet", "apiVersion": "apps/v1", "metadata": meta,
                "spec": {"replicas": wanted, "selector": {"matchLabels": {hash: revision.hash}},
                    "template": template},
                "status": {"replicas": wanted},
            });
        }
        template["$patch"] = json!("replace");
        json!({"kind": "ControllerRevision", "apiVersion": "apps/v1", "metadata": meta,
            "data": {"spec": {"template": template}}, "revision": revision.number})
    }
}

/// A hash of a template, as in pods' names.
pub fn hash(template: &str) -> String {
    let hash = template
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{:010x}", hash & 0xff_ffff_ffff)
}

impl Cluster {
    pub fn apply(&mut self, spec: Workload) {
        let known = self.lives.iter().position(|live| live.name == spec.name && !live.deleted);
        match known {
            Some(live) => self.change(live, spec),
            None => {
                self.create(spec.name.to_owned(), spec, None);
            }
        }
    }

    fn create(&mut self, name: String, spec: Workload, owner: Option<Value>) {
        let number = self.lives.len();
        let uid = self.chance.uid();
        let (created, changed) = (self.now, self.now);
        // The first Job starts at once.
        let ran = -EVERY;
        let revisions = Vec::new();
        let live = Live { spec, name, uid, owner, generation: 0, created, changed, deleted: false, revisions, ran };
        let spec = live.spec.clone();
        self.lives.push(live);
        self.change(number, spec);
        self.schedule(self.now + 50, Action::Reconcile(number));
    }

    fn change(&mut self, number: usize, spec: Workload) {
        let uid = self.chance.uid();
        let live = &mut self.lives[number];
        let hash = hash(&spec.template_key());
        let next = live.revisions.iter().map(|revision| revision.number).max().unwrap_or(0) + 1;
        let newest = next - 1;
        live.spec = spec.clone();
        live.generation += 1;
        live.changed = self.now;
        let (created, mut kind) = (self.now, "ADDED");
        match live.revisions.iter_mut().find(|revision| revision.hash == hash) {
            Some(known) if known.number == newest => kind = "",
            Some(known) => {
                known.number = next;
                kind = "MODIFIED";
            }
            None => live.revisions.push(Revision { number: next, hash: hash.clone(), uid, created, spec }),
        }
        let live = live.clone();
        let first = if live.generation == 1 { "ADDED" } else { "MODIFIED" };
        let resource = live.spec.controller.resource();
        if live.spec.controller == Controller::Nobody {
            return;
        }
        self.emit(self.now, &resource, first, live.json(self.now, false));
        if kind.is_empty() || matches!(live.spec.controller, Controller::Job | Controller::CronJob) {
            return;
        }
        self.emit_revision(&live, &hash, kind, 15);
        self.emit(self.now + 25, &resource, "MODIFIED", live.json(self.now + 25, true));
        for old in live.revisions.iter().filter(|revision| revision.hash != hash) {
            if live.spec.controller.keeps_sets() {
                self.emit_revision(&live, &old.hash, "MODIFIED", 30);
            }
        }
    }

    fn emit_revision(&mut self, live: &Live, hash: &str, kind: &'static str, after: i64) {
        let current = live.current().hash == hash;
        let Some(revision) = live.revisions.iter().find(|revision| revision.hash == hash) else {
            return;
        };
        let wanted = if current { live.spec.replicas } else { 0 };
        let resource = if live.spec.controller.keeps_sets() { "replicasets" } else { "controllerrevisions" };
        self.emit(self.now + after, resource, kind, live.revision_json(revision, wanted));
    }

    pub fn scale(&mut self, name: &str, replicas: usize) {
        if let Some(number) = self.lives.iter().position(|live| live.name == name && !live.deleted) {
            let spec = self.lives[number].spec.clone().replicas(replicas);
            self.change(number, spec);
            let live = self.lives[number].clone();
            self.emit_revision(&live, &live.current().hash, "MODIFIED", 15);
            let resource = live.spec.controller.resource();
            self.emit(self.now + 25, &resource, "MODIFIED", live.json(self.now + 25, true));
        }
    }

    /// The same template again, with new pods.
    pub fn rollout_restart(&mut self, name: &str) {
        if let Some(number) = self.lives.iter().position(|live| live.name == name && !live.deleted) {
            let mut spec = self.lives[number].spec.clone();
            spec.restarted += 1;
            self.change(number, spec);
        }
    }

    pub fn delete(&mut self, name: &str) {
        let Some(number) = self.lives.iter().position(|live| live.name == name && !live.deleted) else {
            return;
        };
        self.lives[number].deleted = true;
        let live = self.lives[number].clone();
        let resource = live.spec.controller.resource();
        self.emit(self.now, &resource, "DELETED", live.json(self.now, true));
        for revision in &live.revisions {
            self.emit_revision(&live, &revision.hash, "DELETED", 20);
        }
        for pod in self.pods_of(number) {
            self.stop(pod);
        }
    }

    /// The existing pods of a workload.
    fn pods_of(&self, live: usize) -> Vec<usize> {
        (0..self.pods.len()).filter(|pod| self.pods[*pod].workload == live && !self.pods[*pod].gone).collect()
    }

    pub fn reconcile(&mut self, number: usize) {
        if self.lives[number].deleted {
            return;
        }
        match self.lives[number].spec.controller {
            Controller::Deployment | Controller::Rollout => self.reconcile_deployment(number),
            Controller::Nobody => self.reconcile_pod(number),
            Controller::StatefulSet => self.reconcile_stateful_set(number),
            Controller::DaemonSet => self.reconcile_daemon_set(number),
            Controller::Job => self.reconcile_job(number),
            Controller::CronJob => self.reconcile_cron_job(number),
        }
        let wobble = self.chance.between(0, 100);
        self.schedule(self.now + LOOK + wobble, Action::Reconcile(number));
    }

    fn reconcile_deployment(&mut self, number: usize) {
        let live = &self.lives[number];
        let (replicas, gradual) = (live.spec.replicas, live.spec.gradual);
        let hash = live.current().hash.clone();
        let living = self.pods_of(number).into_iter().filter(|pod| self.pods[*pod].deleted.is_none());
        let (new, old): (Vec<_>, Vec<_>) = living.partition(|pod| self.pods[*pod].revision == hash);
        let surplus = new.len().saturating_sub(replicas);
        for pod in &new[new.len() - surplus..] {
            self.stop(*pod);
        }
        if gradual && !old.is_empty() {
            let ready = new.iter().chain(&old).filter(|pod| self.pods[**pod].is_ready()).count();
            let broken = old.iter().find(|pod| !self.pods[**pod].is_ready());
            if let Some(pod) = broken.or(old.first().filter(|_| ready > replicas)) {
                self.stop(*pod);
            } else if new.len() + old.len() <= replicas && new.len() < replicas {
                self.create_pod(number, None, None);
            }
            return;
        }
        for pod in old {
            self.stop(pod);
        }
        for _ in new.len()..replicas {
            self.create_pod(number, None, None);
        }
    }

    fn reconcile_stateful_set(&mut self, number: usize) {
        let live = &self.lives[number];
        let (hash, replicas, workload) = (live.current().hash.clone(), live.spec.replicas, live.spec.name);
        let pods = self.pods_of(number);
        for ordinal in 0..replicas {
            let name = format!("{workload}-{ordinal}");
            match pods.iter().find(|pod| self.pods[**pod].name == name) {
                None => return self.create_pod(number, Some(name), None),
                Some(pod) if !self.pods[*pod].is_ready() => return,
                Some(_) => {}
            }
        }
        let last = pods.iter().rev().find(|pod| {
            let name = &self.pods[**pod].name;
            let ordinal = name.rsplit('-').next().and_then(|ordinal| ordinal.parse().ok());
            ordinal.is_some_and(|ordinal: usize| ordinal >= replicas) || self.pods[**pod].revision != hash
        });
        if let Some(pod) = last {
            self.stop(*pod);
        }
    }

    fn reconcile_daemon_set(&mut self, number: usize) {
        let (hash, replicas) = (self.lives[number].current().hash.clone(), self.lives[number].spec.replicas);
        let pods = self.pods_of(number);
        for node in 0..replicas {
            if !pods.iter().any(|pod| self.pods[*pod].node == node) {
                self.create_pod(number, None, Some(node));
            }
        }
        let is_old = |pod: &usize| self.pods[*pod].revision != hash && self.pods[*pod].deleted.is_none();
        let busy = pods.iter().any(|pod| !self.pods[*pod].is_ready() && !is_old(pod));
        if let Some(pod) = pods.iter().copied().find(is_old).filter(|_| !busy && pods.len() == replicas) {
            self.stop(pod);
        }
    }

    fn reconcile_pod(&mut self, number: usize) {
        let ever = self.pods.iter().any(|pod| pod.workload == number);
        if !ever {
            let name = self.lives[number].name.clone();
            self.create_pod(number, Some(name), None);
        }
    }

    fn reconcile_job(&mut self, number: usize) {
        let pods = self.pods_of(number);
        let failed = pods.iter().filter(|pod| self.pods[**pod].phase == "Failed").count();
        let busy = pods.iter().any(|pod| self.pods[*pod].phase != "Failed");
        let since = pods.iter().map(|pod| self.pods[*pod].written_at).max().unwrap_or(i64::MIN / 2);
        let pause = if failed == 0 { 0 } else { REPLACED << (failed - 1) };
        if !busy && failed <= BACKOFF_LIMIT && self.now - since >= pause {
            self.create_pod(number, None, None);
        }
    }

    fn reconcile_cron_job(&mut self, number: usize) {
        let live = &mut self.lives[number];
        if self.now - live.ran < EVERY {
            return;
        }
        live.ran = self.now;
        let name = format!("{}-{}", live.name, 29_900_000 + self.now / EVERY);
        let owner = live.itself();
        let spec = Workload { controller: Controller::Job, ..live.spec.clone() };
        self.create(name, spec, Some(owner));
    }

    fn create_pod(&mut self, number: usize, name: Option<String>, node: Option<usize>) {
        let live = self.lives[number].clone();
        let revision = live.current();
        let mut labels = live.labels();
        let (prefix, owner) = match live.spec.controller {
            Controller::Deployment | Controller::Rollout => {
                let set = live.object_name(revision);
                labels[live.spec.controller.labels().0] = json!(revision.hash);
                (set.clone(), live.reference("ReplicaSet", &set, &revision.uid))
            }
            Controller::StatefulSet => {
                labels["controller-revision-hash"] = json!(live.object_name(revision));
                (live.name.clone(), live.itself())
            }
            Controller::DaemonSet => {
                labels["controller-revision-hash"] = json!(revision.hash);
                (live.name.clone(), live.itself())
            }
            Controller::Job | Controller::CronJob => (live.name.clone(), live.itself()),
            Controller::Nobody => (live.name.clone(), Value::Null),
        };
        let name = name.unwrap_or_else(|| format!("{prefix}-{}", self.chance.suffix()));
        let pod = self.pods.len();
        let mut it = Pod {
            workload: number,
            spec: revision.spec.clone(),
            revision: revision.hash.clone(),
            owner,
            labels,
            name,
            uid: self.chance.uid(),
            ip: format!("10.244.{}.{}", pod / 200, pod % 200 + 2),
            node: node.unwrap_or(pod % live.spec.nodes.max(1)),
            skew: 0,
            created: self.now,
            admitted: false,
            deleted: None,
            gone: false,
            phase: "Pending",
            containers: Vec::new(),
            recorder: super::events::Recorder::default(),
            written: Value::Null,
            written_at: self.now,
        };
        it.containers = it.new_containers();
        self.pods.push(it);
        self.write(pod, 5);
        self.after(20, 300, Action::Admit(pod));
    }
}
