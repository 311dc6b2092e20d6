//! probehound installed in a cluster by its manifests: its API, its service account, its permissions.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tokio::sync::OnceCell;

use crate::harness::ControlPlane;
use crate::harness::control_plane::program;
use crate::operator::Settings;

/// The namespace and the `ServiceAccount` of the manifests.
pub const NAMESPACE: &str = "probehound";
pub const ACCOUNT: &str = "probehound";

/// Longer than any test runs, and any soak.
const TOKEN_SECONDS: u64 = 24 * 3600;

/// A control plane with the manifests in it.
pub struct Installed {
    /// The control plane.
    pub cluster: ControlPlane,
}

impl Installed {
    /// A control plane of its own.
    pub async fn start(name: &str) -> Self {
        Self::start_with(name, "base").await
    }

    /// A control plane of its own, with the manifests of another folder.
    pub async fn start_with(name: &str, folder: &str) -> Self {
        let cluster = ControlPlane::start(name).await;
        let path = manifests(folder).display().to_string();
        kubectl(&cluster, &["apply", "--server-side", "-k", &path]).expect_success();
        // Controllers create it, a moment after the namespace.
        cluster.admin().create_service_account(NAMESPACE, "default").await;
        Self { cluster }
    }

    /// The one shared by tests that disturb nothing outside of their own namespaces.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Installed> = OnceCell::const_new();
        SHARED.get_or_init(|| Self::start("shared")).await
    }

    /// Settings of an operator with its service account's own token, at that URL.
    pub async fn settings_at(&self, name: &str, url: &str) -> Settings {
        let token = self.cluster.admin().token_of(NAMESPACE, ACCOUNT, TOKEN_SECONDS).await;
        Settings::new(name, self.cluster.write_kubeconfig(&format!("{name}.kubeconfig"), url, &token))
    }

    /// The same, at the API server's own URL.
    pub async fn settings(&self, name: &str) -> Settings {
        self.settings_at(name, &self.cluster.url()).await
    }
}

/// The path of a folder in `manifests`.
pub fn manifests(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests").join(folder)
}

/// Gives the account of the manifests the right to get a namespace, in that namespace alone.
pub fn let_namespace_be_read(cluster: &ControlPlane, namespace: &str) {
    let role = ["create", "role", "namespace", "--verb=get", "--resource=namespaces", "-n", namespace];
    kubectl(cluster, &role).expect_success();
    let account = format!("--serviceaccount={NAMESPACE}:{ACCOUNT}");
    let binding = ["create", "rolebinding", "namespace", "--role=namespace", &account, "-n", namespace];
    kubectl(cluster, &binding).expect_success();
}

/// The output of a program.
pub struct Said(Output);

/// Runs `kubectl` as the administrator.
pub fn kubectl(cluster: &ControlPlane, arguments: &[&str]) -> Said {
    let kubeconfig = cluster.admin_kubeconfig();
    let output = Command::new(program("kubectl")).arg("--kubeconfig").arg(kubeconfig).args(arguments).output();
    Said(output.expect("kubectl starts"))
}

/// Runs `helm` as the administrator of a cluster, or without one; its own files belong to the test.
pub fn helm(cluster: Option<&ControlPlane>, arguments: &[&str]) -> Said {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).join("helm");
    let mut helm = Command::new(program("helm"));
    helm.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).env("KUBECONFIG", "/dev/null");
    for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        helm.env(name, &own);
    }
    if let Some(cluster) = cluster {
        helm.env("KUBECONFIG", cluster.admin_kubeconfig());
    }
    Said(helm.output().expect("helm starts"))
}

impl Said {
    /// Its standard output.
    ///
    /// # Panics
    /// It failed.
    #[track_caller]
    pub fn expect_success(&self) -> String {
        assert!(self.0.status.success(), "{}", self.warnings());
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    /// Its standard error.
    ///
    /// # Panics
    /// It did not fail.
    #[track_caller]
    pub fn expect_failure(&self) -> String {
        assert!(!self.0.status.success(), "{}", String::from_utf8_lossy(&self.0.stdout));
        self.warnings()
    }

    /// Its standard error.
    pub fn warnings(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}
