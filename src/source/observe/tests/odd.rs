//! An odd value costs only itself, as `docs/decoding.md` documents for each field.

use super::*;

#[test]
fn a_pod_without_identity_or_containers_is_refused() {
    for (pointer, value, wanted) in [
        ("/kind", json!("ConfigMap"), "a ConfigMap among pods"),
        ("/kind", json!("Event"), "an Event among pods"),
        ("/metadata", Value::Null, "metadata: expected an object, found nothing"),
        ("/metadata/name", json!(""), "metadata.name: expected a name, found the empty string"),
        ("/metadata/name", json!(7), "metadata.name: expected a string, found the number 7"),
        ("/metadata/uid", json!([]), "metadata.uid: expected a string, found a list"),
        ("/spec", json!("x"), "spec: expected an object, found a string"),
        ("/spec/containers", Value::Null, "spec.containers: expected a list, found nothing"),
        ("/spec/containers", json!({}), "spec.containers: expected a list, found an object"),
    ] {
        assert_eq!(snapshot_of(&with(pointer, value)).unwrap_err().to_string(), wanted);
    }
}

#[test]
fn an_odd_field_is_told_with_its_path_and_counts_as_absent() {
    for (pointer, value, wanted) in ODD_FIELDS {
        let value: Value = serde_json::from_str(value).expect("JSON");
        let (odd, told) = told_of(&with(pointer, value));
        let (absent, _) = told_of(&without(pointer));
        assert_eq!(told, [wanted.to_owned()]);
        assert_eq!(format!("{odd:?}"), format!("{absent:?}"), "{pointer}");
    }
}

