//! Annotations of workloads: what they change for a receiver, and what they never change.

use std::sync::Arc;

use probehound::config::{Config, Source};
use probehound::delivery::annotated::{Admitted, admit};
use probehound::delivery::policy::Admission;
use probehound::engine::{Finding, Severity};
use probehound::findings::asked::{Asked, AskedSilence};
use probehound::findings::ledger::Standing;
use probehound::report::object::FindingState;
use probehound::runtime::clock;
use probehound::time::Time;
use proptest::prelude::*;

use super::samples::{at, finding};
use super::world::{World, now_confirmed};

const RECEIVERS: &str = "receivers: [{name: slack, slack: {urlFile: URL_FILE}}, {name: describe, events: {}}]";
/// Nothing of `prod` is routed to `slack`.
const ROUTES: &str = "routes: [{receiver: describe, namespaces: ['*']}]";

#[test]
fn a_silence_keeps_quiet_the_receivers_that_heed_it_and_no_others() {
    let quiet = standing("prod", silenced(at(600)));
    let config = settings("{receiver: slack, namespaces: [prod], allow: [silence]}");
    assert!(of(&config, "slack", &quiet, at(10)).silenced);
    assert!(!of(&config, "describe", &quiet, at(10)).silenced);
    assert!(!of(&config, "slack", &quiet, at(600)).silenced, "it has expired");
    assert!(!of(&config, "slack", &standing("shop", silenced(at(600))), at(10)).silenced, "another namespace");
    let config = settings("{receiver: slack, namespaces: [prod], allow: [receiver, window]}");
    assert!(!of(&config, "slack", &quiet, at(10)).silenced);
}

#[test]
fn a_workload_may_name_a_receiver_that_is_its_own() {
    let config = settings("{receiver: slack, namespaces: [prod], allow: [receiver]}");
    let admission = |standing: &Standing| of(&config, "slack", standing, at(10)).admission;
    assert_eq!(admission(&standing("prod", naming())), Admission::Routed);
    assert_eq!(admission(&standing("prod", Asked::default())), Admission::ToItsEnd);
    assert_eq!(admission(&standing("shop", naming())), Admission::Barred);
    let mut minor = standing("prod", naming());
    minor.finding = Arc::new(Finding { severity: Severity::Info, ..finding("web", 10) });
    assert_eq!(admission(&minor), Admission::ToItsEnd, "what no receiver is sent by default");
}

#[test]
fn outside_of_a_window_notifications_wait() {
    let config = settings("{receiver: slack, namespaces: ['*'], allow: [receiver, window]}");
    let asked = Asked { muted_until: Some(at(600)), ..naming() };
    let admission = |asked: Asked, now| of(&config, "slack", &standing("prod", asked), now).admission;
    assert_eq!(admission(asked.clone(), at(10)), Admission::Muted(at(600)));
    assert_eq!(admission(asked.clone(), at(600)), Admission::Routed);
    assert_eq!(of(&config, "describe", &standing("prod", asked), at(10)).admission, Admission::Routed);
    let unread = Asked { unread_until: Some(at(30)), ..naming() };
    assert_eq!(admission(unread, at(10)), Admission::Muted(at(30)));
}

proptest! {
    #[test]
    fn without_a_grant_no_annotation_changes_anything(
        silence in any::<bool>(),
        named in proptest::collection::vec("slack|describe|other", 0..3),
        muted in proptest::option::of(0_u64..1000),
        unread in proptest::option::of(0_u64..1000),
        now in 0_u64..1000,
        grant in prop_oneof![
            Just(""),
            Just("{receiver: slack, namespaces: [shop], allow: [silence, receiver, window]}"),
            Just("{receiver: slack, namespaces: ['*-prod'], allow: [silence, receiver, window]}"),
        ],
    ) {
        let config = settings(grant);
        let asked = Asked { receivers: named, muted_until: muted.map(at), unread_until: unread.map(at),
            ..if silence { silenced(at(500)) } else { Asked::default() } };
        for receiver in ["slack", "describe"] {
            let plain = config.notifications.routes.admission(receiver, &finding("web", 10), at(now));
            let admitted = of(&config, receiver, &standing("prod", asked.clone()), at(now));
            prop_assert_eq!(admitted, Admitted { admission: plain, silenced: false });
        }
    }
}

#[test]
fn a_finding_that_a_workload_silences_is_sent_when_the_silence_is_over() {
    let world = granting("{receiver: slack, namespaces: [prod], allow: [silence, receiver]}");
    let _replica = world.start();
    let web = now_confirmed("web");
    let asked = Asked {
        receivers: vec!["slack".to_owned()],
        ..silenced(clock::now().plus(std::time::Duration::from_hours(1)))
    };
    world.say_asking(&web, FindingState::Confirmed, asked);
    world.stays_at(0);
    let objects = world.api.all();
    assert!(objects.contains("Deployment/web until then: known"), "{objects}");
    world.say_asking(&web, FindingState::Confirmed, naming());
    assert!(world.takes(1)[0].starts_with("WARNING: web (prod)"));
}

#[test]
fn a_receiver_that_a_workload_named_hears_the_end_although_it_is_named_no_more() {
    let world = granting("{receiver: slack, namespaces: [prod], allow: [receiver]}");
    let _replica = world.start();
    let web = now_confirmed("web");
    world.say(&web, FindingState::Confirmed);
    world.stays_at(0);
    world.say_asking(&web, FindingState::Confirmed, naming());
    world.takes(1);
    world.say(&Finding { resolved_at: Some(clock::now()), ..web }, FindingState::Resolved);
    assert!(world.takes(2)[1].starts_with("RESOLVED: web (prod)"));
}

#[test]
fn a_tenants_annotation_reaches_no_receiver_of_others() {
    let world = granting("{receiver: slack, namespaces: [shop], allow: [silence, receiver, window]}");
    let _replica = world.start();
    world.say_asking(&now_confirmed("web"), FindingState::Confirmed, naming());
    world.stays_at(0);
}

fn granting(grant: &str) -> World {
    World::granting(
        &format!("{RECEIVERS}, {ROUTES}"),
        &format!("grants: [{grant}, {{receiver: slack, namespaces: [none], allow: [receiver]}}]"),
    )
}

/// The same receivers and routes.
fn settings(grant: &str) -> Config {
    let grants = [grant, "{receiver: slack, namespaces: [none], allow: [receiver]}"];
    let grants: Vec<&str> = grants.into_iter().filter(|grant| !grant.is_empty()).collect();
    let receivers = RECEIVERS.replace("URL_FILE", "/tmp/url");
    let text = format!("notifications: {{{receivers}, {ROUTES}}}\nannotations: {{grants: [{}]}}\n", grants.join(", "));
    Source::default().load_text(&text).expect("no error").config
}

fn of(config: &Config, receiver: &str, standing: &Standing, now: Time) -> Admitted {
    admit(&config.annotations.grants, &config.notifications.routes, receiver, standing, now)
}

fn standing(namespace: &str, asked: Asked) -> Standing {
    let finding = Arc::new(Finding { namespace: namespace.into(), ..finding("web", 10) });
    Standing { finding, state: FindingState::Confirmed, silenced: false, asked: Arc::new(asked), notified: None }
}

fn silenced(until: Time) -> Asked {
    let silence = AskedSilence { until, words: "Deployment/web until then: known".into() };
    Asked { silence: Some(silence), ..Asked::default() }
}

fn naming() -> Asked {
    Asked { receivers: vec!["slack".to_owned()], ..Asked::default() }
}
