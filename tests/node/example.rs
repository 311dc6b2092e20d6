//! The example in the README, and the terminal output for it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::clock::Stopwatch;
use crate::harness::{Api, waiting};
use crate::kubectl::Kubectl;

/// Its namespace.
pub const NAMESPACE: &str = "probehound-example";

/// Far more than it takes, on a busy machine.
const LIMIT: Duration = Duration::from_mins(3);

const APPLY: &str = "apply -f manifests/example/wrong-path.yaml";
const LOOK: &str = "get findings -A";
const EXPLAIN: &str = "-n probehound-example describe findings";
/// Everything before it only describes the object.
const STATUS: &str = "Status:\n";
const DELETE: &str = "delete -f manifests/example/wrong-path.yaml";

/// The typed commands and their output.
#[derive(Default)]
pub struct Transcript(String);

impl Transcript {
    /// Applies the example, and looks when all of its pods are known to loop.
    pub async fn begin(kubectl: &Kubectl, api: &Api) -> Self {
        let mut this = Self::default();
        let since = Stopwatch::start();
        this.show(APPLY, &kubectl.run(&words(APPLY)).await);
        let path = format!("/apis/probehound.dev/v1alpha1/namespaces/{NAMESPACE}/findings");
        waiting::eventually("the example's pods are all known to loop", LIMIT, async || {
            let status = api.get(&path).await.body["items"][0]["status"].clone();
            let all = status["state"] == "Confirmed" && status["affected"] == "3/3";
            if all { Ok(()) } else { Err(status) }
        })
        .await;
        let later = format!("{LOOK}   # {:.0} seconds later", since.elapsed().as_secs_f64());
        this.show(&later, &kubectl.run(&words(LOOK)).await);
        let explained = kubectl.run(&words(EXPLAIN)).await;
        let (_, status) = explained.split_once(STATUS).expect("a finding has a status");
        this.show(&format!("{EXPLAIN} | sed '1,/^Status/d'"), status);
        this
    }

    /// Deletes it, and stores the terminal output where `make picture-cluster` finds it.
    pub async fn finish(mut self, kubectl: &Kubectl) {
        self.show(DELETE, &kubectl.run(&words(DELETE)).await);
        let path = file();
        std::fs::write(&path, self.0).expect("a file can be written");
        println!("what a terminal showed of the example is in {}", path.display());
    }

    fn show(&mut self, typed: &str, printed: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "$ kubectl {typed}\n{printed}");
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/cluster/example.txt")
}
