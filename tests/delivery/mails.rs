//! The outcomes of sending mail, whatever state the relay is in.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use probehound::delivery::receiver::Reply;
use probehound::delivery::secret::{Secret, SecretSource};
use probehound::delivery::smtp::{Encryption, Login, Mailer, MailerError, Relay as Settings, Sent};
use probehound::report::email::Mail;
use probehound::report::outline::Context;
use probehound::report::update::{Dispatch, FindingUpdate, Kind};

use super::hostile::{hostile, with};
use super::samples::{at, finding};
use super::services::relay::{LOGIN, Relay, Rules, Taken, Turn, certificates};
use crate::support::forms;

/// Far more than an exchange with a healthy relay takes; a hanging one ends here.
const LIMIT: Duration = Duration::from_secs(3);
const RECIPIENTS: [&str; 3] = ["Ops <ops@example.com>", "lead@example.com", "archive@example.org"];

#[tokio::test]
async fn a_mail_arrives_encrypted_with_text_and_html() {
    for encryption in [Encryption::StartTls, Encryption::Tls] {
        let relay = Relay::start(Rules { encryption, ..Rules::default() });
        assert_eq!(send(&relay, encryption).await, delivered());
        let taken = only(&relay);
        assert!(taken.encrypted);
        assert_eq!(taken.from, "probehound@example.com");
        assert_eq!(taken.to, ["ops@example.com", "lead@example.com", "archive@example.org"]);
        assert_eq!(header(&taken, "Subject"), mail().subject);
        assert_eq!(header(&taken, "From"), "probehound@example.com");
        assert_eq!(header(&taken, "To"), "Ops <ops@example.com>, lead@example.com, archive@example.org");
        assert_eq!(header(&taken, "Date"), "Sun, 22 Nov 2026 13:58:20 +0000");
        assert_eq!(header(&taken, "Auto-Submitted"), "auto-generated");
        let parts = parts(&taken.message);
        assert_eq!(parts, [("text/plain", mail().text), ("text/html", mail().html)]);
    }
}

#[tokio::test]
async fn a_mail_names_itself_and_its_thread() {
    let relay = Relay::start(Rules::default());
    send(&relay, Encryption::StartTls).await;
    let (taken, mail) = (only(&relay), mail());
    let thread = format!("<{}@example.com>", mail.thread.expect("one finding is a thread"));
    assert_eq!(header(&taken, "Message-ID"), format!("<{}@example.com>", mail.id));
    assert_eq!((header(&taken, "References"), header(&taken, "In-Reply-To")), (thread.clone(), thread));
}

#[tokio::test]
async fn without_encryption_where_the_settings_say_so() {
    let relay = Relay::start(Rules { encryption: Encryption::None, ..Rules::default() });
    assert_eq!(send(&relay, Encryption::None).await, delivered());
    assert!(!only(&relay).encrypted);
}

#[tokio::test]
async fn probehound_logs_in_by_what_the_relay_offers() {
    for mechanisms in ["PLAIN", "LOGIN", "LOGIN PLAIN XOAUTH2", "GSSAPI LOGIN"] {
        let relay = Relay::start(Rules { mechanisms, ..Rules::default() });
        assert_eq!(log_in(&relay, LOGIN.1).await, delivered(), "{mechanisms}");
        assert!(only(&relay).logged_in);
    }
}

#[tokio::test]
async fn a_login_that_is_refused_stops_the_receiver() {
    let relay = Relay::start(Rules { mechanisms: "PLAIN", ..Rules::default() });
    assert_eq!(log_in(&relay, "wrong").await.reply, Reply::Gone("it answers 535 to the login".into()));
    let relay = Relay::start(Rules { mechanisms: "GSSAPI XOAUTH2", ..Rules::default() });
    let reply = log_in(&relay, LOGIN.1).await.reply;
    assert_eq!(reply, Reply::Gone("it offers neither AUTH PLAIN nor AUTH LOGIN".into()));
    let relay = Relay::start(Rules { mechanisms: "PLAIN", ..Rules::default() });
    let reply = send(&relay, Encryption::StartTls).await.reply;
    assert_eq!(reply, Reply::Gone("it answers 530 to the sender".into()), "there is no login in the settings");
}