/// A field, an odd value for it, and the oddity reported.
const ODD_FIELDS: [(&str, &str, &str); 16] = [
    (
        "/metadata/creationTimestamp",
        r#""2300-01-01T00:00:00Z""#,
        "metadata.creationTimestamp: the year 2300 is out of range",
    ),
    ("/metadata/labels", "[]", "metadata.labels: expected an object, found a list"),
    ("/metadata/ownerReferences", "{}", "metadata.ownerReferences: expected a list, found an object"),
    (
        "/metadata/ownerReferences/1/kind",
        "7",
        "metadata.ownerReferences[1].kind: expected a string, found the number 7",
    ),
    ("/spec/nodeName", "true", "spec.nodeName: expected a string, found true"),
    ("/spec/restartPolicy", "1", "spec.restartPolicy: expected a string, found the number 1"),
    ("/spec/hostNetwork", r#""sure""#, "spec.hostNetwork: expected true or false, found a string"),
    ("/spec/initContainers", r#""none""#, "spec.initContainers: expected a list, found a string"),
    ("/spec/containers/0/ports", "{}", "spec.containers[0].ports: expected a list, found an object"),
    (
        "/spec/containers/0/livenessProbe/periodSeconds",
        "-1",
        "spec.containers[0].livenessProbe.periodSeconds: -1 is out of range",
    ),
    ("/spec/containers/0/resources/limits/memory", "[]", MEMORY),
    ("/status/podIP", "7", "status.podIP: expected a string, found the number 7"),
    ("/status/startTime", r#""noon""#, "status.startTime: not an RFC 3339 time"),
    (
        "/status/containerStatuses/0/lastState",
        r#""lost""#,
        "status.containerStatuses[0].lastState: expected an object, found a string",
    ),
    (
        "/status/containerStatuses/0/lastState/terminated/exitCode",
        "99999999999",
        "status.containerStatuses[0].lastState.terminated.exitCode: 99999999999 is out of range",
    ),
    (
        "/status/containerStatuses/0/state/running/startedAt",
        "true",
        "status.containerStatuses[0].state.running.startedAt: expected a string, found true",
    ),
];

const MEMORY: &str = "spec.containers[0].resources.limits.memory: expected a number or a string, found a list";

#[test]
fn numbers_and_flags_that_were_quoted_are_told_and_read() {
    let restarts = with("/status/containerStatuses/0/restartCount", json!("3"));
    let ready = with("/status/containerStatuses/0/ready", json!("true"));
    let period = with("/spec/containers/0/readinessProbe/periodSeconds", json!("3"));
    for pod in [restarts, ready, period] {
        let (read, told) = told_of(&pod);
        let (plain, nothing) = told_of(&self::pod());
        assert_eq!((told.len(), nothing.len()), (1, 0), "{told:?}");
        assert_eq!(format!("{read:?}"), format!("{plain:?}"));
    }
}

#[test]
fn an_item_that_is_odd_costs_itself() {
    let two = json!([7, {"name": "app", "restartCount": 3}]);
    let (snapshot, told) = told_of(&with("/status/containerStatuses", two));
    assert_eq!((snapshot.containers.len(), snapshot.containers[0].restarts), (1, 3));
    assert_eq!(told, ["status.containerStatuses[0]: expected an object, found the number 7"]);

    let (snapshot, told) = told_of(&with("/spec/containers/0/args/1", json!(15)));
    assert_eq!(&*snapshot.template.containers[2].invocation, "/app --token *** -port=8080");
    assert_eq!(told, ["spec.containers[0].args[1]: expected a string, found the number 15"]);

    let (snapshot, told) = told_of(&with("/spec/containers/0/livenessProbe/httpGet/port", json!([80])));
    let app = &snapshot.template.containers[2];
    assert!(app.liveness.is_none() && app.readiness.is_some() && app.startup.is_some());
    assert_eq!(told, ["spec.containers[0].livenessProbe.httpGet.port: expected a number or a string, found a list"]);
}

#[test]
fn a_status_whose_restarts_cannot_be_counted_is_passed_over() {
    for count in [json!(-1), json!(2_147_483_647), json!(u64::MAX), json!([])] {
        let (snapshot, told) = told_of(&with("/status/containerStatuses/0/restartCount", count));
        assert!(snapshot.containers.is_empty());
        assert!(told[0].starts_with("status.containerStatuses[0].restartCount: "), "{told:?}");
    }
}

#[test]
fn a_pod_whose_deletion_has_an_odd_time_is_being_deleted() {
    let (snapshot, told) = told_of(&with("/metadata/deletionTimestamp", json!("soon")));
    assert!(snapshot.deleting);
    assert_eq!(told, ["metadata.deletionTimestamp: not an RFC 3339 time"]);
}

#[test]
fn a_start_at_the_epoch_is_none() {
    for epoch in ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z", "1970-01-01T00:00:00+00:00"] {
        let at = "/status/containerStatuses/0/lastState/terminated/startedAt";
        let (snapshot, told) = told_of(&with(at, json!(epoch)));
        let last = snapshot.containers[0].last.as_ref().unwrap();
        assert_eq!((last.started, last.exit, told.len()), (None, 137, 0));
    }
}

fn told_of(pod: &Value) -> (PodSnapshot, Vec<String>) {
    let pod: PodLite = serde_json::from_str(&pod.to_string()).expect("any object decodes");
    let mut observer = Observer::new();
    let snapshot = observer.pod(&pod, Seen::Changed).expect("it is not refused");
    (snapshot, observer.take_oddities().iter().map(ToString::to_string).collect())
}

/// The pod with nothing at `pointer`.
fn without(pointer: &str) -> Value {
    with(pointer, Value::Null)
}

/// The rows of the table for pods: the field, and what happens if it is odd.
fn documented() -> Vec<(String, String)> {
    let text = include_str!("../../../../docs/decoding.md");
    let table = text.split("## Pods").nth(1).and_then(|rest| rest.split("## ").next()).expect("there is a table");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.map(|(field, rest)| {
        let odd = rest.rsplit(" | ").next().unwrap_or_default().trim_start_matches("| ").trim_end_matches(" |");
        (field.to_owned(), odd.to_owned())
    })
    .collect()
}

/// The JSON pointer of a documented field, using the first item of lists, or the controller.
fn place_of(field: &str) -> String {
    let plain = field.replace("ownerReferences[]", "ownerReferences.1").replace("[]", ".0");
    format!("/{}", plain.replace('.', "/"))
}

#[test]
fn an_odd_field_does_what_the_table_says() {
    let documented = documented();
    assert!(documented.len() > 70, "{}", documented.len());
    for (field, wanted) in &documented {
        let is_list = pod().pointer(&place_of(field)).is_some_and(Value::is_array);
        let odd = with(&place_of(field), if is_list { json!("odd") } else { json!([["odd"]]) });
        let lite: PodLite = serde_json::from_str(&odd.to_string()).expect("any object decodes");
        let mut observer = Observer::new();
        let read = observer.pod(&lite, Seen::Changed);
        let told: Vec<_> = observer.take_oddities().iter().map(|odd| without_indices(&odd.to_string())).collect();
        let silent = ["untold", "any value is fine"].iter().any(|words| wanted.contains(words));
        assert_eq!(read.is_err(), wanted.starts_with("refused"), "{field}: {wanted}");
        if let Ok(read) = read {
            assert_eq!(told.is_empty(), silent, "{field}: {told:?}");
            assert!(told.iter().all(|told| told.starts_with(&format!("{field}: "))), "{field}: {told:?}");
            if wanted.starts_with("absent") {
                assert_eq!(format!("{read:?}"), format!("{:?}", told_of(&without(&place_of(field))).0), "{field}");
            }
        }
    }
}

#[test]
fn the_table_has_every_field_that_is_told() {
    let documented: Vec<_> = documented().into_iter().map(|(field, _)| plain(&field)).collect();
    let mut all = Vec::new();
    pointers(&pod(), "", &mut all);
    let mut missing = std::collections::BTreeSet::new();
    for pointer in all.iter().filter(|pointer| !pointer.is_empty()) {
        for value in [json!([["odd"]]), json!("odd")] {
            let odd = with(pointer, value);
            let lite: PodLite = serde_json::from_str(&odd.to_string()).expect("any object decodes");
            let mut observer = Observer::new();
            let refused = observer.pod(&lite, Seen::Changed).err();
            for oddity in observer.take_oddities().into_iter().chain(refused) {
                let field = plain(without_indices(&oddity.to_string()).split(": ").next().unwrap_or_default());
                if !documented.contains(&field) && !field.ends_with(" among pods") {
                    missing.insert(field);
                }
            }
        }
    }
    assert_eq!(missing, std::collections::BTreeSet::new());
}

/// A field's path, with alike fields unified.
fn plain(field: &str) -> String {
    let field = field.replace("initContainers", "containers").replace("initContainerStatuses", "containerStatuses");
    field.replace("readinessProbe", "livenessProbe").replace("startupProbe", "livenessProbe")
}

fn without_indices(text: &str) -> String {
    let (path, what) = text.split_once(": ").unwrap_or((text, ""));
    let path: String = path.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    format!("{path}: {what}")
}
