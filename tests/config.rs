//! The settings file: what is valid, and the errors for what is not.

use std::path::PathBuf;
use std::time::Duration;

use probehound::config::raw::Raw;
use probehound::config::{Config, LoadError, Loaded, Overrides, Source, value};
use probehound::guard::Mode;
use probehound::time::Time;
use proptest::prelude::*;

const DEFAULTS: &str = include_str!("../config/probehound.yaml");

#[test]
fn the_documented_defaults_are_the_defaults() {
    assert_eq!(load(DEFAULTS).expect("no error"), Config::default());
    assert_eq!(load("{}").expect("no error"), Config::default());
    let bound = format!("at most {}.", probehound::engine::Settings::MAX_ENDS);
    assert_eq!(DEFAULTS.matches(&bound).count(), 2, "the bounds of probeKills and ownEnds");
}

#[test]
fn every_key_is_documented() {
    let schema = schemars::schema_for!(Raw);
    let mut keys = Vec::new();
    collect_keys(schema.as_value(), &mut keys);
    assert!(keys.len() > 15, "{keys:?}");
    let reference = include_str!("../docs/configuration.md");
    for key in keys {
        let explained = [format!("`{key}`"), format!(".{key}`"), format!("`{key}.")];
        assert!(explained.iter().any(|text| reference.contains(text)), "docs/configuration.md does not explain {key}");
        let documented =
            DEFAULTS.lines().any(|line| line.trim_start_matches(['#', ' ', '-']).starts_with(&format!("{key}:")));
        assert!(documented, "config/probehound.yaml does not show {key}");
    }
}

#[test]
fn the_examples_in_the_comments_are_right() {
    let (_, example) = DEFAULTS.split_once("\nsilences: []\n").expect("the key is there");
    let example = example.lines().map_while(|line| line.strip_prefix('#'));
    let examples = format!("silences:\n{}", example.collect::<Vec<_>>().join("\n"));
    let config = load(&examples).expect("no error");
    assert_eq!(config.silences.0.len(), 1, "{examples}");
    assert_eq!(config.silences.0[0].name, "legacy-shop");
}

#[test]
fn all_settings_can_be_set() {
    let config = load(
        "
clusterName: prod-eu
runbookUrl: https://wiki.example/probehound
watch: {namespaces: [shop, pay], podSelector: 'app=web,tier!=test', initialList: list}
detection: {window: 1h30m, probeKills: 1, ownEnds: 7}
silences: [{namespace: shop, workload: '*/web', container: app, cause: WrongPath, until: 2027-01-31T18:00:00Z}]
findings: {keepResolved: 7d}
guard: {mode: undo, namespaces: [shop, 'pay-*'], maxPerHour: 1, trustEvents: true}
leaderElection: {enabled: true, namespace: ops, name: hound}
http: {listen: '127.0.0.1:9090'}
page: {enabled: true, listen: ':9091', authentication: true}
",
    )
    .expect("no error");
    assert_eq!(config.cluster_name.as_deref(), Some("prod-eu"));
    assert_eq!(config.runbook_url.as_deref(), Some("https://wiki.example/probehound"));
    assert_eq!(config.watch.namespaces, ["pay", "shop"]);
    assert_eq!(config.detection.window, Duration::from_mins(90));
    assert_eq!((config.detection.probe_kills, config.detection.own_ends), (1, 7));
    assert_eq!(config.silences.0[0].name, "namespace=shop workload=*/web container=app cause=WrongPath");
    assert_eq!(config.silences.0[0].until, Time::parse("2027-01-31T18:00:00Z").ok());
    assert_eq!(config.findings.keep_resolved, Duration::from_hours(168));
    let guard = &config.guard;
    assert_eq!((guard.mode, guard.max_per_hour, guard.trust_events), (Mode::Undo, 1, true));
    assert!(guard.namespaces.iter().any(|pattern| pattern.matches("pay-eu")));
    assert_eq!(config.leader_election.namespace.as_deref(), Some("ops"));
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:9090");
    assert_eq!((config.page.enabled, config.page.listen().to_string()), (true, ":9091".to_owned()));
}

