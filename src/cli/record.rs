//! `record`: records the watch streams of a cluster into a file.

mod output;
mod progress;
mod streams;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::runtime::Builder;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::args::Record;
use super::error::Error;
use super::run::told_to_end;
use crate::runtime::clock;
use crate::source::cluster::{Access, Target, Trouble};
use crate::source::recorder::{Disclosure, Redactor, Resource, Session, Sight, Sighting};
use output::Output;
use progress::Progress;
use streams::{Seen, Streams};

/// How often the output is flushed, and the progress is printed.
const BEAT: Duration = Duration::from_secs(1);

/// Longer than any recording: a year.
const FOR_EVER: Duration = Duration::from_hours(24 * 365);

/// Records until the time is over or it is stopped.
pub fn run(args: &Record) -> Result<(), Error> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Start(error.to_string()))?;
    // Fails if one is installed already, which is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime.block_on(record(args))
}

async fn record(args: &Record) -> Result<(), Error> {
    let target = Target { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
    let access = Access::find(&target, clock::now).await?;
    access.check().await?;
    // Created this late so that an attempt that cannot succeed leaves no file.
    let file = args.file.display().to_string();
    let output = Output::create(&args.file).map_err(|cause| Error::Create { file: file.clone(), cause })?;
    let namespaces = args.namespace.iter().map(|name| Arc::from(name.as_str())).collect::<BTreeSet<_>>();
    let streams = Streams::new(access, namespaces);
    let session =
        Session::new(output, redactor(if args.anonymize { Disclosure::Anonymous } else { Disclosure::Named })?);
    let mut recording = Recording { progress: Progress::new(clock::now()), streams, session, sight: None };
    let lasts = args.lasts.unwrap_or(FOR_EVER);
    let written = recording.go_on_for(lasts).await;
    let why_no_pods = recording.why_no_pods();
    match written.and_then(|()| recording.finish(&args.file)) {
        // A reader that closes the pipe has seen enough.
        Err(cause) if args.file == Path::new("-") && cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(cause) => Err(Error::Record { file, cause }),
        Ok(()) => why_no_pods.map_or(Ok(()), |trouble| Err(Error::NoPods(trouble.word(), file))),
    }
}

/// A redactor with a key that nobody keeps.
///
/// # Errors
/// The system has no random numbers.
pub(super) fn redactor(disclosure: Disclosure) -> Result<Redactor, Error> {
    let mut key = [0; 32];
    let filled = SystemRandom::new().fill(&mut key);
    filled.map_err(|_| Error::Start("the system has no random numbers".to_owned()))?;
    Ok(Redactor::new(&key, disclosure))
}

struct Recording {
    progress: Progress,
    streams: Streams,
    session: Session<Output>,
    sight: Option<Sight>,
}

impl Recording {
    async fn go_on_for(&mut self, lasts: Duration) -> io::Result<()> {
        let end = Instant::now() + lasts;
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ending = std::pin::pin!(told_to_end());
        loop {
            tokio::select! {
                biased;
                _ = &mut ending => return Ok(()),
                () = sleep_until(end) => return Ok(()),
                _ = beats.tick() => self.beat()?,
                Some(seen) = self.streams.next() => self.take(seen)?,
            }
        }
    }

    fn take(&mut self, seen: Seen) -> io::Result<()> {
        let Seen { resource, namespace, sighting } = seen;
        if matches!(sighting, Sighting::ListFinished) {
            self.streams.listed(resource, &namespace);
        }
        self.session.take(clock::now(), resource, &namespace, sighting)
    }

    fn beat(&mut self) -> io::Result<()> {
        self.streams.go_on();
        self.look()?;
        self.session.out_mut().flush()?;
        let (lines, bytes) = (|resource| self.session.lines(resource), self.session.out().bytes());
        self.progress.say(clock::now(), lines, bytes, &self.streams.failing());
        Ok(())
    }

    /// Why there are no pods, if they cannot be watched.
    fn why_no_pods(&self) -> Option<Trouble> {
        let failing = self.streams.failing();
        let pods = failing.iter().find(|(resource, _)| *resource == Resource::Pods);
        pods.filter(|_| self.session.lines(Resource::Pods) == 0).map(|(_, trouble)| *trouble)
    }

    /// Records when pods are no longer observed, and when they are again; before they have been observed
    /// there is nothing to lose sight of.
    fn look(&mut self) -> io::Result<()> {
        let sight = self.streams.sight();
        let before = self.sight;
        if before.is_some() || sight == Sight::Sees {
            self.sight = Some(sight);
        }
        match before {
            Some(before) if before != sight => self.session.turn(clock::now(), sight),
            _ => Ok(()),
        }
    }

    fn finish(self, file: &Path) -> io::Result<()> {
        let Self { progress, streams, session, sight } = self;
        let now = clock::now();
        let lines = Resource::ALL.map(|resource| session.lines(resource));
        session.finish(now, sight.unwrap_or(Sight::Sees))?.close()?;
        progress.end(now, |resource| lines[resource as usize], file, &streams.failing());
        Ok(())
    }
}
