//! Starts the operator from its settings, and shuts it down in order.

mod ready;
mod tasks;
mod world;

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::mem::Discriminant;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kube::Client;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::annotations::events::{self as annotations, Complaint};
use super::annotations::{Complain, Refused};
use super::console::{self, Console};
use super::driver::{self, Ask, Driver, Inlets, Kind, Loss};
use super::exporter::Exporter;
use super::guard;
use super::http::{Answers, Awaited, BindError, Gate, Heartbeat, Limits, Readiness, Review, Server, Site};
use super::keeper::{self, Means, Refusal, Store};
use super::lease::{Candidate, VersionedLease};
use super::{page, reload, silence};
use crate::config::{Config, LeaderElection, Loaded, Source};
use crate::delivery::run as delivery;
use crate::delivery::settings::Settings;
use crate::finding::Finding;
use crate::findings::board::Board;
use crate::findings::ledger::Ledger;
use crate::metrics::{Metrics, Watching};
use crate::runtime::clock;
use crate::runtime::leadership::Leadership;
use crate::source::cluster::{
    self, Access, AccessError, Answer, Backoff, Lookup, NamespaceLookup, Resource, Target, WatchHealth,
};
use crate::text::escape::terminal;
use ready::Lists;
use tasks::{Stage, Tasks};
pub use world::World;

/// How long to wait for the findings published before a restart; then the watch starts without them.
const REMEMBERING: Duration = Duration::from_secs(30);
/// How often the heart beats while the driver is not running yet.
const BEAT: Duration = Duration::from_secs(5);
/// How often an obstacle to reaching the cluster is logged again.
const AGAIN: Duration = Duration::from_mins(10);
/// Maximum length of a logged error, in columns.
const TOLD: usize = 300;
/// Questions of the page that wait for the driver; further ones are not answered.
const ASKS: usize = 8;
/// Time for the driver to finish its batch.
const DRIVER_ENDS: Duration = Duration::from_millis(500);
/// Time for the keeper's final writes, and a little more.
const KEEPER_ENDS: Duration = Duration::from_millis(2700);
/// Time for the message in flight, and a little more.
const DELIVERY_ENDS: Duration = Duration::from_millis(2600);
/// Time for the guard to be dropped: what it has begun the next leader settles.
const GUARD_ENDS: Duration = Duration::from_millis(100);
/// Time to release the Lease, and a little more.
const LEASE_ENDS: Duration = Duration::from_millis(1200);

/// What an operator is started with.
#[derive(Debug)]
pub struct Start {
    /// Where the settings come from, to be reloaded.
    pub source: Source,
    /// The settings.
    pub loaded: Loaded,
    /// The target cluster.
    pub target: Target,
    /// Shows findings to a person, if one is watching.
    pub console: Option<Console>,
}

/// Why an operator cannot start, or cannot continue.
#[derive(thiserror::Error, Debug)]
pub enum Failure {
    /// No cluster is configured, or its configuration is invalid.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The HTTP server cannot listen.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// One of its tasks has ended, which none should.
    #[error("the operator cannot go on: its task {0:?} has ended")]
    Ended(&'static str),
}

/// Runs until `end`, whose value is logged.
///
/// Start order: access to the cluster, `/livez` and metrics, the API server's first answer, the findings
/// published before, the watch. Shutdown order: the engine, the final writes, the Lease.
///
/// # Errors
/// See [`Failure`]. An API server that is down or refuses is not an error: it is logged and waited out.
pub async fn run(start: Start, end: impl Future<Output = &'static str>) -> Result<(), Failure> {
    let access = Access::find(&start.target, clock::now).await?;
    let mut tasks = Tasks::default();
    let parts = Parts::new(start, access, &mut tasks).await?;
    let outcome = operate(parts, &mut tasks, end).await;
    if let Ok(reason) = &outcome {
        info!(reason, "Ending");
    }
    tasks.stop().await;
    outcome.map(drop)
}

async fn operate(
    parts: Parts,
    tasks: &mut Tasks,
    end: impl Future<Output = &'static str>,
) -> Result<&'static str, Failure> {
    let mut end = std::pin::pin!(end);
    let remembered = tokio::select! {
        reason = &mut end => return Ok(reason),
        name = tasks.one_ends() => return Err(Failure::Ended(name)),
        never = beat(&parts.heartbeat) => match never {},
        remembered = parts.come_up() => remembered,
    };
    parts.start(remembered, tasks);
    tokio::select! {
        reason = end => Ok(reason),
        name = tasks.one_ends() => Err(Failure::Ended(name)),
    }
}

