//! The output of `--check-config` for valid settings.

use std::fmt::Write;

use crate::config::{Config, Watch};
use crate::report::when::span;
use crate::time::Time;

/// Some lines for a person who wants to check that the settings were understood as intended.
pub fn summary(file: &str, config: &Config, now: Time) -> String {
    let mut text = format!("ok: {file}\n");
    let mut line = |what: &str, value: String| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  {what:<9} {value}");
    };
    if let Some(name) = &config.cluster_name {
        line("cluster", name.clone());
    }
    line("watches", watches(&config.watch));
    let detection = &config.detection;
    let (kills, ends) = (detection.probe_kills, detection.own_ends);
    line(
        "loops",
        format!("{kills} probe kills, or {ends} crashes or exits, of one container in {}", span(detection.window)),
    );
    line("silences", silences(config, now));
    line("notifies", receivers(config));
    line("findings", format!("kept for {} after they are resolved", span(config.findings.keep_resolved)));
    line("replicas", replicas(config));
    let metrics = if config.http.metrics_authentication { ", metrics for those who may get them" } else { "" };
    line("listens", format!("{}{metrics}", config.http.listen));
    text
}

fn watches(watch: &Watch) -> String {
    let namespaces = match &watch.namespaces[..] {
        [] => "all namespaces".to_owned(),
        [one] => format!("namespace {one}"),
        some => format!("namespaces {}", some.join(", ")),
    };
    match &watch.pod_selector {
        Some(selector) => format!("{namespaces}, pods with {selector}"),
        None => namespaces,
    }
}

fn silences(config: &Config, now: Time) -> String {
    let all = &config.silences.0;
    match (all.len(), all.iter().filter(|silence| silence.is_over(now)).count()) {
        (0, _) => "none".to_owned(),
        (count, 0) => count.to_string(),
        (count, over) => format!("{count}, {over} of them expired"),
    }
}

fn receivers(config: &Config) -> String {
    let all = config.notifications.receivers.iter();
    let all: Vec<String> = all.map(|receiver| format!("{} ({})", receiver.name, receiver.to.word())).collect();
    if all.is_empty() { "nobody (no receivers configured)".to_owned() } else { all.join(", ") }
}

fn replicas(config: &Config) -> String {
    let election = &config.leader_election;
    match (election.enabled, &election.namespace) {
        (false, _) => "one (no Lease)".to_owned(),
        (true, None) => format!("several: the holder of Lease {} writes and sends", election.name),
        (true, Some(namespace)) => {
            format!("several: the holder of Lease {} in {namespace} writes and sends", election.name)
        }
    }
}
