//! If there is no room for all: confirmed before suspected, the worst first, a share for each namespace,
//! and the rest is counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use probehound::delivery::policy::{Admission, Item, MAX_IN_DIGEST, Next, Past, Settings, next};
use probehound::engine::{ChangeKind, Finding, Severity};
use probehound::findings::board::{Board, Entry, MAX_FINDINGS, MAX_OF_ONE, Upserted};
use probehound::metrics::Metrics;
use probehound::report::metrics::{self, MAX_SERIES, SHARE};
use probehound::report::object::FindingState;
use probehound::report::update::Dispatch;

use crate::delivery::samples::{at, finding};

/// That many findings of a namespace that is first in alphabetical order.
fn of_a_tenant(count: usize) -> Vec<Finding> {
    let one = |number: usize| Finding {
        namespace: "a-tenant".into(),
        severity: Severity::Critical,
        ..finding(&format!("web-{number:06}"), 1)
    };
    (0..count).map(one).collect()
}

fn of_others(count: usize) -> Vec<Finding> {
    (0..count).map(|number| Finding { namespace: "zoo".into(), ..finding(&format!("web-{number}"), 9) }).collect()
}

fn suspected(findings: Vec<Finding>) -> Vec<Finding> {
    findings.into_iter().map(|finding| Finding { confirmed_at: None, ..finding }).collect()
}

#[test]
fn what_a_tenant_lets_be_suspected_takes_no_place_on_the_board_from_what_is_confirmed() {
    let board = Board::default();
    for namespace in 0..MAX_FINDINGS / MAX_OF_ONE {
        for finding in suspected(of_a_tenant(MAX_OF_ONE)) {
            upsert(&board, Finding { namespace: format!("tenant-{namespace}").into(), ..finding });
        }
    }
    let others = of_others(MAX_OF_ONE);
    for finding in &others {
        assert!(matches!(upsert(&board, finding.clone()), Upserted::Instead(_)));
    }
    let open = |board: &Board| board.all().into_iter().filter(Entry::is_open).collect::<Vec<_>>();
    assert_eq!(open(&board).len(), MAX_FINDINGS);
    assert_eq!(open(&board).iter().filter(|entry| *entry.finding.namespace == *"zoo").count(), others.len());
    assert_eq!(board.dropped(), others.len() as u64);
    let tenants = suspected(of_a_tenant(1)).remove(0);
    assert_eq!(upsert(&board, Finding { namespace: "zoo".into(), ..tenants }), Upserted::Dropped, "it is full");
}

#[test]
fn a_tenant_has_a_fifth_of_the_board_whatever_it_confirms() {
    let board = Board::default();
    for finding in of_a_tenant(2 * MAX_OF_ONE) {
        upsert(&board, finding);
    }
    assert_eq!(board.all().iter().filter(|entry| entry.is_open()).count(), MAX_OF_ONE);
    assert_eq!(upsert(&board, of_others(1).remove(0)), Upserted::Up);
}

#[test]
fn each_namespace_has_its_share_of_the_series_the_worst_first() {
    let mut all = of_a_tenant(2 * MAX_SERIES);
    all.extend(of_others(SHARE));
    all.extend(suspected(of_others(2 * SHARE)).split_off(SHARE));
    let (text, refused) = series(&all);
    let of = |words: &str| {
        let lines = text.lines().filter(|line| line.starts_with("probehound_findings{"));
        lines.filter(|line| line.contains(words)).count()
    };
    assert_eq!(of("namespace=\"zoo\""), SHARE, "all that is confirmed, and nothing that is suspected");
    assert_eq!(of("namespace=\"a-tenant\""), MAX_SERIES - SHARE);
    assert_eq!(of("namespace=\"overflow\""), 1);
    // Two metrics have a series for each finding.
    assert_eq!(refused, 2 * (all.len() - MAX_SERIES));
}

#[test]
fn a_series_that_has_no_place_is_counted_once_however_often_it_is_asked_for() {
    let metrics = Metrics::new();
    let count = |all: &[Finding]| {
        let mut text = String::new();
        let refused = metrics::write(all.iter(), &mut text).expect("strings take everything");
        metrics.instruments().refused(refused);
        let mut text = String::new();
        metrics.write(&mut text).expect("strings take everything");
        let line = text.lines().find(|line| line.starts_with("probehound_series_dropped_total ")).expect("it is there");
        line.rsplit(' ').next().and_then(|number| number.parse::<u64>().ok()).expect("a number")
    };
    let mut all = of_a_tenant(MAX_SERIES + 3);
    assert_eq!(count(&all), 6, "of two metrics");
    assert_eq!(count(&all), 6);
    all.extend(of_others(1));
    // One of the tenant's findings gives its place to the newcomer.
    assert_eq!(count(&all), 8);
}

#[test]
fn a_digest_names_what_loops_in_every_namespace_before_more_of_one() {
    let mut all = of_a_tenant(300);
    all.extend(of_others(3));
    let items: Vec<Item> = all
        .into_iter()
        .map(|finding| Item {
            finding: Arc::new(finding),
            state: FindingState::Confirmed,
            silenced: false,
            admission: Admission::Routed,
            notified: None,
        })
        .collect();
    let past = Past { since: at(0), first_notified: Some(at(0)), not_before: at(0) };
    let Next::Send(Dispatch::Digest(digest)) = next(&items, past, &Settings::default(), at(100)) else {
        panic!("303 at once are told together")
    };
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for news in &digest.news {
        *named.entry(&news.finding.namespace).or_default() += 1;
    }
    assert_eq!(named, BTreeMap::from([("a-tenant", MAX_IN_DIGEST - 3), ("zoo", 3)]));
    assert_eq!(digest.waiting, 303 - MAX_IN_DIGEST);
    let severities: Vec<Severity> = digest.news.iter().map(|news| news.finding.severity).collect();
    assert!(severities.is_sorted_by(|one, other| one >= other), "the worst come first");
}

fn upsert(board: &Board, finding: Finding) -> Upserted {
    let kind = if finding.confirmed_at.is_some() { ChangeKind::Confirmed } else { ChangeKind::Suspected };
    board.upsert(Entry {
        at: finding.opened_at,
        finding: Arc::new(finding),
        kind,
        silenced_by: None,
        asked: Arc::default(),
    })
}

fn series(findings: &[Finding]) -> (String, usize) {
    let mut text = String::new();
    let refused = metrics::write(findings.iter(), &mut text).expect("strings take everything");
    (text, refused.len())
}
