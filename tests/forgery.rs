//! Anyone who may write events can claim anything: a restart or a termination must be in a pod's status.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::random::Random;
use crate::support::recording::Type;
use crate::support::{Incident, Line, Recording, assert_none, corpus, replay};
use probehound::time::Time;
use serde_json::{Value, json};

/// A living pod, as its own status shows it.
struct Victim {
    pod: Value,
    from: Time,
    until: Time,
}

/// The reason and the message of a forged event, with `{}` for the container.
type Claim = (&'static str, &'static str);

const REJECTED: &[Claim] = &[
    ("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404"),
    ("Killing", "Container {} failed liveness probe, will be restarted"),
];

const NEVER_STARTED: &[Claim] = &[
    ("Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 404"),
    ("Killing", "Container {} failed startup probe, will be restarted"),
    ("BackOff", "Back-off restarting failed container {} in pod web_prod(0)"),
];

const ENDED_FOR_GOOD: &[Claim] = &[
    ("Unhealthy", "Liveness probe failed: dial tcp 10.0.0.7:1: connect: connection refused"),
    ("Killing", "Container {} failed liveness probe"),
    ("Killing", "Stopping container {}"),
];

const CANNOT_RUN: &[Claim] = &[
    (
        "Unhealthy",
        r#"Liveness probe errored and resulted in unknown state: strconv.Atoi: parsing "metrics": invalid syntax"#,
    ),
    ("ProbeWarning", "Liveness probe warning: Probe terminated redirects, Response body: "),
    ("Killing", "Container {} failed liveness probe, will be restarted"),
];

#[test]
fn forged_kills_of_healthy_pods_confirm_no_loop_and_no_end() {
    let mut failures = Vec::new();
    for incident in healthy() {
        for (claims, name) in [
            (REJECTED, "rejected"),
            (NEVER_STARTED, "never started"),
            (ENDED_FOR_GOOD, "ended for good"),
            (CANNOT_RUN, "cannot run"),
        ] {
            for seed in 0..2 {
                let forged = forge(incident.recording(), claims, seed);
                let said = replay(&forged);
                let believed = said.confirmed().filter(|finding| matches!(&*finding.effect, "RestartLoop" | "Killed"));
                failures.extend(believed.map(|f| format!("{}, {name}, seed {seed}: {}", incident.name, f.brief())));
            }
        }
    }
    assert_none("forgeries believed", &failures);
}

#[test]
fn most_kinds_of_healthy_recordings_are_tried() {
    assert!(healthy().count() >= 10, "{}", healthy().count());
}

/// Recordings without a single restart.
fn healthy() -> impl Iterator<Item = &'static Incident> {
    let restarts = |incident: &Incident| incident.recording().lines.iter().any(|line| line.object.restarts > 0);
    corpus().iter().filter(move |incident| incident.truth.findings.is_empty() && !restarts(incident))
}

/// The recording with all claims made about each pod every 20 s of its life, more or less.
fn forge(recording: &Recording, claims: &[Claim], seed: u64) -> Recording {
    let mut random = Random::new(seed);
    let mut lines = recording.lines.clone();
    for (number, victim) in victims(recording).into_values().enumerate() {
        let mut at = victim.from;
        for round in 0..40 {
            at = at.plus(Duration::from_millis(10_000 + random.below(20_000)));
            if at > victim.until {
                break;
            }
            for (kind, claim) in claims.iter().enumerate() {
                // The kubelet updates one object; a forger may do either.
                let object = if random.percent(50) { 0 } else { round };
                let id = format!("00000000-0000-4000-8000-{number:04}{kind:02}{object:06}");
                lines.push(event(&victim.pod, *claim, &id, victim.from, at));
            }
        }
    }
    lines.sort_by_key(|line| line.at);
    Recording { lines }
}

fn victims(recording: &Recording) -> BTreeMap<String, Victim> {
    let mut victims: BTreeMap<String, Victim> = BTreeMap::new();
    for line in recording.lines.iter().filter(|line| line.is_pod()) {
        let uid = line.object.uid.clone();
        if line.change == Type::Deleted {
            victims.entry(uid).and_modify(|victim| victim.until = line.at);
            continue;
        }
        let pod = line.value();
        if pod.pointer("/status/containerStatuses/0/state/running").is_some() {
            let (from, until) = (line.at, recording.end());
            victims.entry(uid).or_insert(Victim { pod, from, until });
        }
    }
    victims
}

fn event(pod: &Value, (reason, claim): Claim, id: &str, first: Time, last: Time) -> Line {
    let (namespace, name, uid) = (&pod["metadata"]["namespace"], &pod["metadata"]["name"], &pod["metadata"]["uid"]);
    let container = pod["spec"]["containers"][0]["name"].as_str().expect("a container has a name");
    let seconds = |time: Time| time.whole_second().to_string().replace(".000Z", "Z");
    let object = json!({
        "kind": "Event", "apiVersion": "v1",
        "metadata": {"name": format!("forged.{id}"), "namespace": namespace, "uid": id, "resourceVersion": "1"},
        "involvedObject": {
            "kind": "Pod", "apiVersion": "v1", "namespace": namespace, "name": name, "uid": uid,
            "fieldPath": format!("spec.containers{{{container}}}"),
        },
        "reason": reason,
        "type": if reason == "Killing" { "Normal" } else { "Warning" },
        "message": claim.replace("{}", container),
        "source": {"component": "kubelet", "host": pod["spec"]["nodeName"]},
        "firstTimestamp": seconds(first), "lastTimestamp": seconds(last), "count": 9,
        "eventTime": null, "reportingComponent": "kubelet", "reportingInstance": pod["spec"]["nodeName"],
    });
    Line::new(last, "events", Type::Added, &object)
}
