//! An operator that is killed around the moments at which it sends.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use tokio::time::Instant;

use super::{play, short};
use crate::channel::{Channel, Tiding};
use crate::harness::{Api, clock};
use crate::installed::Installed;
use crate::operator::{Operator, Settings};
use crate::player;
use crate::support::random::Random;
use crate::told;

/// How often it is killed while findings open, and again while they are resolved.
const DEATHS: usize = 5;

/// Number of findings, each in a namespace of its own.
const FINDINGS: usize = 8;

/// Random seed.
const SEED: u64 = 6;

/// At most a message per second, and some time for the answer: within this time one is in flight, being
/// recorded, or about to be sent.
const AROUND: Duration = Duration::from_millis(1700);

/// How long the channel takes to answer: long enough to be killed meanwhile.
const ANSWER: Duration = Duration::from_millis(600);

/// Time within which the next message arrives, on a busy machine. A deleted pod is not noticed as missing
/// before a minute.
const NEXT: Duration = Duration::from_mins(3);

#[tokio::test]
async fn ten_deaths_around_sending_lose_no_message_and_repeat_only_what_was_not_recorded() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let namespaces: Vec<String> = (0..FINDINGS).map(|number| format!("sending-{number}")).collect();
    let all: Vec<&str> = std::iter::once("sending-first").chain(namespaces.iter().map(String::as_str)).collect();
    for namespace in &all {
        api.create_namespace(namespace).await;
    }
    let channel = Channel::open(installed.cluster.folder(), "sending").await;
    let settings = installed.settings("sending").await.watching(&all).with("notifications", channel.settings(100));
    let operator = settings.start(installed.cluster.folder());
    operator.until_ready().await;
    // Loops found at the first look are sent together, later findings one by one.
    play(&api, &short("sending-first", Duration::from_secs(12))).await;
    channel.until_recorded(&api, &[Tiding::opened("sending-first")], NEXT).await;
    channel.slow_down(ANSWER, 4 * FINDINGS);
    let mut mortal = Mortal { installed, settings, operator, api: &api, random: Random::new(SEED), deaths: Vec::new() };

    let start = clock::now().plus(Duration::from_secs(2));
    let scenes: Vec<_> = namespaces.iter().map(|namespace| short(namespace, Duration::from_secs(20))).collect();
    tokio::join!(join_all(scenes.iter().map(|scene| player::play(&api, scene, start))), mortal.die(&channel));
    let opened: Vec<_> = namespaces.iter().map(|namespace| Tiding::opened(namespace)).collect();
    channel.until_recorded(&api, &opened, NEXT).await;

    for namespace in &namespaces {
        api.delete(&format!("/api/v1/namespaces/{namespace}/pods"), 0).await.expect("a deletion");
    }
    mortal.die(&channel).await;
    let over: Vec<_> = namespaces.iter().map(|namespace| Tiding::over(namespace)).collect();
    channel.until_recorded(&api, &over, NEXT).await;

    for object in told::objects(&api).await.iter().filter(|object| is_of(object, &all)) {
        assert_eq!(object["status"]["episodes"], 1, "no death begins a new episode: {object:#}");
    }
    let told = mortal.check_repetitions(&channel);
    for (opened, over) in opened.iter().zip(&over) {
        let place = |tiding| told.iter().position(|told| told == tiding);
        assert!(place(opened).is_some() && place(opened) < place(over), "{opened:?}, then {over:?}: {told:#?}");
    }
}

fn is_of(object: &Value, namespaces: &[&str]) -> bool {
    object["metadata"]["namespace"].as_str().is_some_and(|namespace| namespaces.contains(&namespace))
}

/// An operator that is killed and restarted.
struct Mortal<'a> {
    installed: &'a Installed,
    settings: Settings,
    operator: Operator,
    api: &'a Api,
    random: Random,
    deaths: Vec<Death>,
}

/// A kill.
struct Death {
    /// The notifications recorded in the objects afterwards.
    recorded: BTreeSet<Tiding>,
    /// When it was restarted.
    until: Instant,
}

impl Mortal<'_> {
    /// Kills it several times, each at a random time soon after another message.
    async fn die(&mut self, channel: &Channel) {
        for _ in 0..DEATHS {
            channel.until_next(NEXT).await;
            let wait = Duration::from_millis(self.random.below(AROUND.as_millis() as u64));
            tokio::time::sleep(wait).await;
            self.operator.kill();
            let recorded = channel.recorded(self.api).await;
            println!("death {}: {wait:.0?} after a message", self.deaths.len() + 1);
            self.deaths.push(Death { recorded, until: Instant::now() });
            self.operator = self.settings.start(self.installed.cluster.folder());
        }
    }

    /// Each kill repeats one message at most, and only one that was not recorded; returns the notifications
    /// without the repetitions.
    fn check_repetitions(&self, channel: &Channel) -> Vec<Tiding> {
        let mut told: Vec<(Tiding, Instant)> = Vec::new();
        let mut repeated = vec![0; self.deaths.len()];
        for (tiding, at) in channel.update() {
            let Some((_, before)) = told.iter_mut().find(|(one, _)| *one == tiding) else {
                told.push((tiding, at));
                continue;
            };
            // If it was killed after sending, the next start no longer knew of it.
            let death = self.deaths.iter().position(|death| *before < death.until && death.until <= at);
            let death = death.unwrap_or_else(|| panic!("{tiding:?} comes twice without a death in between"));
            assert!(!self.deaths[death].recorded.contains(&tiding), "{tiding:?} was recorded, and comes twice");
            repeated[death] += 1;
            *before = at;
        }
        println!("messages that came twice, by death: {repeated:?}");
        assert!(repeated.iter().all(|times| *times <= 1), "{repeated:?}");
        told.into_iter().map(|(tiding, _)| tiding).collect()
    }
}
