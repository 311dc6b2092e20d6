//! Which updates are sent, to which receiver, and when.

use std::time::Duration;

use probehound::delivery::policy::{Admission, Holds, Next, Settings};
use probehound::engine::{Cause, Confidence, Pods, Severity, Value};
use probehound::report::object::{FindingState, Notified};
use probehound::report::update::{Dispatch, Outcome, Why};

use super::receiver::{Receiver, words};
use super::samples::{at, finding};

#[test]
fn what_opens_changes_and_ends_is_told_once_each() {
    let mut receiver = receiver();
    let mut web = finding("web", 10);
    receiver.open(&web);
    assert_eq!(words(&receiver.hear(at(10))), ["Opened web"]);
    assert_eq!(words(&receiver.hear(at(3_000))), [""; 0], "nothing repeats without news");
    web.restarts = 40;
    web.pods.affected = 9;
    receiver.open(&web);
    assert_eq!(words(&receiver.hear(at(3_100))), [""; 0], "counts alone are no news");
    web.cause = Cause::WrongPort;
    receiver.open(&web);
    assert_eq!(words(&receiver.hear(at(3_200))), ["Changed web"]);
    receiver.over(&web, at(3_300));
    assert_eq!(words(&receiver.hear(at(3_300))), ["Resolved web"]);
    assert_eq!(words(&receiver.hear(at(9_000))), [""; 0]);
}

#[test]
fn changes_wait_five_minutes_and_are_told_as_they_are_by_then() {
    let mut receiver = receiver();
    let mut web = finding("web", 10);
    receiver.open(&web);
    receiver.hear(at(10));
    web.confidence = Confidence::Medium;
    receiver.open(&web);
    assert!(matches!(receiver.next(at(20)), Next::Wait(until) if until == at(310)));
    web.suggested = Some(Value::Text("/healthz".into()));
    receiver.open(&web);
    let heard = receiver.hear(at(310));
    assert_eq!(words(&heard), ["Changed web"]);
    assert_eq!(heard[0].news()[0].finding.suggested, web.suggested);
}

#[test]
fn a_change_that_was_taken_back_before_it_was_told_is_no_news() {
    let mut receiver = receiver();
    let web = finding("web", 10);
    receiver.open(&web);
    receiver.hear(at(10));
    let mut other = web.clone();
    other.confidence = Confidence::Medium;
    receiver.open(&other);
    receiver.open(&web);
    assert!(matches!(receiver.next(at(400)), Next::Nothing));
}

#[test]
fn all_pods_and_a_service_without_endpoints_are_told_at_once() {
    let mut receiver = receiver();
    let mut web = finding("web", 10);
    receiver.open(&web);
    receiver.hear(at(10));
    web.pods = Pods { affected: 50, total: 50 };
    web.severity = Severity::Critical;
    receiver.open(&web);
    assert_eq!(words(&receiver.hear(at(12))), ["Changed web"]);
    web.services[0].ready = 0;
    receiver.open(&web);
    assert_eq!(words(&receiver.hear(at(14))), ["Changed web"]);
    web.confidence = Confidence::Medium;
    receiver.open(&web);
    assert!(matches!(receiver.next(at(16)), Next::Wait(until) if until == at(314)));
}

#[test]
fn a_probe_that_protects_nothing_does_not_hurry_whatever_its_reach() {
    let mut receiver = receiver();
    let mut web = finding("web", 10);
    web.severity = Severity::Info;
    receiver.open(&web);
    receiver.hear(at(10));
    web.pods = Pods { affected: 50, total: 50 };
    receiver.open(&web);
    assert!(matches!(receiver.next(at(12)), Next::Nothing));
}

#[test]
fn another_episode_is_news_again() {
    let mut receiver = receiver();
    let mut web = finding("web", 10);
    receiver.open(&web);
    receiver.hear(at(10));
    receiver.over(&web, at(100));
    receiver.hear(at(100));
    web.episodes = 2;
    web.confirmed_at = Some(at(200));
    receiver.open(&web);
    assert_eq!(words(&receiver.hear(at(200))), ["Opened web"]);
}

#[test]
fn an_episode_that_ended_unheard_does_not_hide_the_next() {
    let mut receiver = receiver();
    let mut web = finding("web", 10);
    receiver.open(&web);
    receiver.hear(at(10));
    web.episodes = 3;
    web.confirmed_at = Some(at(200));
    receiver.open(&web);
    assert_eq!(words(&receiver.hear(at(200))), ["Opened web"]);
    web.episodes = 4;
    receiver.over(&web, at(400));
    assert_eq!(words(&receiver.hear(at(400))), ["Resolved web"], "who heard that it loops hears that it is over");
}

#[test]
fn only_who_was_told_that_it_is_there_hears_that_it_is_over() {
    let mut receiver = Receiver::old(Settings::default(), at(60));
    let web = finding("web", 10);
    receiver.items.clear();
    receiver.over(&web, at(30));
    assert!(matches!(receiver.next(at(100)), Next::Nothing), "it was over before the receiver was there");
}

