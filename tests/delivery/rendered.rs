//! The messages for Teams, Discord, Google Chat and mail: what people read of them, and that nothing in them
//! acts, whatever a cluster contains.

use std::sync::Arc;

use insta::assert_snapshot;
use probehound::delivery::trial::sample;
use probehound::engine::Finding;
use probehound::report::email::Mail;
use probehound::report::object::{Content, Notification, Notified};
use probehound::report::outline::Context;
use probehound::report::update::{Digest, Dispatch, FindingUpdate, Kind, Why};
use probehound::report::{discord, google_chat, teams};
use probehound::time::Time;
use proptest::prelude::*;
use serde_json::json;

use super::hostile::{hostile, with};
use super::samples::{at, finding};
use super::services::{self, Answer, Request};
use crate::support::forms;

type Service = fn(&Request) -> Answer;

#[test]
fn teams_shows_a_card() {
    shown("teams", |dispatch| services::teams::page(&teams(dispatch)));
}

#[test]
fn discord_shows_embeds() {
    shown("discord", |dispatch| services::discord::page(&discord(dispatch)));
}

#[test]
fn google_chat_shows_a_text() {
    shown("google_chat", |dispatch| services::google_chat::page(&google_chat(dispatch)));
}

#[test]
fn a_mail_shows_text_or_html() {
    shown("mail", |dispatch| {
        let Mail { subject, text, html, .. } = mail(dispatch);
        format!("Subject: {subject}\n\n{text}\n{html}")
    });
}

#[test]
fn nothing_acts_whatever_the_names_are() {
    for text in hostile() {
        all_are_inert(&with(&text));
    }
}

#[test]
fn the_longest_digest_and_the_longest_names_fit() {
    for long in ["x".repeat(5_000), "\"\\".repeat(2_500), "﷽".repeat(5_000), "😀".repeat(5_000), "_".repeat(5_000)]
    {
        all_are_inert(&with(&long));
    }
}

#[test]
fn a_name_that_is_a_link_is_none() {
    for link in ["https://evil.example/login", "WWW.evil.example", "hTTp://a/", "www.www.www.evil.example"] {
        all_are_inert(&with(link));
    }
}

#[test]
fn the_services_take_what_they_are_sent_and_refuse_what_the_real_ones_do() {
    let web = Dispatch::One(news(Kind::Opened, &finding("web", 10)));
    let cases: [(Service, &str, String, u16); 3] = [
        (services::teams::answer, services::teams::PATH, teams(&web), 202),
        (services::discord::answer, services::discord::PATH, discord(&web), 204),
        (services::google_chat::answer, services::google_chat::PATH, google_chat(&web), 200),
    ];
    let kind = |kind: &str| [("Content-Type".to_owned(), kind.to_owned())];
    let (json, form) = (kind("application/json; charset=utf-8"), kind("application/x-www-form-urlencoded"));
    for (answer, path, body, taken) in cases {
        let right = Request { method: "POST", path, headers: &json, body: &body };
        assert_eq!(answer(&right).status, taken, "{path}");
        let other = path.to_owned() + "x";
        assert_eq!(answer(&Request { path: &other, ..right }).status, 401, "{path}");
        assert!(matches!(answer(&Request { method: "GET", ..right }).status, 404 | 405), "{path}");
        assert!(matches!(answer(&Request { headers: &form, ..right }).status, 400 | 415), "{path}");
        assert_eq!(answer(&Request { body: "{}", ..right }).status, 400, "{path}");
        let large = body.replacen("web", &"x".repeat(40_000), 9);
        assert!(matches!(answer(&Request { body: &large, ..right }).status, 400 | 413), "{path}");
    }
}

#[test]
fn a_command_is_shown_as_it_is_or_not_at_all() {
    let web = Dispatch::One(news(Kind::Opened, &finding("web", 10)));
    let command = "kubectl -n prod rollout undo deployment/web --to-revision=7";
    assert!(teams(&web).contains(command) && discord(&web).contains(command) && google_chat(&web).contains(command));
    assert!(mail(&web).text.contains(&format!("\n    {command}\n")));
    for message in [teams(&web), discord(&web), google_chat(&web)] {
        assert!(!message.contains("does not fit"), "{message}");
    }
    let name = "x".repeat(250);
    let long = Finding { namespace: name.as_str().into(), ..finding(&name, 10) };
    let long = Dispatch::One(news(Kind::Opened, &long));
    let command = format!("kubectl -n {name} rollout undo deployment/{name} --to-revision=7");
    for message in [teams(&long), google_chat(&long), mail(&long).text, mail(&long).html] {
        assert!(message.contains(&command), "{message}");
    }
    let message = discord(&long);
    assert!(message.contains("a command that does not fit here: ") && !message.contains("rollout"), "{message}");
}

