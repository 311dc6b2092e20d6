//! The output of `--check-config` for valid settings.

use std::fmt::Write;

use crate::config::{Config, Watch};
use crate::delivery::annotated::Grant;
use crate::guard::{self, Mode};
use crate::report::when::span;
use crate::text::glob::Glob;
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
    for grant in &config.annotations.grants.0 {
        line("heeds", heeds(grant));
    }
    line("findings", format!("kept for {} after they are resolved", span(config.findings.keep_resolved)));
    if config.guard.mode != Mode::Off {
        line("guard", guard(&config.guard));
    }
    line("replicas", replicas(config));
    let metrics = if config.http.metrics_authentication { ", metrics for those who may get them" } else { "" };
    line("listens", format!("{}{metrics}", config.http.listen));
    if config.page.enabled {
        let who = if config.page.authentication { ", to each what they may list" } else { ", to whoever reaches it" };
        line("page", format!("{}{who}", config.page.listen()));
    }
    text
}

fn watches(watch: &Watch) -> String {
    let namespaces = match &watch.namespaces[..] {
        [] if !watch.exclude_namespaces.is_empty() => {
            let left_out: Vec<&str> = watch.exclude_namespaces.iter().map(Glob::as_str).collect();
            format!("all namespaces but {}", left_out.join(", "))
        }
        [] => "all namespaces".to_owned(),
        [one] => format!("namespace {one}"),
        some => format!("namespaces {}", some.join(", ")),
    };
    match &watch.pod_selector {
        Some(selector) => format!("{namespaces}, pods with {selector}"),
        None => namespaces,
    }
}

fn guard(guard: &guard::Settings) -> String {
    let does = match guard.mode {
        Mode::Off => "undoes nothing",
        Mode::Watch => "says which rollouts it would undo",
        Mode::Undo => "undoes rollouts that broke a probe",
    };
    let places = if guard.namespaces.is_empty() { "wherever it watches" } else { "where guard.namespaces says" };
    format!("{does}, {places}, at most {} within an hour", guard.max_per_hour)
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

fn heeds(grant: &Grant) -> String {
    let allows: Vec<&str> = grant.allows.iter().map(|annotation| annotation.word()).collect();
    let namespaces: Vec<&str> = grant.namespaces.iter().map(Glob::as_str).collect();
    format!("{}: annotations {} of {}", grant.receiver, allows.join(", "), namespaces.join(", "))
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
