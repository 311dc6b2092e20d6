//! PagerDuty and Opsgenie: an incident for each episode, opened and closed once, and their answers.

use std::sync::Arc;
use std::time::Duration;

use probehound::delivery::http::Client;
use probehound::delivery::network::Network;
use probehound::delivery::receiver::{Reply, opsgenie, pagerduty};
use probehound::delivery::secret::Secret;
use probehound::engine::{Cause, Finding, Severity};
use probehound::report::alertmanager::RUNBOOK;
use probehound::report::incident::About;
use probehound::report::object::{FindingState, Notification, Notified};
use probehound::report::update::{FindingUpdate, Kind};
use probehound::report::{opsgenie as alerts, pagerduty as incidents};
use serde_json::Value;

use super::hostile::{hostile, with};
use super::samples::{at, finding};
use super::services::opsgenie::{self as opsgenie_stand_in, Asked};
use super::services::pagerduty as pagerduty_stand_in;
use super::services::serving;
use super::world::World;
use crate::support::slack::{Seen, Slack, Turn};

const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn an_event_is_what_the_api_accepts() {
    let server = Slack::start_as("127.0.0.1:0", serving(pagerduty_stand_in::answer), []).await;
    assert_eq!(event(&server, pagerduty_stand_in::KEY).await, Reply::Delivered);
    let event: Value = serde_json::from_str(&server.seen()[0].body).expect("JSON");
    let payload = &event["payload"];
    assert!(
        payload["summary"].as_str().is_some_and(|text| text.starts_with("[prod-eu] web (Deployment, namespace prod):"))
    );
    assert_eq!((&payload["severity"], &payload["source"]), (&"warning".into(), &"prod-eu/prod/Deployment/web".into()));
    assert_eq!((&payload["component"], &payload["group"]), (&"app".into(), &"prod".into()));
    assert_eq!((&payload["class"], &payload["timestamp"]), (&"WrongPath".into(), &at(10).to_string().into()));
    assert_eq!(payload["custom_details"]["suggested"], "/health");
    assert_eq!(event["links"][0]["href"], format!("{RUNBOOK}#probehoundprobemisconfigured"));
}

