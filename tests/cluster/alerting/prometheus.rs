//! Prometheus, with probehound's rules.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Api, Folder, Process, ports};

/// The rules as they are shipped.
const RULES: &str = include_str!("../../../manifests/rules/probehound.rules.yaml");

/// How long an alert is kept in case probehound restarts; shortened for the tests.
const KEPT: (&str, &str) = ("keep_firing_for: 2m", "keep_firing_for: 10s");

/// A running Prometheus.
pub struct Prometheus {
    process: Process,
    api: Api,
}

impl Prometheus {
    /// Starts one that scrapes `target` and sends alerts to the Alertmanager at `alertmanager`.
    pub async fn start(program: &Path, folder: &Folder, target: &str, alertmanager: &str) -> Self {
        assert!(RULES.contains(KEPT.0), "the rules keep alerts");
        let rules = folder.write("probehound.rules.yaml", &RULES.replace(KEPT.0, KEPT.1));
        let config = folder.write("prometheus.yaml", &configuration(&rules, target, alertmanager).to_string());
        let address = format!("127.0.0.1:{}", ports::free());
        let arguments = [
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.file("prometheus").display()),
            format!("--web.listen-address={address}"),
            "--log.level=warn".to_owned(),
        ];
        let process = Process::start("prometheus", program, &arguments, &[], &folder.file("prometheus.log"));
        let api = Api::anonymous(&format!("http://{address}"), "");
        super::until_ready(&process, &api).await;
        Self { process, api }
    }

    /// The firing alerts.
    pub async fn firing(&self) -> Vec<Value> {
        let answer = self.api.get("/api/v1/alerts").await;
        let mut alerts = answer.body["data"]["alerts"].as_array().cloned().unwrap_or_default();
        alerts.retain(|alert| alert["state"] == "firing");
        alerts
    }

    /// The rules that cannot be evaluated, and why.
    pub async fn rules_in_trouble(&self) -> Vec<Value> {
        let answer = self.api.get("/api/v1/rules").await.expect("the rules");
        let groups = answer["data"]["groups"].as_array().cloned().unwrap_or_default();
        let rules = groups.iter().filter_map(|group| group["rules"].as_array()).flatten();
        let rules: Vec<Value> = rules.cloned().collect();
        assert!(!rules.is_empty(), "{answer:#}");
        rules.into_iter().filter(|rule| rule["health"] != "ok").collect()
    }

    /// The last lines of its output.
    pub fn last_words(&self) -> String {
        self.process.last_words()
    }
}

fn configuration(rules: &Path, target: &str, alertmanager: &str) -> Value {
    json!({
        "global": {"scrape_interval": "3s", "scrape_timeout": "3s", "evaluation_interval": "3s"},
        "rule_files": [rules],
        "scrape_configs": [{"job_name": "probehound", "honor_labels": true, "static_configs": [{"targets": [target]}]}],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
    })
}
