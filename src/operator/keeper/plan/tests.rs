mod world;

use serde_json::json;

use super::super::action::{LONGEST_PAUSE, Setback};
use super::super::item::PAUSE;
use super::super::retention;
use super::*;
use crate::engine::ChangeKind;
use crate::finding::{Cause, Finding};
use crate::operator::testing::{at, finding};
use crate::report::object::FindingObject;
use crate::report::object::FindingState;
use world::World;

const DAY: Duration = Duration::from_hours(24);

#[tokio::test(start_paused = true)]
async fn a_confirmed_finding_is_written_once() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    assert_eq!(world.write(), Some(("web", "Confirmed")));
    world.sleep(DAY * 2).await;
    assert_eq!(world.write(), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_only_suspected_has_no_object() {
    let mut world = World::new();
    world.say(ChangeKind::Suspected, &Finding { confirmed_at: None, ..finding("web") });
    world.say(ChangeKind::Withdrawn, &Finding { confirmed_at: None, ..finding("web") });
    assert_eq!(world.write(), None);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_written_at_once_and_counts_once_a_minute() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    world.write();
    world.sleep(Duration::from_secs(10)).await;
    world.say(ChangeKind::Counted, &Finding { restarts: 60, ..finding("web") });
    assert_eq!(world.write(), None);
    world.say(ChangeKind::Updated, &Finding { restarts: 61, cause: Cause::WrongPort, ..finding("web") });
    assert_eq!(world.write(), Some(("web", "Confirmed")));
    world.say(ChangeKind::Counted, &Finding { restarts: 62, cause: Cause::WrongPort, ..finding("web") });
    world.sleep(Duration::from_secs(59)).await;
    assert_eq!(world.write(), None);
    world.sleep(Duration::from_secs(1)).await;
    assert_eq!(world.write(), Some(("web", "Confirmed")));
}

#[tokio::test(start_paused = true)]
async fn on_the_way_out_counts_do_not_wait_but_what_failed_does() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("api"));
    world.say(ChangeKind::Confirmed, &finding("web"));
    world.fail();
    world.write();
    world.say(ChangeKind::Counted, &Finding { restarts: 60, ..finding("web") });
    world.plan.hurry(world.now());
    assert_eq!(world.write(), Some(("web", "Confirmed")));
    assert_eq!(world.write(), None);
}

#[tokio::test(start_paused = true)]
async fn in_a_hurry_what_is_more_than_a_count_comes_first_whenever_it_comes() {
    let mut world = World::new();
    for name in ["api", "web", "never-written"] {
        world.say(ChangeKind::Confirmed, &finding(name));
        world.write();
    }
    world.sleep(PAUSE).await;
    world.say(ChangeKind::Counted, &Finding { restarts: 60, ..finding("api") });
    world.say(ChangeKind::Counted, &Finding { restarts: 60, ..finding("never-written") });
    world.plan.hurry(world.now());
    world.sleep(Duration::from_millis(500)).await;
    world.say(ChangeKind::Updated, &Finding { cause: Cause::WrongPort, ..finding("web") });
    let written: Vec<_> = std::iter::from_fn(|| world.write()).map(|(name, _)| name).collect();
    assert_eq!(written, ["web", "api", "never-written"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_person_deletes_comes_back_while_it_goes_on() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    world.write();
    world.delete("web");
    world.sleep(PAUSE).await;
    assert_eq!(world.write(), Some(("web", "Confirmed")));
    world.say(ChangeKind::Resolved, &over("web"));
    world.sleep(PAUSE).await;
    assert_eq!(world.write(), Some(("web", "Resolved")));
    world.delete("web");
    world.sleep(DAY).await;
    assert_eq!(world.write(), None);
}

#[tokio::test(start_paused = true)]
async fn what_a_person_edits_is_put_right() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    world.write();
    world.edit("web", |status| status["suggested"] = json!("/evil"));
    world.sleep(PAUSE).await;
    assert_eq!(world.write(), Some(("web", "Confirmed")));
    world.edit("web", |status| *status = json!(null));
    world.sleep(2 * PAUSE).await;
    assert_eq!(world.write(), Some(("web", "Confirmed")));
    assert_eq!(world.write(), None);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_stand_as_it_was_written_is_not_written_every_second() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    let mut writes = 0;
    for _ in 0..600 {
        writes += usize::from(world.write_but_get(|status| status["hypotheses"] = json!(["mine"])));
        world.sleep(Duration::from_secs(1)).await;
    }
    assert!((5..=20).contains(&writes), "{writes}");
}

#[tokio::test(start_paused = true)]
async fn two_who_write_the_same_object_do_not_fight_for_it_every_second() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    let mut writes = 0;
    for _ in 0..600 {
        if world.write().is_some() {
            writes += 1;
            world.edit("web", |status| status["openedAt"] = json!(at(1)));
        }
        world.sleep(Duration::from_secs(1)).await;
    }
    assert!((10..=20).contains(&writes), "{writes}");
    assert!(world.plan.take_contested());
}

