//! Of which pods something is asked: the same for `scan` and `watch`.

use super::of;
use crate::config::{selector, value};
use crate::finding::Labels;

/// Namespaces and labels.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Scope {
    /// Only this namespace; can be repeated, or separated by commas
    #[arg(short, long, value_name = "NAMESPACE", value_delimiter = ',', value_parser = of(value::namespace))]
    pub namespace: Vec<String>,

    /// All namespaces, which is the default
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub all_namespaces: bool,

    /// Only pods with these labels: app=web,tier!=test
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = of(selector::selector))]
    pub selector: Option<String>,
}

impl Scope {
    /// Whether a namespace belongs to it.
    pub fn has(&self, namespace: &str) -> bool {
        self.namespace.is_empty() || self.namespace.iter().any(|one| one == namespace)
    }

    /// Whether pods with these labels in that namespace belong to it.
    pub fn includes(&self, namespace: &str, labels: &Labels) -> bool {
        let is_selected = |text| selector::selects(text, labels);
        self.has(namespace) && self.selector.as_deref().is_none_or(is_selected)
    }
}
