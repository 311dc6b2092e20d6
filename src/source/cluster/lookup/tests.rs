use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::super::testing::{Answer as Served, Asked, Log, Step, server};
use super::*;
use crate::engine::Owner;
use crate::source::recording::{Item, Reader};
use crate::time::Time;

/// A cluster that holds objects by resource, namespace and name.
#[derive(Clone, Default)]
struct Cluster(BTreeMap<(String, String, String), Value>);

impl Cluster {
    fn with(mut self, resource: &str, object: Value) -> Self {
        self.put(resource, object);
        self
    }

    fn put(&mut self, resource: &str, object: Value) {
        self.0.insert(place(resource, &object), object);
    }

    fn remove(&mut self, resource: &str, object: &Value) {
        self.0.remove(&place(resource, object));
    }

    /// `/apis/apps/v1/namespaces/NAMESPACE/RESOURCE` and `…/RESOURCE/NAME`
    fn answer(&self, asked: &Asked) -> Served {
        let parts: Vec<_> = asked.path.split('/').collect();
        let at = parts.iter().position(|part| *part == "namespaces").expect("namespaced");
        let (namespace, resource) = (parts[at + 1], parts[at + 2]);
        if let Some(name) = parts.get(at + 3) {
            let key = (resource.to_owned(), namespace.to_owned(), (*name).to_owned());
            return self.0.get(&key).map_or_else(|| Served::status(404), Served::json);
        }
        let here = self.0.iter().filter(|((of, place, _), _)| of == resource && place == namespace);
        let selected = here.filter(|(_, object)| selects(asked.get("labelSelector"), object));
        let items: Vec<_> = selected.map(|(_, object)| object.clone()).collect();
        let limit: usize = asked.get("limit").parse().expect("every list has a limit");
        let start: usize = asked.get("continue").parse().unwrap_or(0);
        let end = (start + limit).min(items.len());
        let next = if end < items.len() { end.to_string() } else { String::new() };
        Served::page(9, &items[start..end], &next)
    }
}

/// Resource, namespace and name.
fn place(resource: &str, object: &Value) -> (String, String, String) {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (resource.to_owned(), text("namespace"), text("name"))
}

/// Whether `a=b` and `a in (b,c)`, joined by commas, select an object.
fn selects(selector: &str, object: &Value) -> bool {
    let label = |key: &str| object["metadata"]["labels"][key].as_str();
    if let Some((key, values)) = selector.strip_suffix(')').and_then(|text| text.split_once(" in (")) {
        return values.split(',').any(|value| label(key) == Some(value));
    }
    let mut pairs = selector.split(',').filter(|pair| !pair.is_empty());
    pairs.all(|pair| pair.split_once('=').is_some_and(|(key, value)| label(key) == Some(value)))
}

/// The objects of a recorded incident as they were at a time, and what replay knew then.
fn incident(name: &str, until: &str) -> Option<(Cluster, Related, Observer)> {
    let path = format!("{}/tests/incidents/{name}.jsonl.gz", env!("CARGO_MANIFEST_DIR"));
    let until = Time::parse(until).expect("a time");
    let (mut cluster, mut related, mut observer) = (Cluster::default(), Related::new(), Observer::new());
    let lines = BufReader::new(MultiGzDecoder::new(File::open(&path).ok()?)).lines();
    for line in lines.map(|line| line.expect("readable")) {
        let line: Value = serde_json::from_str(&line).expect("JSON");
        let at = Time::parse(line["ts"].as_str().expect("a time")).expect("a time");
        let resource = line["resource"].as_str().expect("a resource");
        match line["type"].as_str() {
            _ if at > until => break,
            Some("DELETED") => cluster.remove(resource, &line["object"]),
            Some("ADDED" | "MODIFIED") => cluster.put(resource, line["object"].clone()),
            _ => {}
        }
    }
    for item in Reader::new(File::open(&path).ok()?).expect("readable") {
        let Item::Record(record) = item.expect("readable") else { continue };
        if record.at <= until {
            related.apply(record.kind, &record.object, &mut observer).expect("not odd");
        }
    }
    Some((cluster, related, observer))
}

