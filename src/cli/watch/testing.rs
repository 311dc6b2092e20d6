//! A recording on a screen, for tests.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::news::News;
use super::recording::Recording;
use super::screen::{Key, Origin, Screen};
use crate::cli::args::Scope;
use crate::cli::pace::Speed;
use crate::engine::Change;
use crate::finding::Finding;
use crate::time::Time;

/// All updates of the outage of 50 pods.
pub fn outage() -> Vec<News> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/demo/auth-service-outage.jsonl.gz");
    let recording = Recording::open(&path, Speed::Max).expect("the recording of the demo");
    let (news, inlet) = sync_channel(64);
    let all = Scope::default();
    let player = thread::spawn(move || recording.play(&news, &all));
    let taken = inlet.iter().collect();
    player.join().expect("it does not panic");
    taken
}

/// The outage at a time of day, or at its end.
pub fn outage_at(time: Option<&str>) -> Screen {
    let until = time.map(|time| Time::parse(&format!("2026-11-23T{time}Z")).expect("a time"));
    let mut screen = Screen::new("outage.jsonl.gz, 20×", Origin::Recording);
    for news in outage() {
        if matches!(news, News::Time(at) if until.is_some_and(|until| at > until)) {
            break;
        }
        screen.apply(news);
    }
    screen
}

/// A screen with these findings.
pub fn showing(findings: Vec<Finding>) -> Screen {
    let mut screen = Screen::new("all namespaces", Origin::Cluster);
    screen.sight.is_listed = true;
    for finding in findings {
        let kind = crate::finding::ChangeKind::Confirmed;
        screen.apply(News::Change(Change { kind, at: finding.opened_at, finding: finding.into() }));
    }
    screen
}

/// Types a text.
pub fn type_in(screen: &mut Screen, text: &str) {
    for character in text.chars() {
        screen.key(Key::Char(character));
    }
}
