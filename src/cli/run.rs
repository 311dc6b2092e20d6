//! `run`: the operator.

mod laptop;
mod summary;

use std::io::{self, IsTerminal};

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::Level;

use super::args::{Color, LogFormat, LogLevel, Run};
use super::error::Error;
use super::{print, terminal};
use crate::config::{Overrides, Source};
use crate::operator::{self, Start, log};
use crate::runtime::clock;
use crate::source::cluster::Target;

/// One thread for the engine's task, one for all else.
const THREADS: usize = 2;

/// Runs until it is asked to stop; or only checks the settings.
pub fn run(args: &Run, color: Color) -> Result<(), Error> {
    let by_hand = laptop::is_one();
    let source = source(args, by_hand);
    let loaded = source.load()?;
    if args.check_config {
        return print(summary::summary(&source.name(), &loaded.config, clock::now()).as_bytes());
    }
    // Anything less than a warning is shown as a finding, or not needed.
    let level = args.log_level.map(level).or(by_hand.then_some(Level::WARN));
    log::start(format(args.log_format, color), level).map_err(|error| Error::Start(error.to_string()))?;
    // Fails if one is installed already, which is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let target = Target { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
    let console = by_hand.then(|| laptop::console(terminal::look(&io::stdout(), color)));
    let start = Start { source, loaded, target, console };
    let runtime = runtime()?;
    let outcome = runtime.block_on(async { operator::run(start, told_to_end()).await });
    // A blocking read from a remote disk must not delay the exit.
    runtime.shutdown_background();
    Ok(outcome?)
}

/// Waits for the signals with which a kubelet or a person stops a process; called within a runtime.
///
/// They are caught from the call on, not from the first poll: what comes while everything starts ends it in
/// order, too.
pub(super) fn told_to_end() -> impl Future<Output = &'static str> {
    let [terminated, interrupted] = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    let wait = async |caught: io::Result<Signal>| match caught {
        Ok(mut signals) => drop(signals.recv().await),
        Err(_) => std::future::pending().await,
    };
    async move {
        tokio::select! {
            () = wait(terminated) => "SIGTERM",
            () = wait(interrupted) => "SIGINT",
        }
    }
}

fn source(args: &Run, by_hand: bool) -> Source {
    let namespaces = match &args.namespace[..] {
        _ if args.all_namespaces => Some(Vec::new()),
        [] => None,
        some => Some(some.to_vec()),
    };
    let mut overrides = Overrides {
        cluster_name: args.cluster_name.clone(),
        namespaces,
        pod_selector: args.selector.clone(),
        listen: args.listen,
        metrics_authentication: args.metrics_authentication,
        page: args.page,
        page_listen: args.page_listen,
        page_authentication: args.page_authentication,
        leader_election: args.leader_elect,
    };
    if by_hand {
        laptop::keep_to_itself(&mut overrides, args.config.is_some());
    }
    Source { file: args.config.clone(), overrides }
}

fn runtime() -> Result<Runtime, Error> {
    let runtime = Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    runtime.map_err(|error| Error::Start(error.to_string()))
}

fn format(format: LogFormat, color: Color) -> log::Format {
    let stderr = io::stderr();
    let sees_colour = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => stderr.is_terminal() && anstream::AutoStream::choice(&stderr) != anstream::ColorChoice::Never,
    };
    match format {
        LogFormat::Json => log::Format::Json,
        LogFormat::Plain if sees_colour => log::Format::Coloured,
        LogFormat::Plain => log::Format::Plain,
    }
}

const fn level(level: LogLevel) -> Level {
    match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Trace => Level::TRACE,
    }
}
