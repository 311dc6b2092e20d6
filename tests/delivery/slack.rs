//! The outcomes of sending to Slack, whatever state it is in.

use std::time::Duration;

use probehound::delivery::http::Client;
use probehound::delivery::network::Network;
use probehound::delivery::receiver::{Reply, chat, slack};
use probehound::delivery::secret::Secret;
use probehound::report::slack::{Context, Payload};
use probehound::report::update::{Dispatch, FindingUpdate, Kind};

use super::samples::{at, finding};
use crate::support::slack::{Slack, Turn};

/// Far more than an exchange with a healthy server takes; a hanging one ends here.
const LIMIT: Duration = Duration::from_millis(400);

#[tokio::test]
async fn a_message_arrives_as_json_in_one_post() {
    let server = Slack::start([]).await;
    assert_eq!(send(&server.url()).await, Reply::Delivered);
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert!(
        seen[0].text().starts_with("[prod-eu] WARNING: web (prod): the liveness probe asks for a path"),
        "{seen:?}"
    );
}

#[tokio::test]
async fn retry_after_is_kept_and_its_absence_too() {
    let header = Turn::With(429, "Retry-After: 30", "rate_limited");
    assert_eq!(wait(header).await, Some(Duration::from_secs(30)));
    assert_eq!(wait(Turn::Answer(429, "rate_limited")).await, None);
    assert_eq!(wait(Turn::With(503, "Retry-After: 5", "")).await, Some(Duration::from_secs(5)));
}

#[tokio::test]
async fn what_may_work_the_next_time_is_a_failure() {
    let turns = [
        (Turn::Answer(500, "rollup_error"), "it answers 500: rollup_error"),
        (Turn::Answer(502, "<html>Bad Gateway</html>"), "it answers 502"),
        (Turn::Answer(408, ""), "it answers 408"),
        (
            Turn::Answer(200, "<html>Sign in</html>"),
            "it answers 200, but not with ok: something else stands in between",
        ),
        (Turn::Answer(200, ""), "it answers 200, but not with ok: something else stands in between"),
        (Turn::Answer(204, ""), "it answers 204"),
        (Turn::With(302, "Location: https://evil.example/", ""), "it answers 302, a redirect, and none is followed"),
        (Turn::With(308, "Location: /elsewhere", ""), "it answers 308, a redirect, and none is followed"),
        (Turn::Hang, "it did not answer in time"),
        (Turn::Slow(LIMIT * 2), "it did not answer in time"),
        (Turn::Reset, "the connection broke before it answered"),
        (Turn::Break, "the connection broke before it answered"),
        (Turn::Garbage, "the connection broke before it answered"),
    ];
    for (turn, expected) in turns {
        let server = Slack::start([turn.clone()]).await;
        let Reply::Failed { why, .. } = send(&server.url()).await else { panic!("{turn:?} is no failure") };
        assert_eq!(why, expected, "{turn:?}");
        assert!(server.seen().len() <= 1, "{turn:?} is tried once");
    }
}

#[tokio::test]
async fn a_slow_answer_is_an_answer() {
    let server = Slack::start([Turn::Slow(LIMIT / 4)]).await;
    assert_eq!(send(&server.url()).await, Reply::Delivered);
}

#[tokio::test]
async fn permanent_answers_about_the_message_refuse_it() {
    for error in ["invalid_payload", "no_text", "too_many_attachments", "invalid_blocks", "msg_blocks_too_long"] {
        let server = Slack::start([Turn::Answer(400, error)]).await;
        assert_eq!(send(&server.url()).await, Reply::Refused(format!("it answers 400: {error}")));
    }
    let server = Slack::start([Turn::Answer(413, "<html>")]).await;
    assert_eq!(send(&server.url()).await, Reply::Refused("it answers 413".into()));
}

#[tokio::test]
async fn permanent_answers_about_the_webhook_end_it() {
    let answers = [
        (400, "no_active_hooks"),
        (400, "user_not_found"),
        (403, "action_prohibited"),
        (403, "invalid_token"),
        (403, "posting_to_general_channel_denied"),
        (403, "team_disabled"),
        (404, "channel_not_found"),
        (404, "no_service"),
        (404, "no_service_id"),
        (404, "no_team"),
        (410, "channel_is_archived"),
    ];
    for (status, error) in answers {
        let server = Slack::start([Turn::Answer(status, error)]).await;
        assert_eq!(send(&server.url()).await, Reply::Gone(format!("it answers {status}: {error}")));
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_apart() {
    let server = Slack::start([Turn::Garbage]).await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        listener.local_addr().expect("it listens").port()
    };
    let cases = [
        (server.tls_url(), "no TLS connection to it can be made"),
        (format!("http://127.0.0.1:{closed}/"), "it refuses the connection"),
        ("http://no-such-host.invalid/".to_owned(), "the name of its host does not resolve"),
    ];
    for (url, expected) in cases {
        let client = Client::new(&Network::default()).expect("there are certificates").within(Duration::from_secs(20));
        let Reply::Failed { why, .. } = chat(&client, &Secret::new(&url), &payload(), slack::meaning).await else {
            panic!("{url} is no failure")
        };
        assert_eq!(why, expected, "{url}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_read_no_further() {
    const ENDLESS: &str = "Content-Length: 99999999999";
    let server = Slack::start([Turn::With(500, ENDLESS, "rollup_error")]).await;
    assert!(matches!(send(&server.url()).await, Reply::Failed { .. }));
}

#[tokio::test]
async fn no_failure_shows_the_address() {
    let turns =
        [Turn::Hang, Turn::Reset, Turn::Answer(404, "no_service at /services/THUNTER2/BHUNTER2/hunter2webhook")];
    for turn in turns {
        let server = Slack::start([turn]).await;
        let sent = format!("{:?}", send(&server.url()).await);
        assert!(!sent.to_lowercase().contains("hunter2") && !sent.contains("127.0.0.1"), "{sent}");
    }
    let sent = format!("{:?}", send("http://hunter2 webhook").await);
    assert!(!sent.contains("hunter2"), "{sent}");
}

async fn wait(turn: Turn) -> Option<Duration> {
    let server = Slack::start([turn]).await;
    match send(&server.url()).await {
        Reply::Failed { wait, .. } => wait,
        sent => panic!("{sent:?}"),
    }
}

async fn send(url: &str) -> Reply {
    let client = Client::new(&Network::default()).expect("there are certificates").within(LIMIT);
    chat(&client, &Secret::new(url), &payload(), slack::meaning).await
}

fn payload() -> Payload {
    let finding = finding("web", 10).into();
    let dispatch = Dispatch::One(FindingUpdate { kind: Kind::Opened, finding, before: None });
    Payload::new(&dispatch, Context { cluster: Some("prod-eu"), now: at(20) })
}
