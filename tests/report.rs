//! Text for people: findings in, text out.

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use probehound::engine::{
    Cause, Change, ChangeKind, Confidence, Effect, Fact, Finding, Pods, RevisionChange, ServiceState, Severity, Value,
};
use probehound::finding::MinReady;
use probehound::finding::field::Field;
use probehound::finding::remedy::{Kind, List, Place, Remedy, Target};
use probehound::kubelet::ProbeKind;
use probehound::report::headline::{headline, what_is_wrong};
use probehound::report::json::Document;
use probehound::report::message::Message;
use probehound::report::metrics;
use probehound::report::text::story::Story;
use probehound::report::text::{Look, Palette, advice, block};
use probehound::time::Time;

#[test]
fn the_outage_is_told_from_the_first_suspicion_to_the_end() {
    let mut finding = auth_service();
    let mut changes = Vec::new();
    finding.confirmed_at = None;
    changes.push(change(ChangeKind::Suspected, 118, &finding));
    finding.confirmed_at = Some(at(120));
    changes.push(change(ChangeKind::Confirmed, 120, &finding));
    changes.push(change(ChangeKind::Counted, 122, &finding));
    finding.pods.affected = 50;
    finding.restarts = 49;
    finding.severity = Severity::Critical;
    finding.services[0].ready = 0;
    changes.push(change(ChangeKind::Updated, 131, &finding));
    finding.restarts = 137;
    finding.resolved_at = Some(at(370));
    changes.push(change(ChangeKind::Resolved, 370, &finding));
    assert_snapshot!(story(&changes, Look::plain(80)));
}

#[test]
fn a_doubtful_finding_says_what_else_it_could_be() {
    assert_snapshot!(story(&[change(ChangeKind::Confirmed, 65, &doubtful())], Look::plain(80)));
}

#[test]
fn an_update_of_the_cause_is_told_in_full() {
    let first = doubtful();
    let mut second = first.clone();
    second.cause = Cause::KilledWhileStarting;
    second.field = Some(Field::parse("livenessProbe.initialDelaySeconds"));
    second.current = None;
    second.suggested = Some(Value::Number(45));
    second.confidence = Confidence::High;
    second.hypotheses.clear();
    let changes = [change(ChangeKind::Confirmed, 65, &first), change(ChangeKind::Updated, 365, &second)];
    assert_snapshot!(story(&changes, Look::plain(80)));
}

#[test]
fn what_was_only_suspected_is_withdrawn_in_a_line() {
    let mut finding = doubtful();
    finding.confirmed_at = None;
    finding.cause = Cause::Unknown;
    let changes = [change(ChangeKind::Suspected, 5, &finding), change(ChangeKind::Withdrawn, 15, &finding)];
    assert_snapshot!(story(&changes, Look::plain(80)));
}

#[test]
fn a_story_is_no_wider_than_the_terminal_but_for_its_commands() {
    for width in [60, 80, 200] {
        for finding in [auth_service(), doubtful(), out_of_memory(), hostile()] {
            let kinds = [ChangeKind::Suspected, ChangeKind::Confirmed, ChangeKind::Resolved];
            let changes = kinds.map(|kind| change(kind, 65, &finding));
            for line in story(&changes, Look::plain(width)).lines() {
                let one_word = line.split_whitespace().count() <= 2;
                assert!(line.chars().count() <= width || line.contains("kubectl ") || one_word, "{width}: {line}");
            }
        }
    }
}

#[test]
fn colour_adds_nothing_but_escape_sequences() {
    let changes = [ChangeKind::Suspected, ChangeKind::Confirmed, ChangeKind::Resolved]
        .map(|kind| change(kind, 120, &auth_service()));
    let look = Look { width: 80, palette: Palette::COLOURED };
    let coloured = story(&changes, look);
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), story(&changes, Look::plain(80)));
}

#[test]
fn what_was_found_fits_80_columns() {
    let blocks = blocks(&all(), Look::plain(80));
    assert!(widest(&blocks) <= 80, "{blocks}");
    assert_snapshot!(blocks);
}

#[test]
fn what_was_found_fits_40_columns() {
    let blocks = blocks(&all(), Look::plain(40));
    assert!(widest(&blocks) <= 40, "{blocks}");
}

