//! `/metrics`, the rules and the example of routes, checked by Prometheus' and Alertmanager's own tools.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::{self, waiting};
use crate::installed::{Installed, manifests};
use crate::player::Scene;
use crate::{clock, player};

#[tokio::test]
async fn promtool_has_nothing_to_say_about_the_metrics() {
    let Some(promtool) = harness::installed(&["promtool"]) else { return };
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    api.create_namespace("measured").await;
    let operator = installed.settings("exposition").await.watching(&["measured"]).start(installed.cluster.folder());
    operator.until_ready().await;
    let scene = Scene::of("liveness-http-wrong-port", Duration::from_secs(20)).in_namespace("measured");
    player::play(&api, &scene, clock::now().plus(Duration::from_secs(2))).await;
    waiting::eventually("a finding is in the metrics", Duration::from_mins(1), async || {
        let metrics = operator.metrics().await;
        metrics
            .sum("probehound_findings", &["namespace=\"measured\"", "cause=\"WrongPort\""])
            .filter(|count| *count > 0)
            .ok_or("none")
    })
    .await;

    let metrics = operator.get("/metrics").await.expect("metrics");
    let mut promtool = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    promtool.stdin.take().expect("piped").write_all(metrics.as_bytes()).expect("promtool reads");
    let output = promtool.wait_with_output().expect("promtool ends");

    let words = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && words.is_empty(), "{}", String::from_utf8_lossy(&words));
}

#[test]
fn promtool_and_amtool_have_nothing_to_say_about_what_is_shipped() {
    let commands: [&[&str]; 3] = [
        &["promtool", "check", "rules", "probehound.rules.yaml"],
        &["promtool", "test", "rules", "tests/findings.yaml", "tests/health.yaml"],
        &["amtool", "check-config", "alertmanager.yml"],
    ];
    for command in commands {
        let Some(program) = harness::installed(&command[..1]) else { continue };
        let output = Command::new(program).args(&command[1..]).current_dir(manifests("rules")).output();
        let output = output.expect("it starts");
        let words = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&words));
    }
}
