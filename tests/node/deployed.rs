//! probehound as a Deployment of the cluster, from its own image, with its own permissions.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::harness::clock::Stopwatch;
use crate::harness::{Api, ControlPlane, waiting};
use crate::helm::Helm;
use crate::kubectl::Kubectl;

/// Its namespace.
pub const NAMESPACE: &str = "probehound";

/// Far more than it needs, on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);

/// The clock ticks in `/proc/PID/stat` on Linux, whatever the kernel's own.
const TICKS_PER_SECOND: f64 = 100.0;

/// The Deployment, seen from outside.
pub struct Deployed {
    api: Api,
    helm: Helm,
    address: String,
}

/// The usage of its process.
#[derive(Copy, Clone, Debug)]
pub struct Usage {
    /// Its process id; the pod may have been restarted.
    pub pid: u32,
    /// Resident memory, in KiB.
    pub resident_kib: u64,
    /// CPU time since its start, in seconds.
    pub cpu_seconds: f64,
}

impl Deployed {
    /// Installs it by its chart, into a namespace that admits only the restricted, and waits until it is ready.
    pub async fn install(kubectl: &Kubectl, plane: &ControlPlane) -> Self {
        let restricted = "pod-security.kubernetes.io/enforce=restricted";
        kubectl.create_namespace(NAMESPACE).await;
        kubectl.run(&["label", "namespace", NAMESPACE, restricted]).await;
        let mut this = Self { api: plane.admin(), helm: Helm::new(plane), address: String::new() };
        let since = Stopwatch::start();
        let values = ["--namespace", NAMESPACE, "--values", "tests/node/values.yaml"];
        this.helm.run(&[&["install", "probehound", "charts/probehound"][..], &values].concat()).await;
        this.until_ready().await;
        let pods = this.api.get(&format!("/api/v1/namespaces/{NAMESPACE}/pods")).await.body;
        this.address = format!("{}:8080", pods["items"][0]["status"]["podIP"].as_str().expect("it has an address"));
        println!("probehound is ready {:.1?} after helm install", since.elapsed());
        this
    }

    /// Has the chart's own test roll out an app whose probe asks for a wrong path, and wait for the finding.
    pub async fn test(&self) {
        let since = Stopwatch::start();
        self.helm.run(&["test", "probehound", "--namespace", NAMESPACE]).await;
        println!("helm test passes after {:.1?}", since.elapsed());
        let pods = self.api.get(&format!("/api/v1/namespaces/{NAMESPACE}/pods/probehound-test")).await;
        assert_eq!(pods.code, 404, "its pods are removed");
    }

    /// Waits until it is ready.
    pub async fn until_ready(&self) {
        waiting::eventually("probehound is ready", LIMIT, async || {
            let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/probehound");
            let status = &self.api.get(&path).await.body["status"];
            if status["readyReplicas"] == 1 { Ok(()) } else { Err(status.clone()) }
        })
        .await;
    }

    /// The listen address of its pod: the same as long as the pod exists.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its current metrics; `None` if it does not answer.
    pub async fn metrics(&self) -> Option<String> {
        let answer = Api::anonymous(&format!("http://{}", self.address), "").get("/metrics").await;
        answer.is_success().then(|| answer.body.as_str().unwrap_or_default().to_owned())
    }

    /// The usage of its process; `None` if there is none at the moment.
    pub fn usage() -> Option<Usage> {
        let pid = pid()?;
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name of the program, in parentheses, may contain anything; the fields are counted after it.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: u64 = fields.get(11..13)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
        Some(Usage {
            pid,
            resident_kib: resident.trim().trim_end_matches(" kB").parse().ok()?,
            cpu_seconds: ticks as f64 / TICKS_PER_SECOND,
        })
    }

    /// Kills its process, like a node that runs out of memory.
    pub fn kill() {
        let pid = pid().expect("probehound runs");
        let status = std::process::Command::new("sh").args(["-c", &format!("kill -KILL {pid}")]).status();
        assert!(status.expect("a shell starts").success());
    }
}

/// The process of the pod, among those of this isolation.
fn pid() -> Option<u32> {
    let processes = fs::read_dir("/proc").ok()?;
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.into_iter().find(|pid| {
        let line = fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline")).unwrap_or_default();
        line.starts_with(b"/usr/local/bin/probehound\0run\0")
    })
}
