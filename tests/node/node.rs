//! A node: containerd, a bridge network and a kubelet, in the isolation of `tests/node/isolated`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::harness::clock::Stopwatch;
use crate::harness::control_plane::program;
use crate::harness::{ControlPlane, Process, waiting};

/// The node's name.
pub const NAME: &str = "node-1";

/// The socket of containerd, which is the default for ctr and the kubelet.
const SOCKET: &str = "/run/containerd/containerd.sock";

/// Far more than anything here takes, on a busy machine.
const START: Duration = Duration::from_mins(2);

/// A node of a control plane. Everything on it ends with the isolation.
pub struct Node {
    folder: PathBuf,
    containerd: Process,
    kubelet: Process,
}

impl Node {
    /// Starts one with the images of `tests/node/images`, and waits until it is ready.
    ///
    /// # Panics
    /// It is not ready in time, or this process is not isolated.
    pub async fn start(plane: &ControlPlane) -> Self {
        let since = Stopwatch::start();
        let folder = plane.folder().path().to_owned();
        let containerd = start_containerd(&folder);
        import_images().await;
        write_kubelet_configuration(&folder);
        let kubelet = start_kubelet(plane);
        let mut this = Self { folder, containerd, kubelet };
        this.until_ready(plane).await;
        println!("{NAME} is ready after {:.1?}", since.elapsed());
        this
    }

    /// The address at which pods and servers on the node reach each other.
    pub fn address() -> String {
        isolation("NODE_ADDRESS")
    }

    /// Kills the kubelet like a crash would, and starts it again; containers keep running meanwhile.
    pub async fn restart_kubelet(&mut self, plane: &ControlPlane) {
        self.kubelet.kill();
        self.kubelet = start_kubelet(plane);
        self.until_ready(plane).await;
    }

    /// A kubelet that finds containerd's socket but not yet its services exits: it is started again, as an
    /// init system would.
    async fn until_ready(&mut self, plane: &ControlPlane) {
        let admin = plane.admin();
        let path = format!("/api/v1/nodes/{NAME}");
        waiting::eventually("the node is ready", START, async || {
            assert!(self.containerd.has_ended().is_none(), "{}", self.containerd.last_words());
            if self.kubelet.has_ended().is_some() {
                self.kubelet = start_kubelet(plane);
            }
            let node = admin.get(&path).await;
            let conditions = node.body["status"]["conditions"].as_array();
            let ready =
                conditions.is_some_and(|all| all.iter().any(|it| it["type"] == "Ready" && it["status"] == "True"));
            if ready { Ok(()) } else { Err(self.kubelet.last_words()) }
        })
        .await;
    }
}

impl Drop for Node {
    /// Copies the output of everything on the node, including the containers, to where it outlives the
    /// isolation.
    fn drop(&mut self) {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/cluster/node-logs");
        let command = "rm -rf \"$2\" && mkdir -p \"$2\" && cp -rL /var/log/pods \"$2\" && \
                       find \"$1\" -maxdepth 1 \\( -name '*.log' -o -name '*.jsonl.gz' \\) -exec cp -t \"$2\" {} +";
        let status = Command::new("sh").args(["-c", command, "sh"]).arg(&self.folder).arg(&target).status();
        println!("what everything wrote is in {} ({status:?})", target.display());
    }
}

/// A variable set by `tests/node/isolated`.
fn isolation(variable: &str) -> String {
    std::env::var(variable).expect("this runs in tests/node/isolated: make e2e-node")
}

fn start_containerd(folder: &Path) -> Process {
    let bin = program("containerd").parent().expect("a program is in a folder").to_owned();
    std::fs::create_dir_all(folder.join("cni")).expect("a folder can be made");
    std::fs::write(folder.join("cni/bridge.conflist"), network(folder)).expect("a file can be written");
    let configuration = folder.join("containerd.toml");
    std::fs::write(&configuration, containerd_configuration(folder, &bin)).expect("a file can be written");
    // It looks for its shim in the PATH.
    let path = std::env::var("PATH").unwrap_or_default();
    let envs = [("PATH".to_owned(), format!("{}:/usr/sbin:/sbin:{path}", bin.display()))];
    let arguments = [format!("--config={}", configuration.display())];
    Process::start("containerd", &bin.join("containerd"), &arguments, &envs, &folder.join("containerd.log"))
}

