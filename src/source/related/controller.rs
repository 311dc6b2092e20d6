//! Controllers of pods.

use std::sync::Arc;
use std::time::Duration;

use super::Key;
use crate::engine::{Owner, Uid};
use crate::finding::{RollingUpdate, Share};
use crate::source::Observer;
use crate::source::mask::MAX_NAME;
use crate::source::objects::{
    ControllerRevisionLite, CronJobLite, DaemonSetLite, DeploymentLite, JobLite, Maybe, ObjectMeta, Oddity,
    ReplicaSetLite, ReplicasLite, RolloutLite, Shape, StatefulSetLite, StatusLite, StrategyLite, TextOrNumber,
    WorkloadMeta, check_kind,
};
use crate::source::uid::uid;
use crate::text::cut;
use crate::time::Time;

/// The state kept of a controller.
#[derive(Debug)]
pub struct Controller {
    /// A later object of the same name is another controller.
    pub uid: Uid,
    /// Its own controller.
    pub owner: Option<Owner>,
    /// The desired number of pods.
    pub desired: Option<u32>,
    /// The object whose template it runs instead of one of its own.
    pub workload_ref: Option<Owner>,
    /// Whether its rollout is paused.
    pub paused: bool,
    /// Whether it replaces its pods all at once.
    pub parallel: bool,
    /// How long a pod has to be ready to be available.
    pub min_ready: Duration,
    /// How it replaces its pods, one after the other.
    pub rolling: Option<RollingUpdate>,
    /// The manager of its manifest.
    pub managed_by: Option<Arc<str>>,
    /// Who owns a part of its template, and since when.
    pub touches: Vec<Touch>,
    /// The revision of its template, if the object shows it.
    pub current: Option<u64>,
    /// Whether the cluster has processed its current template.
    pub synced: bool,
}

/// A field manager that owns a part of a template.
#[derive(Debug)]
pub struct Touch {
    /// When it last changed one of its fields, in whole seconds.
    pub at: Time,
    /// Its name.
    pub by: Arc<str>,
}

/// A Deployment.
pub fn of_deployment(it: &DeploymentLite, observer: &mut Observer) -> Result<(Key, Controller), Oddity> {
    check_kind(&it.kind, "Deployment", "deployments")?;
    let (key, mut controller) = workload(&it.metadata, "Deployment", observer)?;
    read_replicas(&it.spec, &mut controller, observer);
    controller.rolling = observer.read(&it.spec, "spec", rolling).flatten();
    controller.synced = is_synced(observer, &it.metadata, &it.status);
    let meta = it.metadata.required("metadata")?;
    controller.current = meta.annotation(|all| &all.revision).and_then(|text| text.parse().ok());
    Ok((key, controller))
}

/// A `StatefulSet`.
pub fn of_stateful_set(it: &StatefulSetLite, observer: &mut Observer) -> Result<(Key, Controller), Oddity> {
    check_kind(&it.kind, "StatefulSet", "statefulsets")?;
    let (key, mut controller) = workload(&it.metadata, "StatefulSet", observer)?;
    read_replicas(&it.spec, &mut controller, observer);
    controller.synced = is_synced(observer, &it.metadata, &it.status);
    Ok((key, controller))
}

/// An Argo Rollout; the revision of its template is in its annotation once it is processed.
pub fn of_rollout(it: &RolloutLite, observer: &mut Observer) -> Result<(Key, Controller), Oddity> {
    check_kind(&it.kind, "Rollout", "rollouts")?;
    let (key, mut controller) = workload(&it.metadata, "Rollout", observer)?;
    controller.desired = Some(1);
    observer.read(&it.spec, "spec", |observer, spec| {
        controller.desired = count(observer, &spec.replicas, "replicas", 1);
        controller.paused = observer.flag(&spec.paused, "paused") == Some(true);
        controller.min_ready = min_ready(observer, &spec.min_ready_seconds);
        controller.workload_ref = observer
            .read(&spec.workload_ref, "workloadRef", |observer, it| {
                let (kind, name) = observer.needed(&it.kind, "kind").zip(observer.needed(&it.name, "name"))?;
                Some(owner((cut(kind, MAX_NAME), cut(name, MAX_NAME)), observer))
            })
            .flatten();
    });
    let meta = it.metadata.required("metadata")?;
    controller.current = meta.annotation(|all| &all.rollout_revision).and_then(|text| text.parse().ok());
    let seen = observer.read(&it.status, "status", |observer, status| {
        match observer.get(&status.observed_generation, "observedGeneration")? {
            TextOrNumber::Text(text) => text.parse().ok(),
            TextOrNumber::Number(number) => Some(*number),
        }
    });
    controller.synced = seen.flatten() >= meta.generation.ok().copied();
    Ok((key, controller))
}

