//! The manifests and the chart, as far as they can be checked without a cluster.

mod chart;

use std::process::Command;

use probehound::config::{Config, Source};
use probehound::guard;
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

/// Only where somebody wants it: the one right by which something of others can be changed.
#[test]
fn the_guard_has_one_right_of_its_own() {
    let rights = documents("manifests/overlays/guard/rights.yaml");
    let rules = json!([{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]}]);
    assert_eq!(rights[0]["rules"], rules);
    assert_eq!(rights[1]["subjects"], documents("manifests/base/rights.yaml")[1]["subjects"]);
}

/// Only where somebody wants it: one more thing to read, none to change.
#[test]
fn annotations_of_namespaces_have_one_right_of_their_own() {
    let rights = documents("manifests/overlays/namespace-annotations/rights.yaml");
    let rules = json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]);
    assert_eq!(rights[0]["rules"], rules);
    assert_eq!(rights[1]["subjects"], documents("manifests/base/rights.yaml")[1]["subjects"]);
    assert!(!read("manifests/base/rights.yaml").contains("namespaces"), "not where nobody asked for it");
}

/// Deny would refuse the update that mends a probe.
#[test]
fn policies_about_probes_warn_and_refuse_nothing() {
    for (file, actions) in [
        ("changed-probes", json!(["Warn", "Audit"])),
        ("hasty-probes", json!(["Warn", "Audit"])),
        ("events-of-kubelets", json!(["Deny"])),
    ] {
        let objects = documents(&format!("manifests/policies/{file}.yaml"));
        let name = format!("{file}.probehound.dev");
        let [policy, binding] = &objects[..] else { panic!("{file}: a policy and its binding") };
        assert_eq!(policy["metadata"]["name"], name.as_str());
        assert_eq!((&binding["spec"]["policyName"], &binding["spec"]["validationActions"]), (&name.into(), &actions));
        let goes_through = actions[0] != "Deny";
        assert_eq!(policy["spec"]["failurePolicy"], if goes_through { "Ignore" } else { "Fail" });
    }
}

/// The same for the page: nothing of it where nobody asked for it, and with it a token for everybody.
#[test]
fn who_sees_the_page_is_asked_with_rights_of_their_own() {
    let rights = documents("manifests/overlays/page/rights.yaml");
    let metrics = documents("manifests/overlays/metrics-authentication/rights.yaml");
    assert_eq!(rights[0]["rules"], metrics[0]["rules"]);
    assert_eq!(rights[1]["subjects"], metrics[1]["subjects"]);
    let patch = &documents("manifests/overlays/page/deployment.yaml")[0];
    let container = &patch["spec"]["template"]["spec"]["containers"][0];
    let authenticated = json!({"name": "PROBEHOUND_PAGE_AUTHENTICATION", "value": "true"});
    assert!(list(&container["env"]).contains(&authenticated), "{container}");
    assert!(!read("manifests/base/deployment.yaml").contains("8082"), "no port where there is no page");
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
fn the_settings_of_the_overlays_are_right() {
    let file = "manifests/overlays/namespaced/probehound.yaml";
    let config = Source::default().load_text(&read(file)).expect("no error").config;
    assert_eq!(config.watch.namespaces, ["default"]);
    assert_eq!(Config { watch: Config::default().watch, ..config }, Config::default());
    let config =
        Source::default().load_text(&read("manifests/overlays/guard/probehound.yaml")).expect("no error").config;
    assert_eq!(config.guard, guard::Settings { mode: guard::Mode::Undo, ..guard::Settings::default() });
    let file = "manifests/overlays/namespace-annotations/probehound.yaml";
    let config = Source::default().load_text(&read(file)).expect("no error").config;
    assert!(config.annotations.namespaces && !Config::default().annotations.namespaces);
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
