//! Where settings come from: a file, and what a person set besides.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use super::{Config, Listen, Problem, Problems, check, raw::Raw, yaml};
use crate::text::hash::mark;

/// Largest file: what a ConfigMap can hold.
const MAX_BYTES: u64 = 1 << 20;

/// Where settings come from; read again for each reload.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The file; none: the defaults hold.
    pub file: Option<PathBuf>,
    /// What flags and environment variables say.
    pub overrides: Overrides,
}

/// Settings that flags and environment variables can take out of the file's hands.
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
    /// `leaderElection.enabled`
    pub leader_election: Option<bool>,
}

/// Settings, and a mark of the file that they were read from.
#[derive(Clone, PartialEq, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The same for the same content.
    pub mark: u64,
}

/// Why there are no settings.
#[derive(thiserror::Error, Debug)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read {file}: {cause}")]
    Read {
        /// As the person named it.
        file: String,
        /// What the system says.
        cause: io::Error,
    },
    /// The file is wrong.
    #[error(transparent)]
    Wrong(#[from] Problems),
}

impl Source {
    /// Reads and checks the file, and puts on top of it what a person set besides.
    ///
    /// # Errors
    /// The file cannot be read, or something in it is wrong.
    pub fn load(&self) -> Result<Loaded, LoadError> {
        self.load_text(&self.text()?)
    }

    /// The file's content; empty where there is none.
    ///
    /// # Errors
    /// It cannot be read, is larger than 1 MiB, or is no text.
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
        // What a writer has emptied and not yet filled again must not reset everything.
        if text.trim().is_empty() {
            let problem = Problem::of_file("the file is empty").hint("to have all defaults, write {}");
            return Err(Problems { file: self.name(), all: vec![problem] }.into());
        }
        Ok(text)
    }

    /// Checks what [`Source::text`] gave.
    ///
    /// # Errors
    /// Something in it is wrong.
    pub fn load_text(&self, text: &str) -> Result<Loaded, LoadError> {
        let wrong = |all| Problems { file: self.name(), all };
        let raw: Raw = yaml::read(text).map_err(|problem| wrong(vec![problem]))?;
        let mut config = check(&raw).map_err(wrong)?;
        self.overrides.apply(&mut config);
        Ok(Loaded { config, mark: mark(&text) })
    }

    /// The file, as the person named it.
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
        if let Some(enabled) = self.leader_election {
            config.leader_election.enabled = enabled;
        }
    }
}
