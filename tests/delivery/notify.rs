//! `probehound notify --test`, as users run it.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use super::secure::file;
use super::services::relay::{self, Relay, Rules};
use super::services::{discord, google_chat, opsgenie, pagerduty, serving, teams};
use crate::support::binary::{Outcome, probehound_in};
use crate::support::proxy::{Mood, Proxy};
use crate::support::slack::{Judge, PATH, Slack, Turn};

#[test]
fn a_sample_goes_to_the_receiver_that_is_named() {
    let world = World::new([]);
    let outcome = world.notify("oncall");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "ok: the receiver oncall (slack) took the sample\n");
    let seen = world.slack.taken();
    assert!(seen[0].text().starts_with("[a test, nothing is wrong] CRITICAL: auth-service (prod): the liveness probe"));
}

#[test]
fn what_the_receiver_answers_is_said_without_its_address() {
    let world = World::new([Turn::Answer(404, "no_service")]);
    let outcome = world.notify("oncall");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("the receiver oncall did not take the sample: it answers 404: no_service"));
    assert!(!outcome.stderr.to_lowercase().contains("hunter2"), "{}", outcome.stderr);
}

#[test]
fn a_receiver_that_there_is_not_is_said_with_those_that_there_are() {
    let world = World::new([]);
    let outcome = world.notify("onkall");
    assert_eq!(outcome.code, Some(1));
    assert_eq!(
        outcome.stderr,
        "error: there is no receiver \"onkall\" in the settings\nhint: receivers: oncall, missing\n"
    );
}

#[test]
fn a_secret_that_is_missing_is_said_with_where_it_was_looked_for() {
    let world = World::new([]);
    let outcome = world.notify("missing");
    assert!(outcome.stderr.contains("cannot read the file /nowhere/url: entity not found"), "{}", outcome.stderr);
}

#[test]
fn where_an_incident_is_opened_the_sample_opens_a_harmless_one_and_closes_it() {
    let world = World::of(serving(pagerduty::answer), "pagerDuty: {routingKeyFile: 'SECRET', url: 'BASE'}");
    world.secret(pagerduty::KEY);
    let outcome = world.notify("oncall");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let seen = world.slack.seen();
    assert_eq!(pagerduty::incidents(seen.iter().map(|seen| &*seen.body)).into_values().collect::<Vec<_>>(), [false]);
    assert!(seen[0].body.contains(r#""severity":"info""#) && seen[0].body.contains("[a test, nothing is wrong]"));

    let world = World::of(serving(opsgenie::answer), "opsgenie: {apiKeyFile: 'SECRET', url: 'BASE/'}");
    world.secret(opsgenie::KEY);
    let outcome = world.notify("oncall");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "ok: the receiver oncall (opsgenie) took the sample\n");
    let statuses: Vec<u16> = world.slack.seen().iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [202, 202]);
}

#[test]
fn each_chat_takes_the_sample() {
    let chats = [
        ("teams", serving(teams::answer), teams::PATH),
        ("discord", serving(discord::answer), discord::PATH),
        ("googleChat", serving(google_chat::answer), google_chat::PATH),
    ];
    for (name, judge, path) in chats {
        let world = World::of(judge, &format!("{name}: {{urlFile: 'SECRET'}}"));
        world.secret(&format!("{}{path}", world.slack.base()));
        let outcome = world.notify("oncall");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{name}");
        assert_eq!(world.slack.taken().len(), 1, "{name}");
    }
}

#[test]
fn a_template_makes_the_body_of_the_sample() {
    let keys = "urlFile: 'SECRET', template: 'Now: {{ summary }}', contentType: text/plain";
    let world = World::of(Arc::new(|_, _| (204, "", String::new())), &format!("webhook: {{{keys}}}"));
    world.secret(&world.slack.base());
    let outcome = world.notify("oncall");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let seen = world.slack.seen();
    assert!(seen[0].head.contains("\r\ncontent-type: text/plain\r\n"), "{seen:?}");
    assert!(seen[0].body.starts_with("Now: auth-service (Deployment, namespace prod): the liveness probe"), "{seen:?}");
}

