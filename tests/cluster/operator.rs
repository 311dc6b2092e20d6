//! `probehound run`, as in a cluster, and its output.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use probehound::time::Time;
use serde_json::{Value, json};

use crate::harness::{Api, Folder, Process, Signal, ports, waiting};

/// Far more than it needs to read a whole cluster, on a busy machine.
pub const READY: Duration = Duration::from_secs(90);

/// Far more than it needs to listen.
const LISTENING: Duration = Duration::from_mins(1);

/// How an operator is started.
#[derive(Clone)]
pub struct Settings {
    name: String,
    kubeconfig: PathBuf,
    config: Value,
    envs: Vec<(String, String)>,
}

/// A running operator.
pub struct Operator {
    process: Process,
    port: u16,
    log: PathBuf,
}

impl Settings {
    /// The default settings, on a loopback port, for the cluster of a kubeconfig.
    pub fn new(name: &str, kubeconfig: PathBuf) -> Self {
        Self { name: name.to_owned(), kubeconfig, config: json!({"clusterName": "test"}), envs: Vec::new() }
    }

    /// The same, for these namespaces only.
    #[must_use]
    pub fn watching(mut self, namespaces: &[&str]) -> Self {
        self.config["watch"]["namespaces"] = json!(namespaces);
        self
    }

    /// The same, with a Lease of that name in a namespace.
    #[must_use]
    pub fn electing(mut self, namespace: &str, name: &str) -> Self {
        self.config["leaderElection"] = json!({"enabled": true, "namespace": namespace, "name": name});
        self
    }

    /// The same, with another section of the configuration.
    #[must_use]
    pub fn with(mut self, section: &str, value: Value) -> Self {
        self.config[section] = value;
        self
    }

    /// The same, with an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.envs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it, its files in `folder`.
    pub fn start(&self, folder: &Folder) -> Operator {
        let port = ports::free();
        let mut config = self.config.clone();
        config["http"]["listen"] = json!(format!("127.0.0.1:{port}"));
        let name = &self.name;
        let config = folder.write(&format!("{name}.config.yaml"), &config.to_string());
        let log = folder.file(&format!("{name}.log"));
        let arguments = ["run".to_owned(), format!("--config={}", config.display())];
        let mut envs = self.envs.clone();
        envs.push(("KUBECONFIG".to_owned(), self.kubeconfig.display().to_string()));
        let process = Process::start(name, &binary(), &arguments, &envs, &log);
        Operator { process, port, log }
    }
}

impl Operator {
    /// Waits until it has read the cluster.
    pub async fn until_ready(&self) {
        self.until_ready_within(READY).await;
    }

    /// The same with another limit.
    pub async fn until_ready_within(&self, limit: Duration) {
        waiting::eventually("the operator is ready", limit, async || self.get("/readyz").await).await;
    }

    /// Its answer to a request; otherwise the error.
    pub async fn get(&self, path: &str) -> Result<String, String> {
        let answer = Api::anonymous(&format!("http://{}", self.address()), "").get(path).await;
        match answer.body {
            Value::String(text) if (200..300).contains(&answer.code) => Ok(text),
            body if (200..300).contains(&answer.code) => Ok(body.to_string()),
            body => Err(format!("{}: {body}", answer.code)),
        }
    }

    /// Its current metrics, or as soon as it listens.
    pub async fn metrics(&self) -> Metrics {
        let text = waiting::eventually("it tells its metrics", LISTENING, async || self.get("/metrics").await).await;
        Metrics::parse(&text)
    }

    /// Its log so far, including that of earlier runs with the same name.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it logged for people to look at, except what is normal on a machine that is too busy.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.log();
        let complaints = log.lines().filter(|line| line.contains(" WARN ") || line.contains(" ERROR "));
        complaints.filter(|line| !line.contains("timed out")).map(str::to_owned).collect()
    }

    /// When it first logged a line with all of these words, after `since`.
    pub fn logged(&self, words: &[&str], since: Time) -> Option<Time> {
        let log = self.log();
        let mut lines = log.lines().filter(|line| words.iter().all(|word| line.contains(word)));
        lines.find_map(|line| Time::parse(line.split_whitespace().next()?).ok().filter(|at| *at >= since))
    }

    /// Its listen address.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self, limit: Duration) -> ExitStatus {
        waiting::eventually("the operator ends", limit, async || self.process.has_ended().ok_or("it runs")).await
    }

    /// Its exit status if it has ended.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.process.has_ended()
    }

    /// Ends it at once, as a node that fails does.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.process.last_words());
        }
    }
}

/// What `/metrics` says: samples by name and labels.
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    fn parse(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        Self(
            samples
                .filter_map(|line| line.rsplit_once(' '))
                .filter_map(|(key, value)| Some((key.to_owned(), value.parse().ok()?)))
                .collect(),
        )
    }

    /// How many samples there are: series.
    pub fn series(&self) -> usize {
        self.0.len()
    }

    /// The sum of the samples of a name whose labels hold all of these (`resource="pods"`); `None`
    /// where there is none. Parts of a whole are cut.
    pub fn sum(&self, name: &str, labels: &[&str]) -> Option<u64> {
        let matches = |key: &str| {
            let (own, rest) = key.split_once('{').unwrap_or((key, ""));
            own == name && labels.iter().all(|label| rest.contains(label))
        };
        self.0.iter().filter(|(key, _)| matches(key)).map(|(_, value)| *value as u64).reduce(|sum, value| sum + value)
    }
}

/// The program: that of `PROBEHOUND_BINARY`, or the one that was built with the tests.
pub fn binary() -> PathBuf {
    std::env::var_os("PROBEHOUND_BINARY").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_probehound")), PathBuf::from)
}