/// What the tasks share.
struct Parts {
    access: Access,
    board: Arc<Board>,
    ledger: Arc<Ledger>,
    config: watch::Receiver<Arc<Config>>,
    leadership: Leadership,
    store: Store,
    delivery: Client,
    metrics: Arc<Metrics>,
    watching: Watching,
    lookup: Lookup,
    answers: mpsc::Receiver<Answer>,
    heartbeat: Heartbeat,
    api: Awaited,
    lists: Lists,
    asks: mpsc::Receiver<Ask>,
}

impl Parts {
    /// Creates them, and starts everything that does not need the API server.
    async fn new(start: Start, access: Access, tasks: &mut Tasks) -> Result<Self, Failure> {
        let Start { source, loaded: Loaded { config, mark }, console, .. } = start;
        let server = Server::bind(config.http.listen, Limits::default())?;
        let leadership = elect(&config.leader_election, &access, tasks).await?;
        let namespaces = config.watch.namespaces.iter().map(|namespace| Arc::from(&**namespace)).collect();
        let store = Store::new(access.another_client().await?, namespaces, leadership.clone()).by(access.way());
        let delivery = access.another_client().await?;
        let gate = gate(&config, &access).await?;
        let page = bind_page(&config, &access).await?;
        let (running, config) = watch::channel(Arc::new(config));
        let (lookup, answers) = Lookup::start(&access);
        let watching = Watching {
            health: Arc::new(WatchHealth::new(clock::now)),
            lookups: Arc::clone(lookup.counts()),
            related_skipped: Arc::default(),
            related_odd: Arc::default(),
            throttled: Arc::clone(access.throttled()),
        };
        let (board, metrics) = (Arc::<Board>::default(), Arc::new(Metrics::new()));
        let (heartbeat, readiness) = (Heartbeat::new(), Readiness::default());
        let (api, lists) = (readiness.wait_for("the API server"), Lists::new(&readiness));
        let exporter = Exporter {
            metrics: Arc::clone(&metrics),
            board: Arc::clone(&board),
            config: config.clone(),
            leadership: leadership.clone(),
            watching: watching.clone(),
        };
        metrics.config_loaded(clock::now());
        let site = Site::behind(gate, exporter, heartbeat.clone(), readiness);
        serve(server, site, "Listening for metrics and health", tasks);
        tasks.spawn("reload", reload::watch(source, running, Arc::clone(&metrics), mark));
        tasks.spawn("silences", silence::watch(config.clone(), Arc::clone(&board)));
        if let Some(console) = console {
            tasks.spawn("console", console::run(Arc::clone(&board), console));
        }
        let (ledger, (asks, asked)) = (Arc::<Ledger>::default(), mpsc::channel(ASKS));
        if let Some((server, reviews)) = page {
            let archive = Arc::<page::Archive>::default();
            let following = page::follow(Arc::clone(&archive), Arc::clone(&board), Arc::clone(&ledger), clock::now);
            tasks.spawn("archive", following);
            let (health, config) = (Arc::clone(&watching.health), config.clone());
            let sources = page::Sources { archive, asks, health, config, clock: clock::now };
            serve(server, page::Site::new(sources, reviews.map(page::Access::new)), "Listening for the page", tasks);
        }
        Ok(Self {
            access,
            board,
            ledger,
            config,
            leadership,
            store,
            delivery,
            metrics,
            watching,
            lookup,
            answers,
            heartbeat,
            api,
            lists,
            asks: asked,
        })
    }