#[test]
fn without_authentication_the_page_is_on_loopback_unless_it_is_said_otherwise() {
    let listen = |text: &str| load(text).expect("no error").page.listen().to_string();
    assert_eq!(listen("page: {enabled: true}"), "127.0.0.1:8082");
    assert_eq!(listen("page: {enabled: true, authentication: true}"), ":8082");
    assert_eq!(listen("page: {enabled: true, listen: ':9000'}"), ":9000");
}

/// Helm passes an `off` without quotes on as `false`.
#[test]
fn the_guard_is_off_however_off_is_written() {
    for off in ["off", "'off'", "false"] {
        assert_eq!(load(&format!("guard: {{mode: {off}}}")).expect("no error"), Config::default(), "{off}");
    }
}

#[test]
fn an_impossible_value_is_refused_with_its_place_and_what_to_write() {
    let cases = [
        ("runbookUrl: wiki.example", "1:13: runbookUrl: \"wiki.example\" is no address of a page"),
        ("runbookUrl: 'https://a/b#c'", "1:13: runbookUrl: \"https://a/b#c\" is no address of a page"),
        ("runbookUrl: 'javascript:alert(1)'", "1:13: runbookUrl: \"javascript:alert(1)\" is no address of a page"),
        ("guard: {mode: on}", "1:15: guard.mode: \"on\" is no mode of the guard"),
        ("guard: {maxPerHour: 4}", "1:21: guard.maxPerHour: 4 is not from 1 to 3"),
        ("guard: {maxPerHour: 0}", "1:21: guard.maxPerHour: 0 is not from 1 to 3"),
        ("guard: {namespaces: ['']}", "1:22: guard.namespaces: "),
        ("detection: {window: 0s}", "1:21: detection.window: \"0s\" is not from 1s to 24h"),
        ("detection: {window: -15m}", "1:21: detection.window: \"-15m\" is negative"),
        ("detection: {window: 15}", "1:21: detection.window: \"15\" has no unit"),
        ("detection: {window: 25h}", "1:21: detection.window: \"25h\" is not from 1s to 24h"),
        ("detection: {probeKills: 0}", "1:25: detection.probeKills: 0 is not from 1 to 7"),
        ("detection: {ownEnds: -1}", "1:22: detection.ownEnds: -1 is not from 1 to 7"),
        ("watch: {namespaces: [Prod]}", "1:22: watch.namespaces: \"Prod\" is no name of a namespace"),
        ("watch: {namespaces: [a, a]}", "1:25: watch.namespaces: \"a\" stands here twice"),
        (
            "watch: {namespaces: [a], excludeNamespaces: [b]}",
            "1:46: watch.excludeNamespaces: watch.namespaces names what is watched",
        ),
        ("watch: {excludeNamespaces: ['*']}", "1:29: watch.excludeNamespaces: it would leave out every namespace"),
        ("watch: {excludeNamespaces: ['a?']}", "1:29: watch.excludeNamespaces: \"a?\" is no pattern of a name"),
        ("annotations: {maxSilence: 0s}", "1:27: annotations.maxSilence: \"0s\" is not from 1m to 365d"),
        (
            "annotations: {grants: [{receiver: a, namespaces: [b], allow: [silence]}]}",
            "1:35: annotations.grants[0].receiver: there is no receiver \"a\"",
        ),
        (
            "notifications: {receivers: [{name: a, events: {}}]}\nannotations: {grants: [{receiver: a, allow: [window]}]}",
            "2:24: annotations.grants[0]: it names no namespaces",
        ),
        (
            "notifications: {receivers: [{name: a, events: {}}]}\nannotations: {grants: [{receiver: a, namespaces: [b]}]}",
            "2:24: annotations.grants[0]: it allows nothing",
        ),
        (
            "annotations: {grants: [{namespaces: [b], allow: [silence]}]}",
            "1:24: annotations.grants[0]: it names no receiver",
        ),
        ("watch: {podSelector: 'a in b'}", "1:22: watch.podSelector: \"a in b\" is no label's key"),
        ("http: {listen: '8080'}", "1:16: http.listen: \"8080\" is no address to listen at"),
        ("clusterName: \"a\\e[2J\"", "1:14: clusterName: \"a\\u{1b}[2J\" is no name of a cluster"),
        ("leaderElection: {name: A}", "1:24: leaderElection.name: \"A\" is no name of an object"),
        ("silences: [{reason: x}]", "1:12: silences[0]: it would silence every finding"),
        ("silences: [{workload: '*/*', namespace: '*'}]", "1:12: silences[0]: it would silence every finding"),
        ("silences: [{}]", "1:12: silences[0]: it would silence every finding"),
        ("silences: [{workload: web}]", "1:23: silences[0].workload: \"web\" is no pattern of a workload"),
        ("silences: [{workload: deployment/web}]", "is no pattern of a workload"),
        ("silences: [{namespace: 'a?'}]", "1:24: silences[0].namespace: \"a?\" is no pattern of a name"),
        (
            "silences: [{cause: Crash, until: 2027-01-31}]",
            "1:34: silences[0].until: \"2027-01-31\" is no point in time",
        ),
        ("silences: [{cause: Crash}, {cause: Crash}]", "1:28: silences[1]: there is already a silence \"cause=Crash\""),
    ];
    for (text, expected) in cases {
        let lines = refused(text);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("probehound.yaml:") && lines[0].contains(expected), "{}", lines[0]);
        assert!(lines[1].starts_with("hint: "), "{lines:?}");
    }
}

