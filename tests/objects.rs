//! Findings as objects of the cluster: what is written can be read back, and fits the CRD.

use std::sync::Arc;

use crate::support::replay::continue_with;
use crate::support::{assert_none, corpus};
use kube::core::crd::CustomResourceExt;
use probehound::engine::{
    Cause, Confidence, Effect, Engine, Fact, Finding, Pods, RevisionChange, ServiceState, Severity, Value,
};
use probehound::finding::MinReady;
use probehound::finding::remedy::Remedy;
use probehound::report::headline::headline;
use probehound::report::object::{FindingObject, FindingState, FindingStatus, Holds, Stage, object_name};
use probehound::report::remedies::texts;
use probehound::report::text::listing::Listing;
use probehound::text::escape::visible;
use probehound::time::Time;
use serde_json::Value as Json;

#[test]
fn every_finding_of_every_recording_comes_back_as_it_was() {
    let schema = schema();
    let mut failures = Vec::new();
    for incident in corpus() {
        let mut engine = Engine::default();
        continue_with(&mut engine, incident.recording());
        for finding in engine.findings() {
            let object = FindingObject::from_finding(&finding, FindingState::Confirmed, None);
            let json = serde_json::to_value(&object).expect("plain data");
            let back: FindingObject = serde_json::from_value(json.clone()).expect("its own form");
            let but_remedies = |finding: &Finding| Finding {
                remedy: Vec::new(),
                considered: Arc::default(),
                start_failure: None,
                ..finding.clone()
            };
            // Its remedies are read back as lines.
            let told = back.finding().map(|back| texts(&back));
            let shown: Vec<_> = texts(&finding).iter().map(|line| visible(line)).collect();
            let same =
                back.finding().map(|back| json_of(&but_remedies(&back))) == Some(as_shown(&but_remedies(&finding)));
            if back != object || !same || told != Some(shown) {
                failures.push(format!("{}: {finding:?}", incident.name));
            }
            failures.extend(misfits(&schema, &json, "").into_iter().map(|what| format!("{}: {what}", incident.name)));
        }
    }
    assert_none("findings", &failures);
}

#[test]
fn whatever_a_finding_holds_its_object_fits_the_definition() {
    let object = FindingObject::from_finding(&monstrous(), FindingState::Withdrawn, Some(&"x".repeat(1 << 20)));
    let json = serde_json::to_value(&object).expect("plain data");
    assert_none("fields", &misfits(&schema(), &json, ""));
    assert!(json.to_string().len() < 1 << 20, "an API server takes no more than 1.5 MiB");
}

#[test]
fn what_the_first_release_wrote_is_read_whole_under_its_name_and_fits_the_definition() {
    let schema = schema();
    let objects = crate::support::released::objects();
    assert!(!objects.is_empty());
    for written in objects {
        let object: FindingObject = serde_json::from_value(written.clone()).expect("an object");
        let finding = object.finding().expect("a finding");
        assert_eq!(object_name(&finding.identity()), written["metadata"]["name"]);
        let mut lost = misfits(&schema, &written, "");
        missing(&written, &serde_json::to_value(&object).expect("plain data"), "", &mut lost);
        // As it is written now, by the one of the two field managers that knows the finding.
        let state = object.status.and_then(|status| status.state).expect("a state");
        let now = serde_json::to_value(FindingObject::from_finding(&finding, state, None)).expect("plain data");
        let mut known = written.clone();
        known["status"].as_object_mut().expect("a status").remove("notifications");
        missing(&known, &now, "", &mut lost);
        assert_none("fields", &lost);
    }
}

/// What stands in a value and not in another, apart from metadata.
fn missing(value: &Json, other: &Json, path: &str, into: &mut Vec<String>) {
    match (value, other) {
        (Json::Object(fields), Json::Object(others)) => {
            for (name, field) in fields.iter().filter(|(name, _)| *name != "metadata") {
                let path = format!("{path}.{name}");
                match others.get(name) {
                    Some(other) => missing(field, other, &path, into),
                    None => into.push(path),
                }
            }
        }
        (Json::Array(items), Json::Array(others)) if items.len() == others.len() => {
            items.iter().zip(others).for_each(|(item, other)| missing(item, other, path, into));
        }
        _ if value == other => {}
        _ => into.push(format!("{path}: {value} became {other}")),
    }
}

