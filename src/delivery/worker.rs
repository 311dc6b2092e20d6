//! One receiver's task: asks the policy, sends, has it recorded, and asks again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use super::pace::{Pace, WORTH_A_LOOK};
use super::policy::{Next, Past, Settings};
use super::queue::{Measure, Queue};
use super::receiver::Reply;
use super::sender::{Names, Sender};
use super::settings;
use crate::findings::ledger::{Reader, Record};
use crate::metrics::Metrics;
use crate::metrics::labels::Sent;
use crate::report::object::ObjectKey;
use crate::report::update::{Dispatch, Outcome};
use crate::runtime::clock;
use crate::runtime::leadership::Leadership;
use crate::runtime::stop::Stop;
use crate::time::Time;

/// Maximum sleep without a look at the clock, which may have been adjusted.
const LOOK: Duration = Duration::from_mins(1);
/// How often a receiver that is gone for good is checked again: its address may have changed.
const ADDRESS: Duration = Duration::from_secs(10);
/// Time limit for a message in flight when the stop is requested.
const LAST: Duration = Duration::from_millis(2200);

/// What a worker works with.
pub struct Worker {
    /// The receiver's name.
    pub name: String,
    /// Sends to it.
    pub sender: Sender,
    /// The findings, and the notifications sent about them.
    pub ledger: Reader,
    /// The routes and the timing.
    pub config: watch::Receiver<Arc<settings::Settings>>,
    /// Whether to send.
    pub leadership: Leadership,
    /// Counts the notifications.
    pub metrics: Arc<Metrics>,
}

impl Worker {
    /// Notifies the receiver until `stop`; completes a message in flight.
    pub async fn run(self, mut stop: Stop) {
        let ended = {
            let mut stop = stop.clone();
            async move {
                stop.asked().await;
                sleep(LAST).await;
            }
        };
        let mut task = Task::new(self);
        tokio::select! {
            () = ended => {}
            () = task.serve(&mut stop) => {}
        }
    }
}

struct Task {
    worker: Worker,
    since: Time,
    pace: Pace,
    queue: Queue,
    /// When the receiver was first notified of anything, as far as is known.
    first_notified: Option<Time>,
    /// The mark of the address that does not accept messages any more.
    gone: Option<u64>,
}

impl Task {
    fn new(worker: Worker) -> Self {
        let since = clock::now();
        let pace = Pace::new(&worker.name, since);
        worker.metrics.receiver(&worker.name);
        Self { worker, since, pace, queue: Queue::default(), first_notified: None, gone: None }
    }

    /// Runs until the stop is requested.
    async fn serve(&mut self, stop: &mut Stop) {
        loop {
            let mut leadership = self.worker.leadership.clone();
            tokio::select! {
                biased;
                () = stop.asked() => return,
                () = leadership.acquired() => {}
            }
            let wait = self.step().await;
            tokio::select! {
                biased;
                () = stop.asked() => return,
                () = sleep(wait) => {}
                () = self.worker.ledger.changed() => {}
                Ok(()) = self.worker.config.changed() => {}
            }
        }
    }

    /// Does what is due now; returns how long to wait before the next step if nothing happens.
    async fn step(&mut self) -> Duration {
        if self.worker.ledger.record() == Record::Unknown {
            return LOOK;
        }
        let next = self.look();
        self.worker.metrics.notifications_pending(&self.worker.name, self.queue.pending());
        if self.is_gone() {
            return ADDRESS;
        }
        let now = clock::now();
        match next {
            Next::Send(dispatch) => {
                self.deliver(&dispatch).await;
                Duration::ZERO
            }
            Next::Wait(until) => until.since(now).clamp(Duration::from_millis(1), LOOK),
            Next::Nothing => LOOK,
        }
    }

    /// Takes in changes; decides what to do next.
    fn look(&mut self) -> Next {
        let others = self.worker.config.has_changed().unwrap_or(false);
        let config = Arc::clone(&self.worker.config.borrow_and_update());
        let notifications = &config.notifications;
        let settings = pace(&notifications.timing, &self.worker.sender);
        let news = self.worker.ledger.take();
        self.first_notified = news.first_notified.or(self.first_notified);
        let past = Past { since: self.since, first_notified: self.first_notified, not_before: self.pace.not_before() };
        let (receiver, routes) = (self.worker.name.as_str(), &notifications.routes);
        let grants = &config.grants;
        let measure = Measure { receiver, routes, grants, settings: &settings, past, now: clock::now() };
        let quiet = self.queue.take_in(news, &measure);
        self.worker.ledger.settle(quiet.iter());
        if others {
            // With other routes, findings that needed no notification may need one: everything is read
            // again.
            self.worker.ledger.forget();
            let news = self.worker.ledger.take();
            let quiet = self.queue.take_in(news, &measure);
            self.worker.ledger.settle(quiet.iter());
        }
        self.queue.next(&measure)
    }

