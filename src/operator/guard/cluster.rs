//! The Deployments and ReplicaSets, as raw objects.

use std::time::Duration;

use http::{Method, Request};
use kube::Client;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::guard::cluster::{Deployment, ReplicaSet, turns_off};
use crate::source::cluster::{Trouble, cause};

/// Time limit of a request, as of the keeper's: what the holder of the Lease sends has to arrive before another
/// replica can hold it.
const REQUEST: Duration = Duration::from_secs(4);
/// ReplicaSets per page, and pages: a Deployment keeps ten by default.
const PAGE: usize = 100;
const PAGES: usize = 5;
/// The policy by which only kubelets write events of kubelets: manifests/policies/events-of-kubelets.yaml.
const POLICY: &str = "events-of-kubelets.probehound.dev";
/// Who changes Deployments here.
const MANAGER: &str = "probehound-guard";

/// Reads and patches Deployments.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
}

/// A Deployment, and the ReplicaSets that belong to it.
#[derive(Debug)]
pub struct Seen {
    /// The Deployment.
    pub deployment: Deployment,
    /// Its ReplicaSets.
    pub replica_sets: Vec<ReplicaSet>,
}

/// Why something could not be read or patched.
#[derive(Debug)]
pub enum Setback {
    /// It is gone.
    Missing,
    /// The object is not as it was read.
    Changed,
    /// It is refused, and that is the server's last word.
    Refused(String),
    /// Whether it was done is not known, or it may work a little later.
    Unknown(String),
}

impl Cluster {
    /// Of that client.
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    /// The namespace in which this process runs.
    pub fn namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// Reads a Deployment and its ReplicaSets.
    ///
    /// # Errors
    /// One of them cannot be read, or there are more than a Deployment has.
    pub async fn read(&self, namespace: &str, name: &str) -> Result<Seen, Setback> {
        let apps = place(namespace)?;
        let object = self.ask(Method::GET, format!("{apps}/deployments/{}", checked(name)?), None).await?;
        let odd = || Setback::Refused("the Deployment has no form that is known".to_owned());
        let deployment = Deployment::read(&object).ok_or_else(odd)?;
        let labels = object["spec"]["selector"]["matchLabels"].as_object().ok_or_else(odd)?;
        let labels: Vec<_> =
            labels.iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect();
        let list = format!("{apps}/replicasets?limit={PAGE}&labelSelector={}", labels.join(","));
        let (mut replica_sets, mut page) = (Vec::new(), list.clone());
        for _ in 0..PAGES {
            let some = self.ask(Method::GET, page, None).await?;
            let items = some["items"].as_array().into_iter().flatten();
            replica_sets.extend(items.filter_map(|item| ReplicaSet::read(item, &deployment.uid)));
            match some["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
                Some(token) => page = format!("{list}&continue={token}"),
                None => return Ok(Seen { deployment, replica_sets }),
            }
        }
        Err(Setback::Refused("there are too many ReplicaSets".to_owned()))
    }

    /// Whether the annotations of a namespace turn the guard off.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn turns_off(&self, namespace: &str) -> Result<bool, Setback> {
        let path = format!("/api/v1/namespaces/{}", checked(namespace)?);
        Ok(turns_off(&self.ask(Method::GET, path, None).await?["metadata"]))
    }

    /// Whether a Deployment may be patched, as the API server says.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn may_patch(&self, namespace: &str, name: &str) -> Result<bool, Setback> {
        let what =
            json!({"namespace": namespace, "name": name, "verb": "patch", "group": "apps", "resource": "deployments"});
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": what},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned();
        let answer = self.ask(Method::POST, path, Some(("application/json", &review))).await?;
        Ok(answer["status"]["allowed"].as_bool() == Some(true))
    }

    /// Whether only kubelets may write events whose source is the kubelet: one that this process would write is
    /// refused by the policy, in a dry run.
    ///
    /// # Errors
    /// There was no answer, or this process may write no events there.
    pub async fn only_kubelets_write_events(&self, namespace: &str) -> Result<bool, Setback> {
        let path = format!("/apis/events.k8s.io/v1/namespaces/{}/events?dryRun=All", checked(namespace)?);
        let event = json!({
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"generateName": "probehound-", "namespace": namespace},
            "eventTime": "2026-01-01T00:00:00.000000Z",
            "reportingController": "kubelet",
            "reportingInstance": "probehound",
            "regarding": {"kind": "Pod", "name": "probehound", "namespace": namespace},
            "reason": "Killing",
            "action": "Killing",
            "type": "Normal",
        });
        match self.ask(Method::POST, path, Some(("application/json", &event))).await {
            Ok(_) => Ok(false),
            Err(Setback::Refused(why)) if why.contains(POLICY) => Ok(true),
            Err(setback) => Err(setback),
        }
    }

    /// Patches a Deployment by JSON patch.
    ///
    /// # Errors
    /// It was not patched, or that is not known.
    pub async fn patch(&self, namespace: &str, name: &str, patch: &Value) -> Result<(), Setback> {
        let url = format!("{}/deployments/{}?fieldManager={MANAGER}", place(namespace)?, checked(name)?);
        self.ask(Method::PATCH, url, Some(("application/json-patch+json", patch))).await.map(drop)
    }

    async fn ask(&self, method: Method, path: String, body: Option<(&str, &Value)>) -> Result<Value, Setback> {
        let request = Request::builder().method(method).uri(path);
        let request = match body {
            Some((form, value)) => request.header("content-type", form).body(value.to_string().into_bytes()),
            None => request.body(Vec::new()),
        };
        let request = request.map_err(|_| Setback::Refused("a name that is none".to_owned()))?;
        match timeout(REQUEST, self.client.request::<Value>(request)).await {
            Ok(answer) => answer.map_err(|error| Setback::from_error(&error)),
            Err(_) => Err(Setback::Unknown("no answer in time".to_owned())),
        }
    }
}

impl Setback {
    fn from_error(error: &kube::Error) -> Self {
        let kube::Error::Api(status) = error else { return Self::Unknown(cause(error)) };
        match status.code {
            404 => Self::Missing,
            // A test of a JSON patch that fails is 422 with the words of the library; so is an object that is
            // not valid, which only another decision can change.
            409 | 422 => Self::Changed,
            429 | 500.. => Self::Unknown(cause(error)),
            _ if Trouble::from_error(error) == Trouble::Unauthorized => Self::Unknown(cause(error)),
            _ => Self::Refused(cause(error)),
        }
    }
}

fn place(namespace: &str) -> Result<String, Setback> {
    Ok(format!("/apis/apps/v1/namespaces/{}", checked(namespace)?))
}

/// A name that is one: those of owners come from pods, in which anything may stand.
fn checked(name: &str) -> Result<&str, Setback> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    let is_name = (1..=253).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with('.');
    if is_name { Ok(name) } else { Err(Setback::Refused("a name that is none".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_a_pod_leads_nowhere_else() {
        assert!(checked("web-7.a").is_ok());
        for name in ["", "../secrets", "..", "a/b", "a?b", "a#b", "a%2fb", "A", "a b", "ä"] {
            assert!(checked(name).is_err(), "{name}");
        }
    }
}
