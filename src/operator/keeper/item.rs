//! One object: its stored state, and what to do with it. Pure: time comes in.

use std::time::Duration;

use tokio::time::Instant;

use super::action::{Action, LONGEST_PAUSE, Setback};
use super::state::{Kept, Key, Wanted};
use crate::report::object::FindingState;
use crate::time::Time;
use crate::time::doubling::Doubling;

/// Minimum interval between writes that change only counts.
const COUNTS: Duration = Duration::from_mins(1);
/// How far urgent writes go ahead of those that can wait, when all are due at once.
const FIRST: Duration = Duration::from_millis(1);
/// Minimum interval between writes of one finding, whatever happens.
pub const PAUSE: Duration = Duration::from_secs(1);
/// Back-off between attempts that fail or are contested.
const PAUSES: Doubling = Doubling { first: PAUSE, longest: LONGEST_PAUSE };
/// Overwrites in a row that are taken for another controller rather than a person's mistake.
const CONTESTS: u32 = 5;

/// The state of one object. Most are at rest, and then take little memory.
#[derive(Debug, Default)]
pub struct Item {
    kept: Option<Kept>,
    /// The version of its deletion, if it was deleted.
    gone: u64,
    /// The list in which it was last seen.
    pub list: u32,
    /// The sweep that last scheduled a read of it; 0 for none.
    pub read: u32,
    motion: Option<Box<Motion>>,
}

/// Pending and past actions on an object.
#[derive(Debug, Default)]
pub struct Motion {
    /// The desired content.
    pub wanted: Option<Wanted>,
    /// Whether notifications are to be recorded in it.
    pub owes: bool,
    /// Whether it is to be removed.
    pub retires: bool,
    /// Whether it is to be read.
    pub reads: bool,
    /// When the next action is due.
    pub due: Option<Instant>,
    written: Option<Instant>,
    /// The mark of what was last written.
    left: Option<u64>,
    /// How often in a row somebody else overwrote it.
    contests: u32,
    failures: u32,
    /// No writes before this time.
    not_before: Option<Instant>,
    busy: Option<Busy>,
}

/// The action in progress; for a write, with the mark of what is written.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Busy {
    /// It is being written.
    Writing(u64),
    /// Notifications are being recorded in it; whether there were more since that began.
    Recording { more: bool },
    /// Another change or a read.
    Other,
}

/// The next action on an object.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// Write its content.
    Write,
    /// Record notifications.
    Record,
    /// Remove it.
    Remove,
    /// Read it.
    Read,
}

impl Item {
    /// Its pending actions, for modification.
    pub fn motion(&mut self) -> &mut Motion {
        self.motion.get_or_insert_default()
    }

    /// The object, if no action is pending.
    pub fn at_rest(&self) -> Option<&Kept> {
        self.kept.as_ref().filter(|_| !self.is_moving())
    }

    /// Whether actions are pending, or would be if it changed.
    pub const fn is_moving(&self) -> bool {
        self.motion.is_some()
    }

    /// Whether its desired content is an open finding.
    pub fn is_wanted_open(&self) -> bool {
        self.wanted().is_some_and(|wanted| !wanted.is_over())
    }

    /// Whether its finding is unknown here.
    pub fn is_unwanted(&self) -> bool {
        self.wanted().is_none()
    }

    /// Whether there is neither an object nor a pending action.
    pub const fn is_nothing(&self) -> bool {
        self.kept.is_none() && self.motion.is_none()
    }

    /// Whether it was not in any list since that one, and no action is in progress.
    pub fn is_missing_since(&self, list: u32) -> bool {
        self.kept.is_some() && self.list < list && self.motion.as_ref().is_none_or(|motion| motion.busy.is_none())
    }

    /// Takes in the object as it is; `false` if a newer version is known.
    pub fn saw(&mut self, mut kept: Kept) -> bool {
        let known = self.kept.as_ref().map_or(self.gone, |known| known.version);
        if kept.version != 0 && kept.version <= known {
            return false;
        }
        if let (true, Some(before)) = (self.is_unwanted(), &self.kept) {
            // A resolved episode stays resolved, whatever a person writes into its object.
            if kept.over.is_none() && kept.episode == before.episode && kept.uid == before.uid {
                kept.over = before.over;
            }
        }
        self.kept = Some(kept);
        true
    }

