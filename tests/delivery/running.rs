//! Delivery, running: objects in, messages out, notifications recorded; killed, restarted, and taken over
//! by another replica.

use std::sync::Arc;
use std::time::Duration;

use probehound::engine::{ChangeKind, Finding, Severity};
use probehound::findings::board::Entry;
use probehound::report::object::{FindingState, Notified};
use probehound::time::Time;
use tokio::runtime::Builder;

use super::samples::{at, finding};
use super::world::{World, now_confirmed};
use crate::support::slack::{Slack, Turn};

#[test]
fn a_finding_is_told_recorded_and_told_to_be_over() {
    let world = World::new();
    let _replica = world.start();
    let mut web = finding("web", 10);
    world.say(&web, FindingState::Confirmed);
    let first = world.takes(1);
    assert!(first[0].starts_with("WARNING: web (prod)"), "{first:?}");
    world.records(&web, Notified::Opened);
    web.resolved_at = Some(at(300));
    world.say(&web, FindingState::Resolved);
    assert!(world.takes(2)[1].starts_with("RESOLVED: web (prod)"));
    world.records(&web, Notified::Resolved);
    assert_eq!(world.api.written(), 2, "each is written once");
}

#[test]
fn what_was_sent_and_cannot_be_recorded_is_recorded_later_and_not_sent_again() {
    let world = World::new();
    let _replica = world.start();
    world.api.refuse([503, 429, 500]);
    let web = finding("web", 10);
    world.say(&web, FindingState::Confirmed);
    world.takes(1);
    world.records(&web, Notified::Opened);
    world.say(&finding("api", 20), FindingState::Confirmed);
    assert_eq!(world.takes(2).len(), 2);
}

#[test]
fn while_nothing_can_be_recorded_nothing_more_is_sent() {
    let world = World::new();
    let replica = world.start();
    world.api.set_out(true);
    world.say(&finding("web", 10), FindingState::Confirmed);
    world.takes(1);
    world.say(&finding("api", 20), FindingState::Confirmed);
    world.stays_at(1);
    // If it is killed now, one message is sent twice, and the other one is not lost.
    replica.kill();
    world.api.set_out(false);
    let _next = world.start();
    let all = world.takes(3);
    let count = |name: &str| all.iter().filter(|text| text.contains(name)).count();
    assert_eq!((count("web (prod)"), count("api (prod)")), (2, 1), "{all:?}");
}

#[test]
fn killed_at_ten_moments_nothing_is_lost_and_nothing_else_comes_twice() {
    let world = World::new();
    let mut replica = Some(world.start());
    let findings: Vec<Finding> = (0..10).map(|number| finding(&format!("web-{number}"), 10)).collect();
    for (number, finding) in findings.iter().enumerate() {
        world.say(finding, FindingState::Confirmed);
        // Around the moment at which the message is sent, a little earlier or later each time.
        world.wait(Duration::from_millis(150 * number as u64));
        if let Some(replica) = replica.take() {
            replica.kill();
        }
        replica = Some(world.start());
    }
    for finding in &findings {
        world.records(finding, Notified::Opened);
    }
    let all = world.slack_texts();
    for finding in &findings {
        let name = finding.workload.trim_start_matches("Deployment/");
        let times = all.iter().filter(|text| text.contains(name)).count();
        assert!((1..=2).contains(&times), "{name} was told {times} times");
    }
    let notified: usize = findings.len();
    assert!(all.len() <= notified + 10, "{} messages, ten kills", all.len());
}

#[test]
fn a_change_of_the_leader_loses_nothing_and_repeats_nothing() {
    let world = World::new();
    let (one, other) = (world.start_as_follower(), world.start_as_follower());
    world.say(&finding("web", 10), FindingState::Confirmed);
    world.stays_at(0);
    one.lead();
    world.takes(1);
    world.records(&finding("web", 10), Notified::Opened);
    one.step_down();
    other.lead();
    world.say(&finding("api", 20), FindingState::Confirmed);
    let all = world.takes(2);
    assert!(all[1].contains("api (prod)"), "{all:?}");
    world.records(&finding("api", 20), Notified::Opened);
    world.stays_at(2);
}