#[test]
fn a_receiver_that_annotations_may_name_needs_no_route() {
    let with = |allow: &str| {
        let receivers = "receivers: [{name: a, events: {}}, {name: b, slack: {urlEnv: B}}]";
        let routes = "routes: [{receiver: a, namespaces: ['*']}]";
        let grants = format!("grants: [{{receiver: b, namespaces: ['shop-*'], allow: [{allow}]}}]");
        load(&format!("notifications: {{{receivers}, {routes}}}\nannotations: {{maxSilence: 7d, {grants}}}\n"))
    };
    let config = with("receiver, silence").expect("no error");
    assert_eq!(config.annotations.max_silence, Duration::from_hours(168));
    assert!(config.annotations.grants.name("shop-eu") && !config.annotations.grants.name("prod"));
    assert!(with("silence").is_err(), "nothing leads to it");
}

#[test]
fn everything_that_is_wrong_is_said_at_once_in_the_order_of_the_lines() {
    let lines = refused("http: {listen: x}\ndetection:\n  window: 0s\nwatch: {namespaces: [A, B]}\n");
    let places: Vec<_> =
        lines.iter().filter_map(|line| line.strip_prefix("probehound.yaml:")?.split(": ").next()).collect();
    assert_eq!(places, ["1:16", "3:11", "4:22", "4:25"]);
}

#[test]
fn what_there_can_be_many_of_is_bounded() {
    let names: Vec<String> = (0..101).map(|n| format!("n{n}")).collect();
    assert!(refused(&format!("watch: {{namespaces: [{}]}}", names.join(", ")))[0].contains("more than 100 namespaces"));
    let silences: Vec<String> = (0..501).map(|n| format!("- namespace: n{n}\n")).collect();
    let lines = refused(&format!("silences:\n{}", silences.concat()));
    assert!(lines[0].contains(":502:3: silences: more than 500 silences"), "{lines:?}");
}

