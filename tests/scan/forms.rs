//! The objects of one moment, in the forms in which people have them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use probehound::engine::Engine;
use probehound::replay::replay;
use serde_json::{Value, json};

use crate::support::recording::{Recording, Type};

/// The forms.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Form {
    /// `kubectl get … -o json`
    List,
    /// The same from Windows PowerShell: UTF-16 with a byte order mark and CRLF.
    PowerShell,
    /// A `PodList` and others, one after another, whose items have no kind.
    TypedLists,
    /// Compact objects, one per line, with a byte order mark.
    Lines,
    /// `kubectl get … -o yaml`
    Yaml,
    /// YAML documents with CRLF.
    YamlDocuments,
    /// Events in the form of `events.k8s.io/v1`.
    NewEvents,
    /// `kubectl cluster-info dump`, with logs in between.
    ClusterInfo,
    Gzip,
    Zstd,
    /// `oc adm inspect`, as an archive.
    TarGz,
    /// The same as a folder.
    InspectFolder,
    /// A support bundle: arrays of objects.
    Bundle,
}

impl Form {
    pub const ALL: [Self; 13] = [
        Self::List,
        Self::PowerShell,
        Self::TypedLists,
        Self::Lines,
        Self::Yaml,
        Self::YamlDocuments,
        Self::NewEvents,
        Self::ClusterInfo,
        Self::Gzip,
        Self::Zstd,
        Self::TarGz,
        Self::InspectFolder,
        Self::Bundle,
    ];
}

/// The objects of one moment, by resource.
pub struct Objects(BTreeMap<String, Vec<Value>>);

/// Kinds and `apiVersion`s of the resources.
const KINDS: [(&str, &str, &str); 11] = [
    ("pods", "Pod", "v1"),
    ("events", "Event", "v1"),
    ("services", "Service", "v1"),
    ("deployments", "Deployment", "apps/v1"),
    ("replicasets", "ReplicaSet", "apps/v1"),
    ("statefulsets", "StatefulSet", "apps/v1"),
    ("daemonsets", "DaemonSet", "apps/v1"),
    ("controllerrevisions", "ControllerRevision", "apps/v1"),
    ("jobs", "Job", "batch/v1"),
    ("cronjobs", "CronJob", "batch/v1"),
    ("endpointslices", "EndpointSlice", "discovery.k8s.io/v1"),
];

impl Objects {
    /// Those of that many seconds after the first restart, or at the end.
    pub fn at_a_look(recording: &Recording, seconds: u64) -> Self {
        let first = recording.lines.iter().find(|line| line.object.restarts > 0).map(|line| line.at);
        let until = first.map_or_else(|| recording.end(), |at| at.plus(Duration::from_secs(seconds)));
        let mut known: BTreeMap<(String, String), Value> = BTreeMap::new();
        for line in recording.lines.iter().take_while(|line| line.at <= until) {
            let key = (line.resource.to_string(), line.object.uid.clone());
            match line.change {
                Type::Bookmark => {}
                Type::Deleted => _ = known.remove(&key),
                Type::Added | Type::Modified => _ = known.insert(key, line.value()),
            }
        }
        let mut all = BTreeMap::<String, Vec<Value>>::new();
        for ((resource, _), mut object) in known {
            if let Some((_, kind, api_version)) = KINDS.iter().find(|(known, ..)| *known == resource) {
                object["kind"] = json!(kind);
                object["apiVersion"] = json!(api_version);
                all.entry(resource).or_default().push(object);
            }
        }
        Self(all)
    }