#[tokio::test]
async fn pagerdutys_answers_mean_what_its_documentation_says() {
    let failed = |why: &str| Reply::Failed { why: why.into(), wait: None };
    let wrong_key = r#"{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}"#;
    let wrong_event =
        r#"{"status":"invalid event","message":"Event object is invalid","errors":["'payload.summary' is missing"]}"#;
    let cases = [
        (Turn::Answer(202, r#"{"status":"success","message":"Event processed","dedup_key":"x"}"#), Reply::Delivered),
        (Turn::Answer(400, wrong_event), Reply::Refused("it answers 400".into())),
        (Turn::Answer(400, ""), Reply::Refused("it answers 400".into())),
        (Turn::Answer(400, wrong_key), Reply::Gone("it answers 400: the routing key is not valid".into())),
        (Turn::Answer(413, ""), Reply::Refused("it answers 413".into())),
        (
            Turn::With(429, "Retry-After: 7", ""),
            Reply::Failed { why: "it answers 429: too many messages".into(), wait: Some(Duration::from_secs(7)) },
        ),
        (Turn::Answer(500, r#"{"status":"Unrecognized object","message":"x"}"#), failed("it answers 500")),
        (Turn::Answer(503, ""), failed("it answers 503")),
        (Turn::Answer(403, "<html>"), failed("it answers 403")),
        (Turn::Answer(404, ""), failed("it answers 404")),
        (Turn::Answer(200, "<html>"), failed("it answers 200, but not with 202: something else stands in between")),
        (Turn::With(302, "Location: /x", ""), failed("it answers 302, a redirect, and none is followed")),
    ];
    for (turn, expected) in cases {
        let server = Slack::start([turn.clone()]).await;
        assert_eq!(event(&server, pagerduty_stand_in::KEY).await, expected, "{turn:?}");
    }
}

#[tokio::test]
async fn a_routing_key_that_is_none_stops_the_receiver_and_loses_no_message() {
    let server = Slack::start_as("127.0.0.1:0", serving(pagerduty_stand_in::answer), []).await;
    let expected = Reply::Gone("it answers 400: the routing key is not valid".into());
    assert_eq!(event(&server, "hunter2").await, expected);
    assert_eq!(event(&server, "hunter2-of-another-account-12345").await, expected);
}

#[tokio::test]
async fn opsgenies_answers_mean_what_its_documentation_says() {
    let failed = |why: &str| Reply::Failed { why: why.into(), wait: None };
    let cases = [
        (Turn::Answer(202, r#"{"result":"Request will be processed"}"#), Reply::Delivered),
        (Turn::Answer(400, ""), Reply::Refused("it answers 400".into())),
        (Turn::Answer(401, ""), Reply::Gone("it answers 401: the key is not valid, or its integration is off".into())),
        (Turn::Answer(402, ""), Reply::Gone("it answers 402: the plan of the account does not include it".into())),
        (Turn::Answer(403, ""), Reply::Gone("it answers 403: the key may not create and update alerts".into())),
        (Turn::Answer(404, ""), Reply::Gone("it answers 404".into())),
        (Turn::Answer(405, ""), Reply::Gone("it answers 405".into())),
        (Turn::Answer(410, ""), Reply::Gone("it answers 410".into())),
        (Turn::Answer(413, ""), Reply::Refused("it answers 413".into())),
        (Turn::Answer(415, ""), Reply::Refused("it answers 415".into())),
        (Turn::Answer(422, ""), Reply::Refused("it answers 422".into())),
        (
            Turn::With(429, "Retry-After: 3", ""),
            Reply::Failed { why: "it answers 429: too many messages".into(), wait: Some(Duration::from_secs(3)) },
        ),
        (Turn::Answer(500, ""), failed("it answers 500")),
        (Turn::Answer(503, ""), failed("it answers 503")),
        (Turn::Answer(200, ""), failed("it answers 200, but not with 202: something else stands in between")),
        (Turn::With(307, "Location: /x", ""), failed("it answers 307, a redirect, and none is followed")),
    ];
    for (turn, expected) in cases {
        let server = Slack::start([turn.clone()]).await;
        assert_eq!(alert(&server, opsgenie_stand_in::KEY, Kind::Opened).await, expected, "{turn:?}");
    }
    let server = Slack::start([Turn::Answer(404, "")]).await;
    let gone = Reply::Refused("it answers 404: the alert is gone".into());
    assert_eq!(alert(&server, opsgenie_stand_in::KEY, Kind::Resolved).await, gone);
}

#[tokio::test]
async fn an_alert_is_what_the_api_accepts_and_its_key_is_in_no_body() {
    let server = Slack::start_as("127.0.0.1:0", serving(opsgenie_stand_in::answer), []).await;
    for kind in [Kind::Opened, Kind::Changed, Kind::GoesOn, Kind::Resolved] {
        assert_eq!(alert(&server, opsgenie_stand_in::KEY, kind).await, Reply::Delivered, "{kind:?}");
    }
    let asked: Vec<Asked> = server.seen().iter().map(asked).collect();
    assert!(
        matches!(asked.as_slice(), [Asked::Create(_), Asked::Note(_), Asked::Note(_), Asked::Close(_)]),
        "{asked:?}"
    );
    assert!(server.seen().iter().all(|seen| !seen.body.contains("hunter2")));
    let body: Value = serde_json::from_str(&server.seen()[0].body).expect("JSON");
    assert_eq!((&body["priority"], &body["entity"]), (&"P3".into(), &"prod-eu/prod/Deployment/web".into()));
    assert_eq!(body["tags"], serde_json::json!(["probehound", "WrongPath", "RestartLoop", "fault:probe"]));
    let denied = alert(&server, "hunter2\u{7f}", Kind::Opened).await;
    assert_eq!(denied, Reply::Gone("its key contains characters that no key has".into()));
}

#[test]
fn severities_become_those_of_each_service() {
    let of = |severity| {
        let news = news(Finding { severity, ..finding("web", 10) }, Kind::Opened, None);
        let event = serde_json::to_value(&incidents::events(&news, about())[0]).expect("plain data");
        let request = alerts::requests(&news, about()).remove(0);
        let alert = serde_json::to_value(&request.body).expect("plain data");
        (event["payload"]["severity"].clone(), alert["priority"].clone())
    };
    assert_eq!(of(Severity::Critical), ("critical".into(), "P1".into()));
    assert_eq!(of(Severity::Warning), ("warning".into(), "P3".into()));
    assert_eq!(of(Severity::Info), ("info".into(), "P5".into()));
}

#[test]
fn an_incident_is_one_of_a_finding_a_cluster_and_an_episode() {
    let key = |finding: &Finding, cluster| {
        let news = news(finding.clone(), Kind::Opened, None);
        incidents::events(&news, About { cluster, ..about() }).remove(0).dedup_key
    };
    let web = finding("web", 10);
    let same = Finding { restarts: 99, severity: Severity::Critical, cause: Cause::WrongPort, ..web.clone() };
    assert_eq!(key(&web, Some("eu")), key(&same, Some("eu")));
    assert_ne!(key(&web, Some("eu")), key(&web, Some("us")));
    assert_ne!(key(&web, Some("eu")), key(&finding("api", 10), Some("eu")));
    assert_ne!(key(&web, Some("eu")), key(&Finding { episodes: 2, ..web.clone() }, Some("eu")));
}

#[test]
fn an_episode_that_ended_unseen_is_closed_before_the_next_one_opens() {
    let back = Finding { episodes: 2, ..finding("web", 10) };
    let before = |notified| Some(notified_of(1, notified));
    let actions = |news: &FindingUpdate| {
        let events = incidents::events(news, about());
        let requests = alerts::requests(news, about());
        assert_eq!(events.len(), requests.len());
        events.into_iter().map(|event| (event.event_action, event.dedup_key)).collect::<Vec<_>>()
    };
    let key = |episode| {
        let first = Finding { episodes: episode, ..back.clone() };
        actions(&news(first, Kind::Opened, None)).remove(0).1
    };
    let opened = actions(&news(back.clone(), Kind::Opened, before(Notified::Changed)));
    assert_eq!(opened, [("resolve", key(1)), ("trigger", key(2))]);
    // What was closed, or never opened, is left alone.
    for notified in [Notified::Resolved, Notified::Nothing] {
        assert_eq!(actions(&news(back.clone(), Kind::Opened, before(notified))), [("trigger", key(2))]);
    }
    // Of the second episode nobody was paged.
    assert_eq!(actions(&news(back.clone(), Kind::Resolved, before(Notified::Opened))), [("resolve", key(1))]);
}

#[test]
fn nothing_acts_in_an_incident_whatever_the_names_are() {
    for text in hostile() {
        let finding = with(&text);
        for kind in [Kind::Opened, Kind::Changed, Kind::GoesOn, Kind::Resolved, Kind::Withdrawn] {
            let news = news(finding.clone(), kind, Some(notified_of(2, Notified::Opened)));
            for event in incidents::events(&news, about()) {
                let mut body = serde_json::to_value(&event).expect("plain data");
                body["routing_key"] = pagerduty_stand_in::KEY.into();
                pagerduty_stand_in::check(&body.to_string()).unwrap_or_else(|why| panic!("{why}: {text:?}"));
                assert!(body.to_string().len() < 512 * 1024, "{text:?}");
            }
            for request in alerts::requests(&news, about()) {
                let body = serde_json::to_string(&request.body).expect("plain data");
                let asked = opsgenie_stand_in::asked(&request.path, &body).expect("a path of the API");
                opsgenie_stand_in::check(&body, &asked).unwrap_or_else(|why| panic!("{why}: {text:?}"));
            }
        }
    }
}

#[test]
fn an_incident_is_opened_updated_and_closed_and_opened_anew() {
    let world = World::paging("pagerDuty", serving(pagerduty_stand_in::answer), pagerduty_stand_in::KEY);
    let _replica = world.start();
    let mut web = finding("web", 10);
    world.say(&web, FindingState::Confirmed);
    world.records(&web, Notified::Opened);
    web.severity = Severity::Critical;
    web.pods.affected = web.pods.total;
    world.say(&web, FindingState::Confirmed);
    world.records(&web, Notified::Changed);
    web.resolved_at = Some(at(300));
    world.say(&web, FindingState::Resolved);
    world.records(&web, Notified::Resolved);
    (web.episodes, web.resolved_at) = (2, None);
    world.say(&web, FindingState::Confirmed);
    world.records(&web, Notified::Opened);
    let taken = world.slack.taken();
    assert_eq!(taken.len(), 4, "{taken:?}");
    let open: Vec<bool> = pagerduty_stand_in::incidents(taken.iter().map(|seen| &*seen.body)).into_values().collect();
    assert_eq!(open.iter().filter(|open| **open).count(), 1, "{open:?}");
    assert_eq!(open.len(), 2);
}

#[test]
fn of_what_came_and_went_while_it_was_down_nobody_is_paged() {
    let world = World::paging("opsgenie", serving(opsgenie_stand_in::answer), opsgenie_stand_in::KEY);
    world.slack.set_out(true);
    let _replica = world.start();
    let (mut gone, mut web) = (super::world::now_confirmed("gone"), finding("web", 10));
    world.say(&gone, FindingState::Confirmed);
    world.say(&web, FindingState::Confirmed);
    world.tries(1);
    gone.resolved_at = gone.confirmed_at;
    world.say(&gone, FindingState::Resolved);
    world.slack.set_out(false);
    world.records(&web, Notified::Opened);
    web.resolved_at = Some(at(300));
    world.say(&web, FindingState::Withdrawn);
    world.records(&web, Notified::Resolved);
    let alerts = opsgenie_stand_in::alerts(world.slack.taken().iter().map(asked));
    assert_eq!(alerts.into_values().collect::<Vec<_>>(), [false], "one alert, and it is closed");
}

#[test]
fn many_at_once_are_an_incident_each() {
    let world = World::paging("pagerDuty", serving(pagerduty_stand_in::answer), pagerduty_stand_in::KEY);
    let _replica = world.start();
    let all: Vec<Finding> = (0..7).map(|number| finding(&format!("web-{number}"), 10)).collect();
    for finding in &all {
        world.say(finding, FindingState::Confirmed);
    }
    for finding in &all {
        world.records(finding, Notified::Opened);
    }
    let taken = world.slack.taken();
    assert_eq!(pagerduty_stand_in::incidents(taken.iter().map(|seen| &*seen.body)).len(), 7);
    assert_eq!(taken.len(), 7, "nothing twice");
}

#[test]
fn an_incident_that_is_refused_is_neither_opened_nor_closed() {
    let world = World::paging("pagerDuty", serving(pagerduty_stand_in::answer), pagerduty_stand_in::KEY);
    world.slack.then([Turn::Answer(400, "")]);
    let _replica = world.start();
    let mut web = finding("web", 10);
    world.say(&web, FindingState::Confirmed);
    world.records(&web, Notified::Nothing);
    web.resolved_at = Some(at(300));
    world.say(&web, FindingState::Resolved);
    world.stays_at(0);
}

async fn event(server: &Slack, key: &str) -> Reply {
    let news = news(finding("web", 10), Kind::Opened, None);
    let event = incidents::events(&news, about()).remove(0);
    pagerduty::send(&client(), &Secret::new(&server.base()), &Secret::new(key), &event).await
}

async fn alert(server: &Slack, key: &str, kind: Kind) -> Reply {
    let news = news(finding("web", 10), kind, None);
    let request = alerts::requests(&news, about()).remove(0);
    opsgenie::send(&client(), &Secret::new(&server.base()), &Secret::new(key), &request).await
}

fn asked(seen: &Seen) -> Asked {
    let path = seen.head.split(' ').nth(1).unwrap_or_default();
    opsgenie_stand_in::asked(path, &seen.body).expect("a path of the API")
}

fn client() -> Client {
    Client::new(&Network::default()).expect("there are certificates").within(LIMIT)
}

fn about() -> About<'static> {
    About { cluster: Some("prod-eu"), runbook: RUNBOOK, now: at(20) }
}

fn news(finding: Finding, kind: Kind, before: Option<Notification>) -> FindingUpdate {
    FindingUpdate { kind, finding: Arc::new(finding), before }
}

fn notified_of(episode: u32, notified: Notified) -> Notification {
    Notification { receiver: "pager".into(), episode, notified, at: at(15), content: None, digest: None, refused: None }
}
