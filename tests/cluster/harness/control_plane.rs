//! etcd, kube-apiserver and kube-controller-manager: on free loopback ports, or for a node.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::api::Api;
use super::clock::Stopwatch;
use super::folder::Folder;
use super::ports;
use super::process::{Process, Signal};
use super::waiting;

/// Far more than a server takes to start, on a busy machine.
const START: Duration = Duration::from_mins(3);

/// The group of administrators, who may do everything and whose requests are never queued.
const ADMIN: &str = "the-administrator";
const CONTROLLERS: &str = "the-controllers";
const SCHEDULER: &str = "the-scheduler";
const NODE: &str = "the-node";

/// Controllers that do not interfere with what a player writes. All others would: workload controllers
/// would create pods of their own, garbage collectors would remove pods of non-existing nodes.
const HARMLESS: &str = "serviceaccount,serviceaccount-token,namespace,root-ca-cert-publisher,clusterrole-aggregation";

/// The purpose of a control plane.
enum Purpose {
    /// Objects alone: all statuses are written by a player.
    Objects,
    /// Workloads, for which controllers create pods that no node runs.
    Workloads,
    /// A node that reaches the API server at this address.
    Node(String),
}

/// A control plane: a cluster, without nodes or for one.
///
/// The API server creates its own certificate, and its key signs the tokens of `ServiceAccounts`;
/// administrators use tokens from a file. So no certificates have to be created here.
pub struct ControlPlane {
    purpose: Purpose,
    folder: Folder,
    ports: Ports,
    ca: String,
    servers: Mutex<Servers>,
}

struct Servers {
    scheduler: Option<Process>,
    controllers: Option<Process>,
    api: Option<Process>,
    etcd: Process,
}

struct Ports {
    etcd: u16,
    etcd_peers: u16,
    api: u16,
}

impl ControlPlane {
    /// Starts one, and waits until it is ready.
    ///
    /// # Panics
    /// It is not ready in time; the last lines of its servers' output are in the message.
    pub async fn start(name: &str) -> Self {
        Self::start_for(Purpose::Objects, name).await
    }

    /// Starts one with all controllers, and waits until it is ready.
    ///
    /// # Panics
    /// It is not ready in time; the last lines of its servers' output are in the message.
    pub async fn start_with_controllers(name: &str) -> Self {
        Self::start_for(Purpose::Workloads, name).await
    }

    /// Starts one for a node, with all controllers and a scheduler, and waits until it is ready. Its
    /// API server listens at port 6443 of `address`, which has to be this machine's.
    ///
    /// # Panics
    /// It is not ready in time; the last lines of its servers' output are in the message.
    pub async fn start_for_node(name: &str, address: &str) -> Self {
        Self::start_for(Purpose::Node(address.to_owned()), name).await
    }

    async fn start_for(purpose: Purpose, name: &str) -> Self {
        let since = Stopwatch::start();
        let folder = Folder::new(name);
        folder.write("tokens.csv", &tokens());
        let mut ports = Ports::free();
        if let Purpose::Node(_) = purpose {
            ports.api = 6443;
        }
        let etcd = start_etcd(&folder, &ports);
        let servers = Mutex::new(Servers { scheduler: None, controllers: None, api: None, etcd });
        let mut this = Self { purpose, folder, ports, ca: String::new(), servers };
        this.launch_api_server();
        let certificate = this.folder.file("certs/apiserver.crt");
        this.ca =
            this.until("the API server has its certificate", async || authority(&certificate).ok_or("none")).await;
        this.folder.write("ca.crt", &this.ca);
        this.write_kubeconfig("admin.kubeconfig", &this.url(), ADMIN);
        this.until_ready().await;
        this.start_controllers();
        this.start_scheduler();
        println!("{name}: etcd and API server on port {} within {:.1?}", this.ports.api, since.elapsed());
        this
    }

    /// The URL of its API server.
    pub fn url(&self) -> String {
        format!("https://{}:{}", self.purpose.address(), self.ports.api)
    }

    /// The port of its API server.
    pub fn port(&self) -> u16 {
        self.ports.api
    }

    /// The certificate of its authority, in PEM.
    pub fn ca(&self) -> &str {
        &self.ca
    }