#[tokio::test(start_paused = true)]
async fn what_is_over_and_told_is_removed_after_a_day() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    world.write();
    world.say(ChangeKind::Resolved, &over("web"));
    world.sleep(PAUSE).await;
    world.write();
    world.tell("web", "Resolved");
    world.sleep(Duration::from_hours(23)).await;
    assert_eq!(world.remove(), None);
    world.sleep(Duration::from_hours(1)).await;
    assert_eq!(world.remove(), Some("web"));
    assert_eq!(world.plan.items.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_receiver_still_waits_for_is_kept_longer_but_not_for_ever() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    world.write();
    world.say(ChangeKind::Resolved, &over("web"));
    world.sleep(PAUSE).await;
    world.write();
    world.tell("web", "Opened");
    world.sleep(DAY * 7).await;
    assert_eq!(world.remove(), None);
    world.sleep(DAY + Duration::from_mins(2)).await;
    assert_eq!(world.remove(), Some("web"));
}

#[tokio::test(start_paused = true)]
async fn what_comes_again_is_the_same_object_in_a_new_episode() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    world.write();
    world.say(ChangeKind::Resolved, &over("web"));
    world.sleep(PAUSE).await;
    world.write();
    world.tell("web", "Resolved");
    world.sleep(DAY / 2).await;
    world.say(ChangeKind::Suspected, &Finding { confirmed_at: None, episodes: 2, ..finding("web") });
    assert_eq!(world.write(), None);
    world.say(ChangeKind::Confirmed, &Finding { episodes: 2, ..finding("web") });
    assert_eq!(world.write(), Some(("web", "Confirmed")));
    world.sleep(DAY * 2).await;
    assert_eq!(world.remove(), None);
}

#[tokio::test(start_paused = true)]
async fn an_episode_that_is_over_stays_over_whatever_a_person_writes() {
    let mut world = World::new();
    world.exists(&over("web"), "Resolved");
    world.edit("web", |status| status["state"] = json!("Confirmed"));
    world.sleep(DAY + Duration::from_mins(2)).await;
    assert_eq!(world.remove(), Some("web"));
}

#[tokio::test(start_paused = true)]
async fn what_was_withdrawn_says_so_and_since_when() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    world.write();
    world.say(ChangeKind::Withdrawn, &finding("web"));
    world.sleep(PAUSE).await;
    assert_eq!(world.write(), Some(("web", "Withdrawn")));
    world.say(ChangeKind::Withdrawn, &finding("never-written"));
    assert_eq!(world.write(), None);
    world.sleep(DAY + Duration::from_mins(2)).await;
    assert_eq!(world.remove(), Some("web"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_tried_again_ever_more_seldom_and_nothing_is_lost() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    let mut tries = 0;
    for second in 0..600 {
        tries += usize::from(world.fail());
        if second == 300 {
            world.say(ChangeKind::Updated, &Finding { cause: Cause::WrongPort, ..finding("web") });
        }
        world.sleep(Duration::from_secs(1)).await;
    }
    assert!((10..=20).contains(&tries), "{tries}");
    world.sleep(LONGEST_PAUSE).await;
    assert_eq!(world.write(), Some(("web", "Confirmed")));
    assert_eq!(world.status("web")["cause"], json!("WrongPort"));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_any_more_is_given_up() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    let (key, _) = world.take().expect("it is due");
    world.plan.done(&key, Outcome::Impossible, world.now());
    world.sleep(DAY).await;
    assert_eq!(world.write(), None);
    world.say(ChangeKind::Counted, &Finding { restarts: 60, ..finding("web") });
    assert_eq!(world.write(), Some(("web", "Confirmed")), "the namespace may be there again");
}

#[tokio::test(start_paused = true)]
async fn a_list_shows_what_is_gone_where_it_looked() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    world.write();
    world.sleep(PAUSE).await;
    let elsewhere = Scope::Namespace("elsewhere".into());
    world.plan.list_started(elsewhere.clone());
    world.plan.list_finished(&elsewhere, world.now());
    assert_eq!(world.write(), None);
    world.objects.clear();
    world.plan.list_started(Scope::All);
    world.plan.list_finished(&Scope::All, world.now());
    assert_eq!(world.write(), Some(("web", "Confirmed")));
}

#[tokio::test(start_paused = true)]
async fn old_news_is_none() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    world.write();
    let (key, first) = world.kept("web");
    world.sleep(PAUSE).await;
    world.say(ChangeKind::Updated, &Finding { cause: Cause::WrongPort, ..finding("web") });
    world.write();
    world.plan.saw(&key, first, world.now());
    world.plan.gone(&key, 1, world.now());
    world.sleep(DAY).await;
    assert_eq!(world.write(), None);
}

