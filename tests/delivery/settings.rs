//! The `notifications` section of the settings: what is valid, and the errors for what is not.

use std::time::Duration;

use probehound::config::notifications::{Notifications, To};
use probehound::config::{LoadError, Source};
use probehound::delivery::proxy::ProxySource;
use probehound::delivery::secret::{Secret, SecretSource};
use probehound::delivery::smtp::Encryption;
use probehound::finding::{Confidence, Severity};
use probehound::report::message_template::MessageTemplate;

const DEFAULTS: &str = include_str!("../../config/probehound.yaml");

#[test]
fn the_examples_in_the_comments_are_right() {
    let (_, section) = DEFAULTS.split_once("\nnotifications:\n").expect("the key is there");
    let section: Vec<&str> = section.lines().map(|line| line.strip_prefix('#').unwrap_or(line)).collect();
    let text = section.join("\n").replace("receivers: []", "receivers:").replace("routes: []", "routes:");
    // A route for those that the example's only route does not lead to.
    let others = ["ops", "describe", "alerts", "office", "community", "space", "pager", "genie", "mail"];
    let others =
        others.iter().fold(String::new(), |all, name| all + "  - {receiver: " + name + ", namespaces: ['*']}\n");
    let text = text.replace("  routes:\n", &format!("  routes:\n{others}")).replace("Europe/Berlin", "UTC");
    let notifications = load(&text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    let words: Vec<&str> = notifications.receivers.iter().map(|receiver| receiver.to.word()).collect();
    let types = [
        "slack",
        "teams",
        "discord",
        "googleChat",
        "pagerDuty",
        "opsgenie",
        "webhook",
        "email",
        "events",
        "alertmanager",
    ];
    assert_eq!(words, types);
    let route = notifications.routes.0.last().expect("there are some");
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
fn a_region_or_an_address_says_where_the_service_is() {
    let at = |receiver: &str| {
        let notifications = load(&format!("receivers: [{{name: a, {receiver}}}]")).expect("no error");
        match &notifications.receivers[0].to {
            To::PagerDuty(pager) | To::Opsgenie(pager) => pager.url.reveal().to_owned(),
            to => panic!("{to:?} pages nobody"),
        }
    };
    assert_eq!(at("pagerDuty: {routingKeyEnv: A}"), "https://events.pagerduty.com");
    assert_eq!(at("pagerDuty: {routingKeyEnv: A, region: eu}"), "https://events.eu.pagerduty.com");
    assert_eq!(at("opsgenie: {apiKeyEnv: A, region: us}"), "https://api.opsgenie.com");
    assert_eq!(at("opsgenie: {apiKeyEnv: A, region: eu}"), "https://api.eu.opsgenie.com");
    let jira = "https://api.atlassian.com/jsm/ops/integration";
    assert_eq!(at(&format!("opsgenie: {{apiKeyEnv: A, url: '{jira}/'}}")), jira);
}

#[test]
fn a_proxy_is_that_of_the_environment_or_another_one_or_none() {
    let of = |keys: &str| {
        let notifications = load(&format!("receivers: [{{name: a, discord: {{urlEnv: A{keys}}}}}]")).expect("no error");
        let To::Discord(webhook) = &notifications.receivers[0].to else { panic!("it is Discord") };
        webhook.network.proxy.clone()
    };
    assert_eq!(of(""), ProxySource::Environment);
    assert_eq!(of(", proxyUrl: none"), ProxySource::Nowhere);
    assert_eq!(of(", proxyUrl: 'proxy:3128'"), ProxySource::Written(Secret::new("proxy:3128")));
    assert_eq!(of(", proxyUrlEnv: B"), ProxySource::Secret(SecretSource::Variable("B".into())));
    assert_eq!(of(", proxyUrlFile: /b"), ProxySource::Secret(SecretSource::File("/b".into())));
}

#[test]
fn a_template_is_tried_before_anything_is_sent_and_its_place_is_told() {
    let of = |template: &str, kind: &str| {
        let keys = format!("urlEnv: A, contentType: {kind}, template: \"{template}\"");
        load(&format!("receivers:\n- name: a\n  webhook: {{{keys}}}"))
    };
    for good in ["{{ summary }}", "{% for item in items %}{{ item.lines | join(', ') }}{% endfor %}"] {
        let notifications = of(good, "text/plain").unwrap_or_else(|error| panic!("{error}"));
        let To::Webhook { template: Some(template), .. } = &notifications.receivers[0].to else { panic!("it has one") };
        let parsed = MessageTemplate::parse(good, "text/plain").expect("it is right");
        assert_eq!((&*template.body, template.content_type.as_str()), (&parsed, "text/plain"));
    }
    let error = of("{{ items[1].event }}", "text/plain").expect_err("there is one item in most messages").to_string();
    let line = error.split(": ").next().unwrap_or_default();
    assert!(line.contains(":4:") && error.contains("template: line 1"), "{error}");
}

#[test]
fn a_relays_port_is_that_of_its_encryption() {
    let of = |keys: &str| {
        let email = format!("receivers: [{{name: a, email: {{host: mail, from: a@b, to: [c@d]{keys}}}}}]");
        let notifications = load(&email).expect("no error");
        let To::Email(relay) = &notifications.receivers[0].to else { panic!("it is mail") };
        (relay.encryption, relay.port)
    };
    assert_eq!(of(""), (Encryption::StartTls, 587));
    assert_eq!(of(", encryption: tls"), (Encryption::Tls, 465));
    assert_eq!(of(", encryption: none"), (Encryption::None, 25));
    assert_eq!(of(", port: 2525"), (Encryption::StartTls, 2525));
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
        (
            "receivers: [{name: a, teams: {urlEnv: A}, discord: {urlEnv: B}, pagerDuty: {routingKeyEnv: C}}]",
            "a receiver has exactly one type; this has teams and discord and pagerDuty",
        ),
        ("receivers: [{name: a, googleChat: {}}]", "receivers[0].googleChat: its address is missing"),
        ("receivers: [{name: a, pagerDuty: {}}]", "receivers[0].pagerDuty: its key is missing"),
        ("receivers: [{name: a, opsgenie: {region: eu}}]", "receivers[0].opsgenie: its key is missing"),
        ("receivers: [{name: a, opsgenie: {apiKeyEnv: A, region: asia}}]", "asia"),
        (
            "receivers: [{name: a, pagerDuty: {routingKeyEnv: A, region: eu, url: 'https://a'}}]",
            "receivers[0].pagerDuty: both url and region",
        ),
        (
            "receivers: [{name: a, opsgenie: {apiKeyEnv: A, url: 'https://a/?key=b'}}]",
            "what stands there is no address of an API",
        ),
        (
            "receivers: [{name: a, pagerDuty: {routingKeyEnv: A}}, {name: b, pagerDuty: {routingKeyEnv: A}}]",
            "another receiver has the same address",
        ),
        (
            "receivers: [{name: a, teams: {urlEnv: A, clientKeyFile: /a}}]",
            "receivers[0].teams: its client certificate is incomplete",
        ),
        (
            "receivers: [{name: a, teams: {urlEnv: A, proxyUrl: 'http://a', proxyUrlEnv: B}}]",
            "both proxyUrl and proxyUrlFile or proxyUrlEnv",
        ),
        (
            "receivers: [{name: a, webhook: {urlEnv: A, proxyUrl: 'socks5://a'}}]",
            "receivers[0].webhook.proxyUrl: what stands there is no address of a proxy",
        ),
        ("receivers: [{name: a, events: {proxyUrl: none}}]", "unknown key \"proxyUrl\""),
        ("receivers: [{name: a, email: {host: a, from: a@b}}]", "receivers[0].email.to: it has 0 recipients"),
        ("receivers: [{name: a, email: {to: [a@b], from: a@b}}]", "receivers[0].email: it has no host"),
        ("receivers: [{name: a, email: {host: a, to: [a@b]}}]", "receivers[0].email: it has no from"),
        ("receivers: [{name: a, email: {host: 'smtp://a', from: a@b, to: [a@b]}}]", "is no name of a host"),
        ("receivers: [{name: a, email: {host: a, from: a@b, to: ['a b']}}]", "\"a b\" is no mail address"),
        ("receivers: [{name: a, email: {host: a, from: a@b, to: [a@b], port: 99999}}]", "99999 is no port"),
        (
            "receivers: [{name: a, email: {host: a, from: a@b, to: [a@b], username: a}}]",
            "receivers[0].email: its credentials are incomplete",
        ),
        (
            "receivers: [{name: a, email: {host: a, from: a@b, to: [a@b], encryption: none, username: a, passwordEnv: B}}]",
            "a password is not sent without encryption",
        ),
        ("receivers: [{name: a, webhook: {urlEnv: A, contentType: text/plain}}]", "contentType, and no template"),
        ("receivers: [{name: a, webhook: {urlEnv: A, template: x, contentType: text}}]", "\"text\" is no content type"),
        (
            "receivers: [{name: a, webhook: {urlEnv: A, template: x, templateFile: /a}}]",
            "both template and templateFile",
        ),
        ("receivers: [{name: a, webhook: {urlEnv: A, templateFile: /nowhere}}]", "cannot read it: entity not found"),
        (
            "receivers: [{name: a, webhook: {urlEnv: A, template: '{{ summary'}}]",
            "webhook.template: line 1: syntax error",
        ),
        (
            "receivers: [{name: a, webhook: {urlEnv: A, template: '{{ sumary }}'}}]",
            "webhook.template: line 1: undefined",
        ),
        ("receivers: [{name: a, webhook: {urlEnv: A, template: 'text: {{ summary }}'}}]", "renders is no JSON"),
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
        "receivers: [{name: a, slack: {urlEnv: A, proxyUrl: 'http://me:hunter2@proxy:3128'}}]",
        "receivers: [{name: a, pagerDuty: {routingKeyEnv: 'hunter2 key'}}]",
        "receivers: [{name: a, pagerDuty: {routingKey: 'hunter2key'}}]",
        "receivers: [{name: a, opsgenie: {apiKeyEnv: A, url: 'https://me:hunter2@a'}}]",
        "receivers: [{name: a, email: {host: a, from: a@b, to: [c@d], username: e, passwordEnv: 'hunter2 pass'}}]",
        "receivers: [{name: a, email: {host: a, from: a@b, to: [c@d], username: e, password: hunter2}}]",
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
