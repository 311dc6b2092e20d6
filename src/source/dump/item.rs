//! The text of one object → the object.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::piece::{Extent, MAX_ITEM, Piece, Syntax};
use super::{Found, Sink, Trouble};
use crate::source::recording;
use crate::text::cut;

/// Maximum length of a kind repeated in an error.
const KIND: usize = 63;

/// The supported kinds: kind, API group, resource.
const KINDS: [(&str, &str, &str); 12] = [
    ("Pod", "", "pods"),
    ("Event", "", "events"),
    ("Service", "", "services"),
    ("Deployment", "apps", "deployments"),
    ("ReplicaSet", "apps", "replicasets"),
    ("StatefulSet", "apps", "statefulsets"),
    ("DaemonSet", "apps", "daemonsets"),
    ("ControllerRevision", "apps", "controllerrevisions"),
    ("Job", "batch", "jobs"),
    ("CronJob", "batch", "cronjobs"),
    ("EndpointSlice", "discovery.k8s.io", "endpointslices"),
    ("Rollout", "argoproj.io", "rollouts"),
];

/// The resource of the objects in a file, from its name or that of its folder: `core/pods.yaml`,
/// `pods/shop.json`. Items of a list need not have a kind.
pub fn resource_of_path(path: &str) -> Option<&'static str> {
    let mut parts = path.rsplit(['/', '\\']);
    let stem = parts.next()?.split('.').next()?;
    let named = |name: &str| KINDS.iter().find(|(_, _, plural)| *plural == name).map(|(_, _, plural)| *plural);
    named(stem).or_else(|| named(parts.next()?))
}

/// Reads an object in the form that the sink wants; `hint` is the resource according to the file name.
pub fn read(piece: &Piece<'_>, hint: Option<&'static str>, sink: &mut dyn Sink) -> Found {
    let broken = |what: String| Found::Trouble(Trouble::Broken(what));
    match piece.extent {
        Extent::TooLong => return broken(format!("the object is longer than {} MiB", MAX_ITEM >> 20)),
        Extent::Unbalanced => return broken("brackets do not match".to_owned()),
        Extent::Whole | Extent::Last => {}
    }
    let Ok(text) = std::str::from_utf8(piece.text) else {
        return broken("the object is not UTF-8".to_owned());
    };
    let outcome = match piece.syntax {
        Syntax::Json => json(text, piece, hint, sink),
        Syntax::Yaml => yaml(text, piece, hint, sink),
    };
    outcome.unwrap_or_else(broken)
}

fn json(text: &str, piece: &Piece<'_>, hint: Option<&'static str>, sink: &mut dyn Sink) -> Result<Found, String> {
    let named = (!piece.kind.is_empty()).then(|| resource(piece.kind, piece.api_version));
    let resource = match named {
        Some(Ok(resource)) => resource,
        Some(Err(())) => return foreign(piece.kind),
        None => match hint.or_else(|| guess(text)) {
            Some(resource) => resource,
            None => return is_json(text).map(|()| Found::Foreign),
        },
    };
    if resource == "events" && !text.contains("\"involvedObject\"") {
        return event_of(serde_json::from_str(text).map_err(|error| recording::words(&error))?, sink);
    }
    decoded(resource, text, sink)
}

fn yaml(text: &str, piece: &Piece<'_>, hint: Option<&'static str>, sink: &mut dyn Sink) -> Result<Found, String> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Head {
        kind: String,
        api_version: String,
    }
    let tree: Value = serde_saphyr::from_str(text).map_err(|error| of_yaml(&error))?;
    if tree.is_null() {
        return Ok(Found::Foreign);
    }
    let own = Head::deserialize(&tree).unwrap_or_default();
    let or = |own: String, outer: &str| if own.is_empty() { outer.to_owned() } else { own };
    let (kind, api_version) = (or(own.kind, piece.kind), or(own.api_version, piece.api_version));
    let resource = match (kind.is_empty(), resource(&kind, &api_version)) {
        (false, Ok(resource)) => resource,
        (false, Err(())) => return foreign(&kind),
        (true, _) => match hint.or_else(|| guess(&tree.to_string())) {
            Some(resource) => resource,
            None => return Ok(Found::Foreign),
        },
    };
    if piece.extent == Extent::Last && resource == "pods" && is_cut_pod(&tree) {
        return Ok(Found::Trouble(Trouble::Cut("the last pod lacks the end of its status".to_owned())));
    }
    if resource == "events" && tree.get("involvedObject").is_none() {
        return event_of(tree, sink);
    }
    decoded(resource, &tree.to_string(), sink)
}

fn decoded(resource: &'static str, text: &str, sink: &mut dyn Sink) -> Result<Found, String> {
    let words = |error| recording::words(&error);
    let Some(form) = sink.form(resource, text).map_err(words)? else { return Ok(Found::Foreign) };
    recording::object(resource, &form).map(Found::Object).map_err(words)
}

/// The resource of a supported kind. Without a group, that of the kind is assumed.
fn resource(kind: &str, api_version: &str) -> Result<&'static str, ()> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let fits = |own: &str| api_version.is_empty() || group == own || own.is_empty() && group == "events.k8s.io";
    let known = KINDS.iter().find(|(known, own, _)| *known == kind && fits(own));
    known.map(|(_, _, resource)| *resource).ok_or(())
}

