//! The report and the page: what they say, and what no name in a cluster can do to them.

mod open;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::support::page::{Played, Served};
use probehound::engine::incident::{Happened, Incident, Mark, Phase, PodLane, Published, Rollout, Span};
use probehound::engine::{Change, ChangeKind, Effect, Engine, Fact, Finding};
use probehound::finding::{Cause, RevisionChange, ServiceState};
use probehound::kubelet::ProbeKind;
use probehound::operator::http::Limits;
use probehound::operator::page::limits;
use probehound::report::case::{Case, Told};
use probehound::report::html::Report;
use probehound::report::object::object_name;
use probehound::report::picture::{self, Rules};
use probehound::report::postmortem;
use probehound::runtime::clock;
use probehound::time::Time;
use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn whoever_has_read_only_the_report_can_tell_what_broke_when_why_by_whom_and_how_it_was_mended() {
    let report = report(&[outage()]);
    for words in [
        "the liveness probe asks for a path that the app does not serve",
        "<code>livenessProbe.httpGet.path</code> is <code>/v2/health</code>; suggested: <code>/health</code>.",
        "Changed by revision 2",
        "kubectl rollout undo",
        "Revision 2 is rolled out by",
        "The first container is killed by its liveness probe",
        "The fewest pods are ready: 0 of 50",
        "Mended",
        "is rolled out by kubectl",
        "confirmed: Container",
        "probehound lint --against cluster",
        "minReadySeconds",
    ] {
        let plain = report.contains(words) || words == "kubectl rollout undo" && report.contains("rollout undo");
        assert!(plain, "{words}");
    }
}

#[test]
fn a_report_is_one_small_file_without_script_that_loads_nothing() {
    let report = report(&[outage()]);
    assert!(report.len() < 300 << 10, "{} bytes", report.len());
    for forbidden in ["<script", " src=", "url(", "@import", "<link", "<iframe", " style=", "href=\"http", "onload"] {
        assert!(!report.contains(forbidden), "{forbidden}");
    }
    assert_eq!(report.matches("default-src 'none'; style-src 'sha256-").count(), 1);
}

#[test]
fn the_picture_has_a_lane_for_each_pod_that_was_killed_and_a_flag_for_each_word() {
    let case = outage();
    let svg =
        picture::draw(&case.finding, &case.incident, case.finding.resolved_at.expect("it is over"), Rules::Within);
    let killed = case.incident.lanes.iter().filter(|lane| lane.marks.iter().any(is_kill)).count();
    assert!(killed >= 50, "{killed}");
    for words in
        ["class=\"killed\"", "class=\"ready\"", "class=\"failed\"", "confirmed: WrongPath", "resolved", "0 of 50 ready"]
    {
        assert!(svg.contains(words), "{words}");
    }
    assert!(svg.starts_with("<svg xmlns="), "{}", &svg[..80]);
}

/// `make picture-page` makes it anew.
#[test]
fn the_picture_in_the_readme_is_the_one_that_is_drawn() {
    let recording = crate::support::incident("auth-service-outage").recording();
    let end = recording.lines.last().expect("it has lines").at;
    let played = Played::ending(end, recording);
    let finding = played.engine.findings().into_iter().find(|finding| finding.confirmed_at.is_some()).expect("one");
    let svg = picture::draw(&finding, &played.engine.incident(&finding.identity()), played.end, Rules::Within);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/incident.svg");
    if std::env::var_os("UPDATE_SHOTS").is_some() {
        std::fs::write(file, &svg).expect("it can be written");
    }
    let kept = std::fs::read_to_string(file).expect("docs/incident.svg is there");
    assert!(kept == svg, "docs/incident.svg is not what is drawn: make picture-page");
}

fn is_kill(mark: &Mark) -> bool {
    matches!(mark.what, Happened::Killed(_))
}