#[test]
fn what_to_type_can_be_pasted() {
    let mut resolved = auth_service();
    resolved.resolved_at = Some(at(370));
    let mut suspected = auth_service();
    suspected.confirmed_at = None;
    let findings = [auth_service(), doubtful(), out_of_memory(), resolved, suspected, hostile()];
    let mut text = String::new();
    advice::write(findings.iter(), Look::plain(80), &mut text).expect("strings take everything");
    assert_snapshot!(text);
}

#[test]
fn hostile_names_cannot_touch_the_terminal() {
    let finding = hostile();
    let changes = [ChangeKind::Suspected, ChangeKind::Confirmed, ChangeKind::Updated, ChangeKind::Resolved]
        .map(|kind| change(kind, 65, &finding));
    let mut text = story(&changes, Look::plain(80));
    text.push_str(&blocks(&[hostile(), auth_service()], Look::plain(200)));
    advice::write([&finding].into_iter(), Look::plain(80), &mut text).expect("strings take everything");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    assert!(!text.contains(['\u{202e}', '\u{200b}']), "{text}");
    assert!(text.lines().all(|line| !line.starts_with("reboot")), "{text}");
    assert_snapshot!(text);
}

#[test]
fn json_is_the_contract_and_safe_to_look_at() {
    let findings = [Arc::new(auth_service())];
    let document = Document { findings: &findings, observations: 7832, skipped: 1 };
    assert_snapshot!(document.render().expect("plain data"));
}

#[test]
fn json_keeps_hostile_values_as_they_are_but_escaped() {
    let findings = [Arc::new(hostile())];
    let document = Document { findings: &findings, observations: 1, skipped: 0 };
    let text = document.render().expect("plain data");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(!text.contains('\u{202e}'));
    let read: serde_json::Value = serde_json::from_str(&text).expect("valid JSON");
    let finding: Finding = serde_json::from_value(read["findings"][0].clone()).expect("a finding");
    // Remedies are shown as lines.
    let but_remedies = |finding: Finding| Finding { remedy: Vec::new(), ..finding };
    assert_eq!(but_remedies(finding), but_remedies(hostile()));
}

#[test]
fn every_cause_has_a_sentence_of_its_own() {
    let mut finding = auth_service();
    let sentences: Vec<String> = Cause::ALL
        .iter()
        .map(|&cause| {
            finding.cause = cause;
            format!("{cause}: {}", what_is_wrong(&finding))
        })
        .collect();
    assert_snapshot!(sentences.join("\n"));
}

#[test]
fn the_readme_lists_every_cause_with_its_message() {
    let readme = include_str!("../README.md");
    let mut finding = auth_service();
    finding.current = Some(Value::Text("HTTPS".into()));
    for &cause in Cause::ALL {
        finding.cause = cause;
        let row = format!("| `{cause}` | {} |", what_is_wrong(&finding));
        assert!(readme.contains(&row), "{row}");
    }
}

#[test]
fn a_headline_names_who_and_what() {
    assert_eq!(
        headline(&auth_service()),
        "auth-service (Deployment, namespace prod): the liveness probe asks for a path that the app does not serve"
    );
}

fn story(changes: &[Change], look: Look) -> String {
    let mut story = Story::new(at(0), look);
    let mut text = String::new();
    for change in changes {
        story.tell(change, &mut text).expect("strings take everything");
    }
    text
}

fn blocks(findings: &[Finding], look: Look) -> String {
    let mut text = String::new();
    block::story(findings.iter(), at(600), look, &mut text).expect("strings take everything");
    text
}

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

fn at(seconds: u64) -> Time {
    let start = Time::parse("2026-11-22T13:58:00Z").expect("valid");
    start.plus(Duration::from_secs(seconds))
}

fn change(kind: ChangeKind, seconds: u64, finding: &Finding) -> Change {
    Change { kind, at: at(seconds), finding: Arc::new(finding.clone()) }
}

fn fact(seconds: u64, what: &str) -> Fact {
    Fact { at: at(seconds), what: what.into() }
}