#[test]
fn what_another_finding_replaced_is_told_as_withdrawn_before_the_other_opens() {
    let mut receiver = receiver();
    let web = finding("web", 10);
    receiver.open(&web);
    receiver.hear(at(10));
    receiver.put(&web, FindingState::Withdrawn);
    let mut other = web.clone();
    other.probe = Some(probehound::kubelet::ProbeKind::Startup);
    receiver.open(&other);
    assert_eq!(words(&receiver.hear(at(40))), ["Withdrawn web", "Opened web"]);
}

#[test]
fn what_was_withdrawn_before_it_was_told_is_never_told() {
    let mut receiver = receiver();
    receiver.put(&finding("web", 10), FindingState::Withdrawn);
    assert!(matches!(receiver.next(at(100)), Next::Nothing));
}

#[test]
fn a_silence_keeps_everything_but_the_end_of_what_was_told() {
    let mut receiver = receiver();
    let (web, api) = (finding("web", 10), finding("api", 20));
    receiver.open(&web);
    receiver.hear(at(10));
    let mut worse = web.clone();
    worse.severity = Severity::Critical;
    receiver.open(&worse);
    receiver.open(&api);
    receiver.item(&web).silenced = true;
    receiver.item(&api).silenced = true;
    assert!(matches!(receiver.next(at(100)), Next::Nothing));
    receiver.over(&web, at(200));
    receiver.over(&api, at(200));
    assert_eq!(words(&receiver.hear(at(200))), ["Resolved web"]);
}

#[test]
fn mute_times_hold_everything_until_they_are_over() {
    let mut receiver = receiver();
    let (web, api) = (finding("web", 10), finding("api", 20));
    for finding in [&web, &api] {
        receiver.open(finding);
        receiver.item(finding).admission = Admission::Muted(at(500));
    }
    receiver.over(&api, at(300));
    assert!(matches!(receiver.next(at(400)), Next::Wait(until) if until == at(500)));
    assert_eq!(words(&receiver.hear(at(500))), ["Opened web", "Missed: Missed api"]);
}

#[test]
fn what_no_route_leads_to_any_more_is_told_to_its_end_but_not_out_of_its_namespace() {
    let mut receiver = receiver();
    let (web, api, db) = (finding("web", 10), finding("api", 10), finding("db", 10));
    for finding in [&web, &api] {
        receiver.open(finding);
    }
    receiver.hear(at(10));
    receiver.open(&db);
    receiver.item(&web).admission = Admission::ToItsEnd;
    receiver.item(&api).admission = Admission::Barred;
    receiver.item(&db).admission = Admission::ToItsEnd;
    assert!(matches!(receiver.next(at(20)), Next::Nothing));
    for finding in [&web, &api, &db] {
        receiver.over(finding, at(100));
    }
    assert_eq!(words(&receiver.hear(at(100))), ["Resolved web"]);
}

#[test]
fn reminders_are_a_setting() {
    let mut receiver = receiver();
    receiver.settings.remind_every = Some(Duration::from_hours(4));
    receiver.open(&finding("web", 10));
    receiver.hear(at(10));
    assert!(matches!(receiver.next(at(20)), Next::Wait(until) if until == at(14_410)));
    assert_eq!(words(&receiver.hear(at(14_410))), ["GoesOn web"]);
    assert!(matches!(receiver.next(at(14_411)), Next::Wait(until) if until == at(28_810)));
}

#[test]
fn what_loops_at_the_very_first_start_is_told_in_one_digest() {
    let mut receiver = Receiver::new(Settings::default(), at(0));
    receiver.open(&finding("web", 3));
    assert!(matches!(receiver.next(at(4)), Next::Wait(until) if until == at(8)), "the first look goes on");
    receiver.open(&finding("api", 4));
    assert_eq!(words(&receiver.hear(at(8))), ["FirstLook: Opened web, Opened api"]);
    receiver.open(&finding("db", 100));
    assert_eq!(words(&receiver.hear(at(100))), ["Opened db"]);
}

#[test]
fn what_begins_later_is_no_part_of_the_first_look() {
    let mut receiver = Receiver::new(Settings::default(), at(0));
    receiver.open(&finding("web", 300));
    assert_eq!(words(&receiver.hear(at(300))), ["Opened web"]);
}

#[test]
fn five_at_once_are_told_one_by_one_and_six_together() {
    for (count, messages) in [(5, 5), (6, 1)] {
        let mut receiver = receiver();
        (0..count).for_each(|number| receiver.open(&finding(&format!("web-{number}"), 10)));
        assert_eq!(receiver.hear(at(10)).len(), messages);
    }
}

