//! Objects and fields that cannot be used: each is counted, and a readable number of them is logged.

use std::time::Duration;

use tracing::{error, warn};

use crate::source::objects::{Maybe, ObjectMeta, Oddity, Shape};
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

    /// Skips an object of the cluster.
    pub fn skip<M: Shape, T>(
        &mut self,
        kind: Kind,
        metadata: &Maybe<ObjectMeta<M>>,
        oddity: &Oddity,
        now: Time,
    ) -> Option<T> {
        self.note(kind, Loss::Object, &place(metadata), oddity, now);
        None
    }

    /// Takes in the oddities of an object that is used.
    pub fn pass_over<M: Shape>(&mut self, kind: Kind, metadata: &Maybe<ObjectMeta<M>>, odd: &[Oddity], now: Time) {
        for oddity in odd {
            self.note(kind, Loss::Field, &place(metadata), oddity, now);
        }
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

fn place<M: Shape>(metadata: &Maybe<ObjectMeta<M>>) -> String {
    let place = metadata.ok().and_then(|metadata| metadata.identity().ok());
    place.map_or_else(|| "an object without a name".to_owned(), |(namespace, name)| format!("{namespace}/{name}"))
}