fn containerd_configuration(folder: &Path, bin: &Path) -> String {
    let (folder, bin) = (folder.display(), bin.display());
    format!(
        "version = 3
root = '{folder}/containerd'
state = '/run/containerd'
[grpc]
address = '{SOCKET}'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = 'probehound.test/pause:test'
[plugins.'io.containerd.cri.v1.runtime']
disable_apparmor = true
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = false
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['{bin}']
conf_dir = '{folder}/cni'
[plugins.'io.containerd.nri.v1.nri']
disable = true
"
    )
}

/// Pods get addresses on the isolation's bridge, beside the node's own.
fn network(folder: &Path) -> String {
    let addresses = json!({
        "type": "host-local",
        "dataDir": folder.join("addresses"),
        "ranges": [[{"subnet": "10.77.0.0/16", "rangeStart": "10.77.1.1"}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    });
    let bridge = json!({"type": "bridge", "bridge": "node0", "isGateway": true, "ipMasq": false, "ipam": addresses});
    json!({"cniVersion": "1.0.0", "name": "node", "plugins": [bridge]}).to_string()
}

async fn import_images() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/cluster/images");
    for image in ["pause", "app", "nginx", "shelves-1", "shelves-2", "probehound"] {
        let tar = folder.join(format!("{image}.tar"));
        assert!(tar.exists(), "{} is not there: make e2e-node makes it", tar.display());
        // containerd listens before it has all its services.
        waiting::eventually("an image is imported", START, async || {
            let mut ctr = Command::new(program("ctr"));
            let run = ctr.args(["--namespace", "k8s.io", "images", "import"]).arg(&tar).output().expect("ctr starts");
            if run.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&run.stderr).into_owned()) }
        })
        .await;
    }
}

fn write_kubelet_configuration(folder: &Path) {
    let configuration = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": format!("unix://{SOCKET}"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": isolation("NODE_CGROUP"),
        "failSwapOn": false,
        "failCgroupV1": false,
        // A container of the machine's own may not lower it.
        "oomScoreAdj": 0,
        "makeIPTablesUtilChains": false,
        "authentication": {"anonymous": {"enabled": true}, "webhook": {"enabled": false}},
        "authorization": {"mode": "AlwaysAllow"},
        "podLogsDir": "/var/log/pods",
        "volumePluginDir": folder.join("volume-plugins"),
        "resolvConf": "",
        // There is none; without an address the kubelet emits a warning event for every pod.
        "clusterDNS": ["10.96.0.10"],
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    });
    std::fs::write(folder.join("kubelet.json"), configuration.to_string()).expect("a file can be written");
}

fn start_kubelet(plane: &ControlPlane) -> Process {
    let file = |name: &str| plane.folder().file(name).display().to_string();
    let arguments = [
        format!("--config={}", file("kubelet.json")),
        format!("--kubeconfig={}", plane.node_kubeconfig().display()),
        format!("--hostname-override={NAME}"),
        format!("--node-ip={}", Node::address()),
        format!("--root-dir={}", file("kubelet")),
        format!("--cert-dir={}", file("kubelet-certificates")),
    ];
    Process::start("kubelet", &program(&kubelet()), &arguments, &[], &plane.folder().file("kubelet.log"))
}

/// The kubelet's program: of the control plane's minor version, or of the one in `NODE_MINOR`.
fn kubelet() -> String {
    match std::env::var("NODE_MINOR") {
        Ok(minor) if !minor.is_empty() => format!("kubelet-{minor}"),
        _ => "kubelet".to_owned(),
    }
}
