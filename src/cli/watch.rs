//! `watch`: shows the findings live, on a screen if there is a terminal, otherwise as lines.
//!
//! A separate thread reads the recording or watches the cluster, and sends updates through a channel; here
//! they are taken in and shown. Only standard output and error are written.

mod draw;
mod lane;
mod live;
mod news;
mod plain;
mod pods;
mod recording;
mod screen;
mod terminal;
#[cfg(test)]
mod testing;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::args::{Color, Watch};
use super::error::Error;
use super::pace::Speed;
use super::run::told_to_end;
use super::terminal::look;
use draw::Styles;
use news::News;
use screen::{Origin, Screen};

/// Maximum number of updates in the channel: beyond that the source waits. A burst from a large cluster's
/// list is taken in between two redraws.
const MAX_NEWS: usize = 1024;

/// Shows updates until the user quits or, as lines, until there are no more.
pub fn run(args: &Watch, color: Color) -> Result<(), Error> {
    let (news, inlet) = sync_channel(MAX_NEWS);
    let sender = news.clone();
    let screen = if let Some(file) = &args.file {
        let recording = recording::Recording::open(file, args.speed)?;
        let wanted = args.scope.clone();
        start("recording", move || recording.play(&sender, &wanted))?;
        Screen::new(&titled(file, args.speed), Origin::Recording)
    } else {
        let runtime = runtime()?;
        let live = runtime.block_on(live::Live::connect(args))?;
        let screen = Screen::new(live.name(), Origin::Cluster);
        start("cluster", move || live.watch(&runtime, &sender))?;
        screen
    };
    tell_the_end(news)?;
    let name = args.file.as_ref().map_or_else(|| screen.source.clone(), |file| file.display().to_string());
    show(screen, &name, inlet, color)
}

fn show(screen: Screen, name: &str, news: Receiver<News>, color: Color) -> Result<(), Error> {
    let stdout = io::stdout();
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    let look = look(&stdout, color);
    if stdout.is_terminal() && !is_dumb {
        terminal::show(screen, &news, &Styles::for_palette(look.palette))
    } else {
        plain::show(name, news, stdout)
    }
}

/// `incident.jsonl.gz, 20×`
fn titled(file: &Path, speed: Speed) -> String {
    let name = file.file_name().map_or_else(|| file.display().to_string(), |name| name.display().to_string());
    match speed {
        Speed::Max => name,
        Speed::Times(times) => format!("{name}, {times}×"),
    }
}

/// Passes a signal on to where the process is ended in order, with the terminal restored.
fn tell_the_end(news: SyncSender<News>) -> Result<(), Error> {
    let runtime = runtime()?;
    let end = {
        let _inside = runtime.enter();
        told_to_end()
    };
    start("signals", move || {
        runtime.block_on(end);
        // If nobody receives, it has ended already.
        let _ = news.send(News::ToldToEnd);
    })
}

fn start(name: &str, task: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(task);
    started.map(drop).map_err(|error| Error::Start(error.to_string()))
}

fn runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread().enable_all().build().map_err(|error| Error::Start(error.to_string()))
}