fn workload(namespace: &str, kind: &str, name: &str) -> Need {
    Need::Workload { namespace: namespace.into(), owner: owner(kind, name) }
}

fn services(namespace: &str, labels: &[(&str, &str)]) -> Need {
    let labels = labels.iter().map(|(key, value)| (Arc::from(*key), Arc::from(*value))).collect();
    Need::Services { namespace: namespace.into(), owner: owner("ReplicaSet", "x"), labels }
}

fn owner(kind: &str, name: &str) -> Owner {
    Owner { kind: kind.into(), name: name.into() }
}

/// The final observation for a need, and the requests that were made for it.
async fn answered(cluster: Cluster, need: Need) -> (Option<Observation>, bool, Vec<String>) {
    let (access, log) = server(move |asked| cluster.answer(asked));
    let (answers, _) = all_answers(&access, &[need]).await;
    let last = answers.last().expect("an answer");
    let (observation, odd) = last.1.observation(&mut Observer::new());
    assert!(odd.is_empty(), "{odd:?}");
    (observation, last.1.is_whole, log.words())
}

/// All answers within a minute with their times, and the outcomes.
async fn all_answers(access: &Access, needs: &[Need]) -> (Vec<(f64, Answer)>, [(&'static str, u64); 4]) {
    let (lookup, mut answers) = Lookup::start(access);
    let (start, mut all) = (Instant::now(), Vec::new());
    for need in needs {
        lookup.ask(need.clone());
    }
    let collect = async {
        while let Some(answer) = answers.recv().await {
            all.push((start.elapsed().as_secs_f64(), answer));
        }
    };
    _ = tokio::time::timeout(Duration::from_mins(1), collect).await;
    (all, lookup.counts().by_outcome())
}

fn facts(observation: Option<Observation>) -> crate::engine::WorkloadFacts {
    match observation {
        Some(Observation::Workload(facts)) => *facts,
        other => panic!("no workload: {other:?}"),
    }
}

fn told(observation: Option<&Observation>) -> Vec<(&str, u32, u32)> {
    match observation {
        Some(Observation::Services(facts)) => {
            facts.services.iter().map(|service| (&*service.name, service.ready, service.total)).collect()
        }
        other => panic!("no Services: {other:?}"),
    }
}

fn replica_set(name: &str, revision: u32, above: &Value) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "n", "labels": {"app": "web", "pod-template-hash": name},
            "annotations": {"deployment.kubernetes.io/revision": revision.to_string(),
                "rollout.argoproj.io/revision": revision.to_string()}, "ownerReferences": [above]},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web", "pod-template-hash": name}},
            "template": {"spec": {"containers": [{"name": "app", "image": name}]}}},
    })
}

fn above(kind: &str, name: &str) -> Value {
    json!({"kind": kind, "name": name, "controller": true})
}

fn deployment() -> Value {
    json!({"metadata": {"name": "web", "namespace": "n"}, "spec": {"replicas": 7}})
}

fn web() -> Cluster {
    Cluster::default()
        .with("replicasets", replica_set("web-1", 1, &above("Deployment", "web")))
        .with("replicasets", replica_set("web-2", 2, &above("Deployment", "web")))
        .with("replicasets", replica_set("other", 9, &above("Deployment", "other")))
        .with("deployments", deployment())
}

