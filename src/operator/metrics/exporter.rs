//! All metrics as one text, whenever somebody asks.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::Metrics;
use crate::config::{Config, Silences};
use crate::engine::{ChangeKind, Finding};
use crate::operator::board::Board;
use crate::operator::clock;
use crate::operator::leadership::Leadership;
use crate::operator::process::Process;
use crate::report::metrics::text::{Metric, clean};
use crate::report::metrics::{self as findings};
use crate::time::Time;

const LEADER: Metric = Metric::gauge("probehound_leader", "Whether this replica writes and sends.");
const BUILD_INFO: Metric = Metric::gauge("probehound_build_info", "What runs here, always 1.");
const FINDINGS_DROPPED: Metric = Metric::counter(
    "probehound_findings_dropped_total",
    "Changes of findings that were forgotten because there were too many findings at once.",
);
const SILENCE_MATCHES: Metric = Metric::gauge(
    "probehound_silence_matches",
    "Findings that are not over and that a silence of the configuration keeps from being told.",
);
const SILENCE_EXPIRED: Metric =
    Metric::gauge("probehound_silence_expired", "Whether a silence of the configuration has ended by itself.");

/// The revision that was built, where the build says it.
const REVISION: Option<&str> = option_env!("PROBEHOUND_REVISION");

/// Renders the metrics from what is counted and from what is known.
pub struct Exporter {
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The findings.
    pub board: Arc<Board>,
    /// The settings in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// Whether this replica leads.
    pub leadership: Leadership,
}

impl Exporter {
    /// All metrics, in Prometheus' text format.
    pub fn render(&self) -> String {
        let silences = Arc::clone(&self.config.borrow());
        let mut out = String::new();
        // A string takes everything.
        let _ = self.write(&silences.silences, clock::now(), &mut out);
        out
    }

    fn write(&self, silences: &Silences, now: Time, out: &mut String) -> fmt::Result {
        self.findings(silences, now, out)?;
        self.metrics.write(out)?;
        LEADER.single(u8::from(self.leadership.holds()), out)?;
        build_info(out)?;
        Process::read().map_or(Ok(()), |process| process.write(out))
    }

    fn findings(&self, silences: &Silences, now: Time, out: &mut String) -> fmt::Result {
        let entries = self.board.all();
        let open =
            entries.iter().filter(|entry| entry.kind != ChangeKind::Withdrawn && entry.finding.resolved_at.is_none());
        let (mut told, mut hidden) = (Vec::new(), Vec::new());
        for finding in open.map(|entry| &*entry.finding) {
            match silences.of(finding, now) {
                None => told.push(finding),
                Some(silence) => hidden.push((finding, silence.name.as_str())),
            }
        }
        let refused = findings::write(told.into_iter(), out)?;
        let refused = refused + findings::write_silenced(hidden.iter().copied(), out)?;
        self.metrics.dropped(refused);
        FINDINGS_DROPPED.single(self.board.dropped(), out)?;
        silence_metrics(silences, &hidden, now, out)
    }
}

fn silence_metrics(silences: &Silences, hidden: &[(&Finding, &str)], now: Time, out: &mut String) -> fmt::Result {
    let mut matches: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, name) in hidden {
        *matches.entry(name).or_default() += 1;
    }
    SILENCE_MATCHES.head(out)?;
    for silence in &silences.0 {
        let matches = matches.get(&*silence.name).copied().unwrap_or_default();
        SILENCE_MATCHES.sample(&[("silence", clean(&silence.name))], matches, out)?;
    }
    SILENCE_EXPIRED.head(out)?;
    for silence in &silences.0 {
        SILENCE_EXPIRED.sample(&[("silence", clean(&silence.name))], u8::from(silence.is_over(now)), out)?;
    }
    Ok(())
}

fn build_info(out: &mut String) -> fmt::Result {
    let labels = [("version", env!("CARGO_PKG_VERSION")), ("revision", REVISION.unwrap_or("unknown"))];
    BUILD_INFO.head(out)?;
    BUILD_INFO.sample(&labels, 1, out)
}