fn all() -> Vec<Finding> {
    let mut resolved = auth_service();
    resolved.workload = "StatefulSet/session-store".into();
    resolved.resolved_at = Some(at(370));
    vec![auth_service(), resolved, doubtful(), out_of_memory(), wrong_command()]
}

fn auth_service() -> Finding {
    Finding {
        namespace: "prod".into(),
        workload: "Deployment/auth-service".into(),
        container: "auth".into(),
        effect: Effect::RestartLoop,
        probe: Some(ProbeKind::Liveness),
        cause: Cause::WrongPath,
        fault: Cause::WrongPath.fault(),
        field: Some(Field::parse("livenessProbe.httpGet.path")),
        current: Some(Value::Text("/v2/health".into())),
        suggested: Some(Value::Text("/health".into())),
        confidence: Confidence::High,
        severity: Severity::Warning,
        hypotheses: vec![],
        evidence: vec![
            fact(110, "container started"),
            fact(114, "liveness probe: HTTP 404"),
            fact(119, "liveness probe: HTTP 404"),
            fact(119, "killed by its liveness probe"),
            fact(120, "restart 1 stands in the pod's status; the probe has never passed since revision 8"),
        ],
        revision: Some(8),
        change: Some(RevisionChange {
            revision: 8,
            at: Some(at(108)),
            by: Some("kubectl-edit".into()),
            from: Some("/health".into()),
            to: Some("/v2/health".into()),
        }),
        pods: Pods { affected: 1, total: 50 },
        services: vec![ServiceState { name: "auth".into(), ready: 37, total: 50 }],
        restarts: 1,
        episodes: 1,
        opened_at: at(118),
        confirmed_at: Some(at(120)),
        resolved_at: None,
        remedy: vec![
            Remedy::RollBack {
                target: Target { kind: Kind::Deployment, name: "auth-service".into() },
                revision: Some(7),
            },
            Remedy::Words("set livenessProbe.httpGet.path back to /health".into()),
        ],
        example: None,
        start_failure: None,
        min_ready: Some(Arc::new(MinReady {
            current: 0,
            suggested: 15,
            earliest: 5,
            latest: 14,
            pods: 50,
            gone: Some(37),
            kept: 38,
            surge: 13,
            startup: false,
        })),
        considered: std::sync::Arc::default(),
        labels: Arc::default(),
        rollout: None,
        guard: None,
    }
}

fn doubtful() -> Finding {
    Finding {
        namespace: "shop".into(),
        workload: "DaemonSet/log-shipper".into(),
        container: "shipper".into(),
        cause: Cause::NothingListening,
        fault: Cause::NothingListening.fault(),
        field: Some(Field::parse("livenessProbe.tcpSocket.port")),
        current: Some(Value::Number(9000)),
        suggested: None,
        confidence: Confidence::Medium,
        hypotheses: vec![
            "the port is wrong".into(),
            "the app needs longer to start than the probe allows".into(),
            "the app listens on 127.0.0.1 only".into(),
        ],
        evidence: (60..67).map(|second| fact(second, "liveness probe: connection refused on port 9000")).collect(),
        revision: Some(1),
        change: None,
        pods: Pods { affected: 3, total: 0 },
        services: vec![],
        restarts: 6,
        episodes: 2,
        opened_at: at(30),
        confirmed_at: Some(at(65)),
        remedy: vec![Remedy::Logs { of: Target::pod(&"log-shipper-x2x4q".into()), previous: true }],
        min_ready: None,
        ..auth_service()
    }
}

fn out_of_memory() -> Finding {
    Finding {
        workload: "CronJob/nightly-report".into(),
        container: "report".into(),
        probe: None,
        cause: Cause::OutOfMemory,
        fault: Cause::OutOfMemory.fault(),
        field: Some(Field::parse("resources.limits.memory")),
        current: Some(Value::Text("64Mi".into())),
        suggested: None,
        severity: Severity::Info,
        evidence: vec![fact(90, "OOMKilled, exit code 137, after 12s")],
        change: None,
        pods: Pods { affected: 1, total: 1 },
        services: vec![],
        remedy: vec![Remedy::RaiseMemory {
            place: Place::Template {
                target: Target { kind: Kind::CronJob, name: "nightly-report".into() },
                list: List::Containers,
                paused: false,
            },
            limit: Some(Value::Text("64Mi".into())),
        }],
        min_ready: None,
        ..auth_service()
    }
}