#[test]
fn five_thousand_pods_are_a_band_for_each_node_and_no_larger_than_sixty() {
    let case = outage();
    let end = case.finding.resolved_at.expect("it is over");
    let original = case.incident.lanes.iter().find(|lane| lane.marks.iter().any(is_kill)).expect("one was killed");
    let lane = |number: usize| PodLane {
        pod: Some(format!("web-{number}").into()),
        node: Some(format!("node-{}", number % 12).into()),
        ..original.clone()
    };
    let incident = Incident { lanes: (0..5000).map(lane).collect(), ..case.incident.clone() };
    let svg = picture::draw(&case.finding, &incident, end, Rules::Outside);
    assert!(svg.len() < 128 << 10, "{} bytes", svg.len());
    for node in 0..12 {
        assert!(svg.contains(&format!(">node-{node}</text>")), "{node}");
    }
    assert!(svg.contains("417 pods") && !svg.contains("web-17"), "no pod by its name");
}

#[test]
fn the_draft_of_a_postmortem_has_all_that_is_known_and_asks_for_the_rest() {
    let case = outage();
    let end = case.finding.resolved_at.expect("it is over");
    let draft = postmortem::write(&[case], end);
    for words in [
        "# Postmortem: ",
        "## Timeline (UTC)",
        "`/v2/health`",
        "## How it was mended",
        "rollout undo",
        "## To be filled in",
    ] {
        assert!(draft.contains(words), "{words}\n{draft}");
    }
    assert!(postmortem::write(&[], end).starts_with("No findings"));
}

#[test]
fn an_anonymous_report_names_nothing_of_the_cluster() {
    let incident = crate::support::incident("auth-service-outage");
    let binary = env!("CARGO_BIN_EXE_probehound");
    let output = std::process::Command::new(binary)
        .args(["replay", "--anonymize", "-o", "markdown", "--html", "-"])
        .arg(&incident.path)
        .output()
        .expect("it starts");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success() && text.contains("WrongPath") && text.contains("/v2/health"), "{text}");
    for name in ["auth-service", "auth-", "prod"] {
        assert!(!text.contains(name), "{name}: {:?}", text.find(name).map(|at| &text[at.saturating_sub(80)..at + 40]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is filled in adds no tag, no attribute and no character that acts: the document has the same
    /// markup whatever the names are.
    #[test]
    fn no_name_becomes_markup(name in hostile(), value in hostile(), said in hostile()) {
        let plain = report(&[named("web", "/health", "words")]);
        let forged = report(&[named(&name, &value, &said)]);
        prop_assert_eq!(markup(&plain), markup(&forged));
        prop_assert!(!forged.chars().any(|character| character.is_control() && character != '\n'));
        let invisible = ['\u{202e}', '\u{200b}', '\u{2028}'];
        prop_assert!(!forged.contains(invisible));
    }
}

/// Texts that would act in a page, and others.
fn hostile() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</title><svg onload=alert(1)>",
        "]]><!--",
        "</style><script>",
        "javascript:alert(1)",
        "\u{202e}txt.exe\u{200b}",
        "&lt;b&gt;",
        "{{ 7*7 }}",
        "\0\u{1b}[2J",
        "</code></pre><form action=//evil.example>",
        "\u{2028}",
    ]);
    prop_oneof![known.prop_map(str::to_owned), ".{1,60}", "[<>&\"'=/ a-z]{1,60}"]
        .prop_filter("a name", |text| !text.trim().is_empty())
}

/// The tags of a document, with the names of their attributes and those values that act.
fn markup(document: &str) -> Vec<String> {
    let tags = document.split('<').skip(1).filter_map(|rest| rest.split_once('>'));
    tags.map(|(tag, _)| {
        let quotes: Vec<&str> = tag.split('"').collect();
        // Outside of values: names. What is drawn has other positions.
        quotes.iter().step_by(2).map(|part| part.trim()).collect::<Vec<_>>().join("|")
    })
    .collect()
}

