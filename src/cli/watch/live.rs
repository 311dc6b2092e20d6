//! A cluster as a source of updates: watched as the operator watches it, and only read.

mod onlooker;

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::news::News;
use crate::cli::args::Watch as Args;
use crate::cli::error::Error;
use crate::config::{Config, Watch};
use crate::findings::board::Board;
use crate::metrics::Metrics;
use crate::operator::World;
use crate::operator::driver::{self, Driver, Inlets};
use crate::operator::http::Heartbeat;
use crate::runtime::clock;
use crate::runtime::stop::Stopper;
use crate::source::cluster::{self, Access, Lookup, NamespaceLookup, Target, Trouble, WatchHealth, may_list_pods};
use onlooker::{Looker, Troubles};

/// How often the health of the watches is checked.
const BEAT: Duration = Duration::from_millis(500);

/// A cluster that answers, and which part of it is watched.
pub struct Live {
    access: Access,
    watch: Watch,
    name: String,
}

impl Live {
    /// Finds the target cluster. If not all namespaces may be listed, that of the context is watched.
    ///
    /// # Errors
    /// There is none, it does not answer, or its pods may not be listed.
    pub async fn connect(args: &Args) -> Result<Self, Error> {
        // Fails if one is installed already, which is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let target = Target { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
        let access = Access::find(&target, clock::now).await?;
        access.check().await?;
        let (namespaces, name) = namespaces(&access, args).await?;
        let watch = Watch { namespaces, pod_selector: args.scope.selector.clone(), ..Watch::default() };
        Ok(Self { access, watch, name })
    }

    /// What is watched, in words.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Watches as long as the updates are received.
    pub fn watch(self, runtime: &Runtime, news: &SyncSender<News>) {
        let sender = news.clone();
        let outcome = runtime.block_on(self.go_on(sender));
        // If nobody receives, there is nobody to inform.
        let _ = news.send(News::Over(outcome));
    }

    async fn go_on(self, news: SyncSender<News>) -> Result<(), Error> {
        let health = Arc::new(WatchHealth::new(clock::now));
        let (lookup, answers) = Lookup::start(&self.access);
        // Nothing is asked for by annotations without settings.
        let (namespaces, namespaces_inlet) = NamespaceLookup::start(&self.access, lookup.counts());
        let config = Config { watch: self.watch, ..Config::default() };
        let observations = cluster::watch(&self.access, &config.watch, &health);
        // Objects that cannot be used change nothing on the screen.
        let skipped: driver::Skipped = Box::new(|_, _| {});
        let metrics = Arc::new(Metrics::new());
        let driver = Driver::new(&config, Arc::<Board>::default(), metrics.instruments(), skipped);
        let driver = driver.seen_by(Box::new(Looker::new(news.clone())));
        // There are no other replicas, and the settings do not change.
        let (_silent, memories) = mpsc::channel(1);
        let (_same, config) = watch::channel(Arc::new(config));
        let (_stopper, stop) = Stopper::new();
        let inlets = Inlets {
            stop,
            config,
            memories,
            answers,
            namespaces: namespaces_inlet,
            asks: mpsc::channel(1).1,
            observations,
        };
        let world = World { health: Arc::clone(&health), lookup, namespaces, heartbeat: Heartbeat::new(), metrics };
        tokio::select! {
            _ended = driver::run(driver, inlets, world) => Err(Error::Start("the watch has ended".to_owned())),
            () = beat(&health, &news) => Ok(()),
        }
    }
}

/// Reports the health of the watches, as long as the updates are received.
async fn beat(health: &WatchHealth, news: &SyncSender<News>) {
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut troubles = Troubles::default();
    let mut said = None;
    loop {
        beats.tick().await;
        let sight = troubles.look(health);
        if said.as_ref() == Some(&sight) {
            continue;
        }
        said = Some(sight.clone());
        if news.send(News::Source(sight)).is_err() {
            return;
        }
    }
}

/// Which namespaces are watched, empty for all of them, and a description.
async fn namespaces(access: &Access, args: &Args) -> Result<(Vec<String>, String), Error> {
    let context = args.context.as_ref().map_or_else(String::new, |context| format!("context {context}, "));
    if !args.scope.namespace.is_empty() {
        let mut namespaces = args.scope.namespace.clone();
        namespaces.sort();
        namespaces.dedup();
        one_may_be_listed(access, &namespaces).await?;
        let word = if namespaces.len() == 1 { "namespace" } else { "namespaces" };
        let name = format!("{context}{word} {}", namespaces.join(", "));
        return Ok((namespaces, name));
    }
    match may_list_pods(access, None).await {
        Err(error) if error.trouble == Trouble::Forbidden => {
            let namespaces = vec![access.namespace().to_owned()];
            one_may_be_listed(access, &namespaces).await?;
            let name = format!("{context}namespace {}, not all may be listed", namespaces[0]);
            Ok((namespaces, name))
        }
        // Other errors may be temporary, and are shown while they last.
        _ => Ok((Vec::new(), format!("{context}all namespaces"))),
    }
}

/// If none may be listed there is nothing to see.
async fn one_may_be_listed(access: &Access, namespaces: &[String]) -> Result<(), Error> {
    let mut refused = None;
    for namespace in namespaces {
        match may_list_pods(access, Some(namespace)).await {
            Err(error) if error.trouble == Trouble::Forbidden => refused = Some((namespace, error)),
            _ => return Ok(()),
        }
    }
    match refused {
        Some((namespace, error)) => Err(Error::NoList(format!(" in namespace {namespace}"), error.cause)),
        None => Ok(()),
    }
}