#[test]
fn conditions_and_summary_say_what_it_is_and_how_far_it_has_come() {
    let mut resolved = 0;
    for incident in corpus() {
        let mut engine = Engine::default();
        continue_with(&mut engine, incident.recording());
        for finding in engine.findings().into_iter().filter(|finding| finding.confirmed_at.is_some()) {
            let state = if finding.resolved_at.is_some() { FindingState::Resolved } else { FindingState::Confirmed };
            let status = FindingObject::from_finding(&finding, state, None).status.expect("it has one");
            let name = format!("{}: {status:?}", incident.name);
            let [suspected, confirmed, over] = &status.conditions[..] else { panic!("{name}") };
            let stages = [suspected, confirmed, over].map(|condition| condition.stage);
            assert_eq!(stages, [Stage::Suspected, Stage::Confirmed, Stage::Resolved], "{name}");
            assert_eq!((confirmed.status, &*confirmed.reason), (Holds::True, finding.cause.word()), "{name}");
            assert_eq!(Some(confirmed.last_transition_time), finding.confirmed_at, "{name}");
            let is_over = over.status == Holds::True;
            assert_eq!(is_over.then_some(over.last_transition_time), finding.resolved_at, "{name}");
            resolved += usize::from(is_over);
            let summary = status.summary.unwrap_or_default();
            assert!(summary.starts_with(&headline(&finding)) && summary.ends_with('.'), "{name}");
        }
    }
    assert!(resolved > 0, "some of the recordings go on until all is well");
}

#[test]
fn what_was_taken_back_is_over_and_not_confirmed() {
    let finding = Finding { resolved_at: Time::parse("2026-11-22T14:05:00Z").ok(), ..monstrous() };
    let status = FindingObject::from_finding(&finding, FindingState::Withdrawn, None).status.expect("it has one");
    let holds: Vec<Holds> = status.conditions.iter().map(|condition| condition.status).collect();
    assert_eq!(holds, [Holds::True, Holds::False, Holds::True]);
    let since: Vec<_> = status.conditions.iter().skip(1).map(|condition| condition.last_transition_time).collect();
    assert_eq!(since, [finding.resolved_at.expect("set above"); 2]);
}

#[test]
fn kubectl_needs_120_columns_for_the_story() {
    let story = corpus().iter().find(|incident| incident.name == "auth-service-outage").expect("it is there");
    let mut engine = Engine::default();
    continue_with(&mut engine, story.recording());
    let findings = engine.findings();
    let listing = Listing::of(findings.iter().map(AsRef::as_ref), Time::parse("2026-11-22T14:00:00Z").expect("a time"));
    assert_eq!(findings.len(), 1);
    assert!(listing.width() <= 120, "{:#?}", listing.lines());
}

#[test]
fn a_status_without_the_essence_is_no_finding() {
    let mut object = FindingObject::from_finding(&monstrous(), FindingState::Confirmed, None);
    assert!(object.finding().is_some());
    object.status = Some(FindingStatus { cause: None, ..object.status.expect("it has one") });
    assert!(object.finding().is_none());
    object.status = None;
    assert!(object.finding().is_none());
}

#[test]
fn nothing_in_a_status_acts_upon_a_terminal() {
    let hostile = "a\u{1b}[2J\u{202e}b\nc";
    let finding = Finding {
        field: Some(probehound::finding::field::Field::parse(hostile)),
        current: Some(Value::Text(hostile.to_owned())),
        suggested: Some(Value::Text(hostile.to_owned())),
        hypotheses: vec![hostile.into()],
        remedy: vec![Remedy::Words(hostile.to_owned())],
        example: Some(hostile.into()),
        workload: format!("Rollout/{hostile}").into(),
        ..monstrous()
    };
    let status = FindingObject::from_finding(&finding, FindingState::Confirmed, Some(hostile)).status;
    let json = serde_json::to_value(status).expect("plain data");
    let mut texts = Vec::new();
    texts_of(&json, &mut texts);
    assert!(texts.iter().any(|text| text.contains("\\u{1b}[2J\\u{202e}b\\nc")), "{texts:?}");
    let acts = |text: &&String| text.chars().any(|letter| letter.is_control() || letter == '\u{202e}');
    assert_eq!(texts.iter().filter(acts).collect::<Vec<_>>(), Vec::<&String>::new());
}

