//! Delivery as a whole: one task per receiver.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use kube::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::info;

use super::alert_worker::AlertWorker;
use super::sender::{Addresses, Sender};
use super::settings::{Receiver, Settings, To};
use super::worker::Worker;
use crate::findings::ledger::Ledger;
use crate::metrics::Metrics;
use crate::runtime::leadership::Leadership;
use crate::runtime::stop::{Stop, Stopper};

/// Time limit for the tasks to end.
const LAST: Duration = Duration::from_millis(2400);

/// What delivery works with.
#[derive(Clone)]
pub struct Means {
    /// Writes Events.
    pub client: Client,
    /// The findings, and the notifications sent about them.
    pub ledger: Arc<Ledger>,
    /// Receivers, routes and timing.
    pub config: watch::Receiver<Arc<Settings>>,
    /// Whether to send and to write.
    pub leadership: Leadership,
    /// Counts the notifications.
    pub metrics: Arc<Metrics>,
    /// The name of this replica in Events.
    pub instance: Arc<str>,
}

/// Notifies the configured receivers until `stop`; messages in flight then are completed and recorded,
/// within two and a half seconds.
pub async fn run(means: Means, mut stop: Stop) {
    let mut config = means.config.clone();
    let mut receivers = Receivers::new(means);
    loop {
        let wanted = config.borrow_and_update().notifications.receivers.clone();
        receivers.reconcile(&wanted).await;
        tokio::select! {
            biased;
            () = stop.asked() => break,
            Ok(()) = config.changed() => {}
        }
    }
    receivers.reconcile(&[]).await;
}

/// The receivers' tasks.
struct Receivers {
    means: Means,
    addresses: Arc<Addresses>,
    tasks: BTreeMap<String, Running>,
}

struct Running {
    to: To,
    stopper: Stopper,
    task: JoinHandle<()>,
}

impl Receivers {
    fn new(means: Means) -> Self {
        Self { means, addresses: Arc::default(), tasks: BTreeMap::new() }
    }

    /// Stops the tasks of receivers that were removed or changed, and starts those of new ones.
    async fn reconcile(&mut self, wanted: &[Receiver]) {
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
        let Means { config, leadership, metrics, client, instance, ledger } = self.means.clone();
        let ledger = ledger.reader(&name);
        info!(receiver = name, kind = to.word(), "Notifying a receiver");
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
