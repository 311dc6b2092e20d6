//! Where settings come from: a file, flags and environment variables.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use super::{Config, Listen, Problem, Problems, check, raw::Raw, yaml};
use crate::text::hash::mark;

/// Maximum size of the file: what a ConfigMap can hold.
const MAX_BYTES: u64 = 1 << 20;

/// The sources of the settings; read again for each reload.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The file; `None`: the defaults apply.
    pub file: Option<PathBuf>,
    /// The values of flags and environment variables.
    pub overrides: Overrides,
}

/// Settings that flags and environment variables can override.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Overrides {
    /// `clusterName`
    pub cluster_name: Option<String>,
    /// `watch.namespaces`; empty: all.
    pub namespaces: Option<Vec<String>>,
    /// `watch.podSelector`
    pub pod_selector: Option<String>,
    /// `http.listen`
    pub listen: Option<Listen>,
    /// `http.metricsAuthentication`
    pub metrics_authentication: Option<bool>,
    /// `page.enabled`
    pub page: Option<bool>,
    /// `page.listen`
    pub page_listen: Option<Listen>,
    /// `page.authentication`
    pub page_authentication: Option<bool>,
    /// `leaderElection.enabled`
    pub leader_election: Option<bool>,
}

/// Settings, and a hash of the file that they were read from.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// Equal for equal content.
    pub mark: u64,
}

/// Why the settings could not be loaded.
#[derive(thiserror::Error, Debug)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {file}: {cause}")]
    Read {
        /// As given by the user.
        file: String,
        /// The system's error.
        cause: io::Error,
    },
    /// The file is invalid.
    #[error(transparent)]
    Wrong(#[from] Problems),
}

impl Source {
    /// Reads and checks the file, and applies the overrides.
    ///
    /// # Errors
    /// The file cannot be read, or is invalid.
    pub fn load(&self) -> Result<Loaded, LoadError> {
        self.load_text(&self.text()?)
    }

    /// The content of the file; empty if there is no file.
    ///
    /// # Errors
    /// It cannot be read, is larger than 1 MiB, or is not text.
    pub fn text(&self) -> Result<String, LoadError> {
        let Some(path) = &self.file else { return Ok(String::new()) };
        let cause = |cause| LoadError::Read { file: self.name(), cause };
        let mut bytes = Vec::new();
        File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(cause)?;
        let wrong = |what: &str| Problems { file: self.name(), all: vec![Problem::of_file(what)] };
        if bytes.len() as u64 > MAX_BYTES {
            return Err(wrong("larger than 1 MiB, which no file of settings is").into());
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong("not UTF-8"))?;
        // A file that a writer has truncated and not yet filled again must not reset everything.
        if text.trim().is_empty() {
            let problem = Problem::of_file("the file is empty").hint("to have all defaults, write {}");
            return Err(Problems { file: self.name(), all: vec![problem] }.into());
        }
        Ok(text)
    }

    /// Checks the result of [`Source::text`].
    ///
    /// # Errors
    /// It is invalid.
    pub fn load_text(&self, text: &str) -> Result<Loaded, LoadError> {
        let wrong = |all| Problems { file: self.name(), all };
        let raw: Raw = yaml::read(text).map_err(|problem| wrong(vec![problem]))?;
        let mut config = check(&raw).map_err(wrong)?;
        self.overrides.apply(&mut config);
        Ok(Loaded { config, mark: mark(&text) })
    }

    /// The file, as given by the user.
    pub fn name(&self) -> String {
        self.file.as_ref().map_or_else(|| "the defaults".to_owned(), |path| path.display().to_string())
    }
}

impl Overrides {
    fn apply(&self, config: &mut Config) {
        if let Some(name) = &self.cluster_name {
            config.cluster_name = Some(name.clone());
        }
        if let Some(namespaces) = &self.namespaces {
            config.watch.namespaces.clone_from(namespaces);
            config.watch.namespaces.sort_unstable();
            config.watch.namespaces.dedup();
        }
        if let Some(selector) = &self.pod_selector {
            config.watch.pod_selector = Some(selector.clone());
        }
        if let Some(listen) = self.listen {
            config.http.listen = listen;
        }
        if let Some(enabled) = self.metrics_authentication {
            config.http.metrics_authentication = enabled;
        }
        if let Some(enabled) = self.page {
            config.page.enabled = enabled;
        }
        config.page.listen = self.page_listen.or(config.page.listen);
        if let Some(enabled) = self.page_authentication {
            config.page.authentication = enabled;
        }
        if let Some(enabled) = self.leader_election {
            config.leader_election.enabled = enabled;
        }
    }
}
