//! Faults around the operators, one per minute.

use std::time::Duration;

use probehound::time::Time;
use serde_json::json;

use super::ends;
use super::receiver::{Mood, Webhook};
use crate::clock;
use crate::harness::{Signal, waiting};
use crate::installed::{Installed, NAMESPACE};
use crate::operator::{Operator, Settings};
use crate::player::Gate;
use crate::support::slack::Slack;

/// Far more than a replica takes to become leader.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long the API server is down.
const AWAY: Duration = Duration::from_secs(8);
/// How long a receiver fails.
const FAILS: Duration = Duration::from_secs(35);
/// All of them, from the first minute on, repeatedly; with pauses, in which things settle.
const TROUBLES: [Trouble; 14] = [
    Trouble::ServerRestarts,
    Trouble::ReplicaDies,
    Trouble::Receiver(Mood::Fails),
    Trouble::None,
    Trouble::LeaderStops,
    Trouble::Receiver(Mood::Busy),
    Trouble::None,
    Trouble::ServerForgets,
    Trouble::None,
    Trouble::Receiver(Mood::Silent),
    Trouble::ReplicaDies,
    Trouble::None,
    Trouble::SlackIsOut,
    Trouble::None,
];

/// A fault.
#[derive(Copy, Clone, Debug)]
enum Trouble {
    None,
    /// The API server is down, and back.
    ServerRestarts,
    /// The same, and it has lost its history.
    ServerForgets,
    /// The one that is never killed is stopped until the other one leads.
    LeaderStops,
    /// The other one is killed, and restarted.
    ReplicaDies,
    Receiver(Mood),
    SlackIsOut,
}

/// A possible reason for a difference between notifications and replay.
pub struct Disturbance {
    pub from: Time,
    pub to: Time,
    pub what: &'static str,
}

/// Two replicas, one of which leads, and the receivers.
pub struct Stage<'a> {
    installed: &'a Installed,
    gate: Gate,
    /// The one that runs from the beginning to the end: its memory is what is measured.
    pub steady: Operator,
    /// The one that is killed.
    pub mortal: Operator,
    mortal_settings: Settings,
    pub webhook: Webhook,
    slack: Slack,
    pub disturbances: Vec<Disturbance>,
    wrong: Vec<String>,
}

impl<'a> Stage<'a> {
    /// Starts everything; the one that is never killed leads.
    pub async fn set(installed: &'a Installed, gate: Gate) -> Self {
        let (webhook, slack) =
            (Webhook::start(&installed.cluster.folder().file("webhook.log")), Slack::start([]).await);
        let steady = settings(installed, "steady", &webhook, &slack).await.start(installed.cluster.folder());
        steady.until_ready().await;
        until_leads(&steady).await;
        let mortal_settings = settings(installed, "mortal", &webhook, &slack).await;
        let mortal = mortal_settings.start(installed.cluster.folder());
        mortal.until_ready().await;
        let (disturbances, wrong) = (Vec::new(), Vec::new());
        Self { installed, gate, steady, mortal, mortal_settings, webhook, slack, disturbances, wrong }
    }

    /// Causes the fault of that minute.
    pub async fn disturb(&mut self, minute: u64) {
        let trouble = TROUBLES[(minute - 1) as usize % TROUBLES.len()];
        let from = clock::now();
        let what = match trouble {
            Trouble::None => return,
            Trouble::ServerRestarts | Trouble::ServerForgets => self.restart_server(trouble).await,
            Trouble::LeaderStops => self.stop_leader().await,
            Trouble::ReplicaDies => self.kill_replica().await,
            Trouble::Receiver(mood) => self.fail(mood).await,
            Trouble::SlackIsOut => self.slack_out().await,
        };
        let to = clock::now();
        println!("     {what}: {:.0?}", to.since(from));
        if !matches!(trouble, Trouble::Receiver(_) | Trouble::SlackIsOut) {
            self.disturbances.push(Disturbance { from, to, what });
        }
    }

    async fn restart_server(&self, trouble: Trouble) -> &'static str {
        let _held = self.gate.write().await;
        self.installed.cluster.stop_api_server();
        let forgets = matches!(trouble, Trouble::ServerForgets);
        if forgets {
            self.installed.cluster.compact().await;
        }
        tokio::time::sleep(AWAY).await;
        self.installed.cluster.start_api_server().await;
        if forgets { "the API server was away and forgot" } else { "the API server was away" }
    }

    async fn stop_leader(&mut self) -> &'static str {
        self.steady.signal(Signal::Stop);
        until_leads(&self.mortal).await;
        self.steady.signal(Signal::Continue);
        "the leader was stopped"
    }

    async fn kill_replica(&mut self) -> &'static str {
        self.mortal.kill();
        until_leads(&self.steady).await;
        self.mortal = self.mortal_settings.start(self.installed.cluster.folder());
        self.mortal.until_ready().await;
        "a replica died"
    }

    async fn fail(&self, mood: Mood) -> &'static str {
        self.webhook.is(mood);
        tokio::time::sleep(FAILS).await;
        self.webhook.is(Mood::Well);
        match mood {
            Mood::Well => "the webhook was well",
            Mood::Fails => "the webhook failed",
            Mood::Busy => "the webhook was busy",
            Mood::Silent => "the webhook was silent",
        }
    }

    async fn slack_out(&self) -> &'static str {
        self.slack.set_out(true);
        tokio::time::sleep(FAILS).await;
        self.slack.set_out(false);
        "Slack was out"
    }

    /// Stops both.
    pub async fn end(&mut self) {
        let steady = ends("steady", &mut self.steady).await;
        let mortal = ends("mortal", &mut self.mortal).await;
        self.wrong.extend(steady.into_iter().chain(mortal));
        let (seen, taken) = (self.slack.seen(), self.slack.taken().len());
        println!("the webhook: {:?}; Slack: {taken} of {} taken", self.webhook.counts(), seen.len());
        let refused = seen.iter().filter(|seen| !matches!(seen.status, 200 | 503));
        self.wrong.extend(refused.map(|seen| format!("Slack refused with {}: {}", seen.status, seen.body)));
    }

    /// What failed but should not have.
    pub fn wrong(&self) -> Vec<String> {
        self.wrong.clone()
    }
}

async fn settings(installed: &Installed, name: &str, webhook: &Webhook, slack: &Slack) -> Settings {
    let folder = installed.cluster.folder();
    let file = |kind: &str, url: String| folder.write(&format!("{name}.{kind}"), &url).display().to_string();
    let all = |receiver: &str| {
        json!({"receiver": receiver, "namespaces": ["*"], "severity": "info",
            "effects": ["RestartLoop", "Killed", "NeverReady", "ProbeIneffective", "StartBlocked", "Flapping", "Recurring"]})
    };
    let notifications = json!({
        "receivers": [
            {"name": "webhook", "webhook": {"urlFile": file("webhook", webhook.url())}},
            {"name": "slack", "slack": {"urlFile": file("slack", slack.url())}},
        ],
        "routes": [all("webhook"), all("slack")],
    });
    let settings = installed.settings(name).await.electing(NAMESPACE, "probehound").env("POD_NAME", name);
    settings.with("notifications", notifications)
}

async fn until_leads(operator: &Operator) {
    waiting::eventually("it leads", PATIENCE, async || {
        let leads = operator.metrics().await.sum("probehound_leader", &[]);
        if leads == Some(1) { Ok(()) } else { Err(leads) }
    })
    .await;
}
