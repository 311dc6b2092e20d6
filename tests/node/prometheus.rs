//! A real Prometheus, with probehound's rules.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Api, ControlPlane, Process, waiting};

/// Its listen address.
const LISTEN: &str = "127.0.0.1:9090";

/// Far more than it needs to start, on a busy machine.
const START: Duration = Duration::from_mins(1);

/// A Prometheus that scrapes probehound.
pub struct Prometheus {
    process: Process,
    api: Api,
}

impl Prometheus {
    /// Starts it, so that it scrapes this address, and waits until it is ready.
    pub async fn start(plane: &ControlPlane, target: &str) -> Self {
        let folder = plane.folder();
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/rules/probehound.rules.yaml");
        let config = folder.write("prometheus.yaml", &configuration(&rules, target).to_string());
        let arguments = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.file("prometheus").display()),
            format!("--web.listen-address={LISTEN}"),
            "--log.level=warn".to_owned(),
        ];
        let program = Path::new("/usr/bin/prometheus");
        let process = Process::start("prometheus", program, &arguments, &[], &folder.file("prometheus.log"));
        let this = Self { process, api: Api::anonymous(&format!("http://{LISTEN}"), "") };
        waiting::eventually("Prometheus is ready", START, async || {
            let answer = this.api.get("/-/ready").await;
            if answer.is_success() { Ok(()) } else { Err(this.process.last_words()) }
        })
        .await;
        this
    }

    /// Whether the alert of a wrong probe fires for that workload, with these values.
    pub async fn is_firing(&self, workload: &str, values: &[&str]) -> bool {
        let answer = self.api.get("/api/v1/alerts").await;
        let alerts = answer.body["data"]["alerts"].as_array().cloned().unwrap_or_default();
        alerts.iter().any(|alert| {
            let (labels, description) = (&alert["labels"], alert["annotations"]["description"].as_str());
            alert["state"] == "firing"
                && labels["alertname"] == "ProbehoundProbeMisconfigured"
                && labels["workload"] == workload
                && values.iter().all(|value| description.is_some_and(|text| text.contains(value)))
        })
    }
}

/// Debian's Prometheus has no service discovery for pods: the target is configured.
fn configuration(rules: &Path, target: &str) -> Value {
    json!({
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": [rules],
        "scrape_configs": [{"job_name": "probehound", "honor_labels": true, "static_configs": [{"targets": [target]}]}],
    })
}
