//! `probehound notify --test` with a receiver that needs the cluster, as a person runs it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::harness::Folder;
use crate::installed::Installed;
use crate::operator::binary;

#[tokio::test]
async fn a_sample_event_is_written_or_the_missing_right_is_said() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    api.create_namespace("samples").await;
    let (url, folder) = (installed.cluster.url(), installed.cluster.folder());
    let token = api.token_of("samples", "default", 3600).await;
    let without = installed.cluster.write_kubeconfig("samples-without.kubeconfig", &url, &token);

    let written = notify(folder, &installed.cluster.admin_kubeconfig());
    let refused = notify(folder, &without);

    assert_eq!(said(&written), (Some(0), "ok: the receiver describe (events) took the sample\n".to_owned()));
    let events = api.get("/apis/events.k8s.io/v1/namespaces/default/events").await.expect("events");
    let is_ours = |event: &serde_json::Value| event["regarding"]["name"] == "auth-service";
    assert!(events["items"].as_array().is_some_and(|events| events.iter().any(is_ours)), "{events:#}");
    let (code, words) = said(&refused);
    assert_eq!(code, Some(1));
    assert!(words.contains("the right to create events.k8s.io events is missing"), "{words}");
    assert_eq!(
        words.lines().map(|line| line.split(':').next().unwrap_or_default()).collect::<Vec<_>>(),
        ["error", "hint"]
    );
}

fn notify(folder: &Folder, kubeconfig: &Path) -> Output {
    let config = json!({"notifications": {"receivers": [{"name": "describe", "events": {}}]}});
    let config = folder.write("samples.config.yaml", &config.to_string());
    let mut command = Command::new(binary());
    command.args(["notify", "--test", "describe", "--config"]).arg(config).arg("--kubeconfig").arg(kubeconfig);
    command.output().expect("the program starts")
}

/// Its exit code, and all that it wrote.
fn said(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}
