//! Access to a cluster: which, as whom, and with how much patience.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use kube::client::ClientBuilder;
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tokio::sync::OnceCell;
use tower::service_fn;
use tower::util::MapResponseLayer;

use super::error::AccessError;
use super::proxy;
use super::throttle::{ThrottleLayer, Throttled};
use super::way::Way;
use crate::time::Time;

/// Timeout for establishing a connection, including TLS.
const CONNECT: Duration = Duration::from_secs(5);
/// Timeout without receiving a byte: a little longer than a quiet watch lasts, so that it hits only dead
/// peers, and short enough to notice them within 15 s.
const READ: Duration = Duration::from_secs(12);
/// Timeout for sending.
const WRITE: Duration = Duration::from_secs(12);
/// Timeout for the kubeconfig's credential helper; it may have to ask a person.
const CREDENTIALS: Duration = Duration::from_mins(1);

/// The target cluster.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The kubeconfig; if `None`, `KUBECONFIG`, else `~/.kube/config`, else the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// Its context; if `None`, the current one.
    pub context: Option<String>,
}

/// Access to a cluster; cheap to clone.
#[derive(Clone)]
pub struct Access {
    client: Client,
    shared: Arc<Shared>,
}

struct Shared {
    config: Option<Config>,
    server: String,
    namespace: String,
    setup: Setup,
    version: OnceCell<Version>,
}

/// What the clients of one access share.
#[derive(Clone)]
struct Setup {
    throttled: Arc<Throttled>,
    way: Way,
    clock: fn() -> Time,
}

impl Setup {
    fn new(clock: fn() -> Time) -> Self {
        Self { throttled: Arc::default(), way: Way::default(), clock }
    }

    fn tells<B>(&self) -> MapResponseLayer<impl Fn(Response<B>) -> Response<B> + Clone + Send + 'static> {
        let way = self.way.clone();
        MapResponseLayer::new(move |answer: Response<B>| {
            way.answered(answer.status().is_success());
            answer
        })
    }
}

/// An API server's version.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Version {
    /// 1
    pub major: u32,
    /// 34
    pub minor: u32,
}

impl Access {
    /// Finds the target cluster and prepares a client; sends no request yet.
    ///
    /// `clock` is the reference for dates sent by the server.
    ///
    /// # Errors
    /// No cluster is configured, or the kubeconfig cannot be used.
    pub async fn find(target: &Target, clock: fn() -> Time) -> Result<Self, AccessError> {
        Self::from_config(config(target).await?, clock).await
    }

    async fn from_config(config: Config, clock: fn() -> Time) -> Result<Self, AccessError> {
        let config = patient(config);
        let setup = Setup::new(clock);
        let client = client(config.clone(), &setup).await?;
        let (server, namespace) = (address(&config.cluster_url), config.default_namespace.clone());
        let (config, version) = (Some(config), OnceCell::new());
        Ok(Self { client, shared: Arc::new(Shared { config, server, namespace, setup, version }) })
    }

    /// Access through an existing client, for tests.
    pub fn through(client: Client, clock: fn() -> Time) -> Self {
        let (server, namespace) = ("-".to_owned(), client.default_namespace().to_owned());
        let (setup, version) = (Setup::new(clock), OnceCell::new());
        let service = service_fn(move |request| {
            let client = client.clone();
            async move { client.send(request).await }
        });
        let client = ClientBuilder::new(service, &*namespace).with_layer(&setup.tells()).build();
        Self { client, shared: Arc::new(Shared { config: None, server, namespace, setup, version }) }
    }

    /// The client: it waits as long as the server asks for with 429 and 503, but never retries by itself.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// A separate client, which is not held back by 429 and 503 answers to the other one.
    ///
    /// # Errors
    /// As [`Access::find`].
    pub async fn another_client(&self) -> Result<Client, AccessError> {
        match &self.shared.config {
            Some(config) => client(config.clone(), &self.shared.setup).await,
            None => Ok(self.client.clone()),
        }
    }

    /// The API server's scheme, host and port.
    pub fn server(&self) -> &str {
        &self.shared.server
    }

    /// The namespace of the context, or of the pod.
    pub fn namespace(&self) -> &str {
        &self.shared.namespace
    }

    /// How often the server asked for fewer requests, over all clients.
    pub fn throttled(&self) -> &Arc<Throttled> {
        &self.shared.setup.throttled
    }

    /// Whether the server can be reached, as learnt by all clients.
    pub fn way(&self) -> &Way {
        &self.shared.setup.way
    }

