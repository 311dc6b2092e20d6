use std::sync::Mutex;

use serde_json::json;

use super::*;
use crate::config::Source;
use crate::engine::{Owner, Scope};
use crate::operator::testing::{at, finding};
use crate::source::Observer;
use crate::source::cluster::Trouble;
use crate::source::recording::Object;

const GRANTS: &str = "{receiver: team, namespaces: [prod], allow: [silence, receiver, window]}";

#[test]
fn a_silence_of_the_workload_applies_until_it_expires() {
    let mut world = World::new(GRANTS);
    world.look_up(&json!({"probehound.dev/silence": "until 2027-01-15T09:00Z: known, JIRA-1"}), at(0));
    let (asked, turns) = world.ask(at(10));
    let words = "StatefulSet/web until 2027-01-15T09:00:00.000Z: known, JIRA-1";
    assert_eq!(asked.silence.as_ref().map(|silence| &*silence.words), Some(words));
    assert_eq!((turns, asked.unread_until), (Time::parse("2027-01-15T09:00:00Z").ok(), None));
    assert_eq!(world.ask(turns.expect("it expires")).0.silence, None);
    assert_eq!(world.complaints(), Vec::<String>::new(), "an expired one is no mistake");
}

#[test]
fn the_workload_has_the_say_before_its_pods_and_each_annotation_by_itself() {
    let mut world = World::new(GRANTS);
    world.look_up(&json!({"probehound.dev/silence": "until 2027-01-16T00:00Z: of the workload"}), at(0));
    world.pod(&json!({"probehound.dev/silence": "until 2027-01-17T00:00Z: of the pod", "probehound.dev/guard": "off"}));
    let (asked, _) = world.ask(at(10));
    assert!(asked.silence.as_ref().is_some_and(|silence| silence.words.ends_with("of the workload")));
    assert!(asked.guard_off);
}

#[test]
fn a_value_that_is_refused_counts_as_absent_and_is_reported_once() {
    let mut world = World::new(GRANTS);
    world.look_up(&json!({"probehound.dev/silence": "for ever"}), at(0));
    world.pod(&json!({"probehound.dev/silence": "until 2027-01-17T00:00Z: of the pod"}));
    for second in 10..20 {
        let (asked, _) = world.ask(at(second));
        assert!(
            asked.silence.as_ref().is_some_and(|silence| silence.words.starts_with("pods of StatefulSet/web until "))
        );
    }
    assert_eq!(world.complaints(), ["prod StatefulSet/web: \"for ever\" is no silence"]);
    world.look_up(&json!({"probehound.dev/silence": "for good"}), at(30));
    world.ask(at(30));
    assert_eq!(world.complaints().len(), 2);
}

