//! Renders what visitors see, each once for all who see the same.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use hyper::body::Bytes;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};

use super::access::Sees;
use super::archive::{Archive, Shown};
use super::filter::Filter;
use super::list::{self, Frame, Watch};
use crate::config::Config;
use crate::engine::incident::Incident;
use crate::operator::driver::Ask;
use crate::report::case::{Case, Told};
use crate::report::html::Report;
use crate::report::html::view::{FindingView, plain};
use crate::report::object::{Notification, Notified, object_name};
use crate::report::when::{clock, day};
use crate::source::cluster::{Resource, WatchHealth};
use crate::time::Time;

/// How long a rendering is shown to others, and how many are kept.
const FRESH: Duration = Duration::from_secs(1);
const MAX_KEPT: usize = 64;
/// Time limit for the course of an incident, without which the rest is shown.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where the page takes what it shows from.
#[derive(Debug)]
pub struct Sources {
    /// The findings.
    pub archive: Arc<Archive>,
    /// The driver, which knows their course.
    pub asks: mpsc::Sender<Ask>,
    /// The state of the watches.
    pub health: Arc<WatchHealth>,
    /// The settings in force.
    pub config: watch::Receiver<Arc<Config>>,
    /// The time of day.
    pub clock: fn() -> Time,
}

/// What can be shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Wanted {
    /// The list.
    List(Filter),
    /// A finding, by namespace and the name of its object.
    Finding(String, String),
    /// The report of a finding, as a file.
    Report(String, String),
}

/// Renders, and keeps what was rendered for a moment.
#[derive(Debug)]
pub struct Shower {
    sources: Sources,
    kept: Mutex<Vec<Kept>>,
}

#[derive(Debug)]
struct Kept {
    of: (Wanted, Sees),
    at: Instant,
    bytes: Option<Bytes>,
}

#[derive(Template)]
#[template(path = "page/detail.html")]
struct Detail {
    frame: Frame,
    view: FindingView,
    silenced_by: Option<String>,
}

impl Shower {
    /// Shows what these have.
    pub fn new(sources: Sources) -> Self {
        Self { sources, kept: Mutex::default() }
    }

    /// The archive of what it shows.
    pub const fn archive(&self) -> &Arc<Archive> {
        &self.sources.archive
    }

    /// The namespaces that have findings.
    pub fn namespaces(&self) -> BTreeSet<Arc<str>> {
        self.sources.archive.namespaces()
    }

    /// The document for a visitor who sees these namespaces; `None` if there is no such finding for them.
    pub async fn show(&self, wanted: Wanted, sees: Sees, is_open: bool) -> Option<Bytes> {
        let of = (wanted, sees);
        // Who wants the same meanwhile waits here, and gets it.
        let mut kept = self.kept.lock().await;
        kept.retain(|kept| kept.at.elapsed() < FRESH);
        if let Some(known) = kept.iter().find(|kept| kept.of == of) {
            return known.bytes.clone();
        }
        let bytes = self.rendered(&of.0, &of.1, is_open).await;
        if kept.len() >= MAX_KEPT {
            kept.remove(0);
        }
        kept.push(Kept { of, at: Instant::now(), bytes: bytes.clone() });
        bytes
    }

    async fn rendered(&self, wanted: &Wanted, sees: &Sees, is_open: bool) -> Option<Bytes> {
        let now = (self.sources.clock)();
        let mut all = self.sources.archive.all();
        all.retain(|shown| sees.has(&shown.finding.namespace));
        let text = match wanted {
            Wanted::List(filter) => list::render(&all, filter, self.frame("./", is_open, now), now),
            Wanted::Finding(namespace, name) => {
                let shown = find(&all, namespace, name)?;
                let case = self.case(shown).await;
                let frame = self.frame("../../", is_open, now);
                let silenced_by = shown.silenced_by.as_deref().map(plain);
                Detail { frame, view: FindingView::new(&case, now), silenced_by }.render()
            }
            Wanted::Report(namespace, name) => {
                let cases = [self.case(find(&all, namespace, name)?).await];
                Report { source: "probehound", at: now, cases: &cases, notes: &[] }.render()
            }
        };
        text.ok().map(Bytes::from)
    }

    async fn case(&self, shown: &Shown) -> Case {
        let told = shown.notified.iter().map(told).collect();
        Case { finding: Arc::clone(&shown.finding), incident: self.incident(shown).await, told }
    }

    async fn incident(&self, shown: &Shown) -> Incident {
        let (answer, answered) = oneshot::channel();
        let ask = Ask { finding: shown.finding.identity(), answer };
        if self.sources.asks.try_send(ask).is_err() {
            return Incident::default();
        }
        timeout(PATIENCE, answered).await.ok().and_then(Result::ok).unwrap_or_default()
    }

    fn frame(&self, up: &'static str, is_open: bool, now: Time) -> Frame {
        let cluster = self.sources.config.borrow().cluster_name.as_deref().map(plain);
        let watches = Resource::ALL.map(|resource| watch_of(&self.sources.health, resource)).into();
        Frame { up, cluster, now: format!("{} {} UTC", day(now), clock(now)), is_open, watches }
    }
}

fn watch_of(health: &WatchHealth, resource: Resource) -> Watch {
    let of = health.of(resource);
    let since = || if of.last_answer().is_some() { format!(" since {} UTC", clock(of.since())) } else { String::new() };
    let words = match (of.is_up(), of.is_listed()) {
        (true, true) => "watched".to_owned(),
        (true, false) => "being listed".to_owned(),
        (false, _) if of.is_blind() => format!("cannot be read{}", since()),
        (false, _) => "of some namespaces cannot be read".to_owned(),
    };
    Watch { of: resource.word(), is_up: of.is_up(), is_complete: of.is_up() && of.is_listed(), words }
}

fn find<'a>(all: &'a [Shown], namespace: &str, name: &str) -> Option<&'a Shown> {
    let is_it =
        |shown: &&Shown| *shown.finding.namespace == *namespace && object_name(&shown.finding.identity()) == name;
    all.iter().find(is_it)
}

fn told(notified: &Notification) -> Told {
    let what = match (&notified.refused, notified.notified) {
        (Some(why), _) => format!("the last message was refused: {why}"),
        (None, Notified::Nothing) => "nothing yet".to_owned(),
        (None, Notified::Opened) => "that it is there".to_owned(),
        (None, Notified::Changed) => "that it changed, or goes on".to_owned(),
        (None, Notified::Resolved) => "that it is over".to_owned(),
    };
    Told { at: notified.at, to: notified.receiver.clone(), what }
}
