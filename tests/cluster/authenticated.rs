//! Metrics for authorized clients: tokens, roles and reviews of a real API server.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Api, clock, ports, waiting};
use crate::installed::{ACCOUNT, Installed, NAMESPACE};
use crate::operator::Operator;
use crate::player::{Scene, play};

const SOON: Duration = Duration::from_mins(1);
/// Shortly before the rollout of a wrong path.
const BEFORE: Duration = Duration::from_secs(66);
/// Until it is confirmed by kills.
const PLAYED: Duration = Duration::from_secs(50);

#[tokio::test]
async fn metrics_are_for_who_may_get_them_and_health_is_for_everybody() {
    let installed = Installed::start_with("authenticated", "overlays/metrics-authentication").await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let tokens = [account(&api, "monitoring").await, account(&api, "tenant").await];
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "prometheus"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "probehound-metrics-reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "monitoring"}],
    });
    api.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &binding).await.expect("a binding");

    let operator = settings(&installed, "authenticated").await;
    operator.until_ready().await;

    let [prometheus, tenant] = &tokens;
    waiting::eventually("who may get them does", SOON, async || {
        let code = code(&operator, "/metrics", prometheus).await;
        if code == 200 { Ok(()) } else { Err(code) }
    })
    .await;
    assert_eq!(code(&operator, "/metrics", tenant).await, 403);
    assert_eq!(code(&operator, "/metrics", "made-up").await, 401);
    assert_eq!(Api::anonymous(&url(&operator), "").get("/metrics").await.code, 401);
    for path in ["/livez", "/readyz"] {
        assert_eq!(Api::anonymous(&url(&operator), "").get(path).await.code, 200, "{path}");
    }
    let log = operator.log();
    assert!(tokens.iter().all(|token| !log.contains(token.as_str())), "a token is logged");
}

#[tokio::test]
async fn without_the_right_to_ask_nobody_reads_metrics_and_the_log_says_why() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let token = account(&installed.cluster.admin(), "unanswered").await;
    let operator = settings(installed, "unanswered").await;
    operator.until_ready().await;
    assert_eq!(code(&operator, "/metrics", &token).await, 503);
    assert!(operator.log().contains("manifests/overlays/metrics-authentication"), "{}", operator.log());
}

#[tokio::test]
async fn who_may_view_one_namespace_sees_the_findings_of_that_one_alone() {
    let installed = Installed::start_with("page", "overlays/page").await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let (shop, pay) = (account(&api, "shop").await, account(&api, "pay").await);
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "viewer"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "shop"}],
    });
    api.create("/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings", &binding).await.expect("a binding");
    let port = ports::free();
    let page = json!({"enabled": true, "authentication": true, "listen": format!("127.0.0.1:{port}")});
    let operator = installed.settings("page").await.with("page", page).start(installed.cluster.folder());
    operator.until_ready().await;
    let scene =
        |namespace: &str| Scene::of("liveness-http-404-wrong-path", PLAYED).skipping(BEFORE).in_namespace(namespace);
    let start = clock::now();
    let (in_shop, in_pay) = (scene("shop"), scene("pay"));
    tokio::join!(play(&api, &in_shop, start), play(&api, &in_pay, start));
    let url = format!("http://127.0.0.1:{port}");
    let admin = api.token_of(NAMESPACE, ACCOUNT, 600).await;
    waiting::eventually("who may list all sees both", SOON, async || {
        let body = Api::new(&url, "", &admin).get("/ui/").await.body.to_string();
        if body.contains("<b>shop</b>") && body.contains("<b>pay</b>") { Ok(()) } else { Err(body) }
    })
    .await;
    let of_shop = Api::new(&url, "", &shop).get("/ui/").await.body.to_string();
    assert!(of_shop.contains("<b>shop</b>") && !of_shop.contains("pay"), "{of_shop}");
    let of_pay = Api::new(&url, "", &pay).get("/ui/").await.body.to_string();
    assert!(of_pay.contains("Nothing is wrong") && !of_pay.contains("shop"), "{of_pay}");
    for token in ["made-up", ""] {
        assert_eq!(Api::new(&url, "", token).get("/ui/").await.code, 401);
    }
    assert!(!operator.log().contains(shop.as_str()), "a token is logged");
}

async fn settings(installed: &Installed, name: &str) -> Operator {
    let settings = installed.settings(name).await.env("PROBEHOUND_METRICS_AUTHENTICATION", "true");
    settings.start(installed.cluster.folder())
}

/// The token of a service account in a namespace of its own.
async fn account(api: &Api, namespace: &str) -> String {
    api.create_namespace(namespace).await;
    api.create_service_account(namespace, "default").await;
    api.token_of(namespace, "default", 600).await
}

async fn code(operator: &Operator, path: &str, token: &str) -> u16 {
    Api::new(&url(operator), "", token).get(path).await.code
}

fn url(operator: &Operator) -> String {
    format!("http://{}", operator.address())
}
