//! Delivery to an Alertmanager, running.

use std::collections::BTreeSet;
use std::time::Duration;

use probehound::report::alertmanager::WATCHDOG;
use probehound::report::object::FindingState;
use serde_json::Value;

use super::world::{World, now_confirmed};
use crate::support::alertmanager::Alertmanager;

#[test]
fn one_bad_alert_is_refused_alone_and_counted_as_one() {
    let (server, world) = begin();
    let names = ["a", "b", "bad", "c", "d", "e", "f"];
    for name in names {
        world.say(&now_confirmed(name), FindingState::Confirmed);
    }
    let replica = world.start();
    world.until("the round is over", || replica.metrics().contains(&counted("refused", 1)));
    world.until("all others are taken", || {
        let requests = server.requests();
        let good = requests.iter().filter(|alerts| !alerts.iter().any(|alert| workload(alert) == "bad"));
        let taken: BTreeSet<&str> = good.flatten().map(workload).collect();
        names.iter().all(|name| *name == "bad" || taken.contains(name))
    });
    // All of them and the watchdog.
    world.until("each is counted", || replica.metrics().contains(&counted("delivered", names.len())));
}

#[test]
fn the_watchdog_fires_where_nothing_else_does_and_ends_before_anything_else_would() {
    let (server, world) = begin();
    let replica = world.start();
    world.until("it is sent", || !server.requests().is_empty());
    let first = &server.requests()[0];
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(first[0]["labels"], serde_json::json!({"alertname": WATCHDOG, "severity": "none"}));
    world.say(&now_confirmed("web"), FindingState::Confirmed);
    world.until("both are sent", || server.requests().iter().any(|alerts| alerts.len() == 2));
    let (all, ends) = (server.requests(), |alert: &Value| time(&alert["endsAt"]));
    let both = all.iter().find(|alerts| alerts.len() == 2).expect("there is one");
    assert_eq!(both[0]["startsAt"], first[0]["startsAt"], "it goes on");
    assert!(ends(&both[0]).since(time(&both[0]["startsAt"])) >= Duration::from_mins(4));
    assert!(ends(&both[1]).since(ends(&both[0])) >= Duration::from_mins(5));
    replica.step_down();
    let before = server.requests().len();
    world.say(&now_confirmed("api"), FindingState::Confirmed);
    world.wait(Duration::from_secs(3));
    assert_eq!(server.requests().len(), before, "who does not lead says nothing");
}

fn begin() -> (Alertmanager, World) {
    let server = Alertmanager::start();
    let world = World::with(&format!("receivers: [{{name: alerts, alertmanager: {{urls: ['{}']}}}}]", server.url()));
    (server, world)
}

fn counted(outcome: &str, count: usize) -> String {
    format!("probehound_notifications_total{{outcome=\"{outcome}\",receiver=\"alerts\"}} {count}\n")
}

fn workload(alert: &Value) -> &str {
    alert["labels"]["workload"].as_str().unwrap_or_default()
}

fn time(text: &Value) -> probehound::time::Time {
    serde_json::from_value(text.clone()).expect("a time")
}
