//! How the operator is asked to end.

use tokio::sync::watch;

/// Asks all that hold the other end to stop, at the latest when it is dropped.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Tells that the end was asked for; cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stopper {
    /// Both ends.
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    /// Asks for the end.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Waits until the end is asked for.
    pub async fn asked(&mut self) {
        // Nobody can ask any more: that is the end too.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}