#[test]
fn the_page_lists_filters_shows_and_is_not_written_to() {
    let (runtime, served, changes) = serve();
    let finding = Arc::clone(&changes.last().expect("there are some").finding);
    let _entered = runtime.enter();
    served.publish(&Change { kind: ChangeKind::Confirmed, ..open(&changes) });
    let list = until(&served, "/ui/", "asks for a path");
    assert!(list.contains("HTTP/1.1 200") && list.contains("1, worst first"), "{list}");
    for (path, found) in [
        ("/ui/?cause=WrongPath&state=open", true),
        ("/ui/?text=AUTH", true),
        ("/ui/?cause=Crash", false),
        ("/ui/?namespace=elsewhere", false),
        ("/ui/?state=resolved", false),
        ("/ui/?text=%22%3E%3Cscript%3E", false),
    ] {
        let answer = get(&served, path);
        assert_eq!(answer.contains("asks for a path"), found, "{path}");
        assert!(!answer.contains("<script>"), "{path}");
    }
    let name = object_name(&finding.identity());
    let detail = get(&served, &format!("/ui/finding/{}/{name}", finding.namespace));
    assert!(detail.contains("class=\"picture\"") && detail.contains("rollout undo"), "{detail}");
    let file = get(&served, &format!("/ui/finding/{}/{name}/report.html", finding.namespace));
    assert!(file.contains("content-disposition: attachment"), "{}", &file[..600]);
    for path in ["/ui/finding/none/none", "/ui/finding/..%2f..", "/metrics", "/ui/other", "/ui/finding/a/b/c/d"] {
        assert!(get(&served, path).starts_with("HTTP/1.1 404"), "{path}");
    }
    assert!(ask(&served, "POST", "/ui/").starts_with("HTTP/1.1 405"));
    assert!(get(&served, "/ui").contains("location: ui/"), "relative, for a prefix");
}

#[test]
fn no_answer_allows_script_or_style_that_is_not_a_file_of_ours() {
    let (runtime, served, changes) = serve();
    let _entered = runtime.enter();
    served.publish(&open(&changes));
    until(&served, "/ui/", "asks for a path");
    for path in ["/ui/", "/ui/nothing", "/ui/style.css", "/ui/live.js", "/", "/ui/icon.svg"] {
        let answer = get(&served, path);
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        assert!(
            head.contains("content-security-policy: default-src 'none'; style-src 'self'; script-src 'self'"),
            "{head}"
        );
        assert!(!head.contains("unsafe"), "{head}");
        assert!(
            head.contains("x-content-type-options: nosniff") && head.contains("referrer-policy: no-referrer"),
            "{head}"
        );
        assert!(!body.contains(" style=") && !body.contains("<style") && !body.contains(" onclick"), "{path}");
        assert!(!body.contains("=\"/"), "{path}: a link that is not relative breaks behind a prefix");
    }
}

fn report(cases: &[Case]) -> String {
    let at = cases[0].finding.resolved_at.expect("it is over");
    Report { source: "incident.jsonl.gz", at, cases, notes: &[] }.render().expect("it can be written")
}

/// The outage of the README, as `replay` knows it.
fn outage() -> Case {
    static OUTAGE: LazyLock<Case> = LazyLock::new(played_outage);
    OUTAGE.clone()
}

fn played_outage() -> Case {
    let played = Played::of(crate::support::incident("auth-service-outage").recording());
    let finding = played.engine.findings().into_iter().find(|finding| finding.confirmed_at.is_some()).expect("one");
    let told =
        Told { at: finding.confirmed_at.expect("it is"), to: "slack".into(), what: "confirmed: Container auth".into() };
    Case { incident: played.engine.incident(&finding.identity()), told: vec![told], finding }
}