fn wrong_command() -> Finding {
    Finding {
        workload: "Deployment/a-rather-long-name-as-charts-generate-them-primary".into(),
        probe: Some(ProbeKind::Startup),
        cause: Cause::WrongCommand,
        fault: Cause::WrongCommand.fault(),
        field: Some(Field::parse("startupProbe.exec.command")),
        current: Some(Value::Text("/usr/local/bin/healthcheck --deep --timeout=3s".into())),
        suggested: None,
        severity: Severity::Critical,
        min_ready: None,
        ..auth_service()
    }
}

#[test]
fn what_is_not_over_is_in_the_metrics() {
    let mut resolved = out_of_memory();
    resolved.resolved_at = Some(at(370));
    let findings = [auth_service(), doubtful(), hostile(), resolved];
    assert_snapshot!(metrics(&findings));
}

#[test]
fn a_label_is_escaped_and_a_series_stays_on_its_line() {
    let mut finding = auth_service();
    finding.current = Some(Value::Text("a\\b\"c\nd\u{1b}".into()));
    let text = metrics(&[finding]);
    assert!(text.contains(r#"current="a\\b\"c\\nd\\u{1b}""#), "{text}");
    assert_eq!(text.lines().count(), 6);
}

#[test]
fn metrics_have_a_cap_and_lose_no_count() {
    let many = u64::try_from(metrics::MAX_SERIES).expect("small") + 5;
    let findings: Vec<Finding> = (0..many)
        .map(|number| Finding { workload: format!("Deployment/web-{number}").into(), ..auth_service() })
        .collect();
    let text = metrics(&findings);
    let series: Vec<&str> = text.lines().filter(|line| line.starts_with("probehound_findings{")).collect();
    assert_eq!(series.len(), metrics::MAX_SERIES + 1);
    let total: u64 =
        series.iter().map(|line| line.rsplit(' ').next().expect("a value").parse::<u64>().expect("a count")).sum();
    assert_eq!(total, many);
    assert!(text.contains(r#"workload="overflow""#));
}

#[test]
fn a_message_says_again_only_what_is_new() {
    let before = auth_service();
    let mut after = before.clone();
    after.pods.affected = 50;
    let update = |finding: &Finding| Message::from_change(&change(ChangeKind::Updated, 130, finding), Some(&before));
    let grown = update(&after).expect("an update is told");
    assert_eq!((grown.sentences().count(), grown.facts.len(), grown.remedies.len()), (1, 0, 0));
    after.cause = Cause::WrongPort;
    let another = update(&after).expect("an update is told");
    assert!(!another.facts.is_empty() && !another.remedies.is_empty());
    assert_eq!(Message::from_change(&change(ChangeKind::Counted, 130, &after), None), None);
}

fn metrics(findings: &[Finding]) -> String {
    let mut text = String::new();
    let _refused = metrics::write(findings.iter(), &mut text).expect("strings take everything");
    text
}

fn hostile() -> Finding {
    let nasty = "x\u{202e}\u{1b}[2J\u{1b}]0;pwned\u{7}\r\nreboot\u{200b}";
    Finding {
        namespace: nasty.into(),
        workload: format!("Deployment/{nasty}").into(),
        container: nasty.into(),
        field: Some(Field::parse(nasty)),
        current: Some(Value::Text(nasty.into())),
        suggested: Some(Value::Text(nasty.repeat(200))),
        hypotheses: vec![nasty.into()],
        confidence: Confidence::Low,
        evidence: vec![fact(10, nasty)],
        change: Some(RevisionChange {
            revision: 2,
            at: None,
            by: Some(nasty.into()),
            from: Some(nasty.into()),
            to: None,
        }),
        services: vec![ServiceState { name: nasty.into(), ready: 0, total: 1 }],
        remedy: vec![
            Remedy::RollBack { target: Target { kind: Kind::Deployment, name: "web".into() }, revision: None },
            Remedy::Words("kubectl get pods; reboot".into()),
            Remedy::Words(nasty.into()),
        ],
        ..auth_service()
    }
}