    /// The API server's version, requested until it is known.
    ///
    /// # Errors
    /// The request failed, or the answer has no version.
    pub async fn version(&self) -> kube::Result<Version> {
        let ask = || async {
            let info = self.client.apiserver_version().await?;
            let number = |text: &str| text.split(|other: char| !other.is_ascii_digit()).next()?.parse().ok();
            // A server that does not report its version is treated like the oldest.
            let (major, minor) = (number(&info.major).unwrap_or(1), number(&info.minor).unwrap_or(0));
            Ok(Version { major, minor })
        };
        self.shared.version.get_or_try_init(ask).await.copied()
    }

    /// Requests the server's version, which everybody may, to find out what is wrong.
    ///
    /// # Errors
    /// It cannot be reached, is not trusted, does not accept the credentials, or refuses.
    pub async fn check(&self) -> Result<Version, AccessError> {
        self.version().await.map_err(|error| AccessError::of_request(&error, self.server()))
    }
}

impl std::fmt::Debug for Access {
    /// Without the configuration, which holds credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("server", &self.server()).finish_non_exhaustive()
    }
}

/// The configuration with the server's address and the credentials.
async fn config(target: &Target) -> Result<Config, AccessError> {
    let (kubeconfig, file) = match &target.kubeconfig {
        Some(path) => (Kubeconfig::read_from(path), path.display().to_string()),
        None => (Kubeconfig::read(), named_by_environment()),
    };
    match kubeconfig {
        Ok(kubeconfig) => of_kubeconfig(kubeconfig, target.context.as_deref(), &file).await,
        Err(error) if target.kubeconfig.is_none() && target.context.is_none() && is_absent(&error) => in_cluster(),
        Err(KubeconfigError::FindPath) => Err(AccessError::NoCluster),
        Err(error) => Err(AccessError::of_kubeconfig(&error, &file)),
    }
}

fn named_by_environment() -> String {
    std::env::var("KUBECONFIG").ok().filter(|path| !path.is_empty()).unwrap_or_else(|| "~/.kube/config".to_owned())
}

/// Whether no kubeconfig was named, and there is none in the default place.
fn is_absent(error: &KubeconfigError) -> bool {
    let unnamed = std::env::var_os("KUBECONFIG").is_none_or(|path| path.is_empty());
    unnamed
        && match error {
            KubeconfigError::FindPath => true,
            KubeconfigError::ReadConfig(error, _) => error.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        }
}

fn in_cluster() -> Result<Config, AccessError> {
    Config::incluster().map_err(|error| match error {
        InClusterError::ReadEnvironmentVariable(_) => AccessError::NoCluster,
        error => AccessError::InCluster(error),
    })
}

async fn of_kubeconfig(kubeconfig: Kubeconfig, context: Option<&str>, file: &str) -> Result<Config, AccessError> {
    let known: Vec<String> = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
    let options = KubeConfigOptions { context: context.map(str::to_owned), ..KubeConfigOptions::default() };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let file = || file.to_owned();
    let mut config = config.map_err(|error| match error {
        KubeconfigError::CurrentContextNotSet => AccessError::NoCurrentContext { file: file(), known },
        KubeconfigError::LoadContext(context) => AccessError::NoContext { file: file(), context, known },
        error => AccessError::of_kubeconfig(&error, &file()),
    })?;
    if config.proxy_url.is_some() && proxy::is_bypassed(&config) {
        config.proxy_url = None;
    }
    Ok(config)
}

/// kube's defaults set no timeout for lists, and hide 429 and 503.
fn patient(mut config: Config) -> Config {
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(READ);
    config.write_timeout = Some(WRITE);
    config.reset_reader_on_write = true;
    config.default_retry = false;
    config
}

async fn client(config: Config, setup: &Setup) -> Result<Client, AccessError> {
    let server = address(&config.cluster_url);
    // Runs the credential helper that a kubeconfig may name, and waits for it.
    let builder = tokio::task::spawn_blocking(move || ClientBuilder::try_from(config));
    let credentials = |cause: &str| AccessError::Credentials { server: server.clone(), cause: cause.to_owned() };
    let builder = tokio::time::timeout(CREDENTIALS, builder).await;
    let builder = builder.map_err(|_| credentials("the credential helper does not end"))?;
    let builder = builder.map_err(|_| credentials("the credential helper cannot be run"))?;
    let builder = builder.map_err(|error| AccessError::of_settings(&error, &server))?;
    let throttle = ThrottleLayer::new(Arc::clone(&setup.throttled), setup.clock);
    Ok(builder.with_layer(&throttle).with_layer(&setup.tells()).build())
}

/// Scheme, host and port, and nothing else from the URL.
fn address(url: &http::Uri) -> String {
    let scheme = url.scheme_str().unwrap_or("https");
    match (url.host(), url.port()) {
        (Some(host), Some(port)) => format!("{scheme}://{host}:{port}"),
        (Some(host), None) => format!("{scheme}://{host}"),
        (None, _) => format!("{scheme}://?"),
    }
}

#[cfg(test)]
mod tests;