fn read_replicas<T: Shape>(spec: &Maybe<ReplicasLite<T>>, controller: &mut Controller, observer: &mut Observer) {
    controller.desired = Some(1);
    observer.read(spec, "spec", |observer, spec| {
        controller.desired = count(observer, &spec.replicas, "replicas", 1);
        controller.paused = observer.flag(&spec.paused, "paused") == Some(true);
        controller.parallel = observer.text(&spec.pod_management_policy, "podManagementPolicy") == "Parallel";
        controller.min_ready = min_ready(observer, &spec.min_ready_seconds);
    });
}

/// How a Deployment replaces its pods. The API server writes the strategy into every one: without it, or where it
/// is odd, nothing is known.
fn rolling<T: Shape>(observer: &mut Observer, spec: &ReplicasLite<T>) -> Option<RollingUpdate> {
    let deadline = match spec.progress_deadline_seconds {
        Maybe::Absent => RollingUpdate::DEADLINE,
        _ => observer.whole(&spec.progress_deadline_seconds, "progressDeadlineSeconds")?,
    };
    let min_ready = match &spec.min_ready_seconds {
        Maybe::Absent => 0,
        // What is odd about it is noted where it is read for all kinds.
        field => u32::try_from(*field.ok()?).ok()?,
    };
    let read = |observer: &mut Observer, it: &StrategyLite| {
        let rolls = observer.text(&it.kind, "type") == "RollingUpdate";
        let (max_surge, max_unavailable) = observer
            .read(&it.rolling_update, "rollingUpdate", |observer, it| {
                let surge = share(observer, &it.max_surge, "maxSurge")?;
                Some((surge, share(observer, &it.max_unavailable, "maxUnavailable")?))
            })
            .flatten()
            .filter(|_| rolls)?;
        Some(RollingUpdate { min_ready, deadline, max_surge, max_unavailable })
    };
    observer.read(&spec.strategy, "strategy", read).flatten()
}

fn share(observer: &mut Observer, field: &Maybe<TextOrNumber>, name: &str) -> Option<Share> {
    match observer.get(field, name)? {
        TextOrNumber::Number(number) => u32::try_from(*number).ok().map(Share::Pods),
        TextOrNumber::Text(text) => text.parse().ok(),
    }
}

fn min_ready(observer: &mut Observer, field: &Maybe<i64>) -> Duration {
    Duration::from_secs(observer.whole::<u32>(field, "minReadySeconds").unwrap_or(0).into())
}

/// A `DaemonSet`.
pub fn of_daemon_set(it: &DaemonSetLite, observer: &mut Observer) -> Result<(Key, Controller), Oddity> {
    check_kind(&it.kind, "DaemonSet", "daemonsets")?;
    let (key, mut controller) = workload(&it.metadata, "DaemonSet", observer)?;
    let meta = it.metadata.required("metadata")?;
    let min_ready = observer.read(&it.spec, "spec", |observer, spec| min_ready(observer, &spec.min_ready_seconds));
    controller.min_ready = min_ready.unwrap_or_default();
    observer.read(&it.status, "status", |observer, status| {
        controller.desired = match status.desired_number_scheduled {
            Maybe::Absent => None,
            _ => count(observer, &status.desired_number_scheduled, "desiredNumberScheduled", 0),
        };
        let seen = observer.number(&status.observed_generation, "observedGeneration");
        controller.synced = seen >= meta.generation.ok().copied();
    });
    Ok((key, controller))
}

/// A `ReplicaSet`.
pub fn of_replica_set(it: &ReplicaSetLite, observer: &mut Observer) -> Result<(Key, Controller), Oddity> {
    check_kind(&it.kind, "ReplicaSet", "replicasets")?;
    let (key, mut controller) = plain(&it.metadata, "ReplicaSet", observer)?;
    read_replicas(&it.spec, &mut controller, observer);
    Ok((key, controller))
}

/// A Job.
pub fn of_job(it: &JobLite, observer: &mut Observer) -> Result<(Key, Controller), Oddity> {
    check_kind(&it.kind, "Job", "jobs")?;
    let pods = observer.read(&it.spec, "spec", |observer, spec| count(observer, &spec.parallelism, "parallelism", 1));
    let (key, mut controller) = plain(&it.metadata, "Job", observer)?;
    controller.desired = pods.unwrap_or(Some(1));
    Ok((key, controller))
}

