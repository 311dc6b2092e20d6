//! The manifests and the chart, as far as they can be checked without a cluster.

mod chart;

use std::process::Command;

use probehound::config::{Config, Source};
use probehound::report::object;
use serde_json::{Value, json};

#[test]
fn the_definition_of_findings_is_the_one_that_is_printed() {
    let definition = object::definition().expect("plain data");
    assert!(read("manifests/crd/crd.yaml") == definition, "probehound crd > manifests/crd/crd.yaml");
}

#[test]
fn a_namespace_has_the_rules_of_the_whole_cluster() {
    let everywhere = documents("manifests/base/rights.yaml");
    let one = documents("manifests/overlays/namespaced/rights/rights.yaml");
    assert_eq!((&everywhere[0]["kind"], &one[0]["kind"]), (&"ClusterRole".into(), &"Role".into()));
    assert_eq!(everywhere[0]["rules"], one[0]["rules"]);
    assert_eq!(everywhere[1]["subjects"], one[1]["subjects"]);
}

#[test]
fn nothing_of_others_can_be_changed_and_no_secret_be_read() {
    let rules = [documents("manifests/base/rights.yaml"), documents("manifests/base/lease-rights.yaml")].concat();
    for rule in rules.iter().flat_map(|role| list(&role["rules"])) {
        let words = [&rule["apiGroups"], &rule["resources"], &rule["verbs"]].map(words);
        assert!(words.iter().flatten().all(|word| !word.contains('*')), "{rule}");
        let [_, resources, verbs] = &words;
        let writes = verbs.iter().any(|verb| !["get", "list", "watch"].contains(&verb.as_str()));
        let own = ["findings", "findings/status", "leases", "events"];
        assert!(!writes || resources.iter().all(|resource| own.contains(&resource.as_str())), "{rule}");
        for forbidden in ["secrets", "configmaps", "pods/exec", "pods/log", "nodes"] {
            assert!(!resources.iter().any(|resource| resource == forbidden), "{rule}");
        }
    }
}

/// Only if it is requested, and no more than necessary: creating two kinds of reviews.
#[test]
fn who_reads_metrics_is_asked_with_rights_of_their_own() {
    let rights = documents("manifests/overlays/metrics-authentication/rights.yaml");
    let rules = json!([
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
        {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
    ]);
    assert_eq!(rights[0]["rules"], rules);
    assert_eq!(rights[1]["subjects"], documents("manifests/base/rights.yaml")[1]["subjects"]);
    assert_eq!(rights[2]["rules"], json!([{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]));
    let base = read("manifests/base/rights.yaml");
    assert!(!base.contains("reviews"), "not where nobody asked for it");
    // Clients of metrics are named, if the network enforces policies.
    let policy = &documents("manifests/base/networkpolicy.yaml")[0];
    let ingress = list(&policy["spec"]["ingress"]);
    assert!(!ingress.is_empty() && ingress.iter().all(|rule| !list(&rule["from"]).is_empty()), "{policy}");
}

#[test]
fn who_may_view_a_namespace_may_read_its_findings_and_not_write_them() {
    let reader = &documents("manifests/crd/readers.yaml")[0];
    for role in ["view", "edit", "admin"] {
        assert_eq!(reader["metadata"]["labels"][format!("rbac.authorization.k8s.io/aggregate-to-{role}")], "true");
    }
    let rules =
        json!([{"apiGroups": ["probehound.dev"], "resources": ["findings"], "verbs": ["get", "list", "watch"]}]);
    assert_eq!(reader["rules"], rules);
}

#[test]
fn the_container_is_started_as_the_program_can_be() {
    let deployment = &documents("manifests/base/deployment.yaml")[0];
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let mounted = container["volumeMounts"][0]["mountPath"].as_str().expect("a folder");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config");
    let settings = list(&container["env"]).into_iter().find(|variable| variable["name"] == "PROBEHOUND_CONFIG");
    let settings = settings.as_ref().and_then(|variable| variable["value"].as_str()).expect("it is told its settings");
    let mut probehound = Command::new(env!("CARGO_BIN_EXE_probehound"));
    let probehound = probehound.args(words(&container["args"])).arg("--check-config");
    let output = probehound.env("PROBEHOUND_CONFIG", settings.replace(mounted, file)).output();
    let output = output.expect("the binary runs");
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with(&format!("ok: {file}/")), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("listens   :8080\n"));
    assert_eq!(container["ports"][0]["containerPort"], 8080);
}

#[test]
fn the_image_is_built_with_a_stand_in_for_each_target() {
    let package = read("Cargo.toml");
    let quoted = |line: &str| Some(line.strip_prefix("path = \"")?.strip_suffix('"')?.to_owned());
    let paths: Vec<String> = package.lines().filter_map(quoted).collect();
    assert!(paths.len() > 2, "{paths:?}");
    let dockerfile = read("Dockerfile");
    let stand_ins = dockerfile.lines().find(|line| line.contains("touch src/lib.rs ")).expect("they are made");
    for path in paths {
        assert!(stand_ins.split(' ').any(|word| word == path), "the Dockerfile has no stand-in for {path}");
    }
}

#[test]
fn the_settings_of_the_overlays_are_right() {
    let file = "manifests/overlays/namespaced/probehound.yaml";
    let config = Source::default().load_text(&read(file)).expect("no error").config;
    assert_eq!(config.watch.namespaces, ["default"]);
    assert_eq!(Config { watch: Config::default().watch, ..config }, Config::default());
}

#[test]
fn the_image_is_of_this_version() {
    let base = &documents("manifests/base/kustomization.yaml")[0];
    assert_eq!(base["images"][0]["newTag"], env!("CARGO_PKG_VERSION"));
    assert_eq!(base["labels"][0]["pairs"]["app.kubernetes.io/version"], env!("CARGO_PKG_VERSION"));
}

/// As krew requires for a plugin's manifest.
#[test]
fn the_plugin_can_be_installed_by_krew() {
    let text = read("manifests/krew.yaml").replace("{{ .TagName }}", "v1.2.3");
    let filled = text.lines().map(|line| match line.split_once("{{addURIAndSha \"") {
        Some((before, rest)) => {
            let uri = rest.split('"').next().expect("an address");
            format!("{before}uri: {uri}\n{before}sha256: {}", "0".repeat(64))
        }
        None => line.to_owned(),
    });
    let text: Vec<String> = filled.collect();
    let plugin: Value = serde_saphyr::from_str(&text.join("\n")).expect("YAML");
    assert_eq!(plugin["apiVersion"], "krew.googlecontainertools.github.com/v1alpha2");
    assert_eq!((&plugin["kind"], &plugin["metadata"]["name"]), (&"Plugin".into(), &"probehound".into()));
    let spec = &plugin["spec"];
    assert_eq!(spec["version"], "v1.2.3");
    assert!(spec["shortDescription"].as_str().is_some_and(|words| (1..=50).contains(&words.len())));
    let platforms = list(&spec["platforms"]);
    assert_eq!(platforms.len(), 2);
    for platform in platforms {
        let labels = &platform["selector"]["matchLabels"];
        let name = format!("{}-{}", labels["os"].as_str().expect("os"), labels["arch"].as_str().expect("arch"));
        let uri = platform["uri"].as_str().expect("an address");
        assert!(uri.starts_with("https://") && uri.ends_with(&format!("/v1.2.3/probehound-{name}.tar.gz")), "{uri}");
        assert_eq!(platform["bin"], platform["files"][0]["to"]);
    }
}

fn read(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn documents(path: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&read(path)).expect("YAML")
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn words(value: &Value) -> Vec<String> {
    list(value).iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
}