#[tokio::test]
async fn permanent_answers_about_the_mail_refuse_it() {
    let cases = [
        ("MAIL", "553 5.1.8 sender rejected", "it answers 553 to the sender"),
        ("MAIL", "550 5.7.1 not allowed", "it answers 550 to the sender"),
        ("RCPT", "550 5.1.1 no such user", "it answers 550 to a recipient"),
        ("RCPT", "551 5.1.6 moved", "it answers 551 to a recipient"),
        ("DATA", "554 5.5.1 no valid recipients", "it answers 554 to DATA"),
        ("MESSAGE", "552 5.3.4 too large", "it answers 552 to the message"),
        ("MESSAGE", "554 5.7.1 looks like spam", "it answers 554 to the message"),
    ];
    for (command, answer, why) in cases {
        assert_eq!(instead(command, Turn::Answer(answer)).await, Reply::Refused(why.into()), "{answer}");
    }
}

#[tokio::test]
async fn what_may_work_the_next_time_is_a_failure() {
    let cases = [
        ("CONNECT", Turn::Answer("421 4.3.2 shutting down"), "it answers 421 to the greeting"),
        ("CONNECT", Turn::Answer("554 5.7.1 your address is listed"), "it answers 554 to the greeting"),
        ("EHLO", Turn::Answer("502 5.5.1 not implemented"), "it answers 502 to the greeting"),
        ("STARTTLS", Turn::Answer("454 4.7.0 TLS not available"), "it answers 454 to STARTTLS"),
        ("STARTTLS", Turn::Answer("501 5.5.4 syntax"), "it answers 501 to STARTTLS"),
        ("MAIL", Turn::Answer("451 4.3.0 try later"), "it answers 451 to the sender"),
        ("MAIL", Turn::Answer("452 4.3.1 no room"), "it answers 452 to the sender"),
        ("RCPT", Turn::Answer("450 4.2.0 greylisted"), "it answers 450 to a recipient"),
        ("DATA", Turn::Answer("421 4.7.0 too many"), "it answers 421 to DATA"),
        ("MESSAGE", Turn::Answer("451 4.3.0 try later"), "it answers 451 to the message"),
        ("CONNECT", Turn::Break, "the connection broke before it answered"),
        ("MAIL", Turn::Break, "the connection broke before it answered"),
        ("MESSAGE", Turn::Break, "the connection broke before it answered"),
        ("CONNECT", Turn::Answer("SSH-2.0-OpenSSH_9.9"), "the connection broke before it answered"),
        ("CONNECT", Turn::Hang, "it did not answer in time"),
        ("RCPT", Turn::Hang, "it did not answer in time"),
        ("MESSAGE", Turn::Hang, "it did not answer in time"),
    ];
    for (command, turn, expected) in cases {
        let Reply::Failed { why, wait: None } = instead(command, turn).await else { panic!("{turn:?} is no failure") };
        assert_eq!(why, expected, "{command}: {turn:?}");
    }
}

#[tokio::test]
async fn a_login_that_fails_for_now_is_tried_again() {
    let rules =
        Rules { mechanisms: "PLAIN", instead: vec![("AUTH", Turn::Answer("454 4.7.0 try later"))], ..Rules::default() };
    let reply = log_in(&Relay::start(rules), LOGIN.1).await.reply;
    assert_eq!(reply, Reply::Failed { why: "it answers 454 to the login".into(), wait: None });
}