    /// The folder with its files.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// The administrator.
    pub fn admin(&self) -> Api {
        Api::new(&self.url(), &self.ca, ADMIN)
    }

    /// A kubeconfig of the administrator.
    pub fn admin_kubeconfig(&self) -> PathBuf {
        self.folder.file("admin.kubeconfig")
    }

    /// Writes a kubeconfig for the server at `url` with a token.
    pub fn write_kubeconfig(&self, name: &str, url: &str, token: &str) -> PathBuf {
        self.folder.write(name, &kubeconfig(url, &self.folder.file("ca.crt"), token))
    }

    /// Writes a kubeconfig for the node.
    pub fn node_kubeconfig(&self) -> PathBuf {
        self.write_kubeconfig("node.kubeconfig", &self.url(), NODE)
    }

    /// The token of a kubelet: of the group `system:nodes`.
    pub fn node_token() -> String {
        NODE.to_owned()
    }

    /// The process id of its API server.
    ///
    /// # Panics
    /// It was stopped.
    pub fn api_server_pid(&self) -> u32 {
        self.servers().api.as_ref().expect("an API server that runs").pid()
    }

    /// Stops the API server: connections are refused from then on.
    pub fn stop_api_server(&self) {
        if let Some(mut api) = self.servers().api.take() {
            api.signal(Signal::Kill);
            api.wait(Duration::from_secs(5)).expect("a killed process ends");
        }
    }

    /// Starts the API server again, on its old port, and waits until it is ready.
    pub async fn start_api_server(&self) {
        self.launch_api_server();
        self.until_ready().await;
    }

    /// Compacts all of etcd's history: a watch resumed from an earlier version gets 410. Returns the
    /// revision of that.
    pub async fn compact(&self) -> u64 {
        let status = self.etcd("maintenance/status", &json!({})).await;
        let revision = status["header"]["revision"].as_str().expect("a revision").to_owned();
        self.etcd("kv/compaction", &json!({"revision": revision, "physical": true})).await;
        revision.parse().expect("revisions are numbers")
    }

    /// The last lines of its servers' output.
    pub fn last_words(&self) -> String {
        let servers = self.servers();
        let mut text = servers.etcd.last_words();
        for server in [&servers.api, &servers.controllers, &servers.scheduler].into_iter().flatten() {
            text += &server.last_words();
        }
        text
    }

    /// A guard that, if the test fails, prints the servers' output and keeps their files.
    pub fn witness(&self) -> Witness<'_> {
        Witness(self)
    }

    fn launch_api_server(&self) {
        self.servers().api = Some(Process::start(
            "kube-apiserver",
            &program("kube-apiserver"),
            &api_server_arguments(&self.purpose, &self.folder, &self.ports),
            &[],
            &self.folder.file("kube-apiserver.log"),
        ));
    }

    fn start_controllers(&self) {
        let kubeconfig = self.write_kubeconfig("controllers.kubeconfig", &self.url(), CONTROLLERS);
        let file = |name: &str| self.folder.file(name).display().to_string();
        let arguments = [
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--controllers={}", self.purpose.controllers()),
            "--use-service-account-credentials=true".to_owned(),
            format!("--service-account-private-key-file={}", file("certs/apiserver.key")),
            format!("--root-ca-file={}", file("ca.crt")),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
        ];
        let name = "kube-controller-manager";
        let process = Process::start(name, &program(name), &arguments, &[], &self.folder.file("controllers.log"));
        self.servers().controllers = Some(process);
    }

    fn start_scheduler(&self) {
        let Purpose::Node(_) = self.purpose else { return };
        let kubeconfig = self.write_kubeconfig("scheduler.kubeconfig", &self.url(), SCHEDULER);
        let arguments = [
            format!("--kubeconfig={}", kubeconfig.display()),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
        ];
        let name = "kube-scheduler";
        let process = Process::start(name, &program(name), &arguments, &[], &self.folder.file("scheduler.log"));
        self.servers().scheduler = Some(process);
    }

    async fn until_ready(&self) {
        let admin = self.admin();
        self.until("the API server is ready", async || {
            let answer = admin.get("/readyz").await;
            if answer.is_success() { Ok(()) } else { Err(answer.refusal()) }
        })
        .await;
    }

    /// Polls until `look` returns something, as long as all servers run.
    async fn until<T, E: Debug>(&self, what: &str, mut look: impl AsyncFnMut() -> Result<T, E>) -> T {
        waiting::eventually(what, START, async || {
            let ended = self.servers().ended();
            assert!(ended.is_none(), "{what}: {}", ended.unwrap_or_default());
            look().await
        })
        .await
    }

    async fn etcd(&self, what: &str, request: &Value) -> Value {
        let api = Api::anonymous(&format!("http://127.0.0.1:{}", self.ports.etcd), "");
        api.create(&format!("/v3/{what}"), request).await.expect("an answer of etcd")
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Servers {
    /// The last lines of the first server that has ended.
    fn ended(&mut self) -> Option<String> {
        let others = [&mut self.api, &mut self.controllers, &mut self.scheduler].into_iter().flatten();
        [&mut self.etcd].into_iter().chain(others).find_map(|server| {
            let status = server.has_ended()?;
            Some(format!("{status}\n{}", server.last_words()))
        })
    }
}

impl Purpose {
    /// The address at which the API server listens.
    fn address(&self) -> &str {
        match self {
            Self::Objects | Self::Workloads => "127.0.0.1",
            Self::Node(address) => address,
        }
    }

    fn controllers(&self) -> &str {
        match self {
            Self::Objects => HARMLESS,
            Self::Workloads | Self::Node(_) => "*",
        }
    }
}

/// Prints the servers' output if a test fails.
pub struct Witness<'a>(&'a ControlPlane);

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.folder.keep();
            println!("{}", self.0.last_words());
        }
    }
}