#[test]
fn after_an_outage_of_the_receiver_what_is_still_news_is_told() {
    let world = World::new();
    let _replica = world.start();
    world.slack.set_out(true);
    let (mut web, mut gone) = (finding("web", 10), now_confirmed("gone"));
    world.say(&web, FindingState::Confirmed);
    world.say(&gone, FindingState::Confirmed);
    world.tries(2);
    web.severity = Severity::Critical;
    world.say(&web, FindingState::Confirmed);
    gone.resolved_at = gone.confirmed_at;
    world.say(&gone, FindingState::Resolved);
    world.slack.set_out(false);
    let all = world.takes(2);
    assert!(all[0].starts_with("CRITICAL: web (prod)"), "{all:?}");
    assert!(all[1].starts_with("1 finding came and went"), "{all:?}");
}

#[test]
fn a_message_that_is_refused_holds_up_nothing() {
    let world = World::new();
    world.slack.then([Turn::Answer(400, "invalid_payload")]);
    let _replica = world.start();
    let web = finding("web", 10);
    world.say(&web, FindingState::Confirmed);
    world.records(&web, Notified::Nothing);
    let refused = world.api.told(&web)[0].refused.clone();
    assert_eq!(refused.as_deref(), Some("it answers 400: invalid_payload"));
    world.say(&finding("api", 20), FindingState::Confirmed);
    assert!(world.takes(1)[0].contains("api (prod)"));
}

#[test]
fn a_receiver_that_is_gone_is_told_again_at_another_address() {
    let world = World::new();
    world.slack.then([Turn::Answer(404, "no_service")]);
    let replica = world.start();
    world.say(&finding("web", 10), FindingState::Confirmed);
    world.tries(1);
    world.until("the receiver is stopped", || {
        replica.metrics().contains("probehound_receiver_stopped{receiver=\"slack\"} 1")
    });
    world.say(&finding("api", 20), FindingState::Confirmed);
    world.stays_at(0);
    world.set_url(&format!("{}?again", world.slack.url()));
    world.slack.then([Turn::Answer(200, "ok"), Turn::Answer(200, "ok")]);
    assert_eq!(world.takes(2).len(), 2);
    assert!(replica.metrics().contains("probehound_receiver_stopped{receiver=\"slack\"} 0"));
}

#[test]
fn what_a_person_deletes_or_wipes_out_is_not_told_again() {
    let world = World::new();
    let _replica = world.start();
    let web = finding("web", 10);
    world.say(&web, FindingState::Confirmed);
    world.takes(1);
    world.records(&web, Notified::Opened);
    world.api.tell(&web, &[]);
    world.records(&web, Notified::Opened);
    world.api.delete(&web);
    world.say(&web, FindingState::Confirmed);
    world.records(&web, Notified::Opened);
    world.stays_at(1);
}

#[test]
fn without_objects_it_works_from_memory() {
    let world = World::new();
    world.api.set_missing(true);
    let replica = world.start();
    let web = now_confirmed("web");
    let entry = |kind, finding: &Finding| Entry {
        finding: Arc::new(finding.clone()),
        kind,
        at: Time::default(),
        silenced_by: None,
        asked: Arc::default(),
    };
    replica.board.upsert(entry(ChangeKind::Confirmed, &web));
    let first = world.takes(1);
    assert!(first[0].starts_with("WARNING: web (prod)"), "{first:?}");
    replica.board.upsert(entry(ChangeKind::Resolved, &Finding { resolved_at: Some(Time::default()), ..web }));
    assert!(world.takes(2)[1].starts_with("RESOLVED: web (prod)"));
}

#[test]
fn events_stand_on_the_workload_once_each() {
    let world = World::with("receivers: [{name: describe, events: {}}]");
    let mut replica = Some(world.start());
    let web = finding("web", 10);
    world.say(&web, FindingState::Confirmed);
    world.records(&web, Notified::Opened);
    // If it is killed before recording, the Event is written again under the same name.
    world.api.tell(&web, &[]);
    replica.take().expect("it runs").kill();
    let _next = world.start();
    world.records(&web, Notified::Opened);
    let events = world.api.events();
    assert_eq!(events.len(), 1, "{events:?}");
    let event = &events[0];
    assert_eq!((&event["type"], &event["reason"]), (&"Warning".into(), &"WrongPath".into()));
    let regarding = &event["regarding"];
    assert_eq!((&regarding["apiVersion"], &regarding["kind"]), (&"apps/v1".into(), &"Deployment".into()));
    assert_eq!((&regarding["name"], &regarding["uid"]), (&"web".into(), &"u-1".into()));
    assert!(event["note"].as_str().is_some_and(|note| note.contains("/v2/health")), "{event}");
}