#[tokio::test]
async fn some_refused_recipients_keep_it_from_nobody_else() {
    let refuses = ("RCPT TO:<lead@", Turn::Answer("550 5.1.1 no such user"));
    let relay = Relay::start(Rules { instead: vec![refuses], ..Rules::default() });
    assert_eq!(send(&relay, Encryption::StartTls).await, Sent { reply: Reply::Delivered, refused: 1 });
    assert_eq!(only(&relay).to, ["ops@example.com", "archive@example.org"]);
}

#[tokio::test]
async fn nobody_gets_it_where_a_retry_would_give_it_to_somebody_twice() {
    let defers = ("RCPT TO:<archive@", Turn::Answer("450 4.2.0 greylisted"));
    let relay = Relay::start(Rules { instead: vec![defers], ..Rules::default() });
    assert!(matches!(send(&relay, Encryption::StartTls).await.reply, Reply::Failed { .. }));
    assert!(relay.taken().is_empty());
}

#[tokio::test]
async fn a_farewell_without_an_answer_changes_nothing() {
    for turn in [Turn::Hang, Turn::Break, Turn::Answer("421 4.0.0 what")] {
        let relay = Relay::start(Rules { instead: vec![("QUIT", turn)], ..Rules::default() });
        assert_eq!(send(&relay, Encryption::StartTls).await, delivered(), "{turn:?}");
    }
}

#[tokio::test]
async fn a_mail_that_is_sent_again_can_be_recognised() {
    let relay = Relay::start(Rules { instead: vec![("MESSAGE", Turn::Break)], ..Rules::default() });
    for _ in 0..2 {
        assert!(matches!(send(&relay, Encryption::StartTls).await.reply, Reply::Failed { .. }));
    }
    let ids: Vec<String> = relay.taken().iter().map(|taken| header(taken, "Message-ID")).collect();
    assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
}

#[tokio::test]
async fn nothing_is_sent_without_the_encryption_that_is_wanted() {
    let relay = Relay::start(Rules { encryption: Encryption::None, mechanisms: "PLAIN", ..Rules::default() });
    let settings = Settings { login: Some(login()), ..settings(&relay, Encryption::StartTls) };
    let Reply::Failed { why, .. } = post(settings, Some(LOGIN.1)).await.reply else { panic!("no failure") };
    assert_eq!(why, "it does not offer STARTTLS, and nothing is sent without encryption");
    assert_eq!(relay.commands(), ["EHLO probehound.example", "QUIT"]);
    let unencrypted = Settings { login: Some(login()), ..self::settings(&relay, Encryption::None) };
    assert!(matches!(Mailer::new(unencrypted), Err(MailerError::Unencrypted)));
}

#[tokio::test]
async fn an_answer_from_before_the_encryption_is_no_answer_to_what_follows() {
    let rules = Rules { instead: vec![("STARTTLS", Turn::Add("250 injected"))], ..Rules::default() };
    let relay = Relay::start(rules);
    let reply = send(&relay, Encryption::StartTls).await.reply;
    assert!(matches!(reply, Reply::Failed { .. }), "{reply:?}");
    assert!(relay.taken().is_empty());
}

