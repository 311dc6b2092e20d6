//! What is watched, and how.

use crate::text::glob::Glob;

/// What is watched. Needs a restart to change.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Watch {
    /// The namespaces, sorted; empty: all of them.
    pub namespaces: Vec<String>,
    /// Namespaces that are left out where all are watched.
    pub exclude_namespaces: Vec<Glob>,
    /// A label selector for the pods: `app=web,tier!=test`.
    pub pod_selector: Option<String>,
    /// How the first list is read.
    pub initial_list: InitialList,
}

impl Watch {
    /// Whether a namespace is left out. One that is named is watched in any case.
    pub fn excludes(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() && self.exclude_namespaces.iter().any(|glob| glob.matches(namespace))
    }
}

/// How the first list of a watch comes.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InitialList {
    /// As a stream where the server has that (1.34 and newer), else in pages.
    #[default]
    Auto,
    /// In pages.
    List,
    /// As a stream.
    Stream,
}