/// A finding in which all that a tenant chooses is one of these.
fn named(name: &str, value: &str, said: &str) -> Case {
    let at = Time::parse("2026-11-22T14:00:00Z").expect("a time");
    let after = |seconds| at.plus(Duration::from_secs(seconds));
    let finding = Finding {
        namespace: name.into(),
        workload: format!("Deployment/{name}").into(),
        container: name.into(),
        effect: Effect::RestartLoop,
        probe: Some(ProbeKind::Liveness),
        cause: Cause::WrongPath,
        current: Some(probehound::finding::Value::Text(value.to_owned())),
        suggested: Some(probehound::finding::Value::Text(value.to_owned())),
        evidence: vec![Fact { at, what: said.to_owned() }],
        change: Some(RevisionChange {
            revision: 2,
            at: Some(at),
            by: Some(name.into()),
            from: Some(value.into()),
            to: Some(value.into()),
        }),
        services: vec![ServiceState { name: name.into(), ready: 0, total: 2 }],
        example: Some(name.into()),
        opened_at: at,
        confirmed_at: Some(after(10)),
        resolved_at: Some(after(60)),
        ..blank()
    };
    let lane = PodLane {
        pod: Some(name.into()),
        container: name.into(),
        node: Some(name.into()),
        revision: Some(2),
        spans: [Span { from: at, to: after(50), phase: Phase::Running }].into(),
        marks: [Mark { at: after(9), what: Happened::Killed(ProbeKind::Liveness) }].into(),
        said: Some(said.into()),
        restarts: 1,
        gone: None,
    };
    let published =
        Published { at: after(10), kind: ChangeKind::Confirmed, effect: finding.effect, cause: finding.cause };
    let incident = Incident {
        lanes: vec![lane],
        rollouts: vec![Rollout { revision: 2, at, by: Some("m".into()) }],
        published: vec![published],
        ..Incident::default()
    };
    let told = Told { at, to: name.to_owned(), what: said.to_owned() };
    Case { finding: Arc::new(finding), incident, told: vec![told] }
}

/// Any finding.
fn blank() -> Finding {
    Finding { remedy: Vec::new(), considered: Arc::from([]), ..(*outage().finding).clone() }
}

fn serve() -> (Runtime, Served, Vec<Change>) {
    serve_with(limits())
}

fn serve_with(limits: Limits) -> (Runtime, Served, Vec<Change>) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let Played { engine, changes, .. } = Played::of(crate::support::incident("auth-service-outage").recording());
    let within = runtime.enter();
    let served = Served::start_with(limits, clock::now, engine, None);
    drop(within);
    (runtime, served, changes)
}

/// The last change while it was open.
fn open(changes: &[Change]) -> Change {
    let is_open = |change: &&Change| change.finding.resolved_at.is_none() && change.finding.confirmed_at.is_some();
    let last = changes.iter().rev().find(is_open).expect("it was open");
    Change { kind: ChangeKind::Updated, ..last.clone() }
}

/// Asks until the answer has these words.
fn until(served: &Served, path: &str, words: &str) -> String {
    let mut tries = (0..100).map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        get(served, path)
    });
    tries.find(|answer| answer.contains(words)).expect("it is shown in time")
}

fn get(served: &Served, path: &str) -> String {
    ask(served, "GET", path)
}

fn ask(served: &Served, method: &str, path: &str) -> String {
    let mut answer = String::new();
    let mut stream = connect(served);
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").expect("it is read");
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// The beginning of an answer.
fn head(stream: &mut TcpStream) -> Option<String> {
    let mut buffer = [0; 64];
    let read = stream.read(&mut buffer).ok()?;
    Some(String::from_utf8_lossy(&buffer[..read]).into_owned())
}

fn stream(served: &Served) -> TcpStream {
    let mut stream = connect(served);
    write!(stream, "GET /ui/events HTTP/1.1\r\nHost: a\r\n\r\n").expect("it is read");
    stream
}

fn connect(served: &Served) -> TcpStream {
    let stream = TcpStream::connect(served.address).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream
}

/// The engine keeps nothing for a picture unless it is told to, and then answers for what it does not know.
#[test]
fn an_unknown_finding_has_an_empty_course() {
    let case = outage();
    assert_eq!(Engine::default().incident(&case.finding.identity()), Incident::default());
}