#[tokio::test]
async fn a_relay_that_is_not_trusted_gets_nothing() {
    for encryption in [Encryption::StartTls, Encryption::Tls] {
        let relay = Relay::start(Rules { encryption, mechanisms: "PLAIN", ..Rules::default() });
        let settings = Settings { ca_file: None, login: Some(login()), ..settings(&relay, encryption) };
        let Reply::Failed { why, .. } = post(settings, Some(LOGIN.1)).await.reply else { panic!("no failure") };
        assert_eq!(why, "its certificate is not trusted");
        assert!(relay.commands().iter().all(|command| !command.starts_with("AUTH")), "{:?}", relay.commands());
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_apart() {
    let relay = Relay::start(Rules { encryption: Encryption::None, ..Rules::default() });
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let closed = closed.expect("loopback has free ports").port();
    let known = settings(&relay, Encryption::None);
    let cases = [
        (Settings { port: closed, ..known.clone() }, "it refuses the connection"),
        (Settings { host: "no-such-host.invalid".into(), ..known.clone() }, "the name of its host does not resolve"),
        (settings(&relay, Encryption::Tls), "no TLS connection to it can be made"),
    ];
    for (settings, expected) in cases {
        let mailer = Mailer::new(settings).expect("they are settings").within(Duration::from_secs(20));
        let Reply::Failed { why, .. } = mailer.send(&mail(), None, at(20)).await.reply else { panic!("{expected}") };
        assert_eq!(why, expected);
    }
}

#[tokio::test]
async fn what_the_relay_says_is_not_repeated() {
    let told = "550 5.7.1 hunter2 at ops@example.com from 127.0.0.1";
    for command in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "MESSAGE"] {
        let reply = format!("{:?}", instead(command, Turn::Answer(told)).await);
        assert!(!reply.contains("hunter2") && !reply.contains('@') && !reply.contains("127"), "{reply}");
    }
}

#[tokio::test]
async fn a_name_adds_no_header_and_breaks_no_line() {
    let relay = Relay::start(Rules { encryption: Encryption::None, ..Rules::default() });
    let mailer = Mailer::new(settings(&relay, Encryption::None)).expect("they are settings");
    let names = ["\r\nBcc: evil@example.com\r\n\r\n.\r\nMAIL FROM:<a@b>\r\n".to_owned(), ".".repeat(60)];
    let mut sent = Vec::new();
    for text in hostile().into_iter().chain(names) {
        let [opened, .., digest] =
            forms::dispatches(&with(&text)).try_into().map(|all: [Dispatch; 10]| all).expect("ten");
        for dispatch in [opened, digest] {
            let mail = Mail::new(&dispatch, "ops", context());
            assert_eq!(mailer.send(&mail, None, at(20)).await, delivered(), "{text:?}");
            sent.push(mail);
        }
    }
    let expected = [
        "From",
        "Subject",
        "Date",
        "Message-ID",
        "To",
        "In-Reply-To",
        "References",
        "MIME-Version",
        "Content-Type",
        "Auto-Submitted",
    ];
    let taken = relay.taken();
    assert_eq!(taken.len(), sent.len());
    for (taken, mail) in taken.iter().zip(sent) {
        assert_eq!(taken.to.len(), RECIPIENTS.len());
        let names = headers(taken);
        assert!(names.iter().all(|(name, _)| expected.contains(&name.as_str())), "{names:?}");
        assert!(names.len() >= expected.len() - 2 && names.len() <= expected.len(), "{names:?}");
        assert_eq!(header(taken, "Subject"), mail.subject);
        assert_eq!(parts(&taken.message), [("text/plain", mail.text), ("text/html", mail.html)]);
    }
}

#[test]
fn a_file_without_certificates_is_said() {
    let relay = Relay::start(Rules::default());
    let settings = Settings { ca_file: Some(certificates().join("README.md")), ..settings(&relay, Encryption::Tls) };
    let error = Mailer::new(settings).map(|_| ()).expect_err("there is none");
    assert!(error.to_string().ends_with("README.md: there are none in it"), "{error}");
}

async fn instead(command: &'static str, turn: Turn) -> Reply {
    let relay = Relay::start(Rules { instead: vec![(command, turn)], ..Rules::default() });
    let sent = send(&relay, Encryption::StartTls).await;
    assert_eq!(sent.refused, 0);
    sent.reply
}

async fn send(relay: &Relay, encryption: Encryption) -> Sent {
    post(settings(relay, encryption), None).await
}

async fn log_in(relay: &Relay, password: &str) -> Sent {
    post(Settings { login: Some(login()), ..settings(relay, Encryption::StartTls) }, Some(password)).await
}

async fn post(settings: Settings, password: Option<&str>) -> Sent {
    let mailer = Mailer::new(settings).expect("they are settings").within(LIMIT);
    mailer.send(&mail(), password.map(Secret::new).as_ref(), at(20)).await
}

fn settings(relay: &Relay, encryption: Encryption) -> Settings {
    let address = |text: &str| text.parse().expect("an address");
    Settings {
        host: "127.0.0.1".into(),
        port: relay.port,
        encryption,
        ca_file: Some(certificates().join("ca.pem")),
        login: None,
        hello: "probehound.example".into(),
        from: address("probehound@example.com"),
        to: RECIPIENTS.into_iter().map(address).collect(),
    }
}

fn login() -> Login {
    Login { user: LOGIN.0.into(), password: SecretSource::Variable("NOT_READ_HERE".into()) }
}

fn delivered() -> Sent {
    Sent { reply: Reply::Delivered, refused: 0 }
}

fn mail() -> Mail {
    let finding = Arc::new(finding("web", 10));
    let dispatch = Dispatch::One(FindingUpdate { kind: Kind::Opened, finding, before: None });
    Mail::new(&dispatch, "ops", context())
}

fn context() -> Context<'static> {
    Context { cluster: Some("prod-eu"), now: at(20) }
}

