//! The answers of Microsoft Teams, Discord and Google Chat, and that they take what they are sent.

use std::time::Duration;

use probehound::delivery::http::{Answer, Client};
use probehound::delivery::network::Network;
use probehound::delivery::receiver::{Reply, chat, discord, google_chat, teams};
use probehound::delivery::secret::Secret;
use probehound::report::outline::Context;
use probehound::report::{discord as embeds, google_chat as texts, teams as cards};
use serde_json::{Value, json};

use super::samples::{at, finding};
use super::services;
use crate::support::forms;
use crate::support::slack::{Slack, Turn};

const LIMIT: Duration = Duration::from_secs(5);

/// A stand-in.
type Service = fn(&services::Request) -> services::Answer;
/// What its answers mean.
type Meaning = fn(&Answer) -> Reply;
/// What each answer means.
type Cases = Vec<(Turn, Reply)>;

#[tokio::test]
async fn each_takes_every_message_that_there_is() {
    let context = || Context { cluster: Some("prod-eu"), now: at(20) };
    for dispatch in forms::dispatches(&finding("web", 10)) {
        let card = json!(cards::Payload::new(&dispatch, context()));
        taken(services::teams::answer, services::teams::PATH, &card, teams::meaning).await;
        let embed = json!(embeds::Payload::new(&dispatch, context()));
        taken(services::discord::answer, services::discord::PATH, &embed, discord::meaning).await;
        let text = json!(texts::Payload::new(&dispatch, context()));
        taken(services::google_chat::answer, services::google_chat::PATH, &text, google_chat::meaning).await;
    }
}

#[tokio::test]
async fn an_address_that_is_not_right_stops_each() {
    let stand_ins: [(Service, &str, Meaning, u16); 4] = [
        (services::teams::answer, "/workflows/hunter2?sig=other", teams::meaning, 401),
        (services::discord::answer, "/api/webhooks/1234567890/other", discord::meaning, 401),
        (services::discord::answer, "/api/webhooks/99/other", discord::meaning, 404),
        (services::google_chat::answer, "/v1/spaces/AAAAhunter2/messages?key=other", google_chat::meaning, 401),
    ];
    for (service, path, meaning, status) in stand_ins {
        let server = Slack::start_as("127.0.0.1:0", services::serving(service), []).await;
        let reply = post(&format!("{}{path}", server.base()), &json!({}), meaning).await;
        assert_eq!(reply, Reply::Gone(format!("it answers {status}")), "{path}");
    }
}

#[tokio::test]
async fn teams_answers_mean_what_the_documentation_says() {
    let off = r#"{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"x"}}"#;
    let schema = r#"{"error":{"code":"TriggerInputSchemaMismatch","message":"x"}}"#;
    let mut cases = usual();
    cases.extend([
        (Turn::Answer(202, ""), Reply::Delivered),
        (Turn::Answer(400, schema), Reply::Refused("it answers 400".into())),
        (Turn::Answer(400, off), failed("it answers 400: its workflow is turned off")),
        (Turn::Answer(415, ""), Reply::Refused("it answers 415".into())),
        (Turn::Answer(502, r#"{"error":{"code":"NoResponse","message":"x"}}"#), failed("it answers 502")),
    ]);
    all_mean(cases, teams::meaning).await;
}

#[tokio::test]
async fn discords_answers_mean_what_the_documentation_says() {
    let mut cases = usual();
    cases.retain(|(turn, _)| !matches!(turn, Turn::Answer(403, _)));
    let limited = r#"{"message":"You are being rate limited.","retry_after":0.5,"global":false}"#;
    cases.extend([
        (Turn::Answer(204, ""), Reply::Delivered),
        (Turn::Answer(400, r#"{"message":"Invalid Form Body","code":50035}"#), Reply::Refused("it answers 400".into())),
        (Turn::Answer(403, r#"{"message":"Missing Permissions","code":50013}"#), Reply::Gone("it answers 403".into())),
        (Turn::Answer(403, "error code: 1010"), failed("it answers 403, and not as Discord does")),
        (
            Turn::Answer(429, limited),
            Reply::Failed { why: "it answers 429: too many messages".into(), wait: Some(Duration::from_millis(500)) },
        ),
        (
            Turn::With(429, "Retry-After: 3", limited),
            Reply::Failed { why: "it answers 429: too many messages".into(), wait: Some(Duration::from_secs(3)) },
        ),
        (Turn::Answer(429, r#"{"retry_after":-1}"#), failed("it answers 429: too many messages")),
    ]);
    all_mean(cases, discord::meaning).await;
}

#[tokio::test]
async fn google_chats_answers_mean_what_the_documentation_says() {
    let mut cases = usual();
    cases.extend([
        (Turn::Answer(200, r#"{"name":"spaces/a/messages/b"}"#), Reply::Delivered),
        (Turn::Answer(400, r#"{"error":{"status":"INVALID_ARGUMENT"}}"#), Reply::Refused("it answers 400".into())),
        (
            Turn::Answer(429, r#"{"error":{"status":"RESOURCE_EXHAUSTED"}}"#),
            failed("it answers 429: too many messages"),
        ),
    ]);
    all_mean(cases, google_chat::meaning).await;
}

/// The answers that mean the same to all of them.
fn usual() -> Cases {
    vec![
        (Turn::Answer(400, ""), Reply::Refused("it answers 400".into())),
        (Turn::Answer(413, ""), Reply::Refused("it answers 413".into())),
        (Turn::Answer(401, ""), Reply::Gone("it answers 401".into())),
        (Turn::Answer(403, ""), Reply::Gone("it answers 403".into())),
        (Turn::Answer(404, ""), Reply::Gone("it answers 404".into())),
        (Turn::Answer(410, ""), Reply::Gone("it answers 410".into())),
        (Turn::Answer(408, ""), failed("it answers 408")),
        (Turn::Answer(500, ""), failed("it answers 500")),
        (Turn::Answer(503, "<html>"), failed("it answers 503")),
        (Turn::Answer(200, "<html>Sign in"), failed("it answers 200 with a page: something else stands in between")),
        (Turn::With(302, "Location: /x", ""), failed("it answers 302, a redirect, and none is followed")),
        (
            Turn::With(429, "Retry-After: 7", ""),
            Reply::Failed { why: "it answers 429: too many messages".into(), wait: Some(Duration::from_secs(7)) },
        ),
    ]
}

fn failed(why: &str) -> Reply {
    Reply::Failed { why: why.into(), wait: None }
}

async fn all_mean(cases: Cases, meaning: Meaning) {
    for (turn, expected) in cases {
        let server = Slack::start([turn.clone()]).await;
        assert_eq!(post(&server.url(), &json!({}), meaning).await, expected, "{turn:?}");
    }
}

async fn taken(service: Service, path: &str, message: &Value, meaning: Meaning) {
    let server = Slack::start_as("127.0.0.1:0", services::serving(service), []).await;
    let reply = post(&format!("{}{path}", server.base()), message, meaning).await;
    assert_eq!(reply, Reply::Delivered, "{message}");
}

async fn post(url: &str, message: &Value, meaning: Meaning) -> Reply {
    let client = Client::new(&Network::default()).expect("there are certificates").within(LIMIT);
    chat(&client, &Secret::new(url), message, meaning).await
}
