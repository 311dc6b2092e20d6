//! `probehound record` beside the operators, and a replay of the recording.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use probehound::time::Time;
use serde::Deserialize;

use super::compare::{Episodes, Finding};
use crate::harness::{ControlPlane, Process, Signal, waiting};
use crate::operator::binary;

/// Far more than it needs to start, and to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running recorder.
pub struct Recorder {
    process: Process,
    file: PathBuf,
}

/// A line of `replay -o changes`.
#[derive(Deserialize)]
struct Change {
    at: Time,
    kind: String,
    finding: Finding,
}

impl Recorder {
    /// Records everything from now on.
    pub async fn start(cluster: &ControlPlane) -> Self {
        let file = cluster.folder().file("soak.jsonl.gz");
        let words = ["record".to_owned(), file.display().to_string()];
        let envs = [("KUBECONFIG".to_owned(), cluster.admin_kubeconfig().display().to_string())];
        let process = Process::start("record", &binary(), &words, &envs, &cluster.folder().file("record.log"));
        waiting::eventually("it records", PATIENCE, async || if file.exists() { Ok(()) } else { Err(process.log()) })
            .await;
        Self { process, file }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Ends it as a person does; returns the result of a replay, episode by episode.
    ///
    /// # Panics
    /// It fails, or the recording cannot be replayed.
    pub async fn finish(mut self) -> Episodes {
        self.process.signal(Signal::Interrupt);
        let status = waiting::eventually("it ends", PATIENCE, async || self.process.has_ended().ok_or("it runs")).await;
        assert!(status.success(), "{status}: {}", self.process.last_words());
        let size = std::fs::metadata(&self.file).map_or(0, |metadata| metadata.len());
        println!("recorded: {size} bytes");
        let replay = Command::new(binary()).args(["replay", "-o", "changes"]).arg(&self.file).output();
        let output = replay.expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        println!("replay: {}", if said.is_empty() { "nothing is odd" } else { said.trim() });
        episodes(&output.stdout)
    }
}

fn episodes(changes: &[u8]) -> Episodes {
    let mut episodes = Episodes::default();
    for change in serde_json::Deserializer::from_slice(changes).into_iter::<Change>() {
        let Change { at, kind, finding } = change.expect("a line as the contract has it");
        match kind.as_str() {
            "confirmed" | "reopened" => episodes.open(&finding, at),
            "updated" if finding.confirmed_at.is_some() => episodes.go_on(&finding, at),
            "resolved" | "withdrawn" if finding.confirmed_at.is_some() => episodes.end(&finding, at),
            _ => {}
        }
    }
    episodes
}
