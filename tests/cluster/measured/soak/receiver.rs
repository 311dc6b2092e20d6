//! A webhook that fails intermittently, and remembers the notifications.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use probehound::time::Time;
use serde::Deserialize;

use super::compare::{Episodes, Finding};
use crate::clock;
use crate::proxy::Server;
use crate::proxy::serve::{Body, whole};

/// Longer than the sender waits for an answer.
const SILENCE: Duration = Duration::from_secs(15);

/// The behaviour.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Mood {
    Well,
    /// 500.
    Fails,
    /// 429, with a retry after five seconds.
    Busy,
    /// It accepts the request and never answers: the sender cannot know that it arrived.
    Silent,
}

/// The server.
pub struct Webhook {
    server: Server,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    mood: Mood,
    ids: BTreeSet<String>,
    items: Vec<(Time, Item)>,
    counts: BTreeMap<&'static str, u64>,
    /// Each document as received, with its time and the answer: for looking up a difference.
    log: File,
}

/// The parts of `docs/webhook.schema.json` that are compared.
#[derive(Deserialize)]
struct Document {
    id: String,
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    event: Event,
    finding: Finding,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, Deserialize)]
enum Event {
    Opened,
    Changed,
    GoesOn,
    Resolved,
    Withdrawn,
    Missed,
}

impl Webhook {
    /// Starts a working one that logs to this file.
    pub fn start(log: &Path) -> Self {
        let log = File::create(log).expect("a file can be written");
        let shared = Shared { mood: Mood::Well, ids: BTreeSet::new(), items: Vec::new(), counts: BTreeMap::new(), log };
        let shared = Arc::new(Mutex::new(shared));
        let its = Arc::clone(&shared);
        Self { server: Server::start(move |request| answer(Arc::clone(&its), request)), shared }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Sets the behaviour from now on.
    pub fn is(&self, mood: Mood) {
        locked(&self.shared).mood = mood;
    }

    /// Number of accepted messages.
    pub fn messages(&self) -> usize {
        locked(&self.shared).ids.len()
    }

    /// The answers, and how often the same message was repeated.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        locked(&self.shared).counts.clone()
    }

    /// The notifications, episode by episode.
    pub fn episodes(&self) -> Episodes {
        let mut episodes = Episodes::default();
        for (at, item) in &locked(&self.shared).items {
            match item.event {
                Event::Opened => episodes.open(&item.finding, *at),
                Event::Changed | Event::GoesOn => episodes.go_on(&item.finding, *at),
                Event::Resolved | Event::Withdrawn => episodes.end(&item.finding, *at),
                Event::Missed => {
                    episodes.open(&item.finding, *at);
                    episodes.end(&item.finding, *at);
                }
            }
        }
        episodes
    }
}

impl Shared {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn take(&mut self, bytes: &[u8]) {
        let document: Document = serde_json::from_slice(bytes).expect("what is sent fits its schema");
        if self.ids.insert(document.id) {
            let now = clock::now();
            self.items.extend(document.items.into_iter().map(|item| (now, item)));
        } else {
            self.count("came again");
        }
    }
}

async fn answer(shared: Arc<Mutex<Shared>>, request: Request<Incoming>) -> Response<Body> {
    let bytes = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mood = note(&shared, &bytes);
    let status = match mood {
        Mood::Well => 200,
        Mood::Fails => 500,
        Mood::Busy => 429,
        Mood::Silent => {
            tokio::time::sleep(SILENCE).await;
            200
        }
    };
    let answer = Response::builder().status(status);
    let answer = if mood == Mood::Busy { answer.header("retry-after", "5") } else { answer };
    answer.body(whole(Bytes::new())).expect("a response")
}

fn note(shared: &Mutex<Shared>, bytes: &[u8]) -> Mood {
    let mut shared = locked(shared);
    let line = format!("{} {:?} {}", clock::now(), shared.mood, String::from_utf8_lossy(bytes));
    writeln!(shared.log, "{line}").expect("a file can be written");
    match shared.mood {
        Mood::Well => {
            shared.take(bytes);
            shared.count("taken");
        }
        Mood::Fails => shared.count("500"),
        Mood::Busy => shared.count("429"),
        Mood::Silent => {
            shared.take(bytes);
            shared.count("taken in silence");
        }
    }
    shared.mood
}

fn locked(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
