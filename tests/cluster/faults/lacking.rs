//! Without permissions, without a cluster, with an expired token: it reports what is wrong and what to
//! type, and everything else continues.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Folder, ports, waiting};
use crate::installed::Installed;
use crate::operator::{Operator, READY, Settings};

/// Time within which it has noticed and reported what is wrong.
const NOTICED: Duration = Duration::from_mins(1);

#[tokio::test]
async fn without_rights_it_says_which_are_missing_and_how_to_get_them() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    api.create_namespace("no-rights").await;
    let token = api.token_of("no-rights", "default", 3600).await;
    let kubeconfig = installed.cluster.write_kubeconfig("no-rights.kubeconfig", &installed.cluster.url(), &token);

    let operator = Settings::new("no-rights", kubeconfig).start(installed.cluster.folder());

    for resource in ["pods", "events"] {
        waiting::eventually("it is counted", NOTICED, async || {
            let labels = [&*format!("resource=\"{resource}\""), "error=\"forbidden\""];
            let errors = operator.metrics().await.sum("probehound_watch_errors_total", &labels);
            errors.filter(|count| *count > 0).ok_or(errors)
        })
        .await;
    }
    until_logged(&operator, &["pods", "events", "forbidden", "kubectl"]).await;
    still_alive(&operator).await;
}

#[tokio::test]
async fn without_a_cluster_it_says_so_and_keeps_trying() {
    let folder = Folder::new("no-cluster");
    // A port on which nothing listens.
    let port = ports::free();
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": format!("http://127.0.0.1:{port}")}}],
        "users": [{"name": "it", "user": {"token": "none"}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    });
    let kubeconfig = folder.write("kubeconfig", &kubeconfig.to_string());

    let operator = Settings::new("no-cluster", kubeconfig).start(&folder);

    until_logged(&operator, &["Cannot reach the cluster", "kubectl"]).await;
    still_alive(&operator).await;
}

#[tokio::test]
async fn with_a_token_that_ran_out_it_says_so_and_goes_on_with_a_new_one() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    api.create_namespace("token").await;
    api.create_service_account("token", "short-lived").await;
    let token = api.token_of("token", "short-lived", 3600).await;
    // The server does not accept a token of a deleted service account.
    api.delete("/api/v1/namespaces/token/serviceaccounts/short-lived", 0).await.expect("a deletion");
    let file = installed.cluster.folder().write("token", &token);
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": installed.cluster.url(), "certificate-authority": installed.cluster.folder().file("ca.crt")}}],
        "users": [{"name": "it", "user": {"tokenFile": file}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    });
    let kubeconfig = installed.cluster.folder().write("token.kubeconfig", &kubeconfig.to_string());

    let operator = Settings::new("token", kubeconfig).watching(&["token"]).start(installed.cluster.folder());

    until_logged(&operator, &["credentials", "token", "kubectl"]).await;
    still_alive(&operator).await;
    let account = crate::installed::ACCOUNT;
    let fresh = api.token_of(crate::installed::NAMESPACE, account, 3600).await;
    installed.cluster.folder().write("token", &fresh);
    // The file is read again once a minute.
    waiting::eventually("it is ready", READY + Duration::from_mins(1), async || operator.get("/readyz").await).await;
}

/// Waits until all of these words are in the log.
async fn until_logged(operator: &Operator, words: &[&str]) {
    waiting::eventually(&format!("it says {words:?}"), NOTICED, async || {
        let log = operator.log();
        if words.iter().all(|word| log.contains(word)) { Ok(()) } else { Err(log) }
    })
    .await;
}

/// Each warning contains a hint; it serves its own state, and is not ready.
async fn still_alive(operator: &Operator) {
    let helpless: Vec<String> = operator.complaints().into_iter().filter(|line| !line.contains(" hint=")).collect();
    assert_eq!(helpless, Vec::<String>::new());
    operator.get("/livez").await.expect("it is alive");
    operator.get("/readyz").await.expect_err("it has read nothing");
    assert_eq!(operator.metrics().await.sum("probehound_watch_up", &["resource=\"pods\""]), Some(0));
}
