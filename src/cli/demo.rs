//! `demo`: replays a recorded outage, and shows what is reported about it and when.
//!
//! The recording is replayed once, at full speed, before the story is shown: thus the first line, too, is
//! derived from the recording, like everything else.

mod cluster;
mod stock;
mod tale;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use super::error::Error;
use super::pace::{Pace, Speed};
use super::{args::Color, html, quiet_when_closed, terminal};
use crate::report::html::Report;
use crate::report::text::demo::Page;
use tale::{Beat, Tale};

/// The outage: 50 pods on a 1.37 kubelet, with a wrong path rolled out and reverted.
static RECORDING: &[u8] = include_bytes!("demo/auth-service-outage.jsonl.gz");
/// Its name in errors.
const NAME: &str = "the recording that is built in";

/// Shows the story. Only whole lines are written and the terminal's state is not changed: it can be
/// interrupted at any time.
pub fn run(speed: Speed, color: Color) -> Result<(), Error> {
    let stdout = io::stdout();
    let look = terminal::look(&stdout, color);
    let paced = speed != Speed::Max || stdout.is_terminal();
    let mut out = Teller { out: BufWriter::new(stdout.lock()), paced };
    quiet_when_closed(out.tell("A recorded outage, played through the engine that watches clusters.\n"))?;
    let tale = Tale::new(RECORDING);
    if let Some(cause) = tale.error {
        return Err(Error::Read { file: NAME.to_owned(), cause });
    }
    quiet_when_closed(story(&tale, Page::new(look, tale.start), speed, &mut out))
}

/// Writes the report of the outage instead of playing it.
pub fn report(file: &Path) -> Result<(), Error> {
    let tale = Tale::new(RECORDING);
    if let Some(cause) = tale.error {
        return Err(Error::Read { file: NAME.to_owned(), cause });
    }
    html::write(file, &Report { source: "the outage of probehound demo", at: tale.end, cases: &tale.cases, notes: &[] })
}

fn story<W: Write>(tale: &Tale, page: Page, speed: Speed, teller: &mut Teller<W>) -> io::Result<()> {
    let mut pacing = Pace::new(speed);
    pacing.wait_for(tale.start);
    teller.tell(&page.opening(&tale.summary()))?;
    for beat in &tale.beats {
        pacing.wait_for(beat.at());
        teller.tell(&match beat {
            Beat::Scene(scene) => page.scene(scene),
            Beat::Thought(change) => page.thought(change),
            Beat::Told { at, payload } => page.notified(*at, payload),
            Beat::Counting { at, pod, container } => page.counting(*at, pod, container),
        })?;
    }
    pacing.wait_for(tale.end);
    teller.tell(&page.milestones(&tale.milestones()))?;
    teller.tell(&page.stock(tale.stock.as_ref(), tale.end))?;
    if let Some((at, findings)) = &tale.worst {
        teller.tell(&page.findings(*at, findings))?;
        teller.tell(&page.metrics(*at, findings))?;
    }
    teller.tell(&page.ending())
}

/// Writes, and flushes when someone is waiting for the output.
struct Teller<W: Write> {
    out: BufWriter<W>,
    paced: bool,
}

impl<W: Write> Teller<W> {
    fn tell(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        if self.paced { self.out.flush() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::text::Look;

    #[test]
    fn the_recording_built_in_is_the_one_of_the_tests() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/incidents/auth-service-outage.jsonl.gz");
        // The package and a checkout without the incidents do not contain it.
        if let Ok(recorded) = std::fs::read(path) {
            assert!(recorded == RECORDING, "{path} is another recording");
        }
    }

    #[test]
    fn the_whole_story_fits_80_columns() {
        insta::assert_snapshot!(rendered(80));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [60, 80, 120, 200] {
            for line in rendered(width).lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn the_restarts_of_the_pods_are_those_of_the_finding() {
        let tale = Tale::new(RECORDING);
        let (_, findings) = tale.worst.as_ref().expect("an outage");
        let last = tale.changes.last().map(|change| change.finding.restarts);
        assert_eq!(findings.len(), 1);
        assert_eq!(last, tale.scenes().map(|scene| scene.restarts).max());
    }

    fn rendered(width: usize) -> String {
        let tale = Tale::new(RECORDING);
        let mut out = Teller { out: BufWriter::new(Vec::new()), paced: false };
        story(&tale, Page::new(Look::plain(width), tale.start), Speed::Max, &mut out).expect("memory takes everything");
        String::from_utf8(out.out.into_inner().expect("memory takes everything")).expect("text")
    }
}
