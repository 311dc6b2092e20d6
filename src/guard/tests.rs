use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::cluster::{Deployment, ReplicaSet};
use super::*;
use crate::finding::field::Field;
use crate::finding::guard::Refusal;
use crate::finding::{Cause, Confidence, Effect, Finding, Health, Pods, Rollout, Severity};
use crate::kubelet::ProbeKind;
use crate::time::Time;

/// The one world in which a rollout is undone; everything else is a refusal.
struct World {
    finding: Finding,
    deployment: Value,
    sets: Vec<Value>,
    past: Past,
    may_patch: bool,
    trusts_events: bool,
    settings: Settings,
}

impl World {
    fn new() -> Self {
        Self {
            finding: finding(),
            deployment: json!({
                "metadata": {"name": "web", "uid": "d-1", "resourceVersion": "77", "generation": 8,
                    "annotations": {"deployment.kubernetes.io/revision": "8"}},
                "spec": {"replicas": 12, "template": template("/v2/health")},
            }),
            sets: vec![set("new", 8, "/v2/health"), set("old", 7, "/health"), set("older", 6, "/healthz")],
            past: Past::default(),
            may_patch: true,
            trusts_events: true,
            settings: Settings { mode: Mode::Undo, ..Settings::default() },
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Decision {
        let mut world = Self::new();
        change(&mut world);
        world.decide()
    }

    fn decide(&self) -> Decision {
        let deployment = Deployment::read(&self.deployment).expect("a Deployment");
        let sets: Vec<_> = self.sets.iter().filter_map(|set| ReplicaSet::read(set, &deployment.uid)).collect();
        let case = Case {
            finding: &self.finding,
            name: "web-app-1",
            deployment: &deployment,
            replica_sets: &sets,
            past: &self.past,
            may_patch: self.may_patch,
            trusts_events: self.trusts_events,
        };
        decide(&case, &self.settings, at(20))
    }

    fn rollout(&mut self) -> &mut Rollout {
        Arc::make_mut(self.finding.rollout.as_mut().expect("it has one"))
    }

    fn container(&mut self, of: usize) -> &mut Value {
        &mut self.sets[of]["spec"]["template"]["spec"]["containers"][0]
    }
}

/// What makes of the world one in which nothing may be done, and the refusal that it gives alone.
type Obstacle = (Refusal, fn(&mut World));

const OBSTACLES: [Obstacle; 42] = [
    (Refusal::NotDeployment, |world| world.finding.workload = "StatefulSet/web".into()),
    (Refusal::NotInNamespace, |world| world.settings.namespaces = vec![Glob::new("shop-*").expect("a pattern")]),
    (Refusal::NotDeterministic, |world| world.finding.cause = Cause::TimeoutTooShort),
    (Refusal::NotDeterministic, |world| world.finding.cause = Cause::ReportsUnhealthy),
    (Refusal::NotDeterministic, |world| world.finding.cause = Cause::KilledWhileStarting),
    (Refusal::NotDeterministic, |world| world.finding.cause = Cause::NothingListening),
    (Refusal::LowConfidence, |world| world.finding.confidence = Confidence::Medium),
    (Refusal::Over, |world| world.finding.effect = Effect::NeverReady),
    (Refusal::Over, |world| world.finding.probe = None),
    (Refusal::Over, |world| world.finding.probe = Some(ProbeKind::Readiness)),
    (Refusal::Over, |world| world.finding.confirmed_at = None),
    (Refusal::Over, |world| world.finding.resolved_at = Some(at(15))),
    (Refusal::Annotated, |world| world.deployment["metadata"]["annotations"][GUARD_ANNOTATION] = json!("off")),
    (Refusal::Annotated, |world| {
        world.deployment["spec"]["template"]["metadata"]["annotations"] = json!({GUARD_ANNOTATION: "off"});
    }),
    (Refusal::Leaving, |world| world.deployment["metadata"]["deletionTimestamp"] = json!("2026-11-30T00:00:00Z")),
    (Refusal::Leaving, |world| world.deployment["spec"]["replicas"] = json!(0)),
    (Refusal::GitOps, |world| world.deployment["metadata"]["labels"]["argocd.argoproj.io/instance"] = json!("web")),
    (Refusal::GitOps, |world| world.deployment["metadata"]["labels"]["helm.toolkit.fluxcd.io/name"] = json!("web")),
    (Refusal::GitOps, |world| {
        world.deployment["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = json!("<what> ever:apps");
    }),
    (Refusal::GitOps, |world| {
        world.deployment["metadata"]["managedFields"] =
            json!([{"manager": "kubectl"}, {"manager": "argocd-controller"}]);
    }),
    (Refusal::Paused, |world| world.deployment["spec"]["paused"] = json!(true)),
    (Refusal::NotNewestRevision, |world| world.deployment["spec"]["template"] = template("/health")),
    (Refusal::NotNewestRevision, |world| world.deployment["spec"]["template"] = template("/v3/health")),
    (Refusal::NotNewestRevision, |world| world.sets.push(set("newer", 9, "/v3/health"))),
    (Refusal::NotNewestRevision, |world| world.rollout().template = "older".into()),
    (Refusal::NotNewestRevision, |world| world.sets.clear()),
    (Refusal::FirstRevision, |world| world.sets.truncate(1)),
    (Refusal::OldRollout, |world| world.rollout().at = Some(at(-1801))),
    (Refusal::AnotherImage, |world| world.container(1)["image"] = json!("web:2")),
    (Refusal::OtherChanges, |world| world.sets[1]["spec"]["template"]["spec"]["serviceAccountName"] = json!("admin")),
    (Refusal::OtherChanges, |world| world.container(1)["env"] = json!([{"name": "A", "value": "b"}])),
    (Refusal::OtherChanges, |world| world.container(1)["lifecycle"] = json!({"postStart": {"exec": {}}})),
    (Refusal::WouldNotHelp, |world| world.rollout().health = Health::Looped),
    (Refusal::WouldNotHelp, |world| world.container(1)["livenessProbe"]["httpGet"]["path"] = json!("/v2/health")),
    (Refusal::WouldNotHelp, |world| world.finding.field = None),
    (Refusal::NotSeenHealthy, |world| world.rollout().health = Health::Unseen),
    (Refusal::NotSeenHealthy, |world| world.rollout().before = "older".into()),
    (Refusal::NotSeenHealthy, |world| world.finding.rollout = None),
    // Another one takes the place of the revision before: it is not the one whose pods were seen.
    (Refusal::NotSeenHealthy, |world| world.sets.insert(0, set("forged", 7, "/other"))),
    (Refusal::UndoneBefore, |world| world.past.add(Act { step: Step::Done, ..act("d-1", "new", -600) })),
    (Refusal::Unclear, |world| world.past.add(Act { generation: 7, ..act("d-1", "new", 10) })),
    (Refusal::NoRight, |world| world.may_patch = false),
];

#[test]
fn a_rollout_that_broke_a_probe_is_undone() {
    let Decision::Undo(undo) = World::new().decide() else { panic!("nothing is in the way") };
    assert_eq!((undo.act.revision, undo.act.to_revision, &*undo.act.template), (8, 7, "new"));
    let steps = undo.patch.as_array().expect("steps");
    assert_eq!(steps[0], json!({"op": "test", "path": "/metadata/resourceVersion", "value": "77"}));
    let faulty = "/spec/template/spec/containers/0/livenessProbe/httpGet/path";
    assert_eq!(steps[1], json!({"op": "test", "path": faulty, "value": "/v2/health"}));
    assert_eq!(steps[2], json!({"op": "replace", "path": "/spec/template", "value": template("/health")}));
    let annotation = "/metadata/annotations/probehound.dev~1undone-for";
    assert_eq!(steps[3], json!({"op": "add", "path": annotation, "value": "web-app-1"}));
}

#[test]
fn each_obstacle_is_named() {
    for (place, (refusal, obstacle)) in OBSTACLES.iter().enumerate() {
        assert_eq!(World::with(obstacle), Decision::Refuse(*refusal), "obstacle {place}");
    }
}

#[test]
fn a_startup_probe_and_a_field_that_is_not_written_are_undone_too() {
    let decision = World::with(|world| {
        world.finding.cause = Cause::AuthRequired;
        world.finding.field = Some(Field::parse("livenessProbe.httpGet.httpHeaders"));
    });
    let Decision::Undo(undo) = decision else { panic!("{decision:?}") };
    assert_eq!(undo.patch[1]["path"], "/spec/template/spec/containers/0/livenessProbe/httpGet");
}

#[test]
fn an_event_is_enough_only_where_it_is_trusted_and_the_status_is_late() {
    let with = |change: fn(&mut World)| {
        World::with(|world| {
            world.finding.confirmed_at = None;
            world.settings.trust_events = true;
            world.rollout().killing_since = Some(at(12));
            change(world);
        })
    };
    assert!(matches!(with(|_| {}), Decision::Undo(_)));
    let refused = Decision::Refuse(Refusal::EventsNotTrusted);
    assert_eq!(with(|world| world.trusts_events = false), refused, "the policy is not in force");
    assert_eq!(with(|world| world.rollout().killing_since = Some(at(16))), Decision::Wait(at(21)));
    let none = Decision::Refuse(Refusal::Over);
    assert_eq!(with(|world| world.settings.trust_events = false), none, "nobody wants it");
    assert_eq!(with(|world| world.rollout().killing_since = None), none, "a suspicion alone");
}

#[test]
fn an_intent_of_before_a_death_is_carried_out_only_while_nothing_was_changed() {
    let same = World::with(|world| world.past.add(act("d-1", "new", 10)));
    assert!(matches!(same, Decision::Undo(_)), "{same:?}");
    let unseen = |change: fn(&mut Act)| {
        World::with(|world| {
            world.rollout().health = Health::Unseen;
            let mut act = act("d-1", "new", 10);
            change(&mut act);
            world.past.add(act);
        })
    };
    assert!(matches!(unseen(|_| {}), Decision::Undo(_)), "who intended it had seen the revision before healthy");
    assert_eq!(unseen(|act| act.to_revision = 6), Decision::Refuse(Refusal::NotSeenHealthy), "another one");
    let annotated = World::with(|world| {
        world.past.add(act("d-1", "new", 10));
        world.deployment["metadata"]["annotations"][UNDONE_TEMPLATE] = json!("new");
        world.deployment["metadata"]["annotations"][UNDONE_FOR] = json!("web-app-1");
    });
    assert_eq!(annotated, Decision::Refuse(Refusal::UndoneBefore), "it was undone, and put back by somebody");
}

#[test]
fn what_was_intended_and_shows_in_the_deployment_was_done() {
    let mut world = World::new();
    let read = |world: &World| Deployment::read(&world.deployment).expect("a Deployment");
    assert_eq!(settled(&act("d-1", "new", 0), &read(&world)), None);
    world.deployment["metadata"]["annotations"] = json!({UNDONE_TEMPLATE: "new", UNDONE_FOR: "web-app-1"});
    let done = settled(&act("d-1", "new", 0), &read(&world)).expect("it shows");
    assert_eq!(done.step, Step::Done);
    assert_eq!(settled(&act("d-2", "new", 0), &read(&world)), None, "a later Deployment of the same name");
}

#[test]
fn three_within_the_hour_are_enough_and_one_of_a_deployment() {
    let others = |count: usize, age: i64| {
        move |world: &mut World| {
            for number in 0..count {
                world.past.add(Act { step: Step::Done, ..act(&format!("other-{number}"), "x", -age) });
            }
        }
    };
    assert!(matches!(World::with(others(2, 60)), Decision::Undo(_)));
    assert_eq!(World::with(others(3, 60)), Decision::Refuse(Refusal::Limit));
    assert!(matches!(World::with(others(3, 3600)), Decision::Undo(_)));
    let flips = World::with(|world| world.past.add(Act { step: Step::Done, ..act("d-1", "another", -60) }));
    assert_eq!(flips, Decision::Refuse(Refusal::Limit));
    let generous = World::with(|world| {
        world.settings.max_per_hour = 100;
        others(3, 60)(world);
    });
    assert_eq!(generous, Decision::Refuse(Refusal::Limit), "whatever the settings say");
}

#[test]
fn a_replica_set_of_others_is_none_of_the_deployment() {
    let own = |change: fn(&mut Value)| {
        let mut one = set("old", 7, "/health");
        change(&mut one);
        ReplicaSet::read(&one, "d-1").is_some()
    };
    assert!(own(|_| {}));
    assert!(!own(|set| set["metadata"]["ownerReferences"][0]["uid"] = json!("d-2")));
    assert!(!own(|set| set["metadata"]["ownerReferences"][0]["controller"] = json!(false)));
    assert!(!own(|set| set["metadata"]["ownerReferences"][0]["kind"] = json!("Rollout")));
    assert!(!own(|set| set["metadata"]["labels"]["pod-template-hash"] = json!("new")));
    assert!(!own(|set| set["spec"]["selector"]["matchLabels"]["pod-template-hash"] = json!("new")));
    assert!(!own(|set| set["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] = json!("new")));
    assert!(!own(|set| set["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("seven")));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is in the way together: nothing is done, for one of these reasons.
    #[test]
    fn several_obstacles_let_nothing_through(places in prop::collection::btree_set(0..OBSTACLES.len(), 1..6)) {
        let mut world = World::new();
        // What others take away is not there to be changed any more.
        let takes_away = |place: &usize| matches!(OBSTACLES[*place].0, Refusal::FirstRevision | Refusal::NotNewestRevision)
            || world_without_rollout(*place);
        let (last, first): (Vec<_>, Vec<_>) = places.iter().copied().partition(takes_away);
        for place in first.into_iter().chain(last) {
            if world.finding.rollout.is_none() && world_needs_rollout(place) || world.sets.len() < 2 {
                continue;
            }
            OBSTACLES[place].1(&mut world);
        }
        prop_assert!(matches!(world.decide(), Decision::Refuse(_)));
    }

    /// Any JSON in place of the objects is no reason to panic, nor to act.
    #[test]
    fn objects_of_any_form_are_read(path in 0_usize..12, kind in 0_usize..6) {
        const PATHS: [&str; 12] = ["", "/metadata", "/metadata/annotations", "/metadata/labels", "/spec",
            "/spec/template", "/spec/template/metadata", "/spec/template/spec", "/spec/template/spec/containers",
            "/spec/template/spec/containers/0", "/spec/template/spec/containers/0/livenessProbe", "/spec/replicas"];
        let odd = [json!(null), json!(3), json!("x"), json!([]), json!({}), json!([[{}]])][kind].clone();
        let mut world = World::new();
        for object in world.sets.iter_mut().take(2) {
            if let Some(place) = object.pointer_mut(PATHS[path]) {
                *place = odd.clone();
            }
        }
        let sets = [&world.sets[0], &world.sets[1]].map(|set| ReplicaSet::read(set, "d-1").is_some());
        if path != 11 && sets != [true, true] {
            prop_assert!(matches!(world.decide(), Decision::Refuse(_)));
        }
        if let Some(place) = world.deployment.pointer_mut(PATHS[path]) {
            *place = odd;
        }
        let _ = Deployment::read(&world.deployment);
    }

    /// Whatever the revision before holds: what goes back differs from what is there in probes alone.
    #[test]
    fn an_undo_changes_probes_alone(
        field in "[a-z]{1,12}|serviceAccountName|image|command|securityContext|volumes|nodeName",
        value in "[a-z]{0,8}",
        in_container: bool,
    ) {
        let mut world = World::new();
        let spec = &mut world.sets[1]["spec"]["template"]["spec"];
        let place = if in_container { &mut spec["containers"][0] } else { spec };
        place[&field] = json!(value);
        if let Decision::Undo(undo) = world.decide() {
            let changed = &undo.patch[2]["value"];
            prop_assert_eq!(template::only_probes_differ(&world.deployment["spec"]["template"], changed), Ok(()));
        }
    }
}

fn world_without_rollout(place: usize) -> bool {
    World::new_with(place).finding.rollout.is_none()
}

fn world_needs_rollout(place: usize) -> bool {
    let before = World::new().finding.rollout;
    World::new_with(place).finding.rollout != before
}

impl World {
    fn new_with(place: usize) -> Self {
        let mut world = Self::new();
        OBSTACLES[place].1(&mut world);
        world
    }
}

fn at(seconds: i64) -> Time {
    Time::from_millis(1_800_000_000_000 + seconds * 1000)
}

fn act(deployment: &str, template: &str, seconds: i64) -> Act {
    Act {
        deployment: deployment.to_owned(),
        template: template.to_owned(),
        revision: 8,
        to_revision: 7,
        generation: 8,
        at: at(seconds),
        step: Step::Intended,
    }
}

fn template(path: &str) -> Value {
    json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{
            "name": "app",
            "image": "web:1",
            "livenessProbe": {"httpGet": {"path": path, "port": 8080, "scheme": "HTTP"}, "periodSeconds": 5},
        }]},
    })
}

fn set(hash: &str, revision: u64, path: &str) -> Value {
    let mut template = template(path);
    template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
    template["metadata"]["creationTimestamp"] = Value::Null;
    json!({
        "metadata": {
            "name": format!("web-{hash}"),
            "labels": {"app": "web", "pod-template-hash": hash},
            "annotations": {"deployment.kubernetes.io/revision": revision.to_string()},
            "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": "d-1", "controller": true}],
        },
        "spec": {"selector": {"matchLabels": {"app": "web", "pod-template-hash": hash}}, "template": template},
    })
}

fn finding() -> Finding {
    Finding {
        namespace: "prod".into(),
        workload: "Deployment/web".into(),
        container: "app".into(),
        effect: Effect::RestartLoop,
        probe: Some(ProbeKind::Liveness),
        cause: Cause::WrongPath,
        fault: Cause::WrongPath.fault(),
        field: Some(Field::parse("livenessProbe.httpGet.path")),
        current: None,
        suggested: None,
        confidence: Confidence::High,
        severity: Severity::Warning,
        hypotheses: Vec::new(),
        evidence: Vec::new(),
        revision: Some(8),
        change: None,
        pods: Pods { affected: 3, total: 12 },
        services: Vec::new(),
        restarts: 3,
        episodes: 1,
        opened_at: at(10),
        confirmed_at: Some(at(12)),
        resolved_at: None,
        remedy: Vec::new(),
        example: None,
        start_failure: None,
        min_ready: None,
        considered: Arc::default(),
        labels: Arc::default(),
        rollout: Some(Arc::new(Rollout {
            template: "new".into(),
            at: Some(at(0)),
            before: "old".into(),
            health: Health::Healthy,
            killing_since: None,
        })),
        guard: None,
    }
}
