//! The stop signal of the operator's tasks.

use tokio::sync::watch;

/// Signals all holders of the other end to stop, at the latest when it is dropped.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Receives the stop signal; cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stopper {
    /// Both ends.
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    /// Sends the stop signal.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Waits for the stop signal.
    pub async fn asked(&mut self) {
        // The sender is gone: that means stop too.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}