#[test]
fn a_namespace_without_a_grant_asks_for_nothing_and_is_not_told_why() {
    let mut world = World::new("{receiver: team, namespaces: [shop-*], allow: [silence]}");
    world
        .look_up(&json!({"probehound.dev/silence": "until 2027-01-16T00:00Z: x", "probehound.dev/window": "?"}), at(0));
    assert_eq!(world.ask(at(10)), (Arc::default(), None));
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn a_receiver_of_others_is_not_named_and_not_revealed() {
    let mut world = World::new("{receiver: team, namespaces: [prod], allow: [receiver]}");
    for (name, expected) in [("platform", 0), ("nobody", 0), ("team,platform", 0), ("team", 1)] {
        world.look_up(&json!({"probehound.dev/receiver": name}), at(0));
        assert_eq!(world.ask(at(10)).0.receivers.len(), expected, "{name}");
    }
    let complaints = world.complaints();
    assert!(complaints[0].ends_with("\"platform\" is no receiver that this namespace may name"), "{complaints:?}");
    assert!(complaints[1].ends_with("\"nobody\" is no receiver that this namespace may name"), "{complaints:?}");
}

#[test]
fn what_no_receiver_heeds_is_reported() {
    let mut world = World::new("{receiver: team, namespaces: [prod], allow: [receiver]}");
    world.look_up(&json!({"probehound.dev/silence": "until 2027-01-16T00:00Z: x"}), at(0));
    assert_eq!(world.ask(at(10)).0.silence, None);
    assert_eq!(
        world.complaints(),
        ["prod StatefulSet/web: no receiver heeds probehound.dev/silence of this namespace"]
    );
}

#[test]
fn annotations_that_are_not_known_yet_are_waited_for_but_not_long() {
    let mut world = World::new(GRANTS);
    let (asked, turns) = world.ask(at(5));
    assert_eq!((asked.unread_until, turns), (Some(at(35)), Some(at(35))), "by the start of the watch");
    assert_eq!(world.ask(at(35)).0.unread_until, None);
    let mut world = World::new(GRANTS);
    world.ask(at(5));
    world.look_up(&json!({}), at(6));
    assert_eq!(world.ask(at(6)).0, Arc::default());
}

#[test]
fn workloads_with_open_findings_are_looked_up_again_each_minute() {
    let mut world = World::new(GRANTS);
    world.look_up(&json!({}), at(0));
    assert_eq!(world.annotated.next_refresh(), None, "there is no finding");
    let entry = World::entry();
    world.annotated.note(&entry);
    let asked: Vec<i64> = (1..=200).filter(|second| world.annotated.refresh(at(*second)).is_some()).collect();
    assert_eq!(asked, [60, 120, 180]);
    world.annotated.note(&Entry { kind: crate::engine::ChangeKind::Resolved, ..entry });
    assert_eq!(world.annotated.next_refresh(), None);
}

#[test]
fn an_answer_that_lacks_the_workload_takes_nothing_away() {
    let mut world = World::new(GRANTS);
    world.look_up(&json!({"probehound.dev/guard": "off"}), at(0));
    let partial = Answer { need: need(), objects: Vec::new(), is_whole: false };
    world.annotated.handle_answer(&partial, None, at(20));
    assert!(world.ask(at(30)).0.guard_off);
    let gone = Answer { need: need(), objects: Vec::new(), is_whole: true };
    world.annotated.handle_answer(&gone, None, at(40));
    assert!(!world.ask(at(50)).0.guard_off);
}

#[test]
fn a_namespace_has_the_say_after_the_workload_and_its_pods() {
    let mut world = World::with_namespaces();
    let silence = |of: &str| json!({"probehound.dev/silence": format!("until 2027-01-16T00:00Z: of the {of}")});
    world.look_up(&json!({}), at(0));
    world.read_namespace(Ok(&silence("namespace")), at(0));
    let said = |world: &mut World| world.ask(at(10)).0.silence.clone().expect("a silence").words;
    assert_eq!(&*said(&mut world), "Namespace/prod until 2027-01-16T00:00:00.000Z: of the namespace");
    world.pod(&silence("pod"));
    assert!(said(&mut world).ends_with("of the pod"));
    world.look_up(&silence("workload"), at(0));
    assert!(said(&mut world).ends_with("of the workload"));
}

#[test]
fn a_namespace_is_not_read_unless_the_settings_say_so() {
    let mut world = World::new(GRANTS);
    world.annotated.note(&World::entry());
    world.annotated.refresh(at(60));
    assert_eq!(world.annotated.take_namespaces(), Vec::<Arc<str>>::new());
}

#[test]
fn a_namespace_with_an_open_finding_is_read_at_once_and_then_each_minute() {
    let mut world = World::with_namespaces();
    let entry = World::entry();
    world.annotated.note(&entry);
    let mut reads = |from: i64, to: i64| -> Vec<i64> {
        (from..to)
            .filter(|second| {
                world.annotated.refresh(at(*second));
                !world.annotated.take_namespaces().is_empty()
            })
            .collect()
    };
    assert_eq!(reads(1, 130), [1, 61, 121]);
    world.annotated.note(&Entry { kind: crate::engine::ChangeKind::Resolved, ..entry });
    assert_eq!(world.annotated.next_refresh(), None);
}

#[test]
fn a_namespace_that_is_not_read_yet_is_waited_for_and_one_that_may_not_be_read_is_not() {
    let mut world = World::with_namespaces();
    world.annotated.note(&World::entry());
    world.annotated.refresh(at(1));
    world.look_up(&json!({}), at(1));
    assert_eq!(world.ask(at(5)).0.unread_until, Some(at(35)));
    world.answer_namespace(Err(Trouble::Timeout), at(6));
    assert_eq!(world.ask(at(6)).0.unread_until, Some(at(35)), "it is tried again");
    world.answer_namespace(Err(Trouble::Forbidden), at(7));
    assert_eq!(world.ask(at(7)).0, Arc::default());
}

#[test]
fn trouble_that_passes_takes_no_silence_of_a_namespace_away_and_a_lost_right_does() {
    let mut world = World::with_namespaces();
    world.look_up(&json!({}), at(0));
    world.read_namespace(Ok(&json!({"probehound.dev/silence": "until 2027-01-16T00:00Z: x"})), at(0));
    world.answer_namespace(Err(Trouble::Server), at(60));
    assert!(world.ask(at(61)).0.silence.is_some());
    world.answer_namespace(Err(Trouble::Forbidden), at(120));
    assert_eq!(world.ask(at(121)).0.silence, None);
}

#[test]
fn a_wrong_value_of_a_namespace_is_reported_once_for_all_of_its_workloads() {
    let mut world = World::with_namespaces();
    world.read_namespace(Ok(&json!({"probehound.dev/silence": "for ever"})), at(0));
    for workload in ["StatefulSet/web", "StatefulSet/api"] {
        let finding = Finding { workload: workload.into(), ..(*World::entry().finding).clone() };
        world.annotated.ask(&finding, at(10));
    }
    assert_eq!(world.complaints(), ["prod StatefulSet/web: \"for ever\" is no silence"]);
}

#[test]
fn whatever_a_tenant_writes_is_refused_in_short_or_does_nothing_else() {
    let mut world = World::new(GRANTS);
    let texts = [
        "\u{1b}[2J",
        "until \u{202e}: x",
        "until 2027-01-16T00:00Z: \0",
        "until 9999-99-99T99:99Z: x",
        "mute",
        "notify ;;;",
        "mute -",
        "mute Mon-Mon-Mon",
        "mute 00:00-00:00",
        "notify Mon 08:00-18:00 ../../etc/passwd",
        ",,,,",
        "{}",
        "*",
    ];
    let long = "x".repeat(1 << 20);
    for text in texts.into_iter().chain([&*long]) {
        for annotation in crate::findings::asked::Annotation::ALL {
            world.look_up(&json!({ annotation.key(): text }), at(0));
            assert_eq!(world.ask(at(10)).0, Arc::default(), "{annotation:?} {text:?}");
        }
    }
    let complaints = world.complaints();
    assert_eq!(complaints.len(), 4 * (texts.len() + 1));
    assert!(complaints.iter().all(|line| line.len() < 200 && !line.contains(char::is_control)), "{complaints:?}");
}

struct World {
    annotated: Annotated,
    complaints: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// The pods are listed; the workload is not looked up yet.
    fn new(grants: &str) -> Self {
        Self::of(&format!("{{grants: [{grants}]}}"))
    }

    /// The same, and annotations of namespaces count.
    fn with_namespaces() -> Self {
        Self::of(&format!("{{grants: [{GRANTS}], namespaces: true}}"))
    }

    fn of(annotations: &str) -> Self {
        let receivers = "receivers: [{name: team, slack: {urlEnv: A}}, {name: platform, slack: {urlEnv: B}}]";
        let text = format!("notifications: {{{receivers}}}\nannotations: {annotations}\n");
        let config = Source::default().load_text(&text).expect("no error").config;
        let mut annotated = Annotated::new(config.annotations);
        let complaints: Arc<Mutex<Vec<String>>> = Arc::default();
        let all = Arc::clone(&complaints);
        annotated.set_complain(Box::new(move |namespace, workload, refused| {
            all.lock().expect("no panic holds it").push(format!("{namespace} {workload}: {}", refused.why.what));
        }));
        let list = [Input::<Box<PodLite>>::ListStarted(Scope::All), Input::ListFinished(Scope::All)];
        for input in &list {
            annotated.handle_input(input, at(0));
        }
        Self { annotated, complaints }
    }

    fn look_up(&mut self, annotations: &serde_json::Value, now: Time) {
        let metadata = json!({"namespace": "prod", "name": "web", "annotations": annotations});
        let set = serde_json::from_value(json!({"metadata": metadata, "spec": {"replicas": 1}})).expect("a set");
        let answer = Answer { need: need(), objects: vec![Arc::new(Object::StatefulSet(set))], is_whole: true };
        let (facts, _) = answer.observation(&mut Observer::new());
        self.annotated.handle_answer(&answer, facts.as_ref(), now);
    }

    /// Its finding is open, so that the namespace is read; and this is found.
    fn read_namespace(&mut self, annotations: Result<&serde_json::Value, Trouble>, now: Time) {
        self.annotated.note(&Self::entry());
        self.annotated.refresh(now.plus(Duration::from_secs(1)));
        assert_eq!(self.annotated.take_namespaces(), ["prod".into()]);
        self.answer_namespace(annotations, now);
    }

    fn answer_namespace(&mut self, annotations: Result<&serde_json::Value, Trouble>, now: Time) {
        let annotations = annotations.map(|all| serde_json::from_value(all.clone()).expect("texts"));
        self.annotated.handle_namespace(&NamespaceAnswer { namespace: "prod".into(), annotations }, now);
    }

    fn pod(&mut self, annotations: &serde_json::Value) {
        let pod = json!({"metadata": {"namespace": "prod", "name": "web-0", "annotations": annotations}});
        let pod: Box<PodLite> = serde_json::from_value(pod).expect("a pod");
        let input: Input = Input::Pod(pod, crate::engine::Seen::Changed);
        self.annotated.handle_input(&input, at(0));
    }

    fn ask(&mut self, now: Time) -> (Arc<Asked>, Option<Time>) {
        self.annotated.ask(&Self::entry().finding, now)
    }

    fn entry() -> Entry {
        let finding = Finding { workload: "StatefulSet/web".into(), example: Some("web-0".into()), ..finding("web") };
        let (finding, kind) = (Arc::new(finding), crate::engine::ChangeKind::Confirmed);
        Entry { finding, kind, at: at(0), silenced_by: None, asked: Arc::default() }
    }

    fn complaints(&self) -> Vec<String> {
        self.complaints.lock().expect("no panic holds it").clone()
    }
}

fn need() -> Need {
    Need::Workload { namespace: "prod".into(), owner: Owner { kind: "StatefulSet".into(), name: "web".into() } }
}
