//! A recording as a source of updates, at the desired pace.

use std::io::Read;
use std::path::Path;
use std::sync::mpsc::SyncSender;

use super::news::{News, Unusable};
use crate::cli::args::Scope;
use crate::cli::error::Error;
use crate::cli::pace::{Pace, Speed};
use crate::cli::recording::{open, unpack, verdict};
use crate::engine::Engine;
use crate::replay::{Moment, replay};
use crate::source::recording::Skipped;
use crate::time::Time;

/// A recording that can be opened.
pub struct Recording {
    name: String,
    input: Box<dyn Read + Send>,
    speed: Speed,
}

impl Recording {
    /// Opens the path; `-` is standard input.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(path: &Path, speed: Speed) -> Result<Self, Error> {
        let (input, _) = open(path)?;
        Ok(Self { name: path.display().to_string(), input, speed })
    }

    /// Plays it to its end, or as long as the updates are received.
    pub fn play(self, news: &SyncSender<News>, wanted: &Scope) {
        let Self { name, input, speed } = self;
        let mut teller = Teller { news, wanted, pace: Pace::new(speed), is_heard: true };
        let outcome = unpack(&name, input).and_then(|lines| {
            let replayed = replay(lines, &mut Engine::default(), |moment| teller.tell(moment));
            verdict(&name, replayed)
        });
        teller.send(News::Over(outcome));
    }
}

struct Teller<'a> {
    news: &'a SyncSender<News>,
    wanted: &'a Scope,
    pace: Pace,
    /// Whether the updates are still received.
    is_heard: bool,
}

impl Teller<'_> {
    fn tell(&mut self, moment: Moment<'_>) {
        match moment {
            Moment::Record(progress) => {
                let at = progress.record.at;
                self.reach(at);
                if let Some(news) = progress.observation.and_then(|observation| News::from_observation(observation, at))
                {
                    self.send(news);
                }
            }
            Moment::Answer(answer) => {
                // The time of an answer does not matter for its content.
                if let Some(news) = News::from_observation(answer, Time::default()) {
                    self.send(news);
                }
            }
            Moment::Change(change) => {
                self.reach(change.at);
                if self.wanted.includes(&change.finding.namespace, &change.finding.labels) {
                    self.send(News::Change(change));
                }
            }
            Moment::Skipped(skipped) => self.unusable(skipped, true),
            Moment::Odd(odd) => self.unusable(odd, false),
        }
    }

    /// Waits until it is time.
    fn reach(&mut self, at: Time) {
        if self.is_heard {
            self.pace.wait_for(at);
            self.send(News::Time(at));
        }
    }

    fn unusable(&mut self, Skipped { line, what }: Skipped, is_whole: bool) {
        self.send(News::Unusable(Unusable { line, what, is_whole }));
    }

    fn send(&mut self, news: News) {
        self.is_heard = self.is_heard && self.news.send(news).is_ok();
    }
}
