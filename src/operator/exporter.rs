//! Renders all metrics as one text on request.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use super::process::Process;
use crate::config::{Config, Silences};
use crate::engine::Finding;
use crate::findings::asked::Annotation;
use crate::findings::board::Board;
use crate::metrics::{Metrics, Watching};
use crate::report::metrics::text::{Metric, clean};
use crate::report::metrics::{self as findings};
use crate::runtime::clock;
use crate::runtime::leadership::Leadership;
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
    Metric::gauge("probehound_silence_expired", "Whether a silence of the configuration has expired.");

/// The revision that was built, if the build sets it.
const REVISION: Option<&str> = option_env!("PROBEHOUND_REVISION");

/// Renders the metrics from the counters and from the current state.
pub struct Exporter {
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// The findings.
    pub board: Arc<Board>,
    /// The settings in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// Whether this replica leads.
    pub leadership: Leadership,
    /// Counters of reading from the cluster.
    pub watching: Watching,
}

impl Exporter {
    /// All metrics, in Prometheus' text format.
    pub fn render(&self) -> String {
        let silences = Arc::clone(&self.config.borrow());
        let mut out = String::new();
        // Writing to a `String` cannot fail.
        let _ = self.write(&silences.silences, clock::now(), &mut out);
        out
    }

    fn write(&self, silences: &Silences, now: Time, out: &mut String) -> fmt::Result {
        self.findings(silences, now, out)?;
        self.metrics.write(out)?;
        self.watching.write(out)?;
        LEADER.single(u8::from(self.leadership.holds()), out)?;
        build_info(out)?;
        Process::read().map_or(Ok(()), |process| process.write(out))
    }

    fn findings(&self, silences: &Silences, now: Time, out: &mut String) -> fmt::Result {
        let entries = self.board.all();
        let open = || entries.iter().filter(|entry| entry.is_open());
        let notified = open().filter(|entry| entry.silenced_by.is_none()).map(|entry| &*entry.finding);
        let hidden: Vec<_> =
            open().filter_map(|entry| Some((&*entry.finding, entry.silenced_by.as_deref()?))).collect();
        // Not every receiver heeds annotations: what one silences goes on being counted as a finding.
        let by_annotation = open()
            .filter(|entry| entry.silenced_by.is_none() && entry.asked.silence.is_some())
            .map(|entry| (&*entry.finding, Annotation::Silence.key()));
        let mut refused = findings::write(notified, out)?;
        refused.extend(findings::write_silenced(hidden.iter().copied().chain(by_annotation), out)?);
        self.metrics.instruments().refused(refused);
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::config::Source;
    use crate::engine::{ChangeKind, Count, Counted, Owner};
    use crate::findings::board::Entry;
    use crate::kubelet::ProbeKind;
    use crate::metrics::labels::{Queue, Sent};
    use crate::operator::testing::{at, finding};
    use crate::source::cluster::WatchHealth;

    #[test]
    fn a_silenced_finding_is_counted_with_its_silence_and_not_among_the_others() {
        let text = exporter().render();
        let series =
            |name: &str| text.lines().filter(|line| line.starts_with(&format!("{name}{{"))).collect::<Vec<_>>();
        let notified = series("probehound_findings");
        assert!(notified.len() == 1 && notified[0].contains("workload=\"web\""), "{notified:?}");
        let hidden = series("probehound_findings_silenced");
        assert!(hidden.len() == 1 && hidden[0].ends_with("state=\"confirmed\",silence=\"legacy\"} 1"), "{hidden:?}");
        assert!(text.contains("\nprobehound_silence_matches{silence=\"legacy\"} 1\n"));
        assert!(text.contains("\nprobehound_silence_expired{silence=\"old\"} 1\n"));
        assert!(!text.contains("workload=\"withdrawn\""));
    }

    #[test]
    fn closed_sets_begin_at_zero() {
        let text = exporter().render();
        for series in [
            "probehound_lookups_total{outcome=\"failed\"} 0",
            "probehound_watch_errors_total{resource=\"events\",error=\"forbidden\"} 0",
            "probehound_api_throttled_total{code=\"429\"} 0",
            "probehound_finding_writes_total{outcome=\"failed\"} 0",
            "probehound_notifications_total{outcome=\"refused\",receiver=\"ops\"} 0",
            "probehound_receiver_stopped{receiver=\"ops\"} 0",
            "probehound_series_dropped_total 0",
            "probehound_leader 1",
        ] {
            assert!(text.lines().any(|line| line == series), "{series} is not in\n{text}");
        }
    }

    #[test]
    fn each_metric_is_explained_once_before_its_samples() {
        let text = exporter().render();
        let mut explained = Vec::new();
        for line in text.lines() {
            match line.strip_prefix("# HELP ") {
                Some(help) => explained.push(help.split_once(' ').expect("a text").0),
                None if line.starts_with('#') => {}
                None => assert!(line.starts_with(explained.last().expect("a metric")), "{line}"),
            }
        }
        let all = explained.len();
        explained.sort_unstable();
        explained.dedup();
        assert_eq!(explained.len(), all);
    }

    #[test]
    fn promtool_has_nothing_to_say_where_it_is_installed() {
        let promtool =
            Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let Ok(mut promtool) = promtool else {
            eprintln!("skipped: promtool is not installed");
            return;
        };
        promtool.stdin.take().expect("piped").write_all(exporter().render().as_bytes()).expect("it reads");
        let output = promtool.wait_with_output().expect("it ends");
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn each_metric_is_documented() {
        let reference = include_str!("../../docs/metrics.md");
        let text = exporter().render();
        let names = text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next());
        for name in names.filter(|name| !name.starts_with("process_")) {
            assert!(reference.contains(&format!("\n| `{name}` |")), "docs/metrics.md does not explain {name}");
        }
    }

    /// One notified finding, one silenced, one that was never notified; and a sample of everything else.
    fn exporter() -> Exporter {
        let text =
            "silences: [{name: legacy, workload: '*/legacy'}, {name: old, cause: Crash, until: 2020-01-01T00:00:00Z}]";
        let config = Source::default().load_text(text).expect("no error").config;
        let board = Board::default();
        let entry = |name, kind, silenced_by: Option<&str>| Entry {
            finding: Arc::new(finding(name)),
            kind,
            at: at(0),
            silenced_by: silenced_by.map(Arc::from),
            asked: Arc::default(),
        };
        board.upsert(entry("web", ChangeKind::Confirmed, None));
        board.upsert(entry("legacy", ChangeKind::Updated, Some("legacy")));
        board.upsert(entry("withdrawn", ChangeKind::Withdrawn, None));
        let metrics = Metrics::new();
        metrics.config_loaded(at(0));
        metrics.queue_depth(Queue::Observations, 3);
        metrics.receiver("ops");
        metrics.notification("ops", Sent::Delivered);
        let owner = Owner { kind: "Deployment".into(), name: "web".into() };
        let count =
            |what| Count { namespace: "prod".into(), workload: owner.clone(), container: "app".into(), what, by: 2 };
        let counts = [count(Counted::Restart), count(Counted::ProbeFailure(ProbeKind::Liveness))];
        metrics.instruments().count(&counts, at(0));
        let (_, config) = watch::channel(Arc::new(config));
        let watching = Watching {
            health: Arc::new(WatchHealth::new(clock::now)),
            lookups: Arc::default(),
            related_skipped: Arc::default(),
            related_odd: Arc::default(),
            throttled: Arc::default(),
        };
        let (metrics, board, leadership) = (Arc::new(metrics), Arc::new(board), Leadership::always());
        Exporter { metrics, board, config, leadership, watching }
    }
}
