//! The faults of `tests/node/zoo`: each a manifest, in a namespace of its own, with its truth.

use std::path::Path;

use crate::kubectl::Kubectl;
use crate::support::truth::Scale;
use crate::support::{Document, Truth};

/// A fault.
pub struct Fault {
    /// The name of its file and of its namespace.
    pub name: String,
    /// The expected findings.
    pub truth: Truth,
    /// Whether something more is applied after it has run for a while.
    goes_on: bool,
}

/// All of them, by name.
pub fn faults() -> Vec<Fault> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node/zoo");
    let entries = std::fs::read_dir(&folder).expect("the zoo can be listed");
    let files = entries.filter_map(|entry| entry.expect("an entry of a folder").file_name().into_string().ok());
    let mut names: Vec<String> =
        files.filter_map(|file| file.strip_suffix(".expect.yaml").map(str::to_owned)).collect();
    names.sort();
    names.into_iter().map(|name| Fault::read(&folder, name)).collect()
}

/// The story, as a fault like the others.
pub fn story() -> Fault {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    Fault { name: crate::story::NAMESPACE.to_owned(), ..Fault::read(&folder, "story".to_owned()) }
}

/// The example of the manifests, as a fault like the others.
pub fn example() -> Fault {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    Fault { name: crate::example::NAMESPACE.to_owned(), ..Fault::read(&folder, "example".to_owned()) }
}

impl Fault {
    fn read(folder: &Path, name: String) -> Self {
        let truth = std::fs::read_to_string(folder.join(format!("{name}.expect.yaml"))).expect("a truth can be read");
        let truth = serde_saphyr::from_str(&truth).unwrap_or_else(|error| panic!("{name}.expect.yaml: {error}"));
        let goes_on = folder.join(format!("{name}.then.yaml")).exists();
        Self { name, truth, goes_on }
    }

    /// Applies it.
    pub async fn begin(&self, kubectl: &Kubectl) {
        kubectl.create_namespace(&self.name).await;
        kubectl.apply(&self.name, &format!("zoo/{}.yaml", self.name)).await;
    }

    /// Applies the second part.
    pub async fn go_on(&self, kubectl: &Kubectl) {
        if self.goes_on {
            kubectl.apply(&self.name, &format!("zoo/{}.then.yaml", self.name)).await;
        }
    }

    /// The problems of the findings, one text each.
    pub fn problems(&self, said: &Document) -> Vec<String> {
        let mut of_it = said.clone();
        of_it.findings.retain(|finding| finding.namespace == self.name);
        let problems = self.truth.judge(&of_it, Scale::Whole).problems();
        problems.into_iter().map(|problem| format!("{}: {problem}", self.name)).collect()
    }
}
