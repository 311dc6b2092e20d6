//! Which of several replicas writes and sends: the one that holds a Lease (`coordination.k8s.io/v1`).
//!
//! [`evaluate`] is pure and decides; [`Candidate`] reads and writes. What makes it safe:
//! - Every write carries the `resourceVersion` that it rests on: of two that reach for the Lease at
//!   once, one gets 409.
//! - Nobody's clock is trusted: a Lease has run out when it did not change for its duration, by the
//!   monotonic clock of whoever looks at it (as client-go does, `leaderelection.go`).
//! - The holder stops [`RENEWAL`] after it *sent* its last renewal that arrived; others take over
//!   [`DURATION`] after they saw it. What lies between is left for writes that are on their way.

mod api;

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

pub use api::{Trouble, VersionedLease};

/// How long a Lease holds after its last change.
pub const DURATION: Duration = Duration::from_secs(10);
/// How long a holder leads after its last renewal.
pub const RENEWAL: Duration = Duration::from_secs(6);
/// How often it is renewed, and looked at by those who wait.
pub const RETRY: Duration = Duration::from_secs(2);
/// Longest duration that is believed of another holder: a Lease edited by hand shall not keep
/// everybody out for ever.
const LONGEST: Duration = Duration::from_mins(1);
/// How long the release may take on the way out.
const RELEASE: Duration = Duration::from_secs(1);

/// What a Lease says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Who holds it; `None`: it was released.
    pub holder: Option<String>,
    /// For how long without a renewal.
    pub duration: Option<Duration>,
    /// How often it went from one holder to another.
    pub transitions: i32,
    /// When it was last renewed, by the holder's clock: compared, never believed.
    pub renewed: Option<i64>,
}

/// A Lease as it was seen.
#[derive(Clone, Debug)]
pub struct Observed {
    /// What it says.
    pub record: Record,
    /// Since when it has said so, by this machine's monotonic clock.
    pub since: Instant,
}

/// What is to be done.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// There is none: make it.
    Create,
    /// Nobody holds it any more: take it, as that transition.
    Acquire {
        /// How often it will have gone from one holder to another.
        transitions: i32,
    },
    /// It is held by this replica.
    Renew,
    /// Another one holds it.
    Standby,
}

/// What is to be done about a Lease that was so observed.
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

/// Reaches for a Lease, and keeps it.
#[derive(Debug)]
pub struct Candidate {
    lease: VersionedLease,
    me: String,
    held_until: watch::Sender<Option<Instant>>,
    observed: Option<Observed>,
    /// Who was last said to lead.
    leader: Option<String>,
    /// What was last said to be in the way.
    trouble: Option<Trouble>,
}

impl Candidate {
    /// A candidate of that name; until when it leads goes to `held_until`.
    pub const fn new(lease: VersionedLease, me: String, held_until: watch::Sender<Option<Instant>>) -> Self {
        Self { lease, me, held_until, observed: None, leader: None, trouble: None }
    }

    /// Reaches for the Lease until `stop`, then gives it back, so that another one leads at once.
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

    /// Looks at the Lease and does what is to be done.
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

    /// Leads no more from here on, and says so where the others read it.
    async fn release(mut self) {
        self.held_until.send_replace(None);
        match tokio::time::timeout(RELEASE, self.give_back()).await {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => info!(lease = %self.lease, "Gave the Lease back"),
            Ok(Err(trouble)) => warn!(lease = %self.lease, %trouble, "Could not give the Lease back"),
            Err(_) => warn!(lease = %self.lease, "Could not give the Lease back in time"),
        }
    }

    /// Whether it was there to be given back: a write that was on its way at the end may have
    /// arrived, or not.
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

    /// Says each kind of trouble once in a row, and when it has cost the lead.
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