fn only(relay: &Relay) -> Taken {
    let [taken] = <[Taken; 1]>::try_from(relay.taken()).expect("one mail");
    taken
}

/// The headers, unfolded and decoded (RFC 5322, 2.2.3; RFC 2047).
fn headers(taken: &Taken) -> Vec<(String, String)> {
    let (head, _) = taken.message.split_once("\r\n\r\n").expect("an empty line");
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), words(value)));
    unfolded.split("\r\n").map(|line| pair(line).unwrap_or_else(|| panic!("no header: {line:?}"))).collect()
}

fn header(taken: &Taken, name: &str) -> String {
    let found: Vec<String> =
        headers(taken).into_iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect();
    let [value] = <[String; 1]>::try_from(found).unwrap_or_else(|found| panic!("{name}: {found:?}"));
    value
}

/// Encoded words decoded: white space between two of them is none.
fn words(value: &str) -> String {
    let mut out = String::new();
    let mut after_word = false;
    for word in value.split(' ') {
        let encoded = word.strip_prefix("=?utf-8?b?").and_then(|rest| rest.strip_suffix("?="));
        if !(out.is_empty() || after_word && encoded.is_some()) {
            out.push(' ');
        }
        match encoded {
            Some(text) => out.push_str(&String::from_utf8(STANDARD.decode(text).expect("base64")).expect("UTF-8")),
            None => out.push_str(word),
        }
        after_word = encoded.is_some();
    }
    out
}

/// The type and the decoded content of each part.
fn parts(message: &str) -> Vec<(&'static str, String)> {
    let (_, rest) = message.split_once("boundary=\"").expect("several parts");
    let (boundary, rest) = rest.split_once('"').expect("it ends");
    let pieces: Vec<&str> = rest.split(&format!("--{boundary}")).collect();
    let [_, parts @ .., end] = pieces.as_slice() else { panic!("no parts") };
    assert_eq!(end.trim(), "--");
    parts.iter().map(|part| content(part.trim_start())).collect()
}

fn content(part: &str) -> (&'static str, String) {
    let (head, body) = part.split_once("\r\n\r\n").expect("an empty line");
    let kind = ["text/plain", "text/html"].into_iter().find(|kind| head.contains(kind)).expect("a type");
    let body = body.strip_suffix("\r\n").expect("the line before the boundary");
    let text = if head.contains("base64") {
        String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).expect("base64")).expect("UTF-8")
    } else if head.contains("quoted-printable") {
        quoted_printable(body)
    } else {
        body.to_owned()
    };
    (kind, text.replace("\r\n", "\n"))
}

/// RFC 2045, 6.7.
fn quoted_printable(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte == b'=' {
            let digits = std::str::from_utf8(&after[..2]).expect("two digits");
            bytes.push(u8::from_str_radix(digits, 16).expect("hexadecimal"));
            rest = &after[2..];
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}
