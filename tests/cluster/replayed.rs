//! Compares the objects of a cluster with a replay of what was recorded in it meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::harness::{ControlPlane, waiting};
use crate::player::Recorder;
use crate::support::replay;
use crate::told::{Told, by_objects, by_replay};

/// How far the two have to agree.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Agreement {
    /// In everything that is compared.
    Whole,
    /// On the containers with findings, without contradictions about their causes: if writes are seconds
    /// late, each watch delivers them in an order and at times of its own, and one of the two may not
    /// decide what depends on seconds.
    NoContradiction,
}

/// Waits until the objects agree with a replay of the recording so far; returns its findings.
///
/// # Panics
/// They do not within `limit`; the differences are in the message, and the recording is among the files of
/// the cluster.
pub async fn as_replayed(
    cluster: &ControlPlane,
    recorder: Recorder,
    namespaces: &[String],
    agreement: Agreement,
    limit: Duration,
) -> Vec<Told> {
    let recording = recorder.stop();
    std::fs::write(cluster.folder().file("recording.jsonl"), recording.bytes()).expect("a file can be written");
    let expected = by_replay(&replay(&recording), namespaces);
    let api = cluster.admin();
    waiting::eventually("the objects say what the replay says", limit, async || {
        let objects = by_objects(&api, namespaces).await;
        match agreement {
            Agreement::Whole => differences(&objects, &expected),
            Agreement::NoContradiction => contradictions(&objects, &expected),
        }
    })
    .await;
    expected
}

/// Fails with the differences.
fn differences(objects: &[Told], replay: &[Told]) -> Result<(), String> {
    let [objects, replay]: [BTreeSet<&Told>; 2] = [objects.iter().collect(), replay.iter().collect()];
    if objects == replay {
        return Ok(());
    }
    let only =
        |one: &BTreeSet<&Told>, other: &BTreeSet<&Told>| format!("{:?}", one.difference(other).collect::<Vec<_>>());
    Err(format!("only the objects: {}\nonly the replay: {}", only(&objects, &replay), only(&replay, &objects)))
}

/// Fails with the containers that only one of them has, or for which their causes differ.
fn contradictions(objects: &[Told], replay: &[Told]) -> Result<(), String> {
    let [of_objects, of_replay] = [causes(objects), causes(replay)];
    let agree = |one: &BTreeSet<&str>, other: &BTreeSet<&str>| {
        one.is_empty() || other.is_empty() || one.intersection(other).next().is_some()
    };
    let is_same = of_objects.keys().eq(of_replay.keys())
        && of_objects.values().zip(of_replay.values()).all(|(one, other)| agree(one, other));
    if is_same { Ok(()) } else { differences(objects, replay) }
}

/// The causes for each container.
fn causes(all: &[Told]) -> BTreeMap<(&str, &str, &str), BTreeSet<&str>> {
    let mut causes: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for told in all {
        let known = Some(&*told.cause).filter(|cause| *cause != "Unknown");
        causes.entry((&*told.namespace, &*told.workload, &*told.container)).or_default().extend(known);
    }
    causes
}
