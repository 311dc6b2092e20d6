//! What of a fault is visible in the rest of a recording.

use std::collections::BTreeMap;

use crate::kubelet::manifest::Kind;
use crate::kubelet::stream::Stream;
use crate::worlds::truth::{Expect, Needs};
use serde_json::Value;

/// A loop's window, and how long before the end it must have become visible, in milliseconds.
const WINDOW: i64 = 880_000;
const MARGIN: i64 = 30_000;

/// Whether a fault is visible enough to require that it is found.
pub fn suffices(stream: &Stream, expect: &Expect) -> bool {
    let end = stream.0.last().map_or(0, |line| line.at);
    let restarts = restarts(stream, expect);
    let together = |wanted: usize| {
        restarts.values().any(|times| {
            times.windows(wanted).any(|some| some[wanted - 1] - some[0] < WINDOW && some[wanted - 1] < end - MARGIN)
        })
    };
    match expect.needs {
        Needs::Nothing => false,
        Needs::Kills(kind) => together(3) && failures(stream, expect, kind) >= 2,
        Needs::Ends => together(4),
        Needs::NotReady | Needs::Blocked => {
            let blocked = expect.needs == Needs::Blocked;
            let until = expect.cured.unwrap_or(end / 1000).min(end / 1000);
            let from = stream.0.first().map_or(0, |line| line.at / 1000).max(expect.begins);
            let (long, said) = if blocked { (200, 0) } else { (420, 3) };
            until - from > long && failures(stream, expect, Kind::Readiness) >= said
        }
        Needs::Errors(kind) => failures(stream, expect, kind) >= 4,
        Needs::OneEnd(kind) => ended(stream, expect) && failures(stream, expect, kind) >= 1,
        Needs::FewEnds => restarts.values().any(|times| times.len() >= 6),
    }
}

/// The status of the fault's container in the line, if it is there.
fn status<'a>(object: &'a Value, expect: &Expect) -> Option<&'a Value> {
    if object["metadata"]["labels"]["app"] != expect.name() {
        return None;
    }
    let of = |list: &str| object["status"][list].as_array();
    let all = of("containerStatuses").into_iter().chain(of("initContainerStatuses")).flatten();
    all.into_iter().find(|status| status["name"] == expect.container)
}

/// When each pod's container was seen to have restarted.
fn restarts(stream: &Stream, expect: &Expect) -> BTreeMap<String, Vec<i64>> {
    let mut known: BTreeMap<String, (i64, Vec<i64>)> = BTreeMap::new();
    for line in stream.0.iter().filter(|line| line.resource == "pods" && line.kind != "DELETED") {
        let Some(status) = status(&line.object, expect) else { continue };
        let count = status["restartCount"].as_i64().unwrap_or(0);
        let uid = line.object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let (last, times) = known.entry(uid).or_insert((count, Vec::new()));
        times.extend((*last..count).map(|_| line.at));
        *last = count;
    }
    known.into_iter().map(|(uid, (_, times))| (uid, times)).collect()
}

fn ended(stream: &Stream, expect: &Expect) -> bool {
    let end = stream.0.last().map_or(0, |line| line.at);
    stream
        .0
        .iter()
        .filter(|line| line.resource == "pods" && line.at < end - MARGIN)
        .any(|line| status(&line.object, expect).is_some_and(|status| status["state"]["terminated"].is_object()))
}

/// Number of events that report failures of the probe.
fn failures(stream: &Stream, expect: &Expect, kind: Kind) -> usize {
    let prefix = format!("{}-", expect.name());
    let about = |event: &Value| {
        let it = &event["involvedObject"];
        let pod = it["name"].as_str().unwrap_or_default();
        let field = it["fieldPath"].as_str().unwrap_or_default();
        (pod == expect.name() || pod.starts_with(&prefix)) && field.ends_with(&format!("{{{}}}", expect.container))
    };
    let said = |event: &Value| event["message"].as_str().is_some_and(|message| message.starts_with(kind.title()));
    let events = stream.0.iter().filter(|line| line.resource == "events" && line.at / 1000 >= expect.begins);
    events.filter(|line| line.object["reason"] == "Unhealthy" && about(&line.object) && said(&line.object)).count()
}