    /// Takes in its deletion; `false` if a newer version is known.
    pub fn gone(&mut self, version: u64) -> bool {
        let known = self.kept.as_ref().map_or(self.gone, |kept| kept.version);
        if version != 0 && version < known {
            return false;
        }
        self.gone = known.max(version);
        self.kept = None;
        if let Some(motion) = &mut self.motion {
            motion.left = None;
            (motion.retires, motion.reads) = (false, false);
            motion.wanted.take_if(|wanted| wanted.is_over());
        }
        true
    }

    /// Objects that somebody else keeps overwriting, as a second replica without a Lease would, are written
    /// less and less often.
    pub fn is_contested(&mut self, now: Instant) -> bool {
        let (Some(kept), Some(motion)) = (&self.kept, &mut self.motion) else { return false };
        let (Some(left), Some(written)) = (motion.left, motion.written) else { return false };
        // A change seen during a write is our own.
        if kept.marks.whole == left || motion.busy.is_some() {
            return false;
        }
        motion.contests = if now - written < 2 * LONGEST_PAUSE { motion.contests.saturating_add(1) } else { 1 };
        let pause = PAUSES.after(motion.contests - 1);
        motion.not_before = motion.not_before.max(Some(now + pause));
        motion.left = None;
        motion.contests >= CONTESTS
    }

    /// Drops desired content that was written as resolved, by whomever, and the pending state of an object
    /// at rest.
    pub fn forget_what_is_done(&mut self) {
        let Some(motion) = &mut self.motion else { return };
        let busy = motion.busy.is_some();
        let is_done = |wanted: &Wanted| match &self.kept {
            Some(kept) => kept.over.is_some() && kept.episode >= wanted.episode(),
            // Nobody has to be informed of the withdrawal of something that was never shown.
            None => wanted.state() == FindingState::Withdrawn && !busy,
        };
        motion.wanted.take_if(|wanted| wanted.is_over() && is_done(wanted));
        // There is nothing to record it in, and there will be nothing.
        motion.owes &= self.kept.is_some() || motion.wanted.is_some() || busy;
        let idle = motion.wanted.is_none() && !(busy || motion.owes || motion.retires || motion.reads);
        if idle && motion.due.is_none() {
            self.motion = None;
        }
    }

    /// When the next action is due; it then has to be scheduled anew.
    pub fn take_due(&mut self) -> Option<Instant> {
        self.motion.as_mut()?.due.take()
    }

    /// When the next action is due, if any.
    pub fn next(&mut self, hurry: Option<Instant>, now: Instant) -> Option<Instant> {
        let next = self.steps(hurry, now).into_iter().flatten().map(|(at, _)| at).min();
        if next.is_none() {
            self.forget_what_is_done();
        }
        next
    }

    /// Begins the action that is due.
    pub fn begin(&mut self, key: &Key, hurry: Option<Instant>, now: Instant) -> Option<Action> {
        self.take_due();
        let due = self.steps(hurry, now).into_iter().flatten().filter(|(at, _)| *at <= now);
        let (_, step) = due.min_by_key(|(_, step)| *step)?;
        let (exists, version) = (self.kept.is_some(), self.kept.as_ref().map_or(0, |kept| kept.version));
        let motion = self.motion.as_mut()?;
        let key = key.clone();
        let (busy, action) = match step {
            Step::Write => {
                let wanted = motion.wanted.as_ref()?;
                let object = Box::new(wanted.object());
                (Busy::Writing(wanted.marks.whole), Action::Write { key, object, exists })
            }
            Step::Record => (Busy::Recording { more: false }, Action::Record { key }),
            Step::Remove => (Busy::Other, Action::Remove { key, version }),
            Step::Read => (Busy::Other, Action::Read { key }),
        };
        motion.busy = Some(busy);
        Some(action)
    }