#[tokio::test(start_paused = true)]
async fn what_another_replica_has_ended_is_not_ended_again() {
    let mut world = World::new();
    world.exists(&Finding { resolved_at: Some(at(61)), ..finding("web") }, "Resolved");
    world.say(ChangeKind::Confirmed, &finding("web"));
    world.say(ChangeKind::Resolved, &over("web"));
    assert_eq!(world.write(), None);
    world.say(ChangeKind::Resolved, &Finding { episodes: 2, ..over("web") });
    assert_eq!(world.write(), Some(("web", "Resolved")));
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_and_is_not_known_here_is_read_so_that_somebody_sees_to_its_end() {
    let mut world = World::new();
    world.exists(&finding("web"), "Confirmed");
    world.sleep(SWEEP).await;
    let (key, action) = world.take().expect("it is due");
    assert!(matches!(action, Action::Read { .. }), "{action:?}");
    world.say(ChangeKind::Confirmed, &finding("web"));
    world.plan.done(&key, Outcome::Read, world.now());
    world.sleep(DAY).await;
    assert_eq!(world.write(), None, "it stands there already");
    world.say(ChangeKind::Resolved, &over("web"));
    assert_eq!(world.write(), Some(("web", "Resolved")));
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_and_of_which_nobody_makes_a_finding_is_removed_some_day() {
    let mut world = World::new();
    world.exists(&finding("web"), "Confirmed");
    world.sleep(SWEEP).await;
    let (key, _) = world.take().expect("it is due");
    world.plan.done(&key, Outcome::NoFinding, world.now());
    world.sleep(DAY + SWEEP).await;
    assert_eq!(world.remove(), Some("web"));
}

#[tokio::test(start_paused = true)]
async fn what_was_told_is_recorded_at_once_and_until_it_stands_there() {
    let mut world = World::new();
    assert!(
        !world.plan.owe(&Key::from_identity(&finding("web").identity()), world.now()),
        "there is nothing to record it in"
    );
    world.say(ChangeKind::Confirmed, &finding("web"));
    let (key, _) = world.kept_after_write();
    assert!(world.plan.owe(&key, world.now()));
    assert!(world.fail());
    assert_eq!(world.take().map(|(key, _)| key), None, "it waits after a failure");
    world.sleep(PAUSE).await;
    let (_, action) = world.take().expect("it is due again");
    assert!(matches!(action, Action::Record { .. }), "{action:?}");
    let (_, kept) = world.kept("web");
    world.plan.done(&key, Outcome::Recorded(kept), world.now());
    world.sleep(DAY).await;
    assert_eq!(world.take().map(|(key, _)| key), None);
}

#[tokio::test(start_paused = true)]
async fn what_is_told_while_something_is_recorded_is_recorded_too() {
    let mut world = World::new();
    world.say(ChangeKind::Confirmed, &finding("web"));
    let (key, _) = world.kept_after_write();
    for told_meanwhile in [true, false] {
        assert!(world.plan.owe(&key, world.now()) && world.take().is_some());
        if told_meanwhile {
            world.plan.owe(&key, world.now());
        }
        let (_, kept) = world.kept("web");
        world.plan.done(&key, Outcome::Recorded(kept), world.now());
        let next = world.take().map(|(_, action)| action);
        assert_eq!(matches!(next, Some(Action::Record { .. })), told_meanwhile, "{next:?}");
        world.plan.done(&key, Outcome::NothingToRecord, world.now());
    }
}

#[tokio::test(start_paused = true)]
async fn of_more_objects_than_fit_those_that_are_over_are_removed_a_few_at_a_time() {
    let mut world = World::new();
    let (_, kept) = {
        world.exists(&over("web"), "Resolved");
        world.kept("web")
    };
    for number in 0..20_000_u64 {
        let key = Key { namespace: format!("team-{}", number % 50).into(), name: format!("{number}").into() };
        world.plan.saw(&key, Kept { version: 100 + number, ..kept.clone() }, world.now());
    }
    let mut seconds = 0;
    while world.plan.items.len() > retention::MAX_OBJECTS {
        world.sleep(Duration::from_secs(1)).await;
        seconds += 1;
        let mut batch = 0;
        while let Some((key, action)) = world.take() {
            assert!(matches!(action, Action::Remove { .. }), "{action:?}");
            world.plan.done(&key, Outcome::Gone, world.now());
            batch += 1;
        }
        assert!(batch <= BATCH, "{batch} at once");
    }
    assert!((100..300).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn an_object_that_was_left_without_a_status_is_removed_some_day() {
    let mut world = World::new();
    world.exists(&finding("web"), "Confirmed");
    world.edit("web", |status| *status = json!(null));
    world.sleep(DAY + Duration::from_mins(2)).await;
    assert_eq!(world.remove(), Some("web"));
}

fn over(workload: &str) -> Finding {
    Finding { resolved_at: Some(at(60)), ..finding(workload) }
}
