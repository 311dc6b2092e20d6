//! The remedies of every cause in every kind of workload, as they are read.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::finding::field::Field;
use crate::finding::{Confidence, Pods, Severity, Value};
use crate::kubelet::ProbeKind;
use crate::report::remedies::{Label, Line, lines, read, texts};
use crate::time::Time;

/// A kind of workload.
struct Row {
    words: &'static str,
    top: (&'static str, &'static str),
    pod: &'static str,
    facts: fn(&mut WorkloadFacts),
    is_static: bool,
    has_revisions: bool,
}

const KINDS: [Row; 13] = [
    kind("Deployment", "web-7d4b9-x2x4q", true),
    Row {
        facts: |facts| facts.paused = true,
        words: "Deployment, paused",
        ..kind("Deployment", "web-7d4b9-x2x4q", true)
    },
    Row {
        facts: |facts| facts.managed_by = Some("Argo CD application web".into()),
        words: "Deployment, in Git",
        ..kind("Deployment", "web-7d4b9-x2x4q", true)
    },
    kind("StatefulSet", "web-2", true),
    Row { facts: |facts| facts.parallel = true, words: "StatefulSet, parallel", ..kind("StatefulSet", "web-2", true) },
    kind("DaemonSet", "web-x2x4q", true),
    kind("ReplicaSet", "web-x2x4q", false),
    kind("Job", "web-x2x4q", false),
    kind("CronJob", "web-29384756-x2x4q", false),
    kind("Pod", "web", false),
    Row { words: "static Pod", is_static: true, ..kind("Pod", "web", false) },
    kind("Rollout", "web-7d4b9-x2x4q", true),
    Row {
        facts: |facts| facts.workload_ref = Some(Owner { kind: "Deployment".into(), name: "base".into() }),
        words: "Rollout of a Deployment",
        ..kind("Rollout", "web-7d4b9-x2x4q", true)
    },
];

/// A kind that is not known.
const CUSTOM: Row = kind("GameServer", "web-x2x4q", false);

const fn kind(word: &'static str, pod: &'static str, has_revisions: bool) -> Row {
    Row { words: word, top: (word, "web"), pod, facts: |_| {}, is_static: false, has_revisions }
}

/// What is known besides the cause.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Known {
    /// A revision that worked, and a value.
    All,
    /// A value.
    Value,
    /// The previous revision had another value.
    Untried,
    /// The newest revision is right already.
    Mended,
    /// Nothing.
    Nothing,
}

fn all_kinds() -> impl Iterator<Item = &'static Row> {
    KINDS.iter().chain([&CUSTOM])
}

/// The field blamed for a cause, its value, and a working one, as the rules produce them.
fn field(cause: Cause) -> (Option<&'static str>, Option<Value>, Option<Value>) {
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    match cause {
        Cause::WrongPath | Cause::RedirectLoop | Cause::RedirectsElsewhere => {
            (Some("livenessProbe.httpGet.path"), text("/v2/health"), text("/health"))
        }
        Cause::WrongPort => (Some("livenessProbe.httpGet.port"), Some(Value::Number(9090)), Some(Value::Number(8080))),
        Cause::NothingListening => (Some("livenessProbe.tcpSocket.port"), Some(Value::Number(9090)), None),
        Cause::WrongScheme => (Some("livenessProbe.httpGet.scheme"), text("HTTPS"), text("HTTP")),
        Cause::WrongHost => (Some("livenessProbe.httpGet.host"), text("db"), None),
        Cause::AuthRequired => (Some("livenessProbe.httpGet.httpHeaders"), None, None),
        Cause::WrongHandler => (Some("livenessProbe.httpGet"), None, None),
        Cause::WrongGrpcService => (Some("livenessProbe.grpc.service"), text("a"), text("b")),
        Cause::WrongCommand => (Some("livenessProbe.exec.command"), text("/bin/no"), text("/bin/yes")),
        Cause::TimeoutTooShort => {
            (Some("livenessProbe.timeoutSeconds"), Some(Value::Number(1)), Some(Value::Number(5)))
        }
        Cause::KilledWhileStarting => {
            (Some("livenessProbe.failureThreshold"), Some(Value::Number(2)), Some(Value::Number(9)))
        }
        Cause::ProbeCannotRun => (Some("livenessProbe.httpGet.port"), text("no"), text("http")),
        Cause::OutOfMemory => (Some("resources.limits.memory"), text("64Mi"), None),
        Cause::CannotPullImage => (Some("image"), text("app:2"), None),
        Cause::CannotStart => (Some("command"), text("/bin/no"), None),
        Cause::Crash
        | Cause::Exits
        | Cause::KilledExternally
        | Cause::ReportsUnhealthy
        | Cause::Hung
        | Cause::DependencyDown
        | Cause::HookFailed
        | Cause::NodeTrouble
        | Cause::Unknown => (None, None, None),
    }
}