#[test]
fn a_relay_takes_the_sample_from_who_has_the_password() {
    let (user, password) = relay::LOGIN;
    let relay = Relay::start(Rules { mechanisms: "PLAIN", ..Rules::default() });
    let (port, ca) = (relay.port, file("ca.pem").display().to_string());
    let login = format!("caFile: {ca}, username: {user}, passwordFile: 'SECRET'");
    let email = format!("email: {{host: localhost, port: {port}, {login}, from: a@example.com, to: [b@example.com]}}");
    let world = World::of(Arc::new(|_, _| (500, "", String::new())), &email);
    world.secret("hunter2 other");
    let outcome = world.notify("oncall");
    assert!(outcome.stderr.contains("it answers 535 to the login"), "{}", outcome.stderr);
    world.secret(password);
    let outcome = world.notify("oncall");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert_eq!(relay.taken().len(), 1);
}

#[test]
fn an_incident_that_cannot_be_opened_is_not_closed() {
    let world = World::of(serving(pagerduty::answer), "pagerDuty: {routingKeyFile: 'SECRET', url: 'BASE'}");
    world.secret("hunter2");
    let outcome = world.notify("oncall");
    assert!(outcome.stderr.contains("it answers 400: the routing key is not valid"), "{}", outcome.stderr);
    assert_eq!(world.slack.seen().len(), 1);
}

#[test]
fn the_proxy_of_the_environment_is_used_but_for_what_no_proxy_names() {
    let world = World::new([]);
    let proxy = world.runtime.block_on(Proxy::start(world.slack.port(), Mood::Wants("Basic bWU6aHVudGVyMnBhc3M=")));
    world.secret(&format!("http://chat.invalid{PATH}"));
    let url = proxy.url_with("me:hunter2pass");
    let outcome = world.notify_in(&[("HTTP_PROXY", &url)], "oncall");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert_eq!((proxy.heads().len(), world.slack.taken().len()), (1, 1));
    let outcome = world.notify_in(&[("http_proxy", &proxy.url())], "oncall");
    assert!(outcome.stderr.contains("its proxy answers 407"), "{}", outcome.stderr);
    let outcome = world.notify_in(&[("HTTP_PROXY", &url), ("NO_PROXY", "example.com,.invalid:80")], "oncall");
    assert!(outcome.stderr.contains("the name of its host does not resolve"), "{}", outcome.stderr);
    let outcome = world.notify_in(&[("HTTP_PROXY", "socks5://me:hunter2pass@proxy")], "oncall");
    assert!(outcome.stderr.contains("the address of its proxy is no URL"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    assert_eq!(proxy.heads().len(), 2);
}

struct World {
    runtime: Runtime,
    slack: Slack,
    folder: std::path::PathBuf,
}

impl World {
    fn new(script: impl IntoIterator<Item = Turn>) -> Self {
        let world = Self::started(|runtime| runtime.block_on(Slack::start(script)), "slack: {urlFile: 'SECRET'}");
        world.secret(&world.slack.url());
        world
    }

    /// One with another service; its receiver contains `SECRET` for the file of its secret and `BASE` for its
    /// address.
    fn of(judge: Judge, receiver: &str) -> Self {
        Self::started(|runtime| runtime.block_on(Slack::start_as("127.0.0.1:0", judge, [])), receiver)
    }

    fn started(start: impl FnOnce(&Runtime) -> Slack, receiver: &str) -> Self {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let slack = start(&runtime);
        let folder = std::env::temp_dir().join(format!("probehound-notify-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
        let secret = folder.join("secret").display().to_string();
        let receiver = receiver.replace("SECRET", &secret).replace("BASE", &slack.base());
        let missing = "{name: missing, slack: {urlFile: /nowhere/url}}";
        let settings = format!("notifications: {{receivers: [{{name: oncall, {receiver}}}, {missing}]}}\n");
        std::fs::write(folder.join("settings.yaml"), settings).expect("a temporary file can be written");
        Self { runtime, slack, folder }
    }

    fn secret(&self, text: &str) {
        std::fs::write(self.folder.join("secret"), text).expect("a temporary file can be written");
    }

    fn notify(&self, receiver: &str) -> Outcome {
        self.notify_in(&[], receiver)
    }

    fn notify_in(&self, variables: &[(&str, &str)], receiver: &str) -> Outcome {
        let settings = self.folder.join("settings.yaml");
        probehound_in(variables, &["notify", "--test", receiver, "--config", &settings.display().to_string()], b"")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
