//! `run`: the operator.

mod summary;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tracing::{Level, info};

use super::args::{Color, LogFormat, LogLevel, Run};
use super::error::Error;
use super::print;
use crate::config::{Loaded, Overrides, Source};
use crate::operator::board::Board;
use crate::operator::http::{Heartbeat, Limits, Readiness, Server, Site};
use crate::operator::leadership::Leadership;
use crate::operator::metrics::{Exporter, Metrics};
use crate::operator::{clock, log, reload, silence};

/// One thread for the engine's task, one for all else.
const THREADS: usize = 2;
/// How often the heart beats where nothing else goes round.
const BEAT: Duration = Duration::from_secs(5);

/// Runs until it is told to end; or only checks the settings.
pub fn run(args: &Run, color: Color) -> Result<(), Error> {
    let source = source(args);
    let loaded = source.load()?;
    if args.check_config {
        return print(summary::summary(&source.name(), &loaded.config, clock::now()).as_bytes());
    }
    let level = args.log_level.map(level);
    log::start(format(args.log_format, color), level).map_err(|error| Error::Start(error.to_string()))?;
    // Who installed one before installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime()?.block_on(operate(source, loaded))
}

async fn operate(source: Source, loaded: Loaded) -> Result<(), Error> {
    let metrics = Arc::new(Metrics::new());
    metrics.config_loaded(clock::now());
    let board = Arc::new(Board::default());
    let (running, config) = watch::channel(Arc::new(loaded.config));
    let (heartbeat, readiness) = (Heartbeat::new(), Readiness::default());
    let exporter = Exporter {
        metrics: Arc::clone(&metrics),
        board: Arc::clone(&board),
        config: config.clone(),
        leadership: Leadership::always(),
    };
    let listen = config.borrow().http.listen;
    let server = Server::bind(listen, Limits::default())?;
    let address = server.address().map_or_else(|_| listen.to_string(), |address| address.to_string());
    info!(address, version = env!("CARGO_PKG_VERSION"), "Listening for metrics and health");
    let site = Site::new(exporter, heartbeat.clone(), readiness);
    tokio::select! {
        never = server.serve(site) => match never {},
        never = reload::watch(source, running, metrics, loaded.mark) => match never {},
        never = silence::watch(config, board) => match never {},
        never = beat(heartbeat) => match never {},
        signal = told_to_end() => info!(signal, "Ending"),
    }
    Ok(())
}

async fn beat(heartbeat: Heartbeat) -> std::convert::Infallible {
    let mut ticks = tokio::time::interval(BEAT);
    loop {
        ticks.tick().await;
        heartbeat.beat();
    }
}

/// Waits for what a kubelet or a person sends to end a process.
pub(super) async fn told_to_end() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};

    let wait = async |kind| match signal(kind) {
        Ok(mut signals) => drop(signals.recv().await),
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = wait(SignalKind::terminate()) => "SIGTERM",
        () = wait(SignalKind::interrupt()) => "SIGINT",
    }
}

fn source(args: &Run) -> Source {
    let namespaces = match &args.namespace[..] {
        _ if args.all_namespaces => Some(Vec::new()),
        [] => None,
        some => Some(some.to_vec()),
    };
    let overrides = Overrides {
        cluster_name: args.cluster_name.clone(),
        namespaces,
        pod_selector: args.selector.clone(),
        listen: args.listen,
        leader_election: args.leader_elect,
    };
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
