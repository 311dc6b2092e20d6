//! An operator that dies around the moments at which it sends.

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

/// How often it dies while findings open, and again while they end.
const DEATHS: usize = 5;

/// How many there are to tell of, each in a namespace of its own.
const FINDINGS: usize = 8;

/// Chance, the same each time.
const SEED: u64 = 6;

/// A message a second at most, and some time for the answer: within this one is under way, being
/// recorded, or about to be sent.
const AROUND: Duration = Duration::from_millis(1700);

/// How long the channel takes to answer: long enough to die meanwhile.
const ANSWER: Duration = Duration::from_millis(600);

/// Within this the next message comes, on a machine that is busy. A pod that is gone is not missed
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
    // What loops when it looks for the first time is told together, later findings one by one.
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

/// An operator that dies and is started anew.
struct Mortal<'a> {
    installed: &'a Installed,
    settings: Settings,
    operator: Operator,
    api: &'a Api,
    random: Random,
    deaths: Vec<Death>,
}

/// One death.
struct Death {
    /// What stood in the objects afterwards.
    recorded: BTreeSet<Tiding>,
    /// When it was started anew.
    until: Instant,
}

impl Mortal<'_> {
    /// Dies some times, each time by chance soon after another message.
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

    /// Each death repeats one message at most, and only one that was not recorded; gives what was
    /// told, without the repetitions.
    fn check_repetitions(&self, channel: &Channel) -> Vec<Tiding> {
        let mut told: Vec<(Tiding, Instant)> = Vec::new();
        let mut repeated = vec![0; self.deaths.len()];
        for (tiding, at) in channel.update() {
            let Some((_, before)) = told.iter_mut().find(|(one, _)| *one == tiding) else {
                told.push((tiding, at));
                continue;
            };
            // Who died next after it was told did not know of it any more.
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