    /// The action in progress has ended; returns which it was.
    pub fn ended(&mut self, now: Instant) -> Option<Busy> {
        let motion = self.motion();
        let was = motion.busy.take();
        (motion.retires, motion.reads) = (false, false);
        if matches!(was, Some(Busy::Writing(_))) {
            motion.not_before = Some(now + PAUSE);
        }
        was
    }

    /// It was written; if it is not stored as written, it is not rewritten every second.
    pub fn wrote(&mut self, mark: u64, stands: bool, now: Instant) {
        let motion = self.motion();
        (motion.written, motion.left) = (Some(now), Some(mark));
        if stands {
            motion.failures = 0;
        } else {
            self.failed(Setback::own(PAUSE), now);
        }
    }

    /// Notifications are to be recorded. A record in progress may be older, and incomplete.
    pub fn owe(&mut self) {
        let motion = self.motion();
        motion.owes = true;
        if let Some(Busy::Recording { more }) = &mut motion.busy {
            *more = true;
        }
    }

    /// Notifications are recorded, or need not be. The object may differ from what was written otherwise.
    pub fn recorded(&mut self, was: Option<Busy>, mark: Option<u64>) {
        let motion = self.motion();
        motion.owes = was == Some(Busy::Recording { more: true });
        if mark.is_some() {
            motion.failures = 0;
        }
    }

    /// Treat it as resolved since then: nobody will ever resolve it otherwise.
    pub fn is_over_since(&mut self, over: Time) {
        if let Some(kept) = &mut self.kept {
            kept.over.get_or_insert(over);
        }
    }

    /// It cannot exist.
    pub fn give_up(&mut self) {
        self.kept = None;
        self.motion = None;
    }

    /// An action failed.
    pub fn failed(&mut self, setback: Setback, now: Instant) {
        let motion = self.motion();
        let pause = PAUSES.after(motion.failures);
        motion.failures = motion.failures.saturating_add(1);
        motion.not_before = Some(now + pause.max(setback.at_least).min(setback.at_most));
    }

    /// The common obstacle is gone.
    pub fn is_back(&mut self, now: Instant) {
        if let Some(motion) = self.motion.as_mut().filter(|motion| motion.failures > 0) {
            motion.failures = 0;
            motion.not_before = motion.not_before.map(|at| at.min(now));
        }
    }

    fn wanted(&self) -> Option<&Wanted> {
        self.motion.as_ref()?.wanted.as_ref()
    }

    /// When each action is due; none while one is in progress.
    fn steps(&self, hurry: Option<Instant>, now: Instant) -> [Option<(Instant, Step)>; 4] {
        let Some(motion) = self.motion.as_ref().filter(|motion| motion.busy.is_none()) else { return [None; 4] };
        // A failure delays everything; the pause between two writes delays only writes.
        let after_failures = motion.not_before.filter(|_| motion.failures > 0);
        let pause = if hurry.is_some() { after_failures } else { motion.not_before };
        // Ahead of all counts, which are due since the hurry began.
        let soon_at = hurry.map_or(now, |since| since.checked_sub(FIRST).unwrap_or(since));
        let from = |at: Instant, pause: Option<Instant>| pause.map_or(at, |pause| at.max(pause));
        let write = self.write_at(motion, hurry, soon_at).map(|at| (from(at, pause), Step::Write));
        let soon = |step: Step, wanted: bool| wanted.then(|| (from(soon_at, after_failures), step));
        let exists = self.kept.is_some();
        [
            write,
            soon(Step::Record, motion.owes && exists),
            soon(Step::Remove, motion.retires && exists && motion.wanted.is_none() && !motion.owes),
            soon(Step::Read, motion.reads && exists && motion.wanted.is_none()),
        ]
    }

    fn write_at(&self, motion: &Motion, hurry: Option<Instant>, soon: Instant) -> Option<Instant> {
        match (&motion.wanted, &self.kept) {
            (None, _) => None,
            (Some(wanted), Some(kept)) if wanted.marks.whole == kept.marks.whole => None,
            (Some(wanted), Some(kept)) if wanted.marks.essence == kept.marks.essence => {
                Some(hurry.unwrap_or(motion.written.map_or(soon, |written| written + COUNTS)))
            }
            (Some(_), _) => Some(soon),
        }
    }
}
