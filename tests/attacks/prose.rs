//! For receivers: no text that is only for reading looks like a command.

use std::sync::Arc;

use probehound::engine::{Finding, Value};
use probehound::finding::remedy::{Kind, List, Place, Remedy, Target};
use serde_json::Value as Json;

use crate::delivery::samples::{at, finding};
use crate::support::forms;

#[test]
fn no_receiver_gets_a_text_as_if_it_were_a_command() {
    for name in ["$(reboot)", "a;reboot", "--filename=http://evil.example", "%PATH%", "a b"] {
        let finding = with(name);
        let mut lines: Vec<String> = Vec::new();
        for dispatch in forms::dispatches(&finding) {
            let document: Json = serde_json::from_str(&forms::webhook(&dispatch, at(100))).expect("JSON");
            for item in document["items"].as_array().expect("a list") {
                lines.extend(texts(&item["lines"]));
                lines.extend(texts(&item["finding"]["remedy"]));
            }
        }
        let alert = forms::alert(&finding, at(100));
        lines.extend(alert["annotations"]["description"].as_str().expect("a text").lines().map(str::to_owned));
        lines.extend(forms::notes(&finding, at(100)).into_iter().map(|note| note.text));
        assert!(lines.iter().any(|line| line.contains("not to be pasted")), "{name}: {lines:#?}");
        for line in lines {
            let commands = line.match_indices("kubectl ").map(|(place, _)| &line[..place]);
            for before in commands {
                assert!(before.ends_with("would be read as something else: "), "{name}: {line}");
            }
        }
    }
}

fn texts(list: &Json) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// The name wherever a command would contain it.
fn with(name: &str) -> Finding {
    let name = Arc::<str>::from(name);
    let target = |kind| Target { kind, name: Arc::clone(&name) };
    let set = |place| Remedy::SetField {
        place,
        field: probehound::finding::field::Field::parse("livenessProbe.httpGet.path"),
        value: Value::Text("/health".to_owned()),
    };
    let template = Place::Template { target: target(Kind::Deployment), list: List::Containers, paused: true };
    Finding {
        container: Arc::clone(&name),
        remedy: vec![
            Remedy::RollBack { target: target(Kind::Deployment), revision: Some(7) },
            Remedy::RollBack { target: target(Kind::Rollout), revision: Some(7) },
            Remedy::GoBack { target: target(Kind::DaemonSet), revision: 3 },
            set(template),
            set(Place::Indexed { target: target(Kind::Rollout), list: List::Containers, index: 0 }),
            Remedy::Resume(target(Kind::Deployment)),
            Remedy::DeletePod { pod: Arc::clone(&name) },
            Remedy::Logs { of: target(Kind::Pod), previous: true },
            Remedy::DescribePod { pod: Arc::clone(&name) },
            Remedy::Words(format!("kubectl delete {name}")),
        ],
        ..finding("web", 10)
    }
}