    /// Waits for the API server, and reads the findings published before.
    async fn come_up(&self) -> Vec<Finding> {
        reach(&self.access).await;
        self.api.done();
        let began = Instant::now();
        let mut backoff = Backoff::seeded_by_chance();
        loop {
            match keeper::remembered(&self.store).await {
                Ok(findings) => {
                    info!(findings = findings.len(), "Restored findings of before the restart");
                    return findings;
                }
                // The keeper reports it, and its cost.
                Err(Refusal::NoApi | Refusal::Forbidden(_)) => return Vec::new(),
                Err(refusal) if began.elapsed() > REMEMBERING => {
                    warn!(cause = %refusal, "Starting without findings of before the restart");
                    return Vec::new();
                }
                Err(refusal) => {
                    let wait = backoff.wait();
                    self.access.way().pause(wait, refusal.trouble(), &mut backoff).await;
                }
            }
        }
    }

    /// Starts everything that needs the API server.
    fn start(self, remembered: Vec<Finding>, tasks: &mut Tasks) {
        let (teller, guard) = (self.teller(), self.guard());
        let Self { access, board, ledger, config, leadership, store, metrics, watching, .. } = self;
        let Self { lookup, answers, heartbeat, asks, .. } = self;
        let settings = Arc::clone(&config.borrow());
        let skipped = skipped(&watching);
        let (complain, complaints) = complain(&metrics);
        let mut driver =
            Driver::new(&settings, Arc::clone(&board), metrics.instruments(), skipped).complaining(complain);
        driver.handle_memory(remembered, clock::now());
        let (memories, memories_inlet) = mpsc::channel(1);
        let reports = annotations::Means {
            client: teller.client.clone(),
            leadership: leadership.clone(),
            instance: Arc::clone(&teller.instance),
        };
        tasks.spawn("annotations", annotations::run(reports, complaints));
        let observations = cluster::watch(&access, &settings.watch, &watching.health);
        let (namespaces, namespaces_inlet) = NamespaceLookup::start(&access, &watching.lookups);
        let (health, counted) = (Arc::clone(&watching.health), Arc::clone(&metrics));
        let world = World { health, lookup, namespaces, heartbeat, metrics: counted };
        let driver_config = config.clone();
        tasks.spawn_until(Stage::Saying, "driver", DRIVER_ENDS, |stop| {
            let (config, memories, namespaces) = (driver_config, memories_inlet, namespaces_inlet);
            let inlets = Inlets { stop, config, memories, answers, namespaces, asks, observations };
            driver::run(driver, inlets, world)
        });
        let means = Means { store, board, ledger, config, leadership, memories, metrics };
        tasks.spawn_until(Stage::PassingOn, "keeper", KEEPER_ENDS, |stop| keeper::run(means, stop));
        tasks.spawn_until(Stage::PassingOn, "delivery", DELIVERY_ENDS, |stop| delivery::run(teller, stop));
        tasks.spawn_until(Stage::PassingOn, "guard", GUARD_ENDS, |stop| guard::run(guard, stop));
        tasks.spawn("readiness", self.lists.arrive(watching.health));
    }

    /// What the guard works with.
    fn guard(&self) -> guard::Means {
        guard::Means {
            client: self.delivery.clone(),
            store: self.store.clone(),
            board: Arc::clone(&self.board),
            config: self.config.clone(),
            leadership: self.leadership.clone(),
            metrics: Arc::clone(&self.metrics),
            instance: name().into(),
        }
    }

    /// What delivery works with.
    fn teller(&self) -> delivery::Means {
        delivery::Means {
            client: self.delivery.clone(),
            ledger: Arc::clone(&self.ledger),
            config: Settings::within(self.config.clone(), Config::of_delivery),
            leadership: self.leadership.clone(),
            metrics: Arc::clone(&self.metrics),
            instance: name().into(),
        }
    }
}

/// Waits until the API server answers, and logs what is in the way.
async fn reach(access: &Access) {
    let mut backoff = Backoff::seeded_by_chance();
    let mut notified: Option<(Discriminant<AccessError>, Instant)> = None;
    loop {
        let error = match access.check().await {
            Ok(version) => {
                let version = format!("{}.{}", version.major, version.minor);
                info!(server = access.server(), version, "Reached the API server");
                return;
            }
            // It answers; what may be read there is another matter.
            Err(AccessError::Forbidden { .. } | AccessError::Refused { .. }) => return,
            Err(error) => error,
        };
        let kind = std::mem::discriminant(&error);
        if notified.is_none_or(|(before, at)| before != kind || at.elapsed() > AGAIN) {
            let cause = terminal(&error.to_string(), TOLD);
            warn!(cause, hint = error.hint(), "Cannot reach the cluster; trying again");
            notified = Some((kind, Instant::now()));
        }
        let (began, wait) = (Instant::now(), backoff.wait());
        tokio::select! {
            () = sleep(wait) => {}
            () = access.way().success_after(began) => {}
        }
    }
}

