//! Kubernetes Events on the workloads.
//!
//! Written directly, not through kube's `Recorder`, which repeats the first note of a series and fails for
//! minutes once that Event has expired. The name of an Event is derived from its content: if it exists, it
//! was written before.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::core::{ApiResource, PartialObjectMeta, Status};
use kube::{Api, Client};

use super::Reply;
use crate::report::event::{CONTROLLER, Note, Regarding};
use crate::report::update::FindingUpdate;
use crate::source::cluster::{Trouble, cause};
use crate::text::cut;
use crate::time::Time;

/// Maximum length of the replica's name, in bytes (pkg/apis/core/validation/events.go).
const INSTANCE: usize = 128;

/// Creates the Event for an update of a finding.
pub async fn send(client: &Client, instance: &str, news: &FindingUpdate, now: Time) -> Reply {
    let workload = Regarding::parse(&news.finding.workload);
    let note = Note::new(news, now);
    create(client, instance, &news.finding.namespace, workload, note, "Diagnosed", now).await
}

/// Creates one Event on a workload; `action` is what was done, in one word.
pub async fn create(
    client: &Client,
    instance: &str,
    namespace: &str,
    workload: Regarding,
    note: Note,
    action: &str,
    now: Time,
) -> Reply {
    let uid = match uid(client, namespace, &workload).await {
        Ok(uid) => uid,
        Err(error) => return meaning(&error),
    };
    let mut event = event(note, namespace, workload, uid, now);
    event.action = Some(action.to_owned());
    event.reporting_instance = Some(cut(instance, INSTANCE).to_owned());
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    match api.create(&PostParams::default(), &event).await {
        Ok(_) => Reply::Delivered,
        Err(kube::Error::Api(status)) if status.is_already_exists() => Reply::Delivered,
        Err(error) => meaning(&error),
    }
}

/// Interprets an error of the API server.
fn meaning(error: &kube::Error) -> Reply {
    let failed = || Reply::Failed { why: cause(error), wait: None };
    let kube::Error::Api(status) = error else { return failed() };
    match status.code {
        // The namespace is gone, or accepts nothing any more.
        404 => Reply::Refused("its namespace is gone".to_owned()),
        403 if is_terminating(status) => Reply::Refused("its namespace is being removed".to_owned()),
        400 | 409 | 413 | 422 => Reply::Refused(cause(error)),
        // The permission may be granted at any time, and exist in other namespaces: no reason to give up.
        _ if Trouble::from_error(error) == Trouble::Forbidden => {
            Reply::Refused(format!("{}: the right to create events.k8s.io events is missing", cause(error)))
        }
        _ => failed(),
    }
}

fn is_terminating(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}

/// The workload's UID, without which `kubectl describe` does not find the Event; `None` if there is none,
/// or probehound may not read it.
async fn uid(client: &Client, namespace: &str, workload: &Regarding) -> Result<Option<String>, kube::Error> {
    if workload.plural.is_empty() {
        return Ok(None);
    }
    let resource = ApiResource {
        group: workload.group.to_owned(),
        version: "v1".to_owned(),
        api_version: api_version(workload),
        kind: workload.kind.clone(),
        plural: workload.plural.to_owned(),
    };
    let api: Api<PartialObjectMeta<kube::core::DynamicObject>> =
        Api::namespaced_with(client.clone(), namespace, &resource);
    match api.get_metadata_opt(&workload.name).await {
        Ok(object) => Ok(object.and_then(|object| object.metadata.uid)),
        Err(error) if Trouble::from_error(&error) == Trouble::Forbidden => Ok(None),
        Err(error) => Err(error),
    }
}

fn event(note: Note, namespace: &str, workload: Regarding, uid: Option<String>, now: Time) -> Event {
    let namespace = Some(namespace.to_owned());
    Event {
        metadata: ObjectMeta { name: Some(note.name), namespace: namespace.clone(), ..ObjectMeta::default() },
        event_time: Timestamp::from_millisecond(now.as_millis()).ok().map(MicroTime),
        note: Some(note.text),
        reason: Some(note.reason),
        regarding: Some(ObjectReference {
            api_version: Some(api_version(&workload)).filter(|_| !workload.plural.is_empty()),
            kind: Some(workload.kind),
            name: Some(workload.name),
            namespace,
            uid,
            ..ObjectReference::default()
        }),
        reporting_controller: Some(CONTROLLER.to_owned()),
        type_: Some(note.kind.to_owned()),
        ..Event::default()
    }
}

fn api_version(workload: &Regarding) -> String {
    if workload.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", workload.group) }
}
