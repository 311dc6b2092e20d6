//! Performs an action on one object.

use tokio::sync::{mpsc, oneshot};

use super::action::Action;
use super::refusal::Refusal;
use super::state::{Kept, Key};
use super::store::Store;
use super::stored::Stored;
use crate::operator::driver::Memory;
use crate::report::object::Notification;

/// The result of an action.
#[derive(Debug)]
pub enum Done {
    /// It was written, and is stored like this.
    Wrote(Kept),
    /// The notifications are recorded, and the object is stored like this.
    Recorded(Kept, Vec<Notification>),
    /// The notifications will never be accepted; why.
    Unrecordable(String),
    /// It was read; whether it holds a finding, which the engine knows by now.
    Read(bool),
    /// It was removed.
    Removed,
}

/// Performs one action.
pub struct Worker {
    /// Access to the objects.
    pub store: Store,
    /// Receives the findings read from objects.
    pub memories: mpsc::Sender<Memory>,
}

impl Worker {
    /// Performs the action.
    pub async fn perform(self, action: Action) -> (Key, Result<Done, Refusal>) {
        match action {
            Action::Write { key, object, exists } => {
                let written = self.store.write(&key, &object, exists).await;
                let done = written.and_then(|object| kept(&object)).map(Done::Wrote);
                (key, done)
            }
            Action::Read { key } => {
                let done = self.read(&key).await.map(Done::Read);
                (key, done)
            }
            Action::Remove { key, version } => {
                let done = self.store.remove(&key, version).await.map(|()| Done::Removed);
                (key, done)
            }
            Action::Record { key } => (key, Ok(Done::Unrecordable("nobody says what".to_owned()))),
        }
    }

    /// Records notifications.
    pub async fn record(self, key: Key, notified: Vec<Notification>) -> (Key, Result<Done, Refusal>) {
        let done = match self.store.record(&key, &notified).await {
            Ok(object) => kept(&object).map(|kept| Done::Recorded(kept, object.notifications().to_vec())),
            Err(refusal) if refusal.is_for_good() => Ok(Done::Unrecordable(refusal.to_string())),
            Err(refusal) => Err(refusal),
        };
        (key, done)
    }

    /// Passes an object's finding to the engine, which will resolve it.
    async fn read(&self, key: &Key) -> Result<bool, Refusal> {
        let Some((finding, _)) = self.store.read(key).await?.finding() else { return Ok(false) };
        let (taken, notified) = oneshot::channel();
        // If the engine's task has ended, so does this one.
        if self.memories.send(Memory { findings: vec![finding], taken }).await.is_ok() {
            let _ = notified.await;
        }
        Ok(true)
    }
}

/// The result of a write; it is the object of its finding, since it was written as that.
fn kept(object: &Stored) -> Result<Kept, Refusal> {
    Kept::from_object(object).map(|(_, kept)| kept).ok_or(Refusal::Changed)
}