    /// The engine's changes for them as `ADDED` lines of one time, and 15 seconds later.
    pub fn first_look(&self) -> Vec<String> {
        let at = "2026-11-22T14:00:00Z";
        let newest = self.newest().unwrap_or_else(|| at.to_owned());
        let mut text = String::new();
        let order = KINDS[2..].iter().chain(&KINDS[..2]).map(|(resource, ..)| *resource);
        for resource in order {
            for object in self.0.get(resource).into_iter().flatten() {
                let line = json!({"ts": newest, "resource": resource, "type": "ADDED", "object": object});
                writeln!(text, "{line}").expect("memory takes everything");
            }
        }
        let mut engine = Engine::default();
        let replayed = replay(text.as_bytes(), &mut engine, |_| {});
        assert!(replayed.skipped == 0 && replayed.observations > 0);
        engine.settle();
        let findings = engine.findings().into_iter().filter(|finding| finding.resolved_at.is_none());
        let mut all: Vec<String> =
            findings.map(|finding| brief(&serde_json::to_value(&*finding).expect("plain data"))).collect();
        all.sort();
        all
    }

    /// The newest timestamp of a status or an event.
    fn newest(&self) -> Option<String> {
        fn stamps(value: &Value, all: &mut Vec<String>) {
            const NAMES: [&str; 7] = [
                "creationTimestamp",
                "startTime",
                "startedAt",
                "finishedAt",
                "lastTimestamp",
                "eventTime",
                "lastObservedTime",
            ];
            match value {
                Value::Object(fields) => {
                    for (name, value) in fields {
                        match value {
                            Value::String(text) if NAMES.contains(&name.as_str()) => all.push(text.clone()),
                            value => stamps(value, all),
                        }
                    }
                }
                Value::Array(items) => items.iter().for_each(|item| stamps(item, all)),
                _ => {}
            }
        }
        let mut all = Vec::new();
        for resource in ["pods", "events"] {
            self.0.get(resource).into_iter().flatten().for_each(|object| stamps(object, &mut all));
        }
        all.into_iter().max()
    }

    /// The objects in a form.
    pub fn bytes(&self, form: Form) -> Vec<u8> {
        match form {
            Form::List => pretty(&self.list()),
            Form::PowerShell => {
                let text = String::from_utf8(pretty(&self.list())).expect("text").replace('\n', "\r\n");
                std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
            }
            Form::TypedLists => self.typed_lists().iter().flat_map(|(_, list)| list.to_string().into_bytes()).collect(),
            Form::Lines => {
                let lines = self.each().fold(String::new(), |all, object| all + &object.to_string() + "\n");
                format!("\u{feff}{lines}").into_bytes()
            }
            Form::Yaml => yaml(&self.list()).into_bytes(),
            Form::YamlDocuments => {
                let documents = self.each().fold(String::new(), |all, object| all + "---\n" + &yaml(object));
                documents.replace('\n', "\r\n").into_bytes()
            }
            Form::NewEvents => {
                let objects: Vec<Value> = self.each().map(new_event).collect();
                pretty(&json!({"apiVersion": "v1", "items": objects, "kind": "List"}))
            }
            Form::ClusterInfo => self.cluster_info(),
            Form::Gzip => gzip(&self.bytes(Form::List)),
            Form::Zstd => ruzstd::encoding::compress_to_vec(
                self.bytes(Form::List).as_slice(),
                ruzstd::encoding::CompressionLevel::Fastest,
            ),
            Form::TarGz | Form::InspectFolder => gzip(&tar(&self.inspect_files())),
            Form::Bundle => gzip(&tar(&self.bundle_files())),
        }
    }

    /// Writes the folders of `oc adm inspect`.
    pub fn write_inspect_folder(&self, folder: &Path) {
        for (name, text) in self.inspect_files() {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
            std::fs::write(path, text).expect("the file can be written");
        }
    }

    fn each(&self) -> impl Iterator<Item = &Value> {
        self.0.values().flatten()
    }