#[tokio::test(start_paused = true)]
async fn a_recorded_workload_is_answered_as_in_replay() {
    for (name, until, need) in [
        ("auth-service-outage", "2026-11-23T07:17:50Z", workload("auth-prod", "ReplicaSet", "auth-service-645c95c467")),
        ("auth-service-outage", "2026-11-23T07:19:00Z", workload("auth-prod", "ReplicaSet", "auth-service-78bff9495d")),
        ("agents-k134", "2026-11-23T08:02:00Z", workload("agents", "DaemonSet", "node-agent")),
        ("auth-service-outage", "2026-11-23T07:19:00Z", services("auth-prod", &[("app", "auth-service")])),
    ] {
        let Some((cluster, related, _)) = incident(name, until) else { return };
        let replayed = related.answer(&need).expect("known");
        let (live, is_whole, _) = answered(cluster, need).await;
        assert_eq!(words(live.expect("known")), words(replayed));
        assert!(is_whole);
    }
}

/// All of an answer, except who applied the revisions before the newest one: the objects show it only while
/// it is the newest, and replay has seen them then.
fn words(mut observation: Observation) -> String {
    if let Observation::Workload(facts) = &mut observation
        && let [before @ .., _] = &mut facts.revisions[..]
    {
        for revision in before {
            revision.by = None;
        }
    }
    format!("{observation:#?}")
}