/// How this replica leads: by a Lease, or always if it is the only one.
async fn elect(settings: &LeaderElection, access: &Access, tasks: &mut Tasks) -> Result<Leadership, AccessError> {
    if !settings.enabled {
        return Ok(Leadership::always());
    }
    let namespace = settings.namespace.as_deref().unwrap_or(access.namespace());
    let lease = VersionedLease::new(access.another_client().await?, namespace, &settings.name);
    let (held_until, leads) = watch::channel(None);
    let candidate = Candidate::new(lease, identity(), held_until);
    tasks.spawn_until(Stage::Leading, "lease", LEASE_ENDS, |mut stop| candidate.run(async move { stop.asked().await }));
    Ok(Leadership::new(leads))
}

/// The gate for metrics, if they are protected.
async fn gate(config: &Config, access: &Access) -> Result<Option<Gate>, AccessError> {
    if config.http.metrics_authentication {
        return access.another_client().await.map(|client| Some(Gate::new(client)));
    }
    Ok(None)
}

/// The pod's name plus a random part: a pod restarted in place is another holder.
fn identity() -> String {
    format!("{}_{:08x}", name(), RandomState::new().hash_one(0_u8) as u32)
}

/// The pod's name.
fn name() -> String {
    let named = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    named("POD_NAME").or_else(|| named("HOSTNAME")).unwrap_or_else(|| "probehound".to_owned())
}

/// Where the page is served, if it is, and how its visitors are reviewed, if they are.
async fn bind_page(config: &Config, access: &Access) -> Result<Option<(Server, Option<Review>)>, Failure> {
    if !config.page.enabled {
        return Ok(None);
    }
    let server = Server::bind(config.page.listen(), page::limits())?;
    if !config.page.authentication {
        return Ok(Some((server, None)));
    }
    let review = Review::new(access.another_client().await?, "the page");
    Ok(Some((server, Some(review))))
}

fn serve(server: Server, site: Arc<impl Answers>, what: &'static str, tasks: &mut Tasks) {
    let address = server.address().map_or_else(|error| error.to_string(), |address| address.to_string());
    info!(address, version = env!("CARGO_PKG_VERSION"), "{what}");
    tasks.spawn("http", server.serve(site));
}

/// Counts values of annotations that have no effect, and passes them on while there is room.
fn complain(metrics: &Metrics) -> (Complain, mpsc::Receiver<Complaint>) {
    let (complaints, inlet) = mpsc::channel(annotations::MAX_WAITING);
    let instruments = metrics.instruments();
    let complain = move |namespace: &str, workload: &str, refused: &Refused| {
        instruments.annotation_refused(refused.annotation);
        let (namespace, workload) = (namespace.to_owned(), workload.to_owned());
        // A tenant may write more of them than anybody reads.
        _ = complaints.try_send(Complaint { namespace, workload, refused: refused.clone() });
    };
    (Box::new(complain), inlet)
}

fn skipped(watching: &Watching) -> driver::Skipped {
    let health = Arc::clone(&watching.health);
    let (skipped, odd) = (Arc::clone(&watching.related_skipped), Arc::clone(&watching.related_odd));
    Box::new(move |kind, loss| match (kind, loss) {
        (Kind::Pod, Loss::Object) => health.of(Resource::Pods).skip(),
        (Kind::Pod, Loss::Field) => health.of(Resource::Pods).pass_over(),
        (Kind::Event, Loss::Object) => health.of(Resource::Events).skip(),
        (Kind::Event, Loss::Field) => health.of(Resource::Events).pass_over(),
        (Kind::Related, Loss::Object) => _ = skipped.fetch_add(1, Ordering::Relaxed),
        (Kind::Related, Loss::Field) => _ = odd.fetch_add(1, Ordering::Relaxed),
    })
}

async fn beat(heartbeat: &Heartbeat) -> Infallible {
    loop {
        heartbeat.beat();
        sleep(BEAT).await;
    }
}