fn texts_of(value: &Json, into: &mut Vec<String>) {
    match value {
        Json::String(text) => into.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| texts_of(item, into)),
        Json::Object(fields) => fields.values().for_each(|field| texts_of(field, into)),
        _ => {}
    }
}

fn json_of(finding: &Finding) -> Json {
    serde_json::to_value(finding).expect("plain data")
}

/// A finding with all its texts escaped for a terminal.
fn as_shown(finding: &Finding) -> Json {
    fn shown(value: Json) -> Json {
        match value {
            Json::String(text) => Json::String(visible(&text)),
            Json::Array(items) => items.into_iter().map(shown).collect(),
            Json::Object(fields) => fields.into_iter().map(|(name, field)| (name, shown(field))).collect(),
            other => other,
        }
    }
    shown(json_of(finding))
}

/// Every part as long as the engine could make it, and longer.
fn monstrous() -> Finding {
    let long = "größer\u{1b}".repeat(10_000);
    let name: Arc<str> = "x".repeat(253).into();
    let now = Time::parse("2026-11-22T14:00:00Z").expect("a time");
    Finding {
        namespace: "prod".into(),
        workload: format!("{name}/{name}").into(),
        container: Arc::clone(&name),
        effect: Effect::RestartLoop,
        probe: None,
        cause: Cause::WrongCommand,
        fault: Cause::WrongCommand.fault(),
        field: Some(probehound::finding::field::Field::parse(&long)),
        current: Some(Value::Text(long.clone())),
        suggested: Some(Value::Number(i64::MIN)),
        confidence: Confidence::High,
        severity: Severity::Critical,
        hypotheses: vec![long.clone().into(); 1000],
        evidence: vec![Fact { at: now, what: long.clone() }; 1000],
        revision: Some(u64::MAX),
        change: Some(RevisionChange {
            revision: u64::MAX,
            at: None,
            by: Some(name.clone()),
            from: Some(long.clone()),
            to: Some(long.clone()),
        }),
        pods: Pods { affected: u32::MAX, total: u32::MAX },
        services: vec![ServiceState { name: name.clone(), ready: u32::MAX, total: u32::MAX }; 1000],
        restarts: u64::MAX,
        episodes: u32::MAX,
        opened_at: now,
        confirmed_at: Some(now),
        resolved_at: None,
        remedy: vec![Remedy::Words(long); 1000],
        example: None,
        start_failure: None,
        min_ready: Some(Arc::new(MinReady {
            current: u32::MAX,
            suggested: u32::MAX,
            earliest: u32::MAX,
            latest: u32::MAX,
            pods: u32::MAX,
            gone: Some(u32::MAX),
            kept: u32::MAX,
            surge: u32::MAX,
            startup: true,
        })),
        considered: std::sync::Arc::default(),
        labels: vec![(name.clone(), name); 1000].into(),
        rollout: None,
        guard: None,
    }
}

fn schema() -> Json {
    let definition = serde_json::to_value(FindingObject::crd()).expect("plain data");
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
}

/// Where an API server would refuse or drop parts of a value.
fn misfits(schema: &Json, value: &Json, path: &str) -> Vec<String> {
    let limit = |name: &str| schema[name].as_u64().unwrap_or(u64::MAX);
    match value {
        Json::Object(fields) => {
            let field = |(name, value): (&String, &Json)| match schema["properties"].get(name) {
                Some(schema) => misfits(schema, value, &format!("{path}.{name}")),
                None if path.is_empty() && ["apiVersion", "kind", "metadata"].contains(&name.as_str()) => Vec::new(),
                None => vec![format!("{path}.{name} is not defined")],
            };
            fields.iter().flat_map(field).collect()
        }
        Json::Array(items) if items.len() as u64 > limit("maxItems") => vec![format!("{path} has too many items")],
        Json::Array(items) => items.iter().flat_map(|item| misfits(&schema["items"], item, path)).collect(),
        Json::String(text) => {
            let unknown = schema["enum"].as_array().is_some_and(|words| !words.contains(value));
            let long = text.chars().count() as u64 > limit("maxLength");
            if unknown || long { vec![format!("{path} is too long, or an unknown word")] } else { Vec::new() }
        }
        Json::Number(number) if number.as_i64().is_none() => vec![format!("{path} does not fit")],
        _ => Vec::new(),
    }
}