#[tokio::test(start_paused = true)]
async fn a_replica_set_leads_to_its_deployment_and_to_the_other_revisions() {
    let (observation, is_whole, asked) = answered(web(), workload("n", "ReplicaSet", "web-1")).await;
    let facts = facts(observation);
    assert_eq!((facts.top, facts.desired), (owner("Deployment", "web"), Some(7)));
    assert_eq!(facts.revisions.iter().map(|revision| revision.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(asked[0], "get web-1");
    assert!(is_whole && asked.len() == 3, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_custom_owner_is_known_by_name_and_by_its_replica_sets() {
    let cluster = Cluster::default()
        .with("replicasets", replica_set("web-1", 1, &above("Rollout", "web")))
        .with("replicasets", replica_set("web-2", 2, &above("Rollout", "web")));
    let (observation, is_whole, asked) = answered(cluster, workload("n", "ReplicaSet", "web-1")).await;
    let facts = facts(observation);
    assert_eq!((facts.top, facts.desired, facts.revisions.len()), (owner("Rollout", "web"), Some(2), 2));
    assert_eq!((is_whole, &asked[..]), (true, &["get web-1".to_owned(), "list replicasets".to_owned()][..]));
}

#[tokio::test(start_paused = true)]
async fn a_stateful_set_is_told_with_its_revisions() {
    let revision = |name: &str, number: u32, of: &str| {
        json!({"metadata": {"name": name, "namespace": "n", "labels": {"app": "db"},
            "ownerReferences": [above("StatefulSet", of)]}, "revision": number,
            "data": {"spec": {"template": {"spec": {"containers": [{"name": "db"}]}}}}})
    };
    let cluster = Cluster::default()
        .with(
            "statefulsets",
            json!({"metadata": {"name": "db", "namespace": "n"},
                "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "db"}}}}),
        )
        .with("controllerrevisions", revision("db-1", 1, "db"))
        .with("controllerrevisions", revision("db-2", 2, "db"))
        .with("controllerrevisions", revision("x-1", 1, "x"));
    let (observation, _, asked) = answered(cluster, workload("n", "StatefulSet", "db")).await;
    let facts = facts(observation);
    assert_eq!((facts.desired, facts.revisions.len()), (Some(3), 2));
    assert_eq!(asked, ["get db", "list controllerrevisions"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_leads_to_its_cron_job() {
    let cluster = Cluster::default()
        .with(
            "jobs",
            json!({"metadata": {"name": "nightly-1", "namespace": "n",
                "ownerReferences": [above("CronJob", "nightly")]}, "spec": {"parallelism": 2}}),
        )
        .with("cronjobs", json!({"metadata": {"name": "nightly", "namespace": "n"}}));
    let (observation, ..) = answered(cluster, workload("n", "Job", "nightly-1")).await;
    let facts = facts(observation);
    assert_eq!((facts.top, facts.desired), (owner("CronJob", "nightly"), Some(2)));
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_or_of_an_unknown_kind_is_not_known() {
    let (gone, is_whole, _) = answered(Cluster::default(), workload("n", "ReplicaSet", "web-1")).await;
    assert!(gone.is_none() && is_whole, "{gone:?} {is_whole}");
    let (unknown, _, asked) = answered(Cluster::default(), workload("n", "StrimziPodSet", "kafka")).await;
    assert!(unknown.is_none() && asked.is_empty(), "{asked:?}");
}

fn service(name: &str, app: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "n"}, "spec": {"selector": {"app": app}}})
}

fn slice(service: &str, ready: &[bool]) -> Value {
    let endpoint = |(number, ready): (usize, &bool)| json!({"addresses": [format!("10.0.0.{number}")], "conditions": {"ready": ready}});
    let endpoints: Vec<_> = ready.iter().enumerate().map(endpoint).collect();
    json!({"metadata": {"name": format!("{service}-x"), "namespace": "n",
        "labels": {"kubernetes.io/service-name": service}}, "endpoints": endpoints})
}

fn shop() -> Cluster {
    Cluster::default()
        .with("services", service("web", "web"))
        .with("services", service("web-internal", "web"))
        .with("services", service("db", "db"))
        .with("endpointslices", slice("web", &[true, false, false]))
        .with("endpointslices", slice("web-internal", &[true]))
        .with("endpointslices", slice("db", &[true]))
}

#[tokio::test(start_paused = true)]
async fn services_are_told_with_their_endpoints_in_two_requests() {
    let (observation, is_whole, asked) = answered(shop(), services("n", &[("app", "web"), ("tier", "x")])).await;
    assert_eq!(told(observation.as_ref()), [("web", 1, 3), ("web-internal", 1, 1)]);
    assert_eq!((is_whole, asked.len()), (true, 2));
}

#[tokio::test(start_paused = true)]
async fn that_there_is_no_service_is_an_answer_too() {
    let (observation, ..) = answered(Cluster::default(), services("n", &[("app", "web")])).await;
    assert!(told(observation.as_ref()).is_empty());
    let (observation, ..) = answered(shop(), services("n", &[])).await;
    assert!(told(observation.as_ref()).is_empty());
}

/// A server that answers for some resources with a status.
fn refusing(cluster: Cluster, code: u16, resources: &'static [&'static str]) -> (Access, Log) {
    server(move |asked| {
        let refused = resources.iter().any(|resource| asked.path.split('/').any(|part| part == *resource));
        if refused { Served::status(code) } else { cluster.answer(asked) }
    })
}

#[tokio::test(start_paused = true)]
async fn a_missing_right_costs_only_what_it_is_for() {
    let (access, log) = refusing(web(), 403, &["deployments"]);
    let (answers, counts) = all_answers(&access, &[workload("n", "ReplicaSet", "web-1")]).await;
    assert_eq!(answers.len(), 1);
    let facts = facts(answers[0].1.observation(&mut Observer::new()).0);
    assert_eq!((facts.top, facts.desired, facts.revisions.len()), (owner("Deployment", "web"), Some(2), 2));
    assert_eq!((log.count("get web"), counts[1]), (1, ("partial", 1)));
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_may_not_be_read_are_no_outage() {
    let (access, _) = refusing(shop(), 403, &["endpointslices"]);
    let (answers, counts) = all_answers(&access, &[services("n", &[("app", "web")])]).await;
    assert!(answers[0].1.observation(&mut Observer::new()).0.is_none());
    assert_eq!(counts[2], ("failed", 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_in_time_without_what_hangs_and_again_with_it() {
    let cluster = web();
    let (access, _) = server(move |asked| {
        if asked.path.ends_with("deployments/web") && asked.at < 2.0 {
            return Served::steps(vec![Step::Hang]);
        }
        cluster.answer(asked)
    });
    let (answers, counts) = all_answers(&access, &[workload("n", "ReplicaSet", "web-1")]).await;
    let [(first, part), (second, whole)] = &answers[..] else { panic!("{answers:?}") };
    assert!(*first < 1.6 && !part.is_whole, "{first}");
    assert!(*second < 3.0 && whole.is_whole, "{second}");
    assert_eq!(facts(whole.observation(&mut Observer::new()).0).desired, Some(7));
    assert_eq!(counts[0], ("answered", 1));
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_three_times() {
    let (access, log) = refusing(Cluster::default(), 500, &["replicasets"]);
    let (answers, counts) = all_answers(&access, &[workload("n", "ReplicaSet", "web-1")]).await;
    assert_eq!((answers.len(), log.count("get web-1"), counts[2]), (1, 3, ("failed", 1)));
}

#[tokio::test(start_paused = true)]
async fn the_same_is_asked_once_by_all_who_ask_at_the_same_time() {
    let cluster = shop();
    let (access, log) = server(move |asked| cluster.answer(asked));
    let needs: Vec<_> = ["web", "db", "web"].iter().map(|app| services("n", &[("app", app)])).collect();
    let (answers, _) = all_answers(&access, &needs).await;
    assert_eq!((answers.len(), log.count("list services")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn who_asks_a_second_later_gets_what_is_then() {
    let shop = shop();
    let later = shop.clone().with("endpointslices", slice("web", &[false, false, false]));
    let (access, _) = server(move |asked| if asked.at < 0.9 { shop.answer(asked) } else { later.answer(asked) });
    let (lookup, mut answers) = Lookup::start(&access);
    let need = services("n", &[("app", "web")]);
    for ready in [1, 0] {
        lookup.ask(need.clone());
        let (observation, _) = answers.recv().await.expect("an answer").observation(&mut Observer::new());
        assert_eq!(told(observation.as_ref())[0], ("web", ready, 3));
        sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn few_requests_run_at_once_and_what_does_not_fit_is_counted() {
    let (access, log) =
        server(|_| Served::steps(vec![Step::Wait(Duration::from_millis(100)), Step::Bytes("{}".into())]));
    let needs: Vec<_> = (0..9000).map(|number| workload("n", "Job", &format!("job-{number}"))).collect();
    let (lookup, mut answers) = Lookup::start(&access);
    for need in &needs {
        lookup.ask(need.clone());
    }
    assert_eq!(lookup.depth(), MAX_WAITING);
    assert_eq!(lookup.counts().by_outcome()[3], ("dropped", 9000 - MAX_WAITING as u64));
    for _ in 0..40 {
        answers.recv().await.expect("an answer");
    }
    let times: Vec<_> = log.all().iter().map(|asked| asked.at).collect();
    let in_one_moment = |at: f64| times.iter().filter(|time| (*time - at).abs() < 0.05).count();
    assert!((0..9).all(|tenth| in_one_moment(f64::from(tenth) / 10.0) == 4), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_list_has_an_end() {
    let mut cluster = Cluster::default().with("deployments", deployment());
    for number in 0..300 {
        cluster.put("replicasets", replica_set(&format!("web-{number}"), number, &above("Deployment", "web")));
    }
    let (observation, is_whole, asked) = answered(cluster, workload("n", "ReplicaSet", "web-1")).await;
    assert!(!is_whole && facts(observation).revisions.len() == 12);
    assert_eq!(asked.iter().filter(|word| word.ends_with("replicasets")).count(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_odd_object_is_told_and_left_out() {
    let odd = json!({"metadata": {"name": "web", "namespace": "n", "uid": 7}, "spec": {"replicas": 5}});
    let cluster = web().with("deployments", odd);
    let (access, _) = server(move |asked| cluster.answer(asked));
    let (answers, _) = all_answers(&access, &[workload("n", "ReplicaSet", "web-1")]).await;
    let (observation, odd) = answers[0].1.observation(&mut Observer::new());
    assert_eq!(facts(observation).desired, Some(2));
    assert_eq!(odd.len(), 1);
}