#[test]
fn a_storm_that_comes_in_drops_is_gathered() {
    let mut receiver = receiver();
    let mut heard = Vec::new();
    for second in 0..30 {
        receiver.open(&finding(&format!("web-{second}"), second));
        heard.extend(receiver.hear(at(second)));
    }
    heard.extend(receiver.hear(at(40)));
    let digests = heard.iter().filter(|dispatch| matches!(dispatch, Dispatch::Digest(_))).count();
    assert_eq!((heard.len() - digests, digests), (5, 4), "{:?}", words(&heard));
    assert_eq!(heard.iter().map(|dispatch| dispatch.news().len()).sum::<usize>(), 30);
}

#[test]
fn a_storm_is_told_in_full_the_worst_first() {
    let mut receiver = receiver();
    for number in 0..70 {
        let mut finding = finding(&format!("web-{number:02}"), 10 + number);
        finding.severity = if number == 66 { Severity::Critical } else { Severity::Warning };
        receiver.open(&finding);
    }
    let mut heard = receiver.hear(at(100));
    heard.extend(receiver.hear(at(110)));
    let sizes: Vec<usize> = heard.iter().map(|dispatch| dispatch.news().len()).collect();
    assert_eq!(sizes, [30, 30, 10]);
    assert!(matches!(&heard[0], Dispatch::Digest(digest) if digest.waiting == 40));
    assert_eq!(&*heard[0].news()[0].finding.workload, "Deployment/web-66");
}

#[test]
fn the_end_of_a_storm_is_one_message_too() {
    let mut receiver = receiver();
    let findings: Vec<_> = (0..12).map(|number| finding(&format!("web-{number}"), 10)).collect();
    for finding in &findings {
        receiver.open(finding);
    }
    receiver.hear(at(10));
    for finding in &findings {
        receiver.over(finding, at(600));
    }
    assert_eq!(receiver.hear(at(600)).len(), 1);
}

#[test]
fn a_receiver_of_single_findings_gets_no_digest_and_nothing_old() {
    let mut receiver = Receiver::new(Settings { holds: Holds::One, ..Settings::default() }, at(0));
    (0..12).for_each(|number| receiver.open(&finding(&format!("web-{number}"), 10)));
    receiver.over(&finding("api", 10), at(12));
    let heard = receiver.hear(at(20));
    assert_eq!(heard.len(), 12);
    assert!(heard.iter().all(|dispatch| matches!(dispatch, Dispatch::One(_))));
}

#[test]
fn what_came_and_went_unheard_is_summed_up_once_after_the_news() {
    let mut receiver = receiver();
    for number in 0..40 {
        let web = finding(&format!("web-{number:02}"), 10 + number);
        receiver.over(&web, at(500));
    }
    receiver.open(&finding("api", 600));
    let heard = receiver.hear(at(1_000));
    assert_eq!(heard.len(), 2);
    assert!(matches!(&heard[0], Dispatch::One(news) if &*news.finding.workload == "Deployment/api"));
    assert!(matches!(&heard[1], Dispatch::Digest(digest) if digest.why == Why::Missed && digest.news.len() == 40));
    assert!(matches!(receiver.next(at(2_000)), Next::Nothing));
}

#[test]
fn a_refused_message_is_not_sent_again_but_the_next_news_are() {
    let mut receiver = receiver();
    let mut web = finding("web", 10);
    receiver.open(&web);
    let refused = Outcome::Refused("invalid_payload".into());
    let Next::Send(dispatch) = receiver.next(at(10)) else { panic!("there is news") };
    receiver.record(&dispatch, at(10), &refused);
    assert_eq!(receiver.item(&web).notified.as_ref().map(|notified| notified.notified), Some(Notified::Nothing));
    assert!(matches!(receiver.next(at(9_000)), Next::Nothing));
    web.cause = Cause::Crash;
    receiver.open(&web);
    assert_eq!(words(&receiver.hear(at(9_100))), ["Opened web"], "it was never told that it is there");
}

#[test]
fn who_refused_to_hear_of_it_does_not_hear_that_it_is_over() {
    let mut receiver = receiver();
    let web = finding("web", 10);
    receiver.open(&web);
    let Next::Send(dispatch) = receiver.next(at(10)) else { panic!("there is news") };
    receiver.record(&dispatch, at(10), &Outcome::Refused("invalid_payload".into()));
    receiver.over(&web, at(100));
    assert!(matches!(receiver.next(at(100)), Next::Nothing));
}

#[test]
fn who_heard_of_it_and_refused_a_change_still_hears_that_it_is_over() {
    let mut receiver = receiver();
    let mut web = finding("web", 10);
    receiver.open(&web);
    receiver.hear(at(10));
    web.severity = Severity::Critical;
    receiver.open(&web);
    let Next::Send(dispatch) = receiver.next(at(12)) else { panic!("there is news") };
    receiver.record(&dispatch, at(12), &Outcome::Refused("invalid_payload".into()));
    assert!(matches!(receiver.next(at(9_000)), Next::Nothing), "the refused change is not sent again");
    receiver.over(&web, at(9_100));
    assert_eq!(words(&receiver.hear(at(9_100))), ["Resolved web"]);
}

fn receiver() -> Receiver {
    Receiver::old(Settings::default(), at(0))
}
