//! The page as the operator serves it, in this process, with the findings of a recording.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use probehound::config::{Config, Listen};
use probehound::engine::{Change, Chronicled, Engine};
use probehound::findings::board::{Board, Entry};
use probehound::findings::ledger::Ledger;
use probehound::operator::http::{Limits, Server};
use probehound::operator::page::{self, Archive, Site, Sources};
use probehound::runtime::clock;
use probehound::source::cluster::WatchHealth;
use probehound::time::Time;
use regex::{Captures, Regex};
use tokio::sync::{mpsc, watch};

use super::recording::Recording;

/// A recording that has been played through an engine, as if it had ended just now, or at a chosen time.
pub struct Played {
    /// The engine at its end.
    pub engine: Engine,
    /// What it published, in order.
    pub changes: Vec<Change>,
    /// When it ended.
    pub end: Time,
}

impl Played {
    /// A recording that ended just now.
    pub fn of(recording: &Recording) -> Self {
        Self::ending(clock::now(), recording)
    }

    /// A recording that ended at that time.
    pub fn ending(now: Time, recording: &Recording) -> Self {
        let end = recording.lines.last().expect("it has lines").at;
        let now = now.whole_second();
        let bytes = shifted(&recording.bytes(), now.since(end.whole_second()));
        let mut engine = Engine::default();
        engine.keep_chronicle(Chronicled::All);
        let mut changes = Vec::new();
        let replayed = probehound::replay::replay(bytes.as_slice(), &mut engine, |moment| {
            if let probehound::replay::Moment::Change(change) = moment {
                changes.push(change);
            }
        });
        assert!(replayed.error.is_none() && replayed.skipped == 0, "{replayed:?}");
        Self { engine, changes, end: replayed.last.expect("it has lines") }
    }
}

/// The recording so much later. Whole seconds stay whole.
fn shifted(bytes: &[u8], by: Duration) -> Vec<u8> {
    let times = Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").expect("a pattern");
    let by = Duration::from_secs(by.as_secs());
    let later = |found: &Captures| {
        let text = Time::parse(&found[0]).expect("a time").plus(by).to_string();
        if found.get(1).is_some() { text } else { text.replace(".000", "") }
    };
    times.replace_all(std::str::from_utf8(bytes).expect("text"), later).into_owned().into_bytes()
}

/// A page that is served.
pub struct Served {
    /// Where.
    pub address: SocketAddr,
    archive: Arc<Archive>,
    board: Arc<Board>,
}

impl Served {
    /// Serves a page whose pictures are those of an engine.
    /// Within a runtime, since it runs in tasks.
    pub fn start(engine: Engine, access: Option<page::Access>) -> Self {
        Self::start_with(page::limits(), clock::now, engine, access)
    }

    /// The same, with other limits and another clock.
    pub fn start_with(limits: Limits, clock: fn() -> Time, engine: Engine, access: Option<page::Access>) -> Self {
        let Unserved { site, archive, board, .. } = Unserved::start(clock, engine, access);
        let listen = Listen { host: Some([127, 0, 0, 1].into()), port: 0 };
        let server = Server::bind(listen, limits).expect("a free port");
        let address = server.address().expect("it listens");
        tokio::spawn(server.serve(site));
        Self { address, archive, board }
    }

    /// Puts a change of the engine on the board, as the driver does.
    pub fn publish(&self, change: &Change) {
        publish(&self.board, change);
    }

    /// The number of findings that the page shows by now: it follows the board at its own pace.
    pub fn shown(&self) -> usize {
        self.archive.all().len()
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// A page that nobody can connect to.
pub struct Unserved {
    /// What answers requests.
    pub site: Arc<Site>,
    /// The findings that it shows.
    pub archive: Arc<Archive>,
    /// The findings.
    pub board: Arc<Board>,
    /// How often the driver was asked for the course of an incident: once for each rendering of a finding.
    pub asked: Arc<AtomicUsize>,
}

impl Unserved {
    /// The page of an engine, within a runtime.
    pub fn start(clock: fn() -> Time, engine: Engine, access: Option<page::Access>) -> Self {
        let (archive, board, ledger) = (Arc::<Archive>::default(), Arc::<Board>::default(), Arc::<Ledger>::default());
        tokio::spawn(page::follow(Arc::clone(&archive), Arc::clone(&board), ledger, clock));
        let (asks, mut asking) = mpsc::channel(8);
        let asked = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Some(ask) = asking.recv().await {
                let ask: probehound::operator::driver::Ask = ask;
                count.fetch_add(1, Ordering::Relaxed);
                // Who asked may have gone.
                let _ = ask.answer.send(engine.incident(&ask.finding));
            }
        });
        let config = Config { cluster_name: Some("test".to_owned()), ..Config::default() };
        let config = watch::channel(Arc::new(config)).1;
        let health = Arc::new(WatchHealth::new(clock));
        let sources = Sources { archive: Arc::clone(&archive), asks, health, config, clock };
        Self { site: Site::new(sources, access), archive, board, asked }
    }
}

/// Puts a change of the engine on a board, as the driver does.
pub fn publish(board: &Board, change: &Change) {
    let finding = Arc::clone(&change.finding);
    board.upsert(Entry { finding, kind: change.kind, at: change.at, silenced_by: None, asked: Arc::default() });
}