    async fn deliver(&mut self, dispatch: &Dispatch) {
        let leadership = self.worker.leadership.clone();
        let config = Arc::clone(&self.worker.config.borrow());
        let names = Names { cluster: config.cluster_name.as_deref(), runbook: config.runbook_url.as_deref() };
        let reply = self.worker.sender.send(dispatch, names, || leadership.holds()).await;
        let now = clock::now();
        match reply {
            Reply::Delivered => {
                self.worked(now);
                self.count(Sent::Delivered);
                self.record(dispatch, now, &Outcome::Delivered).await;
            }
            Reply::Refused(why) => {
                let receiver = self.worker.name.as_str();
                warn!(
                    receiver,
                    why,
                    message = summary(dispatch),
                    "A message is refused for good, and is not sent again"
                );
                self.pace.answered(now);
                self.count(Sent::Refused);
                self.record(dispatch, now, &Outcome::Refused(why)).await;
            }
            Reply::Failed { why, wait } => self.failed(now, &why, wait),
            Reply::Gone(why) => self.stop_sending(&why),
            Reply::Withheld => {}
        }
    }

    fn worked(&mut self, now: Time) {
        if self.pace.failures() >= WORTH_A_LOOK {
            info!(receiver = self.worker.name, "A receiver takes messages again");
        }
        self.pace.answered(now);
    }

    fn failed(&mut self, now: Time, why: &str, wait: Option<Duration>) {
        self.pace.failed(now, wait);
        self.count(Sent::Retried);
        let (receiver, failures) = (self.worker.name.as_str(), self.pace.failures());
        if failures == WORTH_A_LOOK {
            warn!(receiver, why, failures, "Cannot notify a receiver; retrying");
        } else {
            info!(receiver, why, failures, "A message could not be sent; retrying");
        }
    }

    /// Stops sending until the address changes.
    fn stop_sending(&mut self, why: &str) {
        let receiver = self.worker.name.as_str();
        error!(receiver, why, "A receiver is stopped: nothing is sent to it until its address or key changes");
        self.count(Sent::Refused);
        self.worker.metrics.receiver_stopped(receiver);
        self.gone = Some(self.worker.sender.mark().unwrap_or_default());
    }

    /// Whether the address is still the one that accepts nothing.
    fn is_gone(&mut self) -> bool {
        let Some(gone) = self.gone else { return false };
        let mark = self.worker.sender.mark();
        // An address that cannot be read is not one to continue with.
        if mark.is_none_or(|mark| mark == gone) {
            return true;
        }
        info!(receiver = self.worker.name, "A receiver has another address or key: sending to it again");
        self.worker.metrics.receiver_resumed(&self.worker.name);
        self.gone = None;
        false
    }

    /// Has the notification recorded, and waits for that: after a kill at most one message was sent and not
    /// recorded.
    async fn record(&mut self, dispatch: &Dispatch, now: Time, outcome: &Outcome) {
        let records = dispatch.records(&self.worker.name, now, outcome);
        let keys: Vec<ObjectKey> = records.iter().map(|(identity, _)| ObjectKey::from_identity(identity)).collect();
        self.worker.ledger.notified(&records);
        while self.worker.leadership.holds() && !self.worker.ledger.is_recorded(&keys) {
            // Losing the leadership wakes nobody.
            let _ = timeout(Duration::from_secs(1), self.worker.ledger.changed()).await;
        }
    }

    fn count(&self, outcome: Sent) {
        self.worker.metrics.notification(&self.worker.name, outcome);
    }
}

fn pace(timing: &settings::Timing, sender: &Sender) -> Settings {
    Settings {
        changes_every: timing.changes_every,
        remind_every: timing.remind_every,
        digest_above: timing.digest_above,
        holds: sender.holds(),
    }
}

/// What a message is about, for the log.
fn summary(dispatch: &Dispatch) -> String {
    const LONGEST: usize = 200;
    let first = dispatch.news().first().map(|news| crate::report::headline::subject(&news.finding));
    let more = dispatch.news().len().saturating_sub(1);
    let text = match (first, more) {
        (None, _) => String::new(),
        (Some(first), 0) => first,
        (Some(first), more) => format!("{first} and {more} more"),
    };
    crate::text::escape::terminal(&text, LONGEST)
}