/// A `CronJob`.
pub fn of_cron_job(it: &CronJobLite, observer: &mut Observer) -> Result<(Key, Controller), Oddity> {
    check_kind(&it.kind, "CronJob", "cronjobs")?;
    plain(&it.metadata, "CronJob", observer)
}

/// A `ControllerRevision`'s own key, and its owner.
pub fn of_revision(it: &ControllerRevisionLite, observer: &mut Observer) -> Result<(Key, Option<Owner>), Oddity> {
    check_kind(&it.kind, "ControllerRevision", "controllerrevisions")?;
    let (key, controller) = plain(&it.metadata, "ControllerRevision", observer)?;
    Ok((key, controller.owner))
}

/// A number of pods; `None` if it is odd, since it is unknown then.
fn count(observer: &mut Observer, field: &Maybe<i64>, name: &str, default: u32) -> Option<u32> {
    match field {
        Maybe::Absent => Some(default),
        count => observer.whole(count, name),
    }
}

/// Whether the status is for the current spec.
fn is_synced(observer: &mut Observer, meta: &Maybe<WorkloadMeta>, status: &Maybe<StatusLite>) -> bool {
    let seen = observer
        .read(status, "status", |observer, status| observer.number(&status.observed_generation, "observedGeneration"));
    let wanted = meta.ok().and_then(|meta| meta.generation.ok().copied());
    seen.flatten() >= wanted
}

fn workload(metadata: &Maybe<WorkloadMeta>, kind: &str, observer: &mut Observer) -> Result<(Key, Controller), Oddity> {
    let (key, mut controller) = plain(metadata, kind, observer)?;
    observer.read(metadata, "metadata", |observer, meta| {
        observer.each(&meta.managed_fields, "managedFields", |observer, entry| {
            let touches = entry.fields.ok().is_some_and(|fields| fields.0);
            let of_status = observer.text(&entry.subresource, "subresource") == "status";
            if touches
                && !of_status
                && let Some(at) = observer.time(&entry.time, "time")
            {
                let by = cut(observer.text(&entry.manager, "manager"), MAX_NAME);
                let by = observer.name(by);
                controller.touches.push(Touch { at, by });
            }
        });
    });
    controller.touches.sort_by_key(|touch| touch.at);
    Ok((key, controller))
}

fn plain<M: Shape>(
    metadata: &Maybe<ObjectMeta<M>>,
    kind: &str,
    observer: &mut Observer,
) -> Result<(Key, Controller), Oddity> {
    let meta = metadata.required("metadata")?;
    let under = |oddity: Oddity| oddity.under("metadata");
    let (namespace, name) = meta.identity().map_err(under)?;
    let key = Key { namespace: observer.name(namespace), owner: owner((kind, name), observer) };
    let controller = Controller {
        uid: uid(meta.uid.known("uid").map_err(under)?.map_or("", String::as_str)),
        owner: observer.within("metadata", |observer| observer.controller(meta)),
        desired: None,
        workload_ref: None,
        paused: false,
        parallel: false,
        min_ready: Duration::ZERO,
        rolling: None,
        managed_by: managed_by(meta).map(Arc::from),
        touches: Vec::new(),
        current: None,
        synced: false,
    };
    Ok((key, controller))
}

fn owner((kind, name): (&str, &str), observer: &mut Observer) -> Owner {
    Owner { kind: observer.name(kind), name: observer.name(name) }
}

/// The manager of the manifest, in words: if one tool applies the output of another, the labels of both may
/// be present, so the outer one comes first.
fn managed_by<M: Shape>(meta: &ObjectMeta<M>) -> Option<String> {
    let label = |key| meta.label(key).filter(|value| !value.is_empty());
    // Annotations may contain any text; what is used in advice must be a name.
    let is_name = |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_./".contains(letter));
    let say =
        |what: &str, name: &str| (!name.is_empty() && is_name(name)).then(|| format!("{what} {}", cut(name, MAX_NAME)));
    if let Some(name) = label("argocd.argoproj.io/instance") {
        return say("Argo CD application", name);
    }
    if let Some(id) = meta.annotation(|all| &all.argocd_tracking_id) {
        return say("Argo CD application", id.split(':').next().unwrap_or(id));
    }
    if let Some(name) = label("kustomize.toolkit.fluxcd.io/name") {
        return say("Flux kustomization", name);
    }
    if let Some(name) = label("helm.toolkit.fluxcd.io/name") {
        return say("Flux Helm release", name);
    }
    let release = meta.annotation(|all| &all.helm_release)?;
    (label("app.kubernetes.io/managed-by") == Some("Helm")).then(|| say("Helm release", release)).flatten()
}