#[test]
fn the_mails_of_an_episode_are_one_thread() {
    let web = finding("web", 10);
    let of = |kind| mail(&Dispatch::One(news(kind, &web))).thread;
    assert_eq!(of(Kind::Opened), of(Kind::Resolved));
    let again = Finding { episodes: 2, ..web.clone() };
    assert_ne!(of(Kind::Opened), mail(&Dispatch::One(news(Kind::Opened, &again))).thread);
    assert_ne!(of(Kind::Opened), mail(&Dispatch::One(news(Kind::Opened, &finding("api", 10)))).thread);
    let digest = mail(&digest(Why::Storm, &[web, finding("api", 10)]));
    assert_eq!(digest.thread, None);
}

#[test]
fn a_mail_that_is_sent_again_has_the_same_id_and_a_reminder_another() {
    let id = |update: FindingUpdate| mail(&Dispatch::One(update)).id;
    let web = finding("web", 10);
    let told_at = |seconds| Some(notification(at(seconds)));
    let reminder = |seconds| FindingUpdate { before: told_at(seconds), ..news(Kind::GoesOn, &web) };
    assert_eq!(id(reminder(100)), id(reminder(100)));
    assert_ne!(id(reminder(100)), id(reminder(200)), "what is told again later is not the same mail");
    assert_ne!(id(news(Kind::Opened, &web)), id(news(Kind::Resolved, &web)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_acts_or_breaks_a_limit(text in text()) {
        all_are_inert(&with(&text));
    }
}

/// Any text, and what has an effect somewhere in any order.
fn text() -> impl Strategy<Value = String> {
    let pieces = [
        "*",
        "**",
        "_",
        "__",
        "~~",
        "`",
        "```",
        "|",
        "||",
        "<",
        ">",
        "[",
        "](",
        ")",
        "#",
        "-# ",
        "- ",
        "\\",
        "@everyone",
        "<@1>",
        "<users/all>",
        "https://a.b",
        "www.",
        ":tada:",
        "<t:1:R>",
        "&",
        "&amp;",
        "{{DATE(2026-01-01T00:00:00Z)}}",
        "{{",
        "\r\nBcc: a@b.c\r\n",
        "\u{0}",
        "\u{202e}",
        "é",
        "😀",
        "健",
        " ",
        "a",
        "\"",
        "'",
        "</p>",
        "<at>",
    ];
    let piece = prop_oneof![8 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => any::<String>()];
    prop_oneof![
        prop::collection::vec(piece.clone(), 0..12).prop_map(|pieces| pieces.concat()),
        (piece, 1_usize..900).prop_map(|(piece, times)| piece.repeat(times)),
    ]
}

fn all_are_inert(finding: &Finding) {
    for dispatch in forms::dispatches(finding) {
        assert_eq!(services::teams::check(&teams(&dispatch)), Ok(()));
        assert_eq!(services::discord::check(&discord(&dispatch)), Ok(()));
        assert_eq!(services::google_chat::check(&google_chat(&dispatch)), Ok(()));
        assert_eq!(services::mail::check(&mail(&dispatch)), Ok(()));
    }
}

/// One finding opened and resolved, a digest of few and one of many, as people read them.
fn shown(form: &str, page: impl Fn(&Dispatch) -> String) {
    let sample = sample("prod", at(0));
    let over = Finding { resolved_at: Some(at(120)), ..sample.clone() };
    let doubtful = Finding {
        confidence: probehound::engine::Confidence::Medium,
        hypotheses: vec!["a slow start".into(), "a wrong port".into()],
        ..finding("api_v2", 10)
    };
    let many: Vec<Finding> = (0..7).map(|number| finding(&format!("web-{number}"), 10)).collect();
    let pages = [
        page(&Dispatch::One(news(Kind::Opened, &sample))),
        page(&Dispatch::One(news(Kind::Resolved, &over))),
        page(&digest(Why::FirstLook, &[sample, doubtful])),
        page(&digest(Why::Storm, &many)),
    ];
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| assert_snapshot!(format!("notification_{form}"), pages.join("\n----------\n")));
}

fn teams(dispatch: &Dispatch) -> String {
    json!(teams::Payload::new(dispatch, context())).to_string()
}

fn discord(dispatch: &Dispatch) -> String {
    json!(discord::Payload::new(dispatch, context())).to_string()
}

fn google_chat(dispatch: &Dispatch) -> String {
    json!(google_chat::Payload::new(dispatch, context())).to_string()
}

fn mail(dispatch: &Dispatch) -> Mail {
    Mail::new(dispatch, "ops", context())
}

fn context() -> Context<'static> {
    Context { cluster: Some("prod-eu"), now: at(150) }
}

fn news(kind: Kind, finding: &Finding) -> FindingUpdate {
    FindingUpdate { kind, finding: Arc::new(finding.clone()), before: None }
}

fn digest(why: Why, findings: &[Finding]) -> Dispatch {
    let news = findings.iter().map(|finding| news(Kind::Opened, finding)).collect();
    Dispatch::Digest(Digest { why, news, waiting: 0 })
}

fn notification(at: Time) -> Notification {
    Notification {
        receiver: "ops".into(),
        episode: 1,
        notified: Notified::Opened,
        at,
        content: Some(Content::from_finding(&finding("web", 10))),
        digest: None,
        refused: None,
    }
}
