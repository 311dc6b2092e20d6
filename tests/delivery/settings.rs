//! The `notifications` section of the settings: what is valid, and the errors for what is not.

use std::time::Duration;

use probehound::config::notifications::{Notifications, To};
use probehound::config::{LoadError, Source};
use probehound::delivery::secret::SecretSource;
use probehound::finding::{Confidence, Severity};

const DEFAULTS: &str = include_str!("../../config/probehound.yaml");

#[test]
fn the_examples_in_the_comments_are_right() {
    let (_, section) = DEFAULTS.split_once("\nnotifications:\n").expect("the key is there");
    let section: Vec<&str> = section.lines().map(|line| line.strip_prefix('#').unwrap_or(line)).collect();
    let text = section.join("\n").replace("receivers: []", "receivers:").replace("routes: []", "routes:");
    // A route for those that the example's only route does not lead to.
    let routes = "  routes:\n  - {receiver: ops, namespaces: ['*']}\n  - {receiver: describe, namespaces: ['*']}\n  - \
                  {receiver: alerts, namespaces: ['*']}\n";
    let text = text.replace("  routes:\n", routes).replace("Europe/Berlin", "UTC");
    let notifications = load(&text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    let words: Vec<&str> = notifications.receivers.iter().map(|receiver| receiver.to.word()).collect();
    assert_eq!(words, ["slack", "webhook", "events", "alertmanager"]);
    let route = notifications.routes.0.last().expect("there are four");
    assert_eq!(
        (route.receiver.as_str(), route.severity, route.confidence),
        ("oncall", Severity::Critical, Confidence::Medium)
    );
    assert_eq!((route.effects.len(), route.mutes.len(), route.labels.len()), (3, 1, 1));
}

#[test]
fn without_routes_each_receiver_gets_what_is_at_warning_and_above() {
    let notifications = load("receivers: [{name: a, events: {}}, {name: b, slack: {urlEnv: B}}]").expect("no error");
    assert_eq!(notifications.routes.0.len(), 2);
    assert_eq!(notifications.routes.0[1].severity, Severity::Warning);
    let To::Slack(webhook) = &notifications.receivers[1].to else { panic!("it is Slack") };
    assert_eq!(webhook.url, SecretSource::Variable("B".into()));
}

#[test]
fn timing_can_be_set() {
    let timing = load("changesEvery: 10m\nremindEvery: 4h\ndigestAbove: 9").expect("no error").timing;
    assert_eq!((timing.changes_every, timing.digest_above), (Duration::from_mins(10), 9));
    assert_eq!(timing.remind_every, Some(Duration::from_hours(4)));
}

#[test]
fn what_is_wrong_is_said_with_what_to_write_instead() {
    let cases = [
        ("receivers: [{slack: {urlEnv: A}}]", "receivers[0]: it has no name"),
        ("receivers: [{name: A_b, events: {}}]", "\"A_b\" is not a valid receiver name"),
        ("receivers: [{name: a}]", "it does not say what it is"),
        (
            "receivers: [{name: a, events: {}, slack: {urlEnv: A}}]",
            "a receiver has exactly one type; this has slack and events",
        ),
        ("receivers: [{name: a, slack: {}}]", "receivers[0].slack: its address is missing"),
        ("receivers: [{name: a, slack: {urlEnv: A, urlFile: /a}}]", "both urlFile and urlEnv"),
        ("receivers: [{name: a, slack: {urlFile: a/b}}]", "\"a/b\" is no path"),
        ("receivers: [{name: a, events: {}}, {name: a, slack: {urlEnv: A}}]", "there is already a receiver \"a\""),
        (
            "receivers: [{name: a, slack: {urlEnv: A}}, {name: b, slack: {urlEnv: A}}]",
            "another receiver has the same address",
        ),
        ("receivers: [{name: a, alertmanager: {}}]", "it has 0 addresses"),
        ("receivers: [{name: a, alertmanager: {urls: ['http://a'], username: b}}]", "its credentials are incomplete"),
        ("routes: [{namespaces: ['*']}]", "routes[0]: it leads to no receiver"),
        ("routes: [{receiver: b, namespaces: ['*']}]", "there is no receiver \"b\""),
        ("receivers: [{name: a, events: {}}]\nroutes: [{receiver: a}]", "routes[0]: it names no namespaces"),
        (
            "receivers: [{name: a, events: {}}, {name: b, slack: {urlEnv: B}}]\nroutes: [{receiver: a, namespaces: [x]}]",
            "no route leads to \"b\"",
        ),
        ("digestAbove: 0", "0 is not from 1 to 100"),
        ("remindEvery: 1m", "\"1m\" is not from 300s to 7d"),
    ];
    for (text, expected) in cases {
        let problems = wrong(text);
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{text}: {problems:#?}");
    }
}

#[test]
fn mute_times_are_days_and_hours() {
    let route = |mute: &str| {
        format!("receivers: [{{name: a, events: {{}}}}]\nroutes: [{{receiver: a, namespaces: ['*'], mute: [{mute}]}}]")
    };
    for good in
        ["{days: [Sat]}", "{hours: 22:00-07:00}", "{hours: 22:00-07:00, timeZone: 'CET-1CEST,M3.5.0,M10.5.0/3'}"]
    {
        assert!(load(&route(good)).is_ok(), "{good}");
    }
    for bad in [
        "{}",
        "{hours: 7-8}",
        "{hours: 22:00-25:00}",
        "{hours: 10:00-10:00}",
        "{timeZone: UTC}",
        "{hours: 22:00-07:00, timeZone: Mars}",
    ] {
        assert!(load(&route(bad)).is_err(), "{bad}");
    }
}

#[test]
fn no_secret_that_stands_in_the_wrong_place_is_repeated() {
    for text in [
        "receivers: [{name: a, slack: {urlEnv: 'https://hooks.slack.com/services/T/B/hunter2'}}]",
        "receivers: [{name: a, slack: {url: 'https://hooks.slack.com/services/T/B/hunter2'}}]",
        "receivers: [{name: a, alertmanager: {urls: ['https://me:hunter2@am']}}]",
        "receivers: [{name: a, webhook: {urlEnv: A, signingKeyEnv: 'hunter2 key'}}]",
        "receivers: [{name: a, alertmanager: {urls: ['http://a'], tokenEnv: 'hunter2 token'}}]",
    ] {
        let problems = wrong(text).join("\n");
        assert!(!problems.contains("hunter2") && !problems.is_empty(), "{problems}");
    }
}

fn load(section: &str) -> Result<Notifications, LoadError> {
    let indented: Vec<String> = section.lines().map(|line| format!("  {line}")).collect();
    let text = format!("notifications:\n{}\n", indented.join("\n"));
    Source::default().load_text(&text).map(|loaded| loaded.config.notifications)
}

fn wrong(section: &str) -> Vec<String> {
    match load(section) {
        Err(LoadError::Wrong(problems)) => {
            problems.all.iter().map(|problem| format!("{problem:?}")).collect::<Vec<_>>()
        }
        other => panic!("{section}: {other:?}"),
    }
    .into_iter()
    .map(|text| text.replace("\\\"", "\""))
    .collect()
}