#[test]
fn asked_to_end_it_ends_soon_and_what_was_sent_is_recorded() {
    let world = World::new();
    let replica = world.start();
    let web = finding("web", 10);
    world.slack.then([Turn::Slow(Duration::from_millis(800))]);
    world.say(&web, FindingState::Confirmed);
    world.wait(Duration::from_millis(300));
    let took = replica.end(&world);
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(world.api.told(&web)[0].notified, Notified::Opened);
}

#[test]
fn no_secret_is_written_anywhere() {
    log::start();
    let folder = std::env::temp_dir().join(format!("probehound-secrets-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    for name in ["key", "password", "routing", "api"] {
        std::fs::write(folder.join(name), format!("hunter2{name}")).expect("a temporary file can be written");
    }
    let elsewhere = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let other = elsewhere.block_on(Slack::start([Turn::Answer(500, ""), Turn::Answer(410, "")]));
    std::fs::write(folder.join("url"), other.url()).expect("a temporary file can be written");
    std::fs::write(folder.join("proxy"), "http://me:hunter2proxy@127.0.0.1:1")
        .expect("a temporary file can be written");
    let folder_name = folder.display();
    let world = World::with(&format!(
        "receivers: [{{name: slack, slack: {{urlFile: URL_FILE}}}}, {{name: ops, webhook: {{urlFile: {folder_name}/url, \
         signingKeyFile: {folder_name}/key}}}}, {{name: alerts, alertmanager: {{urls: ['http://127.0.0.1:1'], username: me, \
         passwordFile: {folder_name}/password}}}}, {{name: describe, events: {{}}}}, {{name: lost, slack: {{urlEnv: \
         PROBEHOUND_NO_SUCH}}}}, {{name: pager, pagerDuty: {{routingKeyFile: {folder_name}/routing, url: 'http://pager.invalid', \
         proxyUrlFile: {folder_name}/proxy}}}}, {{name: genie, opsgenie: {{apiKeyFile: {folder_name}/api, url: \
         'http://127.0.0.1:1'}}}}]"
    ));
    let no_service = "no_service at /services/THUNTER2/BHUNTER2/hunter2webhook";
    world.slack.then([
        Turn::Reset,
        Turn::Answer(503, no_service),
        Turn::Answer(400, no_service),
        Turn::Answer(404, no_service),
    ]);
    let replica = world.start();
    let (web, api) = (finding("web", 10), finding("api", 10));
    world.say(&web, FindingState::Confirmed);
    world.say(&api, FindingState::Confirmed);
    world.until("both webhooks are stopped", || {
        let metrics = replica.metrics();
        ["slack", "ops"]
            .iter()
            .all(|name| metrics.contains(&format!("probehound_receiver_stopped{{receiver=\"{name}\"}} 1")))
    });
    world.until("there are Events", || world.api.events().len() == 2);
    world.until("those who page were tried", || {
        ["its proxy cannot be connected to", "it refuses the connection"].iter().all(|why| log::text().contains(why))
    });
    let mut written = vec![log::text(), replica.metrics(), world.api.all(), format!("{:?}", world.config.borrow())];
    written.extend(world.slack.seen().into_iter().chain(other.seen()).map(|seen| seen.body));
    assert!(written[0].contains("it answers 404") && written[0].contains("A receiver is stopped"), "{}", written[0]);
    for text in &written {
        let secret = text.to_lowercase().find("hunter2").map(|place| &text[place.saturating_sub(200)..]);
        assert_eq!(secret, None);
    }
    drop(std::fs::remove_dir_all(&folder));
}

/// Everything logged in this process, at every level.
mod log {
    use std::io::{self, Write};
    use std::sync::{Mutex, Once};

    use tracing_subscriber::util::SubscriberInitExt;

    /// The filter of `--log-level trace`.
    const FILTER: &str =
        "warn,probehound=trace,kube_client=off,kube_core=off,kube_runtime=off,hyper=off,hyper_util=off,tower=off";

    static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    pub fn start() {
        static START: Once = Once::new();
        START.call_once(|| {
            let log = tracing_subscriber::fmt().with_env_filter(FILTER).with_ansi(false).with_writer(|| Sink);
            log.finish().try_init().expect("nothing else logs");
        });
    }

    pub fn text() -> String {
        String::from_utf8_lossy(&LOG.lock().expect("no panic holds it")).into_owned()
    }

    struct Sink;

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            LOG.lock().expect("no panic holds it").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}