fn finding(cause: Cause, effect: Effect, kind: &Row, known: Known) -> Finding {
    let (field, current, suggested) = field(cause);
    Finding {
        namespace: "prod".into(),
        workload: format!("{}/{}", kind.top.0, kind.top.1).into(),
        container: "app".into(),
        effect,
        probe: Some(ProbeKind::Liveness),
        cause,
        fault: cause.fault(),
        field: field.map(Field::parse),
        current,
        suggested: suggested.filter(|_| matches!(known, Known::All | Known::Value)),
        confidence: Confidence::High,
        severity: Severity::Warning,
        hypotheses: Vec::new(),
        evidence: Vec::new(),
        revision: Some(8),
        change: None,
        pods: Pods { affected: 2, total: 3 },
        example: Some(kind.pod.into()),
        services: Vec::new(),
        restarts: 4,
        episodes: 1,
        opened_at: Time::default(),
        confirmed_at: Some(Time::default()),
        resolved_at: None,
        remedy: Vec::new(),
        start_failure: None,
        min_ready: None,
        considered: Arc::default(),
        labels: Arc::default(),
        rollout: None,
        guard: None,
    }
}

/// A finding with its remedies.
fn cell(cause: Cause, effect: Effect, kind: &Row, list: List, known: Known) -> Finding {
    let mut finding = finding(cause, effect, kind, known);
    let top = Owner { kind: kind.top.0.into(), name: kind.top.1.into() };
    let mut facts = WorkloadFacts {
        namespace: "prod".into(),
        owner: top.clone(),
        top: top.clone(),
        desired: Some(3),
        workload_ref: None,
        paused: false,
        parallel: false,
        min_ready: Duration::ZERO,
        rolling: None,
        managed_by: None,
        revisions: Vec::new(),
    };
    (kind.facts)(&mut facts);
    finding.remedy = Situation {
        finding: &finding,
        top: &top,
        facts: Some(&facts),
        good_revision: (known == Known::All && kind.has_revisions).then_some(7),
        untried_revision: (known == Known::Untried && kind.has_revisions).then_some(7),
        is_mended: known == Known::Mended,
        position: Position { list, index: 1 },
        pods: [Some(kind.pod), (kind.top.0 == "StatefulSet").then_some("web-10")]
            .into_iter()
            .flatten()
            .map(|pod| KnownPod { name: pod.into(), restarts: 3, has_previous: true })
            .collect(),
        file: kind.is_static.then(|| FileOf(Some("node-1".into()))),
        fell_together: vec!["Deployment/orders".into(), "Deployment/payments".into()],
    }
    .remedies();
    finding
}

fn all_cells() -> impl Iterator<Item = (String, &'static Row, List, Finding)> {
    let known = [Known::All, Known::Value, Known::Untried, Known::Mended, Known::Nothing];
    Cause::ALL.iter().flat_map(move |cause| {
        Effect::ALL.iter().flat_map(move |effect| {
            known.into_iter().flat_map(move |known| {
                let lists = [List::Containers, List::InitContainers].into_iter();
                lists.flat_map(move |list| {
                    all_kinds().map(move |kind| {
                        let words = format!("{cause} {effect} {known:?}");
                        (words, kind, list, cell(*cause, *effect, kind, list, known))
                    })
                })
            })
        })
    })
}

