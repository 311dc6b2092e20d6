//! Alertmanager, with probehound's example of routes.

use std::path::Path;

use crate::harness::{Api, Folder, Process, ports};

/// The example as it is shipped.
const EXAMPLE: &str = include_str!("../../../manifests/rules/alertmanager.yml");

/// The receiver that the example notifies.
const PAGER: &str = "http://pager.example/alerts";

/// How long groups wait; shortened for the tests.
const PACES: [(&str, &str); 2] = [("group_wait: 10s", "group_wait: 1s"), ("group_interval: 1m", "group_interval: 5s")];

/// A running Alertmanager.
pub struct Alertmanager {
    process: Process,
    address: String,
}

impl Alertmanager {
    /// Starts one that notifies `pager` instead of the example's receiver.
    pub async fn start(program: &Path, folder: &Folder, pager: &str) -> Self {
        let mut config = EXAMPLE.to_owned();
        for (shipped, here) in PACES.into_iter().chain([(PAGER, pager)]) {
            assert!(config.contains(shipped), "the example has {shipped}");
            config = config.replace(shipped, here);
        }
        let config = folder.write("alertmanager.yaml", &config);
        let address = format!("127.0.0.1:{}", ports::free());
        let arguments = [
            format!("--config.file={}", config.display()),
            format!("--storage.path={}", folder.file("alertmanager").display()),
            format!("--web.listen-address={address}"),
            // A single one has no peers.
            "--cluster.listen-address=".to_owned(),
            "--log.level=warn".to_owned(),
        ];
        let process = Process::start("alertmanager", program, &arguments, &[], &folder.file("alertmanager.log"));
        super::until_ready(&process, &Api::anonymous(&format!("http://{address}"), "")).await;
        Self { process, address }
    }

    /// Its listen address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The last lines of its output.
    pub fn last_words(&self) -> String {
        self.process.last_words()
    }
}
