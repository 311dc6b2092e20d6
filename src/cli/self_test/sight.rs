//! Waits for a finding of the installed operator.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, PartialObjectMeta};
use kube::{Api, Client};
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep};

use crate::cli::args::Wait;
use crate::cli::error::Error;
use crate::cli::scan::Target;
use crate::engine::Cause;
use crate::report::object::{FindingObject, FindingState};
use crate::runtime::clock;
use crate::source::cluster::{Access, Target as Cluster};

/// Interval between two looks.
const AGAIN: Duration = Duration::from_secs(1);
/// Limit for a list of findings: the operator keeps no more of a namespace.
const FINDINGS: u32 = 1_000;

/// Waits, and returns the finding in a sentence.
pub fn wait(args: &Wait) -> Result<String, Error> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Start(error.to_string()))?;
    // Fails if one is installed already, which is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime.block_on(look(args))
}

async fn look(args: &Wait) -> Result<String, Error> {
    let cluster = Cluster { kubeconfig: args.kubeconfig.clone(), context: None };
    let access = Access::find(&cluster, clock::now).await?;
    let namespace = args.namespace.as_deref().unwrap_or_else(|| access.namespace());
    let end = Instant::now() + args.timeout;
    loop {
        let last = match glance(access.client(), namespace, &args.target).await {
            Ok(Ok(summary)) => return Ok(summary),
            Ok(Err(lacking)) => lacking,
            // Rights and definitions that were just made are known a moment later.
            Err(error) => format!("its findings cannot be read: {error}"),
        };
        if Instant::now() >= end {
            return Err(Error::NotSeen { target: args.target.to_string(), last });
        }
        sleep(AGAIN).await;
    }
}

/// The summary of the finding, or what is still lacking.
async fn glance(client: &Client, namespace: &str, target: &Target) -> Result<Result<String, String>, kube::Error> {
    let findings: Api<FindingObject> = Api::namespaced(client.clone(), namespace);
    let list = findings.list(&ListParams::default().limit(FINDINGS)).await?;
    let (pod, summary) = match of(target, &list.items) {
        Ok(seen) => seen,
        Err(lacking) => return Ok(Err(lacking)),
    };
    // A finding of an earlier test is still confirmed for a minute, and then the same one comes again.
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let pod: Option<PartialObjectMeta<Pod>> = pods.get_metadata_opt(pod).await?;
    let is_there = pod.is_some_and(|pod| pod.metadata.deletion_timestamp.is_none());
    Ok(if is_there { Ok(summary.to_owned()) } else { Err("only a finding of an earlier test".to_owned()) })
}

/// The example pod and the summary of the confirmed finding of a workload, or what is lacking.
fn of<'a>(target: &Target, findings: &'a [FindingObject]) -> Result<(&'a str, &'a str), String> {
    let is_meant = |finding: &&FindingObject| {
        let workload = &finding.spec.workload;
        target.is_workload(&format!("{}/{}", workload.kind, workload.name))
    };
    let known: Vec<_> = findings.iter().filter(is_meant).filter_map(|finding| finding.status.as_ref()).collect();
    let confirmed = known
        .iter()
        .find(|status| (status.state, status.cause) == (Some(FindingState::Confirmed), Some(Cause::WrongPath)));
    if let Some(status) = confirmed {
        return status.example.as_deref().zip(status.summary.as_deref()).ok_or_else(|| "no pod is named".to_owned());
    }
    match known.first() {
        None => Err("there is no finding of it".to_owned()),
        Some(status) => Err(format!("{:?}: {}", status.state, status.summary.as_deref().unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cli::scan::target;

    #[test]
    fn a_confirmed_wrong_path_of_that_workload_is_what_is_waited_for() {
        let wanted = json!({"state": "Confirmed", "cause": "WrongPath", "example": "web-1", "summary": "It is."});
        assert_eq!(seen("web", &wanted), Ok(("web-1".to_owned(), "It is.".to_owned())));
        assert_eq!(seen("other", &wanted), Err("there is no finding of it".to_owned()));
        for (key, value) in [("state", "Resolved"), ("cause", "NothingListening")] {
            let mut other = wanted.clone();
            other[key] = value.into();
            let lacking = seen("web", &other).expect_err("another");
            assert!(lacking.contains("It is."), "{lacking}");
        }
    }

    fn seen(name: &str, status: &Value) -> Result<(String, String), String> {
        let finding: FindingObject = serde_json::from_value(json!({
            "apiVersion": "probehound.dev/v1alpha1",
            "kind": "Finding",
            "metadata": {"name": "one"},
            "spec": {
                "workload": {"kind": "Deployment", "name": "web"},
                "container": "web",
                "effect": "RestartLoop",
                "probe": "liveness",
            },
            "status": status,
        }))
        .expect("a finding");
        let target = target(&format!("deployment/{name}")).expect("a target");
        of(&target, &[finding]).map(|(pod, summary)| (pod.to_owned(), summary.to_owned()))
    }
}