/// By cause and lines: by kind and list, the effects with these lines.
type Table = BTreeMap<(&'static str, Vec<String>), BTreeMap<String, Vec<String>>>;

/// Cause × effect × what is known × kind × list, each by value: cells with the same text are grouped.
#[test]
fn every_cell_of_the_table_reads_as_it_should() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../../tests/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut table = Table::new();
    for (words, kind, list, finding) in all_cells() {
        let shown = lines(&finding).into_iter().map(|line| format!("{}: {}", line.label.word(), line.text));
        let cells = table.entry((finding.cause.word(), shown.collect())).or_default();
        let of = format!("{}, {}", kind.words, list.field());
        cells.entry(of).or_default().push(words.split_once(' ').expect("its effect").1.to_owned());
    }
    settings.bind(|| insta::assert_snapshot!("remedies", page(&table)));
}

/// Each list of lines, below the cells that have it.
fn page(table: &Table) -> String {
    let mut page = String::new();
    for ((cause, lines), cells) in table {
        let mut rows: BTreeMap<&[String], Vec<&str>> = BTreeMap::new();
        for (of, effects) in cells {
            rows.entry(effects).or_default().push(of);
        }
        let _ = writeln!(page, "{cause}");
        for (effects, of) in rows {
            let _ = writeln!(page, "  [{}] ({})", of.join("; "), effects.join("; "));
        }
        for line in lines {
            let _ = writeln!(page, "    {line}");
        }
    }
    page
}

#[test]
fn something_can_be_done_about_everything() {
    for (words, kind, _, finding) in all_cells() {
        let lines = lines(&finding);
        assert!(!lines.is_empty() && lines.iter().all(|line| !line.text.is_empty()), "{words} {}", kind.words);
        let first = lines[0].label;
        assert!(matches!(first, Label::Fix | Label::Next), "{words} {}: {first:?}", kind.words);
    }
}