    fn list(&self) -> Value {
        let items: Vec<&Value> = self.each().collect();
        json!({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}})
    }

    /// As an API server lists them: the kind precedes the items, and is in none of them.
    fn typed_lists(&self) -> Vec<(String, Typed)> {
        let of = |resource: &str| KINDS.iter().find(|(known, ..)| *known == resource).expect("a known resource");
        let lists = self.0.iter().map(|(resource, objects)| {
            let (_, kind, api_version) = of(resource);
            let items = objects.iter().cloned().map(|mut object| {
                let fields = object.as_object_mut().expect("an object");
                fields.remove("kind");
                fields.remove("apiVersion");
                object
            });
            (resource.clone(), Typed { kind: format!("{kind}List"), api_version, items: items.collect() })
        });
        lists.collect()
    }

    fn cluster_info(&self) -> Vec<u8> {
        let mut text = String::new();
        for (_, list) in self.typed_lists() {
            writeln!(text, "{list}").expect("memory takes everything");
            text.push_str("==== START logs for container app of pod shop/web-1 ====\n");
            text.push_str("{\"level\":\"info\",\"kind\":\"Pod\"\nan unfinished { line\n");
            text.push_str("==== END logs for container app of pod shop/web-1 ====\n");
        }
        text.into_bytes()
    }

    /// Pods twice: as a list, and each by itself.
    fn inspect_files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<(String, Vec<u8>)> = self
            .typed_lists()
            .into_iter()
            .map(|(resource, list)| {
                let items: Vec<&Value> = list.items.iter().collect();
                let text = yaml(&json!({"apiVersion": list.api_version, "items": items, "kind": list.kind}));
                (format!("namespaces/all/core/{resource}.yaml"), format!("---\n{text}").into_bytes())
            })
            .collect();
        for pod in self.0.get("pods").into_iter().flatten() {
            let name = pod["metadata"]["name"].as_str().expect("a name");
            files.push((format!("namespaces/all/pods/{name}/{name}.yaml"), yaml(pod).into_bytes()));
            files.push((format!("namespaces/all/pods/{name}/app/logs/current.log"), b"{\"kind\":\"Pod\"".to_vec()));
        }
        files
    }

    fn bundle_files(&self) -> Vec<(String, Vec<u8>)> {
        let lists = self.typed_lists().into_iter();
        let mut files: Vec<(String, Vec<u8>)> = lists
            .map(|(resource, list)| {
                (format!("bundle/cluster-resources/{resource}/shop.json"), pretty(&json!(list.items)))
            })
            .collect();
        files.push((
            "bundle/version.yaml".to_owned(),
            b"apiVersion: troubleshoot.sh/v1beta2\nkind: SupportBundle\n".to_vec(),
        ));
        files
    }
}

/// A list with its kind first.
struct Typed {
    kind: String,
    api_version: &'static str,
    items: Vec<Value>,
}

impl std::fmt::Display for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, api_version, items } = self;
        write!(
            f,
            "{{\"kind\":\"{kind}\",\"apiVersion\":\"{api_version}\",\"metadata\":{{}},\"items\":{}}}",
            json!(items)
        )
    }
}

/// A finding in one line.
pub fn brief(finding: &Value) -> String {
    let fields = [
        "namespace",
        "workload",
        "container",
        "effect",
        "probe",
        "cause",
        "field",
        "current",
        "suggested",
        "confidence",
    ];
    let values = fields.map(|field| match &finding[field] {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    });
    values.join(" ")
}

fn new_event(object: &Value) -> Value {
    let mut object = object.clone();
    if object["kind"] != "Event" {
        return object;
    }
    object["apiVersion"] = json!("events.k8s.io/v1");
    let fields = object.as_object_mut().expect("an object");
    for (old, new) in [
        ("involvedObject", "regarding"),
        ("message", "note"),
        ("reportingComponent", "reportingController"),
        ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"),
        ("count", "deprecatedCount"),
    ] {
        if let Some(value) = fields.remove(old) {
            fields.insert(new.to_owned(), value);
        }
    }
    object
}

fn pretty(value: &Value) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("plain data");
    text.push(b'\n');
    text
}

fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).expect("plain data")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zipped.write_all(bytes).expect("memory takes everything");
    zipped.finish().expect("memory takes everything")
}

fn tar(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes.as_slice()).expect("memory takes everything");
    }
    archive.into_inner().expect("memory takes everything")
}
