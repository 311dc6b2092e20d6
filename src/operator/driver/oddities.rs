//! Objects and fields that cannot be used: each is counted, and a readable number of them is logged.

use std::borrow::Borrow;
use std::time::Duration;

use tracing::{error, warn};

use crate::source::Input;
use crate::source::objects::{EventLite, Maybe, ObjectMeta, Oddity, PodLite, Shape};
use crate::text::escape::terminal;
use crate::time::Time;

/// Logged in a row before logging stops until [`QUIET`] has passed.
const MAX_LOGGED: u32 = 10;
/// A tenant may write odd objects as fast as the API server accepts them.
const QUIET: Duration = Duration::from_mins(10);
/// Maximum length of a logged place or oddity, in columns.
const TOLD: usize = 300;

/// The kind of object.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A pod.
    Pod,
    /// An event.
    Event,
    /// A related object that was looked up.
    Related,
}

/// What an oddity costs.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Loss {
    /// The whole object: it is skipped.
    Object,
    /// Only the field.
    Field,
}

/// Counts what was skipped.
pub type Skipped = Box<dyn Fn(Kind, Loss) + Send>;

/// Counts and logs oddities.
pub(super) struct Oddities {
    skipped: Skipped,
    since: Time,
    notified: u32,
}

impl Oddities {
    pub fn new(skipped: Skipped) -> Self {
        Self { skipped, since: Time::default(), notified: 0 }
    }

    /// Counts an oddity, and logs it unless many were logged recently.
    pub fn note(&mut self, kind: Kind, loss: Loss, place: &str, oddity: &Oddity, now: Time) {
        (self.skipped)(kind, loss);
        if now.since(self.since) >= QUIET {
            (self.since, self.notified) = (now, 0);
        }
        self.notified = self.notified.saturating_add(1);
        if self.notified > MAX_LOGGED {
            return;
        }
        let object = terminal(place, TOLD);
        let what = terminal(&oddity.to_string(), TOLD);
        let more =
            if self.notified == MAX_LOGGED { "further ones are counted, and not told for ten minutes" } else { "" };
        match loss {
            Loss::Object => error!(?kind, object, what, more, "Skipped an object that does not fit the API"),
            Loss::Field => warn!(?kind, object, what, more, "Ignored a field that does not fit the API"),
        }
    }
}

/// What an input is about: its kind, and its namespace and name.
pub(super) fn place<P: Borrow<PodLite>, E: Borrow<EventLite>>(input: &Input<P, E>) -> (Kind, String) {
    match input {
        Input::Pod(pod, _) | Input::PodGone(pod) => (Kind::Pod, name(&pod.borrow().metadata)),
        Input::Event(event) => (Kind::Event, name(&event.borrow().metadata)),
        // Nothing of a list's begin or end is odd.
        Input::ListStarted(_) | Input::ListFinished(_) => (Kind::Pod, String::new()),
    }
}

fn name<M: Shape>(metadata: &Maybe<ObjectMeta<M>>) -> String {
    let place = metadata.ok().and_then(|metadata| metadata.identity().ok());
    place.map_or_else(|| "an object without a name".to_owned(), |(namespace, name)| format!("{namespace}/{name}"))
}