/// An object of an unsupported kind. A list at this point is nested too deeply.
fn foreign(kind: &str) -> Result<Found, String> {
    if kind.ends_with("List") && kind.len() > "List".len() || kind == "List" {
        return Err(format!("a {} in too many other lists", cut(kind, KIND)));
    }
    Ok(Found::Foreign)
}

/// The resource of an object without a kind, from a field that only it has.
fn guess(text: &str) -> Option<&'static str> {
    let has = |field: &str| text.contains(field);
    if has("\"involvedObject\"") || has("\"regarding\"") && has("\"reportingController\"") {
        Some("events")
    } else if has("\"containers\"") && has("\"phase\"") && has("\"spec\"") && !has("\"template\"") {
        Some("pods")
    } else {
        None
    }
}

fn is_json(text: &str) -> Result<(), String> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(|_| ()).map_err(|error| recording::words(&error))
}

/// Whether a pod that a kubelet has accepted lacks the last field of its status, in sorted order.
fn is_cut_pod(pod: &Value) -> bool {
    let scheduled = pod["spec"]["nodeName"].is_string();
    scheduled && pod["status"]["startTime"].is_null() && pod["status"]["reason"].is_null()
}

/// An `events.k8s.io/v1` event, converted to the field names of the core group.
fn event_of(tree: Value, sink: &mut dyn Sink) -> Result<Found, String> {
    const NAMES: [(&str, &str); 7] = [
        ("regarding", "involvedObject"),
        ("note", "message"),
        ("reportingController", "reportingComponent"),
        ("deprecatedSource", "source"),
        ("deprecatedFirstTimestamp", "firstTimestamp"),
        ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedCount", "count"),
    ];
    let Value::Object(mut fields) = tree else { return Ok(Found::Foreign) };
    for (new, old) in NAMES {
        rename(&mut fields, new, old);
    }
    decoded("events", &Value::Object(fields).to_string(), sink)
}

fn rename(fields: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = fields.remove(from) {
        fields.insert(to.to_owned(), value);
    }
}

/// The error of a YAML text: the first line of its message, which quotes nothing of the text.
fn of_yaml(error: &serde_saphyr::Error) -> String {
    let place = error.location().map(|at| format!(" ({} lines into it)", at.line().saturating_sub(1)));
    format!("it is not YAML{}", place.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::dump::Place;
    use crate::source::recording::Object;

    fn nobody(_: &Place, _: Found) {}

    fn piece<'a>(text: &'a str, syntax: Syntax, kind: &'a str, api_version: &'a str) -> Piece<'a> {
        Piece { line: 1, text: text.as_bytes(), syntax, kind, api_version, extent: Extent::Whole }
    }

    #[test]
    fn a_file_is_of_the_resource_that_it_or_its_folder_is_named_after() {
        for path in ["a/core/pods.yaml", "pods.json", "cluster-resources/pods/shop.json", "x\\pods\\a.json"] {
            assert_eq!(resource_of_path(path), Some("pods"), "{path}");
        }
        assert_eq!(resource_of_path("shop/configmaps.json"), None);
    }

    #[test]
    fn a_kind_of_another_group_is_foreign() {
        let knative = piece(r#"{"kind":"Service"}"#, Syntax::Json, "Service", "serving.knative.dev/v1");
        assert!(matches!(read(&knative, None, &mut nobody), Found::Foreign));
        let service = piece(r#"{"kind":"Service"}"#, Syntax::Json, "Service", "v1");
        assert!(matches!(read(&service, None, &mut nobody), Found::Object(Object::Service(_))));
    }

    #[test]
    fn an_event_of_either_group_is_an_event() {
        let new = r#"{"kind":"Event","apiVersion":"events.k8s.io/v1","metadata":{"name":"e"},"note":"gone",
            "regarding":{"kind":"Pod","name":"web"},"deprecatedCount":7,"deprecatedSource":{"component":"kubelet"}}"#;
        for syntax in [Syntax::Json, Syntax::Yaml] {
            let Found::Object(Object::Event(event)) =
                read(&piece(new, syntax, "Event", "events.k8s.io/v1"), None, &mut nobody)
            else {
                panic!("an event")
            };
            assert_eq!(event.message.ok().map(String::as_str), Some("gone"));
            assert_eq!(event.count.ok(), Some(&7));
            assert_eq!(event.source.ok().and_then(|source| source.component.ok()).map(String::as_str), Some("kubelet"));
        }
    }

    #[test]
    fn no_error_speaks_of_what_the_program_is_made_of() {
        for (text, syntax) in [("{\"kind\":\"Pod\",", Syntax::Json), ("[1]", Syntax::Json), ("a: [", Syntax::Yaml)] {
            let Found::Trouble(trouble) = read(&piece(text, syntax, "Pod", "v1"), None, &mut nobody) else {
                panic!("{text}")
            };
            let said = trouble.to_string();
            assert!(!["struct", "Lite", "Maybe", "enum"].iter().any(|word| said.contains(word)), "{said}");
        }
    }
}
