//! Which of several replicas writes and sends: the one that holds a Lease (`coordination.k8s.io/v1`).
//!
//! [`evaluate`] is pure and decides; [`Candidate`] reads and writes. What makes it safe:
//! - Every write carries the `resourceVersion` that it is based on: of two replicas that try to acquire the
//!   Lease at once, one gets 409.
//! - No clock but one's own is trusted: a Lease has expired when it did not change for its duration, by the
//!   observer's monotonic clock (as client-go does, `leaderelection.go`).
//! - The holder stops [`RENEWAL`] after it *sent* its last renewal that arrived; others take over
//!   [`DURATION`] after they saw it. The gap is left for writes in flight.

mod api;

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

pub use api::{Trouble, VersionedLease};

/// How long a Lease is valid after its last change.
pub const DURATION: Duration = Duration::from_secs(10);
/// How long a holder leads after its last renewal.
pub const RENEWAL: Duration = Duration::from_secs(6);
/// How often it is renewed, and polled by standby replicas.
pub const RETRY: Duration = Duration::from_secs(2);
/// Maximum lease duration accepted from another holder: a Lease edited by hand must not lock everyone out
/// forever.
const LONGEST: Duration = Duration::from_mins(1);
/// Time limit for the release on shutdown.
const RELEASE: Duration = Duration::from_secs(1);

/// The content of a Lease.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The holder; `None` if it was released.
    pub holder: Option<String>,
    /// How long it is valid without a renewal.
    pub duration: Option<Duration>,
    /// How often its holder has changed.
    pub transitions: i32,
    /// When it was last renewed, by the holder's clock: only compared, never trusted.
    pub renewed: Option<i64>,
}

/// A Lease as it was observed.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its content.
    pub record: Record,
    /// Since when it has had this content, by this machine's monotonic clock.
    pub since: Instant,
}

/// What to do about a Lease.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It does not exist: create it.
    Create,
    /// It has expired or was released: acquire it, with this transition count.
    Acquire {
        /// The number of transitions after that.
        transitions: i32,
    },
    /// This replica holds it: renew it.
    Renew,
    /// Another replica holds it.
    Standby,
}

/// Decides what to do about an observed Lease.
pub fn evaluate(observed: Option<&Observed>, me: &str, now: Instant) -> Verdict {
    let Some(Observed { record, since }) = observed else {
        return Verdict::Create;
    };
    let acquire = Verdict::Acquire { transitions: record.transitions.max(0).saturating_add(1) };
    match &record.holder {
        None => acquire,
        Some(holder) if holder == me => Verdict::Renew,
        Some(_) => {
            let duration = record.duration.unwrap_or(DURATION).clamp(Duration::from_secs(1), LONGEST);
            if now >= *since + duration { acquire } else { Verdict::Standby }
        }
    }
}

/// Tries to acquire a Lease, and keeps it.
#[derive(Debug)]
pub struct Candidate {
    lease: VersionedLease,
    me: String,
    held_until: watch::Sender<Option<Instant>>,
    observed: Option<Observed>,
    /// The leader last logged.
    leader: Option<String>,
    /// The trouble last logged.
    trouble: Option<Trouble>,
}

impl Candidate {
    /// A candidate of that name; `held_until` is sent the time until which it leads.
    pub const fn new(lease: VersionedLease, me: String, held_until: watch::Sender<Option<Instant>>) -> Self {
        Self { lease, me, held_until, observed: None, leader: None, trouble: None }
    }

    /// Runs for the Lease until `stop`, then releases it so that another replica leads at once.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let next = Instant::now() + RETRY;
            tokio::select! {
                biased;
                () = &mut stop => return self.release().await,
                () = self.round() => {}
            }
            tokio::select! {
                biased;
                () = &mut stop => return self.release().await,
                () = tokio::time::sleep_until(next) => {}
            }
        }
    }

    /// Reads the Lease and acts on it.
    async fn round(&mut self) {
        let sent = Instant::now();
        match self.attempt().await {
            Ok(leads) => {
                self.trouble = None;
                if leads {
                    self.held_until.send_replace(Some(sent + RENEWAL));
                }
                self.say_who_leads();
            }
            Err(trouble) => self.report(trouble),
        }
    }

    /// Whether the Lease was acquired or renewed.
    async fn attempt(&mut self) -> Result<bool, Trouble> {
        if self.lease.is_unread() || !self.is_mine() {
            let record = self.lease.read().await?;
            self.observe(record);
        }
        let transitions = match evaluate(self.observed.as_ref(), &self.me, Instant::now()) {
            Verdict::Standby => return Ok(false),
            Verdict::Create => 0,
            Verdict::Acquire { transitions } => transitions,
            Verdict::Renew => self.transitions(),
        };
        let record = self.lease.write(Some(&self.me), transitions).await?;
        self.observe(Some(record));
        Ok(self.is_mine())
    }

    fn observe(&mut self, record: Option<Record>) {
        match record {
            None => self.observed = None,
            Some(record) if self.observed.as_ref().is_some_and(|observed| observed.record == record) => {}
            Some(record) => self.observed = Some(Observed { record, since: Instant::now() }),
        }
    }

    fn holder(&self) -> Option<&str> {
        self.observed.as_ref()?.record.holder.as_deref()
    }

    fn is_mine(&self) -> bool {
        self.holder() == Some(&self.me)
    }

    fn transitions(&self) -> i32 {
        self.observed.as_ref().map_or(0, |observed| observed.record.transitions)
    }

    /// Stops leading from here on, and releases the Lease for the others to see.
    async fn release(mut self) {
        self.held_until.send_replace(None);
        match tokio::time::timeout(RELEASE, self.give_back()).await {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => info!(lease = %self.lease, "Gave the Lease back"),
            Ok(Err(trouble)) => warn!(lease = %self.lease, %trouble, "Could not give the Lease back"),
            Err(_) => warn!(lease = %self.lease, "Could not give the Lease back in time"),
        }
    }

    /// Whether there was a Lease to release: a write that was in flight at the end may have arrived, or
    /// not.
    async fn give_back(&mut self) -> Result<bool, Trouble> {
        let record = self.lease.read().await?;
        self.observe(record);
        if !self.is_mine() {
            return Ok(false);
        }
        self.lease.write(None, self.transitions()).await.map(|_| true)
    }

    fn say_who_leads(&mut self) {
        let leader = self.holder().map(str::to_owned);
        if leader == self.leader {
            return;
        }
        match &leader {
            Some(leader) if *leader == self.me => info!(lease = %self.lease, me = self.me, "Became the leader"),
            Some(leader) => info!(lease = %self.lease, me = self.me, leader, "Another replica is the leader"),
            None => info!(lease = %self.lease, me = self.me, "There is no leader"),
        }
        self.leader = leader;
    }

    /// Logs each kind of trouble once in a row, and again when it has cost the lead.
    fn report(&mut self, trouble: Trouble) {
        let expired = self.held_until.borrow().is_none_or(|until| until <= Instant::now());
        if expired && self.leader.take_if(|leader| *leader == self.me).is_some() {
            warn!(lease = %self.lease, %trouble, "Could not renew the Lease in time: no longer the leader");
        }
        let known = self.trouble.as_ref().is_some_and(|known| known.is_like(&trouble));
        if !known && !matches!(trouble, Trouble::Lost) {
            warn!(lease = %self.lease, %trouble, hint = trouble.hint(), "Cannot read or write the Lease; trying again");
            self.trouble = Some(trouble);
        }
    }
}

#[cfg(test)]
mod tests;
