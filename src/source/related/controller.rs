//! Controllers of pods.

use std::sync::Arc;

use super::Key;
use crate::engine::{Owner, Uid};
use crate::source::Observer;
use crate::source::hash::uid;
use crate::source::mask::{MAX_NAME, cut};
use crate::source::objects::{
    ControllerRevisionLite, CronJobLite, DaemonSetLite, DeploymentLite, JobLite, Maybe, ObjectMeta, Oddity,
    ReplicaSetLite, Shape, StatefulSetLite, StatusLite, WorkloadMeta, check_kind, time,
};
use crate::time::Time;

/// What is kept of a controller.
#[derive(Debug)]
pub struct Controller {
    /// Another object of the same name is another controller.
    pub uid: Uid,
    /// The controller above it.
    pub owner: Option<Owner>,
    /// How many pods it wants.
    pub desired: Option<u32>,
    /// Who keeps its manifest.
    pub managed_by: Option<Arc<str>>,
    /// Who has a part in its template, and since when.
    pub touches: Vec<Touch>,
    /// The revision that its template is, where the object says so.
    pub current: Option<u64>,
    /// Whether the cluster has taken in its template.
    pub synced: bool,
}

/// A field manager that has a part in a template.
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
    let replicas = it.spec.read("spec", |spec| count(&spec.replicas, "replicas", 1))?;
    let (key, mut controller) = workload(&it.metadata, "Deployment", observer)?;
    controller.desired = replicas.flatten().or(Some(1));
    controller.synced = is_synced(&it.metadata, &it.status)?;
    let meta = it.metadata.required("metadata")?;
    controller.current = meta.annotation(|all| &all.revision).and_then(|text| text.parse().ok());
    Ok((key, controller))
}

/// A `StatefulSet`.
pub fn of_stateful_set(it: &StatefulSetLite, observer: &mut Observer) -> Result<(Key, Controller), Oddity> {
    check_kind(&it.kind, "StatefulSet", "statefulsets")?;
    let replicas = it.spec.read("spec", |spec| count(&spec.replicas, "replicas", 1))?;
    let (key, mut controller) = workload(&it.metadata, "StatefulSet", observer)?;
    controller.desired = replicas.flatten().or(Some(1));
    controller.synced = is_synced(&it.metadata, &it.status)?;
    Ok((key, controller))
}

/// A `DaemonSet`.
pub fn of_daemon_set(it: &DaemonSetLite, observer: &mut Observer) -> Result<(Key, Controller), Oddity> {
    check_kind(&it.kind, "DaemonSet", "daemonsets")?;
    let (key, mut controller) = workload(&it.metadata, "DaemonSet", observer)?;
    let meta = it.metadata.required("metadata")?;
    it.status.read("status", |status| {
        controller.desired = match status.desired_number_scheduled {
            Maybe::Absent => None,
            _ => count(&status.desired_number_scheduled, "desiredNumberScheduled", 0)?,
        };
        controller.synced = status.observed_generation.known("observedGeneration")? >= meta.generation.ok();
        Ok(())
    })?;
    Ok((key, controller))
}

/// A `ReplicaSet`.
pub fn of_replica_set(it: &ReplicaSetLite, observer: &mut Observer) -> Result<(Key, Controller), Oddity> {
    check_kind(&it.kind, "ReplicaSet", "replicasets")?;
    let replicas = it.spec.read("spec", |spec| count(&spec.replicas, "replicas", 1))?;
    let (key, mut controller) = plain(&it.metadata, "ReplicaSet", observer)?;
    controller.desired = replicas.flatten().or(Some(1));
    Ok((key, controller))
}

/// A Job.
pub fn of_job(it: &JobLite, observer: &mut Observer) -> Result<(Key, Controller), Oddity> {
    check_kind(&it.kind, "Job", "jobs")?;
    let pods = it.spec.read("spec", |spec| count(&spec.parallelism, "parallelism", 1))?;
    let (key, mut controller) = plain(&it.metadata, "Job", observer)?;
    controller.desired = pods.flatten().or(Some(1));
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

fn count(field: &Maybe<i64>, name: &str, default: u32) -> Result<Option<u32>, Oddity> {
    match field.known(name)? {
        None => Ok(Some(default)),
        Some(count) => {
            u32::try_from(*count).map(Some).map_err(|_| Oddity::value(name, format!("{count} is out of range")))
        }
    }
}

/// Whether the status is of the spec as it is now.
fn is_synced(meta: &Maybe<WorkloadMeta>, status: &Maybe<StatusLite>) -> Result<bool, Oddity> {
    let observed =
        status.read("status", |status| Ok(status.observed_generation.known("observedGeneration")?.copied()))?;
    let wanted = meta.required("metadata")?.generation.ok().copied();
    Ok(observed.flatten() >= wanted)
}

fn workload(metadata: &Maybe<WorkloadMeta>, kind: &str, observer: &mut Observer) -> Result<(Key, Controller), Oddity> {
    let (key, mut controller) = plain(metadata, kind, observer)?;
    let meta = metadata.required("metadata")?;
    meta.managed_fields
        .each("managedFields", |_, entry| {
            let touches = entry.fields.ok().is_some_and(|fields| fields.0);
            let of_status = entry.subresource.known("subresource")?.is_some_and(|name| name == "status");
            if let (true, false, Some(at)) = (touches, of_status, time(&entry.time, "time")?) {
                let by = entry.manager.known("manager")?.map_or("", String::as_str);
                let by = observer.name(cut(by, MAX_NAME));
                controller.touches.push(Touch { at, by });
            }
            Ok(())
        })
        .map_err(|oddity| oddity.under("metadata"))?;
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
        owner: meta.controller().map_err(under)?.map(|above| owner(above, observer)),
        desired: None,
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

/// Who keeps the manifest, in words: the innermost tool's labels may be there too when another
/// one applied them, so the outermost comes first.
fn managed_by<M: Shape>(meta: &ObjectMeta<M>) -> Option<String> {
    let label = |key| meta.label(key).filter(|value| !value.is_empty());
    let say = |what: &str, name: &str| Some(format!("{what} {}", cut(name, MAX_NAME)));
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
    (label("app.kubernetes.io/managed-by") == Some("Helm")).then(|| format!("Helm release {}", cut(release, MAX_NAME)))
}
