//! Delivery as a whole: where findings come from, and a task for each receiver.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use kube::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::alert_worker::AlertWorker;
use super::ledger::{Ledger, Record};
use super::objects::{self, Objects};
use super::sender::{Addresses, Sender};
use super::worker::Worker;
use crate::config::Config;
use crate::config::notifications::{Receiver, To};
use crate::operator::board::Board;
use crate::operator::keeper::Refusal;
use crate::operator::leadership::Leadership;
use crate::operator::metrics::Metrics;
use crate::operator::stop::{Stop, Stopper};
use crate::source::cluster::Trouble;

/// Whether there are objects by now is asked so often.
const RETRY: Duration = Duration::from_mins(1);
/// The tasks may take so long to end.
const LAST: Duration = Duration::from_millis(2400);

/// What delivery works with.
#[derive(Clone)]
pub struct Means {
    /// Asks the API server.
    pub client: Client,
    /// Whose `Finding` objects are followed; none: those of all namespaces.
    pub namespaces: Vec<String>,
    /// What is known now, for where there are no objects.
    pub board: Arc<Board>,
    /// Receivers, routes and timing.
    pub config: watch::Receiver<Arc<Config>>,
    /// Whether to send and to write.
    pub leadership: Leadership,
    /// Counts what is sent.
    pub metrics: Arc<Metrics>,
    /// What this replica is called in Events.
    pub instance: Arc<str>,
}

/// Tells the receivers of the configuration what there is to tell, until `stop`; what is under way
/// then is ended and recorded, within two and a half seconds.
pub async fn run(means: Means, mut stop: Stop) {
    let ledger = Arc::new(Ledger::default());
    let mut receivers = Receivers::new(means.clone(), Arc::clone(&ledger));
    let mut config = means.config.clone();
    let source = tokio::spawn(follow(means, ledger));
    loop {
        let wanted = config.borrow_and_update().notifications.receivers.clone();
        receivers.become_these(&wanted).await;
        tokio::select! {
            biased;
            () = stop.asked() => break,
            Ok(()) = config.changed() => {}
        }
    }
    // Records are written until the last task has ended.
    receivers.become_these(&[]).await;
    source.abort();
}

/// The receivers' tasks.
struct Receivers {
    means: Means,
    ledger: Arc<Ledger>,
    addresses: Arc<Addresses>,
    tasks: BTreeMap<String, Running>,
}

struct Running {
    to: To,
    stopper: Stopper,
    task: JoinHandle<()>,
}

impl Receivers {
    fn new(means: Means, ledger: Arc<Ledger>) -> Self {
        Self { means, ledger, addresses: Arc::default(), tasks: BTreeMap::new() }
    }

    /// Ends the tasks of receivers that are gone or another by now, and starts those that are new.
    async fn become_these(&mut self, wanted: &[Receiver]) {
        let stays = |name: &str, to: &To| wanted.iter().any(|receiver| receiver.name == name && receiver.to == *to);
        let gone: Vec<String> = self
            .tasks
            .iter()
            .filter(|(name, running)| !stays(name, &running.to))
            .map(|(name, _)| name.clone())
            .collect();
        let gone: Vec<(String, Running)> = gone.into_iter().filter_map(|name| self.tasks.remove_entry(&name)).collect();
        for (name, running) in &gone {
            running.stopper.stop();
            self.means.metrics.receiver_removed(name);
        }
        let ends = gone.into_iter().map(|(_, running)| timeout(LAST, running.task));
        join_all(ends).await;
        for receiver in wanted {
            if !self.tasks.contains_key(&receiver.name) {
                let running = self.start(receiver);
                self.tasks.insert(receiver.name.clone(), running);
            }
        }
    }

    fn start(&self, receiver: &Receiver) -> Running {
        let (stopper, stop) = Stopper::new();
        let (name, to) = (receiver.name.clone(), receiver.to.clone());
        let Means { config, leadership, metrics, client, instance, .. } = self.means.clone();
        let ledger = Arc::clone(&self.ledger);
        info!(receiver = name, kind = to.word(), "A receiver is told from now on");
        let task = match &to {
            To::Alertmanager(alertmanager) => {
                let to = alertmanager.clone();
                tokio::spawn(AlertWorker { name, to, ledger, config, leadership, metrics }.run(stop))
            }
            to => {
                let sender = Sender::new(&name, to.clone(), client, instance, Arc::clone(&self.addresses));
                tokio::spawn(Worker { name, sender, ledger, config, leadership, metrics }.run(stop))
            }
        };
        Running { to, stopper, task }
    }
}

/// Learns of findings from the objects, or while there are none from the board.
async fn follow(means: Means, ledger: Arc<Ledger>) {
    let all = match means.namespaces.as_slice() {
        [] => vec![Objects::new(means.client.clone(), None)],
        some => some.iter().map(|name| Objects::new(means.client.clone(), Some(name.clone()))).collect(),
    };
    if let Err(error) = check(&all).await {
        let refusal = Refusal::of(&error);
        // Where nobody is told that costs nothing.
        if !means.config.borrow().notifications.receivers.is_empty() {
            warn!(
                cause = %refusal,
                hint = refusal.hint(),
                "Finding objects cannot be used: what was told is known in memory alone, and after a restart or a \
                 change of the leader all that goes on is told again"
            );
        }
        tokio::select! {
            () = from_the_board(&means.board, &ledger) => {}
            () = until_there_are(&all) => info!("Finding objects can be used by now"),
        }
    }
    objects::follow(all, ledger, means.board, means.leadership).await;
}

/// Whether the objects can be used; what may pass is waited for.
async fn check(all: &[Objects]) -> Result<(), kube::Error> {
    const SOON: Duration = Duration::from_secs(2);
    loop {
        match first_error(all).await {
            Ok(()) => return Ok(()),
            Err(error) if Trouble::of(&error).may_pass() => sleep(SOON).await,
            Err(error) => return Err(error),
        }
    }
}

async fn first_error(all: &[Objects]) -> Result<(), kube::Error> {
    for objects in all {
        objects.check().await?;
    }
    Ok(())
}

async fn until_there_are(all: &[Objects]) {
    loop {
        sleep(RETRY).await;
        if first_error(all).await.is_ok() {
            return;
        }
    }
}

async fn from_the_board(board: &Board, ledger: &Ledger) {
    let mut news = board.subscribe();
    ledger.settle_on(Record::Memory);
    loop {
        for identity in news.next().await {
            if let Some(shown) = board.get(&identity) {
                ledger.heard(&shown);
            }
        }
    }
}
