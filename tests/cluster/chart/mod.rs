//! The Helm chart, rendered and installed by Helm itself.

mod older;
mod released;
mod rendered;
mod tested;
mod upgraded;

/// The chart.
const CHART: &str = "charts/probehound";
/// Every value set to something else than its default.
const EVERYTHING: &str = "charts/probehound/ci/everything-values.yaml";
/// A release with the name and namespace of the manifests.
const RELEASE: [&str; 4] = ["probehound", CHART, "--namespace", "probehound"];

/// `helm COMMAND probehound charts/probehound --namespace probehound FURTHER…`
fn command<'a>(command: &'a str, further: &[&'a str]) -> Vec<&'a str> {
    [&[command], &RELEASE[..], further].concat()
}