#[test]
fn a_file_that_cannot_be_one_is_refused_as_a_whole() {
    let cases = [
        ("empty.yaml", b" \n".to_vec(), "the file is empty"),
        ("binary.yaml", b"\xff\xfe\x00".to_vec(), "not UTF-8"),
        ("large.yaml", vec![b'#'; (1 << 20) + 1], "larger than 1 MiB"),
    ];
    for (name, bytes, expected) in cases {
        let file = written(name, &bytes);
        let error = Source { file: Some(file), ..Source::default() }.load().expect_err("refused").to_string();
        assert!(error.contains(&format!("{name}: {expected}")), "{error}");
    }
    let missing = Source { file: Some("no/such.yaml".into()), ..Source::default() };
    assert!(matches!(missing.load(), Err(LoadError::Read { .. })));
}

#[test]
fn what_a_person_set_besides_wins_over_the_file() {
    let source = Source {
        file: Some(written("overridden.yaml", b"watch: {namespaces: [shop]}\nhttp: {listen: ':1'}\nclusterName: a\n")),
        overrides: Overrides {
            namespaces: Some(vec!["pay".into(), "auth".into(), "pay".into()]),
            listen: value::listen(":2").ok(),
            leader_election: Some(true),
            ..Overrides::default()
        },
    };
    let Loaded { config, .. } = source.load().expect("no error");
    assert_eq!(config.watch.namespaces, ["auth", "pay"]);
    assert_eq!(config.http.listen.port, 2);
    assert!(config.leader_election.enabled);
    assert_eq!(config.cluster_name.as_deref(), Some("a"));
}

#[test]
fn what_needs_a_restart_stays_and_is_named() {
    let running = load("http: {listen: ':1'}\n").expect("no error");
    let new = load("http: {listen: ':2'}\nwatch: {namespaces: [a]}\ndetection: {window: 1m}\n").expect("no error");
    let (config, kept) = new.without_restart(&running);
    assert_eq!(kept, ["watch", "http.listen"]);
    assert_eq!((config.http, config.watch), (running.http, running.watch));
    assert_eq!(config.detection.window, Duration::from_mins(1));
}

proptest! {
    #[test]
    fn no_file_makes_it_panic_or_speak_in_more_than_visible_lines(
        at in 0..DEFAULTS.len(),
        length in 0..40_usize,
        put in r#"[\[\]{}:,&*!|>'"%@`#\-? \n\t\x00-\x1f\u{80}-\u{ff}\u{202e}a-z0-9]{0,12}"#,
    ) {
        let cut = |at: usize| DEFAULTS.ceil_char_boundary(at);
        let (start, end) = (cut(at), cut((at + length).min(DEFAULTS.len())));
        let text = format!("{}{put}{}", &DEFAULTS[..start], &DEFAULTS[end..]);
        if let Err(LoadError::Wrong(problems)) = load(&text) {
            prop_assert!(!problems.all.is_empty());
            for problem in &problems.all {
                let line = problems.line(problem);
                prop_assert!(line.starts_with("probehound.yaml:") && !line.contains(char::is_control), "{line}");
            }
        }
    }
}

fn load(text: &str) -> Result<Config, LoadError> {
    Source { file: Some("probehound.yaml".into()), ..Source::default() }.load_text(text).map(|loaded| loaded.config)
}

/// The errors for a file: a line for each problem, and a line for each hint.
fn refused(text: &str) -> Vec<String> {
    let Err(LoadError::Wrong(problems)) = load(text) else { panic!("{text} is not refused") };
    let lines = problems
        .all
        .iter()
        .flat_map(|problem| [Some(problems.line(problem)), problem.hint.as_ref().map(|hint| format!("hint: {hint}"))]);
    lines.flatten().collect()
}

fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).expect("the folder can be written");
    path
}

/// The names of all properties in a JSON schema.
fn collect_keys(schema: &serde_json::Value, keys: &mut Vec<String>) {
    match schema {
        serde_json::Value::Object(object) => {
            if let Some(serde_json::Value::Object(properties)) = object.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| collect_keys(value, keys));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_keys(item, keys)),
        _ => {}
    }
}