impl Ports {
    fn free() -> Self {
        Self { etcd: ports::free(), etcd_peers: ports::free(), api: ports::free() }
    }
}

fn start_etcd(folder: &Folder, ports: &Ports) -> Process {
    let clients = format!("http://127.0.0.1:{}", ports.etcd);
    let peers = format!("http://127.0.0.1:{}", ports.etcd_peers);
    let arguments = [
        format!("--data-dir={}", folder.file("etcd").display()),
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
        format!("--listen-client-urls={clients}"),
        format!("--advertise-client-urls={clients}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
    ];
    Process::start("etcd", &program("etcd"), &arguments, &[], &folder.file("etcd.log"))
}

/// The users and groups, by token: `token,user,uid,"group"`.
fn tokens() -> String {
    format!(
        "{ADMIN},admin,admin,\"system:masters\"
{CONTROLLERS},system:kube-controller-manager,controllers,
{SCHEDULER},system:kube-scheduler,scheduler,
{NODE},system:node:node-1,node,\"system:nodes\"
"
    )
}

fn api_server_arguments(purpose: &Purpose, folder: &Folder, ports: &Ports) -> Vec<String> {
    let file = |name: &str| folder.file(name).display().to_string();
    vec![
        format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
        format!("--bind-address={}", purpose.address()),
        format!("--secure-port={}", ports.api),
        format!("--cert-dir={}", file("certs")),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", file("certs/apiserver.crt")),
        format!("--service-account-signing-key-file={}", file("certs/apiserver.key")),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        "--allow-privileged=true".to_owned(),
        "--profiling=false".to_owned(),
    ]
}

/// The second certificate of the API server's file: the first one is its own, the second one is that of the
/// authority that it created for the purpose.
fn authority(file: &Path) -> Option<String> {
    const END: &str = "-----END CERTIFICATE-----\n";
    let text = std::fs::read_to_string(file).ok()?;
    let (_, authority) = text.split_once(END)?;
    authority.ends_with(END).then(|| authority.to_owned())
}

fn kubeconfig(url: &str, ca: &Path, token: &str) -> String {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "it", "cluster": {"server": url, "certificate-authority": ca}}],
        "users": [{"name": "it", "user": {"token": token}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "current-context": "it",
    });
    config.to_string()
}

/// The path of a program provided by `tests/cluster/build`.
pub fn program(name: &str) -> PathBuf {
    static BIN: LazyLock<PathBuf> = LazyLock::new(|| match std::env::var_os("CLUSTER_BIN") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/cluster/bin"),
    });
    BIN.join(name)
}
