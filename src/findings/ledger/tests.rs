use super::*;
use crate::engine::ChangeKind;
use crate::operator::testing::{at, finding};
use crate::report::object::Notified;

#[test]
fn what_was_told_counts_at_once_and_is_owed_until_it_stands_in_the_object() {
    let (ledger, mut slack) = world();
    say(&ledger, ChangeKind::Confirmed);
    ledger.saw(&key(), true, &[]);
    assert_eq!(ledger.unrecorded(&key()), None);
    slack.notified(&[(finding("web").identity(), notified("slack", 10))]);
    assert!(!slack.is_recorded(&[key()]) && ledger.take_owed().contains(&key()));
    ledger.saw(&key(), true, &[]);
    assert_eq!(known(&mut slack), Some(at(10)), "the object lags");
    ledger.saw(&key(), true, &ledger.unrecorded(&key()).expect("it is owed"));
    assert!(slack.is_recorded(&[key()]));
}

#[test]
fn what_another_leader_told_later_counts() {
    let (ledger, mut slack) = world();
    say(&ledger, ChangeKind::Confirmed);
    slack.notified(&[(finding("web").identity(), notified("slack", 10))]);
    ledger.saw(&key(), true, &[notified("slack", 20)]);
    assert_eq!(known(&mut slack), Some(at(20)));
    assert_eq!(ledger.unrecorded(&key()), None);
}

#[test]
fn what_a_person_wipes_out_or_deletes_is_written_again_and_not_told_again() {
    let (ledger, mut slack) = world();
    say(&ledger, ChangeKind::Confirmed);
    ledger.saw(&key(), true, &[notified("ops", 10), notified("slack", 10)]);
    ledger.saw(&key(), true, &[]);
    assert!(ledger.take_owed().contains(&key()));
    assert_eq!(ledger.unrecorded(&key()).map(|notified| notified.len()), Some(2));
    ledger.saw(&key(), true, &[notified("ops", 10), notified("slack", 10)]);
    ledger.gone(&key());
    assert!(ledger.take_owed().contains(&key()));
    assert_eq!(known(&mut slack), Some(at(10)));
}

#[test]
fn what_an_object_says_that_was_told_waits_until_the_engine_knows_the_finding() {
    let (ledger, mut slack) = world();
    ledger.saw(&key(), true, &[notified("slack", 10)]);
    assert_eq!(known(&mut slack), None);
    say(&ledger, ChangeKind::Confirmed);
    assert_eq!(known(&mut slack), Some(at(10)));
}

#[test]
fn what_is_over_is_forgotten_when_everybody_has_heard_of_it_and_that_is_recorded() {
    let (ledger, slack) = world();
    let ops = ledger.reader("ops");
    say(&ledger, ChangeKind::Confirmed);
    say(&ledger, ChangeKind::Resolved);
    slack.notified(&[(finding("web").identity(), notified("slack", 10))]);
    slack.settle([key()].iter());
    ops.settle([key()].iter());
    assert_eq!(ledger.locked().entries.len(), 1, "it is not recorded yet");
    ledger.saw(&key(), false, &[notified("slack", 10)]);
    let all = ledger.locked();
    assert_eq!((all.entries.len(), all.over.len()), (0, 0));
}

#[test]
fn what_is_over_does_not_wait_for_a_receiver_that_is_gone() {
    let (ledger, slack) = world();
    say(&ledger, ChangeKind::Confirmed);
    say(&ledger, ChangeKind::Resolved);
    assert_eq!(ledger.locked().entries.len(), 1);
    drop(slack);
    assert_eq!(ledger.locked().entries.len(), 0);
}

#[test]
fn of_what_is_over_and_untold_no_more_is_kept_than_fits() {
    let (ledger, _slack) = world();
    for number in 0..MAX_OVER as i64 + 10 {
        let over = Finding { resolved_at: Some(at(number)), ..finding(&number.to_string()) };
        let key = ObjectKey::from_identity(&over.identity());
        let shown = board::Entry {
            finding: over.into(),
            kind: ChangeKind::Resolved,
            at: at(number),
            silenced_by: None,
            asked: Arc::default(),
        };
        ledger.heard(&key, &shown);
    }
    assert_eq!(ledger.forgotten(), 10);
    assert_eq!(ledger.locked().entries.len(), MAX_OVER);
    let oldest = ObjectKey::from_identity(&finding("9").identity());
    assert!(!ledger.locked().entries.contains_key(&oldest));
}

#[test]
fn a_reader_is_told_what_changed_and_not_all_that_there_is() {
    let (ledger, mut slack) = world();
    for number in 0..1_000 {
        let shown = shown(finding(&number.to_string()), ChangeKind::Confirmed);
        ledger.heard(&ObjectKey::from_identity(&shown.finding.identity()), &shown);
    }
    assert_eq!(slack.take().changed.len(), 1_000);
    say(&ledger, ChangeKind::Confirmed);
    assert_eq!(slack.take().changed.len(), 1);
    assert!(slack.take().changed.is_empty());
}

#[test]
fn what_could_not_be_recorded_is_when_there_are_objects_again() {
    let (ledger, slack) = world();
    ledger.set_record(Record::Memory);
    say(&ledger, ChangeKind::Confirmed);
    slack.notified(&[(finding("web").identity(), notified("slack", 10))]);
    assert!(slack.is_recorded(&[key()]));
    ledger.take_owed();
    ledger.excuse(&key());
    ledger.set_record(Record::Objects);
    assert!(ledger.take_owed().contains(&key()));
}

fn world() -> (Arc<Ledger>, Reader) {
    let ledger = Arc::<Ledger>::default();
    ledger.set_record(Record::Objects);
    let mut reader = ledger.reader("slack");
    reader.take();
    (ledger, reader)
}

fn say(ledger: &Ledger, kind: ChangeKind) {
    let over = (kind == ChangeKind::Resolved).then(|| at(60));
    ledger.heard(&key(), &shown(Finding { resolved_at: over, ..finding("web") }, kind));
}

fn shown(finding: Finding, kind: ChangeKind) -> board::Entry {
    board::Entry { finding: Arc::new(finding), kind, at: at(60), silenced_by: None, asked: Arc::default() }
}

/// When Slack was last notified of it, as far as the ledger knows.
fn known(slack: &mut Reader) -> Option<Time> {
    slack.forget();
    let news = slack.take();
    news.changed.iter().find_map(|(_, standing)| standing.as_ref()?.notified.as_ref().map(|notified| notified.at))
}

fn key() -> ObjectKey {
    ObjectKey::from_identity(&finding("web").identity())
}

fn notified(receiver: &str, seconds: i64) -> Notification {
    Notification {
        receiver: receiver.to_owned(),
        episode: 1,
        notified: Notified::Opened,
        at: at(seconds),
        content: None,
        digest: None,
        refused: None,
    }
}