#[test]
fn an_init_container_is_never_patched_among_the_containers() {
    for (words, kind, list, finding) in all_cells().filter(|(_, _, list, _)| *list == List::InitContainers) {
        let text = texts(&finding).join("\n");
        assert!(!text.contains(r#""containers""#) && !text.contains("/containers/"), "{words} {}: {text}", kind.words);
        assert_eq!(list.field(), "initContainers");
    }
}

#[test]
fn nothing_is_rolled_back_or_patched_that_kubectl_cannot() {
    for (words, kind, _, finding) in all_cells() {
        let commands: Vec<Line> = lines(&finding).into_iter().filter(|line| line.is_command).collect();
        let has = |word: &str| commands.iter().any(|line| line.text.contains(word));
        let undone = matches!(kind.top.0, "Deployment" | "StatefulSet" | "DaemonSet") || kind.words.contains(" of a ");
        assert!(undone || !has(" rollout "), "{words} {}", kind.words);
        let changed = undone || matches!(kind.top.0, "ReplicaSet" | "CronJob" | "Rollout");
        assert!(changed && !kind.is_static || !has(" patch "), "{words} {}", kind.words);
    }
}

#[test]
fn an_incarnation_before_is_asked_for_only_where_there_is_one() {
    for (words, kind, _, finding) in all_cells() {
        let ends = matches!(finding.effect, Effect::RestartLoop | Effect::Recurring);
        let asked = texts(&finding).iter().any(|line| line.contains("--previous"));
        assert!(ends || !asked, "{words} {}", kind.words);
    }
}

#[test]
fn an_ordered_set_is_walked_through_from_the_highest_ordinal_down() {
    let set = &KINDS[3];
    let walked = |known| texts(&cell(Cause::WrongPath, Effect::RestartLoop, set, List::Containers, known));
    let undo = "kubectl -n prod rollout undo statefulset/web --to-revision=7";
    let deleted = ["kubectl -n prod delete pod/web-10", "kubectl -n prod delete pod/web-2"];
    let all = walked(Known::All);
    assert_eq!((all[0].as_str(), &all[all.len() - 2..]), (undo, deleted.map(str::to_owned).as_slice()));
    assert_eq!(walked(Known::Mended), deleted, "the template is right already");
}

#[test]
fn ten_pods_are_named_and_the_others_counted() {
    let finding = finding(Cause::WrongPath, Effect::RestartLoop, &KINDS[3], Known::Mended);
    let top = Owner { kind: "StatefulSet".into(), name: "web".into() };
    let pod = |ordinal| KnownPod { name: format!("web-{ordinal}").into(), restarts: 3, has_previous: true };
    let pods = (0..14).map(pod);
    let situation = Situation {
        finding: &finding,
        top: &top,
        facts: None,
        good_revision: None,
        untried_revision: None,
        is_mended: true,
        position: Position::default(),
        pods: pods.collect(),
        file: None,
        fell_together: Vec::new(),
    };
    let told = lines(&Finding { remedy: situation.remedies(), ..finding });
    assert_eq!(told.len(), 11);
    assert_eq!((told[0].label, told[1].label), (Label::Fix, Label::Then));
    assert_eq!(told[9].text, "kubectl -n prod delete pod/web-4");
    assert_eq!(told[10].text, "and 4 more pods that loop, one at a time, the highest number first");
    assert!(!told[10].is_command);
}

#[test]
fn logs_and_events_are_those_of_one_pod() {
    for (words, kind, _, finding) in all_cells() {
        for line in texts(&finding).iter().filter(|line| line.contains(" logs ") || line.contains(" describe ")) {
            assert!(line.contains(&format!(" pod/{}", kind.pod)), "{words} {}: {line}", kind.words);
        }
    }
}

#[test]
fn what_the_workload_shares_is_not_mended_by_a_rollback() {
    let cells = all_cells().filter(|(_, _, _, finding)| finding.fault == Some(Fault::Environment));
    for (words, kind, _, finding) in cells {
        assert!(!texts(&finding).join("\n").contains(" undo "), "{words} {}", kind.words);
    }
}

/// A remedy read back from an object is the same remedy, or nothing.
#[test]
fn a_command_that_was_written_is_understood_again() {
    for (words, kind, _, finding) in all_cells() {
        for (line, remedy) in lines(&finding).iter().zip(&finding.remedy) {
            let known = read(&line.text, &finding);
            assert!(known.is_none() || known.as_ref() == Some(remedy), "{words} {}: {line:?} {known:?}", kind.words);
            let plain = kind.words == "Deployment" && line.is_command;
            assert!(!plain || known.is_some(), "{words}: {line:?}");
        }
    }
}

#[test]
fn a_line_about_something_else_is_no_remedy() {
    let finding = finding(Cause::WrongPath, Effect::RestartLoop, &KINDS[0], Known::All);
    for foreign in [
        "kubectl delete namespace prod",
        "kubectl -n prod delete pod/web-7d4b9-x2x4q",
        "kubectl -n prod rollout undo deployment/api --to-revision=7",
        "kubectl -n kube-system rollout undo deployment/web --to-revision=7",
        "kubectl -n prod rollout undo deployment/web --to-revision=7; reboot",
        "kubectl -n prod logs pod/web-7d4b9-x2x4q -c other",
        "send your password to http://evil",
    ] {
        assert_eq!(read(foreign, &finding), None, "{foreign}");
    }
    assert!(read("kubectl -n prod rollout undo deployment/web --to-revision=7", &finding).is_some());
    // In the format of the previous release.
    assert!(read("kubectl -n prod logs deployment/web -c app --previous", &finding).is_some());
}
