use std::collections::BTreeSet;
use std::io;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::super::Trouble;
use super::super::testing::{
    Answer, Asked, Log, NOW, Step, all_words, bookmark, event, gone, initial_end, line, pod, seen_for, server,
    server_of_version,
};
use super::*;
use crate::source::cluster::settings::InitialList;

fn only<'a>(seen: &'a [(f64, String)], what: &str) -> Vec<&'a str> {
    seen.iter().map(|(_, word)| word.as_str()).filter(|word| word.contains(what)).collect()
}

/// Answers for pods come from a function; there are no events.
fn pods(mut answer: impl FnMut(&Asked, usize) -> Answer + Send + 'static) -> (Access, Log) {
    let mut asked_before = 0;
    server(move |asked| {
        if asked.path.ends_with("events") {
            return quiet(asked);
        }
        asked_before += 1;
        answer(asked, asked_before)
    })
}

/// The answer of a server with nothing in it.
fn quiet(asked: &Asked) -> Answer {
    match &*asked.what() {
        what if what.starts_with("stream") => Answer::watch(&[initial_end(1)]),
        what if what.starts_with("watch") => Answer::watch(&[]),
        _ => Answer::list(1, &[]),
    }
}

fn scope(namespaces: &[&str], initial_list: InitialList) -> Watch {
    let namespaces = namespaces.iter().copied().map(str::to_owned).collect();
    Watch { namespaces, initial_list, ..Watch::default() }
}

fn everything() -> Watch {
    Watch::default()
}

#[tokio::test(start_paused = true)]
async fn a_streamed_list_is_listed_and_what_follows_is_news() {
    let (access, log) = pods(|asked, _| match &*asked.what() {
        "stream pods" => Answer::watch(&[
            line("ADDED", &pod("a", 5)),
            line("ADDED", &pod("b", 6)),
            initial_end(7),
            line("MODIFIED", &pod("a", 8)),
            line("DELETED", &pod("b", 9)),
        ]),
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(9, &access, &everything()).await;
    assert_eq!(all_words(&seen), ["list All", "listed a", "listed b", "listed All", "changed a", "gone b"]);
    assert_eq!(log.words(), ["stream pods", "stream events"]);
    assert!(health.is_ready());
    assert_eq!(health.of(Resource::Pods).events(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_older_server_is_asked_for_pages() {
    let (access, log) = server_of_version("33+", |asked| match (&*asked.what(), asked.get("continue")) {
        ("list pods", _) => Answer::page(5, &[pod("a", 1), pod("b", 2)], "next"),
        ("page pods", "next") => Answer::list(5, &[pod("c", 3)]),
        _ => quiet(asked),
    });
    let (seen, _) = seen_for(5, &access, &everything()).await;
    assert_eq!(all_words(&seen), ["list All", "listed a", "listed b", "listed c", "listed All"]);
    assert_eq!(
        log.words().iter().filter(|word| word.ends_with("pods")).collect::<Vec<_>>(),
        ["list pods", "page pods", "watch pods"]
    );
    assert!(log.all().iter().any(|asked| asked.what() == "watch pods" && asked.get("resourceVersion") == "5"));
}

#[tokio::test(start_paused = true)]
async fn watches_that_time_out_go_on_without_a_list_and_without_an_error() {
    let (access, log) = pods(|asked, number| match &*asked.what() {
        "stream pods" => Answer::watch(&[line("ADDED", &pod("a", 5)), initial_end(7)]),
        "watch pods" if number == 2 => Answer::watch(&[bookmark(20, &json!({}))]),
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(305, &access, &everything()).await;
    assert_eq!(only(&seen, "list").len(), 3);
    assert_eq!((log.count("watch pods"), log.count("watch events")), (30, 30));
    let versions: Vec<_> = log
        .all()
        .iter()
        .filter(|asked| asked.what() == "watch pods")
        .map(|asked| asked.get("resourceVersion").to_owned())
        .collect();
    assert_eq!(versions[..3], ["7", "20", "20"]);
    for resource in Resource::ALL {
        let of = health.of(resource);
        assert!(of.is_up() && of.relists() == 0 && of.requests() == 31, "{of:?}");
        assert!(Trouble::ALL.into_iter().all(|trouble| of.errors(trouble) == 0), "{of:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_gone_costs_one_list() {
    let (access, _) = pods(|asked, number| match (&*asked.what(), number) {
        ("stream pods", 1) => {
            Answer::watch(&[line("ADDED", &pod("a", 5)), line("ADDED", &pod("b", 6)), initial_end(7)])
        }
        ("watch pods", 2) => Answer::watch(&[gone()]),
        ("stream pods", _) => Answer::watch(&[line("ADDED", &pod("a", 5)), initial_end(90)]),
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(60, &access, &everything()).await;
    let again = ["list All", "listed a", "listed All"];
    assert_eq!(all_words(&seen)[4..], again);
    let of = health.of(Resource::Pods);
    assert_eq!((of.relists(), of.errors(Trouble::Gone)), (1, 1));
    assert!(of.is_up());
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_gone_by_the_answer_itself_costs_one_list() {
    let (access, log) = pods(|asked, number| match (&*asked.what(), number) {
        ("watch pods", 2) => Answer::status(410),
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(40, &access, &everything()).await;
    assert_eq!(only(&seen, "list").len(), 4);
    assert_eq!(
        log.words().iter().filter(|word| word.contains("pods")).take(4).collect::<Vec<_>>(),
        ["stream pods", "watch pods", "stream pods", "watch pods"]
    );
    assert_eq!(health.of(Resource::Pods).relists(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_stream_is_asked_for_pages() {
    for code in [400, 404, 422] {
        let (access, log) = pods(move |asked, _| match &*asked.what() {
            "stream pods" => Answer::status(code),
            "list pods" => Answer::list(5, &[pod("a", 1)]),
            _ => quiet(asked),
        });
        let (seen, health) = seen_for(5, &access, &everything()).await;
        assert_eq!(all_words(&seen), ["list All", "listed a", "listed All"]);
        assert_eq!(log.count("stream pods"), 1);
        assert!(health.is_ready());
    }
}

#[tokio::test(start_paused = true)]
async fn a_streamed_list_that_does_not_end_in_time_is_read_in_pages() {
    let (access, log) = pods(|asked, _| match &*asked.what() {
        "stream pods" => Answer::watch(&[line("ADDED", &pod("a", 5))]),
        "list pods" => Answer::page(9, &[pod("a", 5)], "next"),
        "page pods" => Answer::list(9, &[pod("b", 6)]),
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(15, &access, &everything()).await;
    assert_eq!(all_words(&seen), ["list All", "listed a", "list All", "listed a", "listed b", "listed All"]);
    assert!(seen.last().is_some_and(|(at, _)| *at < 10.1), "{seen:?}");
    assert_eq!(log.count("stream pods"), 2);
    assert_eq!(health.of(Resource::Pods).relists(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_fails_for_long_is_tried_less_and_less_often() {
    let (access, log) = server(|_| Answer::status(503));
    let (seen, health) = seen_for(120, &access, &everything()).await;
    let times: Vec<_> = log.all().iter().filter(|asked| asked.what() == "stream pods").map(|asked| asked.at).collect();
    let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (wait, wanted) in waits.iter().zip([0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]) {
        assert!((wait / wanted - 1.0).abs() < 0.11, "{waits:?}");
    }
    assert!(only(&seen, "list").is_empty());
    let of = health.of(Resource::Pods);
    assert!(!of.is_up() && !of.is_listed() && of.errors(Trouble::Server) == times.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn whoever_reaches_the_server_again_tells_the_others() {
    let (access, log) = server(|asked| match &*asked.what() {
        // Events are answered every ten seconds; pods are unreachable until then.
        what if what.ends_with("pods") && (20.0..115.0).contains(&asked.at) => {
            Answer::steps(vec![Step::Wait(Duration::from_millis(1)), Step::Break(io::ErrorKind::ConnectionReset)])
        }
        _ => quiet(asked),
    });
    let (_, health) = seen_for(140, &access, &everything()).await;
    let back = log.all().into_iter().find(|asked| asked.what() == "watch pods" && asked.at >= 115.0).expect("asked");
    assert!(back.at < 126.0, "{}", back.at);
    assert!(health.of(Resource::Pods).is_up());
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_gone_after_an_outage_is_listed_at_once() {
    let (access, log) = pods(|asked, number| match (&*asked.what(), number) {
        ("watch pods", 2..=6) => Answer::status(503),
        ("watch pods", 7) => Answer::watch(&[gone()]),
        _ => quiet(asked),
    });
    seen_for(60, &access, &everything()).await;
    let times = |what: &str| {
        log.all().into_iter().filter(|asked| asked.what() == what).map(|asked| asked.at).collect::<Vec<_>>()
    };
    assert!(times("stream pods")[1] - times("watch pods")[5] < 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_backs_off_although_each_begins() {
    let (access, log) = pods(|_, _| Answer::status(503));
    let (seen, _) = seen_for(60, &access, &scope(&[], InitialList::List)).await;
    let times: Vec<_> = log.all().iter().filter(|asked| asked.what() == "list pods").map(|asked| asked.at).collect();
    assert_eq!(times.len(), 7, "{times:?}");
    assert_eq!(only(&seen, "list All").len(), 7);
    assert!(only(&seen, "listed").is_empty());
}

#[tokio::test(start_paused = true)]
async fn events_that_are_forbidden_do_not_hold_up_the_pods() {
    let (access, _) = server(|asked| match &*asked.what() {
        "stream pods" => Answer::watch(&[initial_end(1), line("ADDED", &pod("a", 5))]),
        what if what.ends_with("events") => Answer::status(403),
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(60, &access, &everything()).await;
    assert_eq!(all_words(&seen), ["list All", "listed All", "changed a"]);
    let (pods, events) = (health.of(Resource::Pods), health.of(Resource::Events));
    assert!(pods.is_up() && !events.is_up() && !health.is_ready());
    assert!(events.errors(Trouble::Forbidden) > 3);
}

#[tokio::test(start_paused = true)]
async fn a_right_that_comes_later_is_used() {
    let (access, log) = pods(|asked, _| match &*asked.what() {
        _ if asked.at < 20.0 => Answer::status(403),
        "stream pods" => Answer::watch(&[line("ADDED", &pod("a", 5)), initial_end(7)]),
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(90, &access, &everything()).await;
    assert_eq!(seen.last().map(|(_, word)| word.as_str()), Some("listed All"));
    assert!(health.of(Resource::Pods).is_up());
    assert_eq!((log.count("list pods"), only(&seen, "listed a").len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_right_that_is_taken_away_and_given_back_costs_no_list() {
    let (access, log) = pods(|asked, _| match &*asked.what() {
        "watch pods" if asked.at < 40.0 => Answer::status(403),
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(120, &access, &everything()).await;
    assert_eq!(only(&seen, "list").len(), 2);
    assert_eq!((log.count("stream pods"), log.count("list pods")), (1, 0));
    assert!(health.of(Resource::Pods).is_up());
}

#[tokio::test(start_paused = true)]
async fn a_line_that_cannot_be_read_costs_itself_and_no_time() {
    let (access, _) = pods(|asked, number| match number {
        1 => Answer::watch(&[
            initial_end(1),
            line("ADDED", &pod("a", 5)),
            r#"{"type":"ADDED","object":{"metadata":{"name":"b",}}}"#.to_owned(),
            r#"{"type":"WHATEVER","object":{}}"#.to_owned(),
            line("ADDED", &pod("c", 7)),
        ]),
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(5, &access, &everything()).await;
    assert_eq!(only(&seen, "changed"), ["changed a", "changed c"]);
    assert!(seen.last().is_some_and(|(at, _)| *at < 0.1));
    let of = health.of(Resource::Pods);
    assert!(of.is_up() && of.errors(Trouble::Decode) == 2, "{of:?}");
}

#[tokio::test(start_paused = true)]
async fn an_odd_object_affects_nothing_else() {
    let odd = |name: &str| json!({"metadata": {"name": name, "resourceVersion": "6"}, "spec": 7, "status": {"containerStatuses": null}});
    let (access, _) = pods(move |asked, _| match &*asked.what() {
        "list pods" => Answer::list(9, &[pod("a", 1), odd("b"), Value::Null, pod("c", 3)]),
        "watch pods" => Answer::watch(&[line("MODIFIED", &odd("b")), line("MODIFIED", &pod("c", 10))]),
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(5, &access, &scope(&[], InitialList::List)).await;
    assert_eq!(
        all_words(&seen),
        ["list All", "listed a", "listed b", "listed ", "listed c", "listed All", "changed b", "changed c"]
    );
    assert_eq!(health.of(Resource::Pods).errors(Trouble::Decode), 0);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_starts_the_list_anew() {
    let mut failed = false;
    let (access, _) = pods(move |asked, _| match &*asked.what() {
        "list pods" => Answer::page(9, &[pod("a", 1)], "next"),
        "page pods" if !std::mem::replace(&mut failed, true) => Answer::status(500),
        "page pods" => Answer::list(9, &[pod("b", 2)]),
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(9, &access, &scope(&[], InitialList::List)).await;
    assert_eq!(all_words(&seen), ["list All", "listed a", "list All", "listed a", "listed b", "listed All"]);
    assert_eq!(health.of(Resource::Pods).relists(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_goes_on_where_it_was() {
    let (access, log) = pods(|asked, number| match number {
        1 => Answer::watch(&[initial_end(1)]),
        2 => Answer::steps(vec![
            Step::Bytes(format!("{}\n", line("ADDED", &pod("a", 5)))),
            Step::Bytes(r#"{"type":"ADDED","object":{"meta"#.to_owned()),
            Step::Break(io::ErrorKind::ConnectionReset),
        ]),
        3 => Answer::watch(&[line("ADDED", &pod("b", 6))]),
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(20, &access, &everything()).await;
    assert_eq!(only(&seen, "changed"), ["changed a", "changed b"]);
    let third = log.all().into_iter().filter(|asked| asked.what() == "watch pods").nth(1).expect("asked");
    assert_eq!(third.get("resourceVersion"), "5");
    let of = health.of(Resource::Pods);
    assert!(of.is_up() && of.relists() == 0 && of.errors(Trouble::Connection) == 1, "{of:?}");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_falls_silent_is_given_up_after_15_seconds() {
    let (access, log) = pods(|asked, number| match number {
        1 => Answer::steps(vec![Step::Bytes(format!("{}\n", initial_end(1))), Step::Hang]),
        _ => quiet(asked),
    });
    seen_for(30, &access, &everything()).await;
    let next = log.all().into_iter().find(|asked| asked.what() == "watch pods").expect("asked");
    assert!((next.at - 15.0).abs() < 0.1, "{}", next.at);
}

#[tokio::test(start_paused = true)]
async fn events_are_selected_by_the_server_and_pods_by_their_labels() {
    let (access, log) = server(quiet);
    let what = Watch { pod_selector: Some("app in (a,b)".into()), ..Watch::default() };
    seen_for(15, &access, &what).await;
    let all = log.all();
    let of = |path: &'static str| all.iter().filter(move |asked| asked.path == path);
    assert!(
        of("/api/v1/pods")
            .all(|asked| asked.get("labelSelector") == "app in (a,b)" && asked.get("fieldSelector").is_empty())
    );
    for asked in of("/api/v1/events") {
        let fields: BTreeSet<_> = asked.get("fieldSelector").split(',').collect();
        assert!(fields.contains("source=kubelet") && fields.contains("involvedObject.kind=Pod"), "{fields:?}");
        assert!(!asked.get("fieldSelector").contains("type"), "{fields:?}");
        assert_eq!((asked.get("labelSelector"), asked.get("timeoutSeconds")), ("", "10"));
    }
}

#[tokio::test(start_paused = true)]
async fn excluded_namespaces_are_not_sent_and_of_patterns_nothing_gets_in() {
    let of = |name: &str, namespace: &str, version| {
        let mut pod = pod(name, version);
        pod["metadata"]["namespace"] = json!(namespace);
        pod
    };
    let (kept, dropped) = (of("a", "shop", 5), of("b", "kube-system", 6));
    let mut noise = event("e", 6);
    noise["metadata"]["namespace"] = json!("kube-system");
    let (access, log) = server(move |asked| match &*asked.what() {
        "stream pods" => Answer::watch(&[
            line("ADDED", &kept),
            line("ADDED", &dropped),
            initial_end(7),
            line("DELETED", &dropped),
            line("MODIFIED", &kept),
        ]),
        "stream events" => Answer::watch(&[line("ADDED", &noise), initial_end(7)]),
        _ => quiet(asked),
    });
    let globs = ["kube-*", "monitoring"].map(|text| Glob::new(text).expect("a pattern"));
    let what = Watch { exclude_namespaces: globs.to_vec(), ..Watch::default() };
    let (seen, _) = seen_for(9, &access, &what).await;
    assert_eq!(all_words(&seen), ["list All", "listed a", "listed All", "changed a"]);
    let all = log.all();
    let of = |path: &'static str| all.iter().filter(move |asked| asked.path == path);
    assert!(of("/api/v1/pods").all(|asked| asked.get("fieldSelector") == "metadata.namespace!=monitoring"));
    assert!(of("/api/v1/events").all(|asked| asked.get("fieldSelector").ends_with(",metadata.namespace!=monitoring")));
}

#[tokio::test(start_paused = true)]
async fn each_namespace_is_a_list_of_its_own() {
    let (access, log) = server(|asked| match (&*asked.path, &*asked.what()) {
        ("/api/v1/namespaces/a/pods", "stream pods") => Answer::watch(&[line("ADDED", &pod("one", 5)), initial_end(7)]),
        ("/api/v1/namespaces/b/pods", _) => Answer::status(403),
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(40, &access, &scope(&["a", "b"], InitialList::Auto)).await;
    assert_eq!(only(&seen, "\"a\""), ["list Namespace(\"a\")", "listed Namespace(\"a\")"]);
    assert_eq!(only(&seen, "listed one").len(), 1);
    assert!(only(&seen, "listed Namespace(\"b\")").is_empty());
    let of = health.of(Resource::Pods);
    assert!(!of.is_up() && !of.is_listed() && of.errors(Trouble::Forbidden) > 0);
    assert!(health.of(Resource::Events).is_up());
    assert!(log.all().iter().all(|asked| asked.path == "/version" || asked.path.starts_with("/api/v1/namespaces/")));
}

#[tokio::test(start_paused = true)]
async fn events_come_after_the_list_of_their_pods() {
    let (access, _) = server(|asked| match &*asked.what() {
        "stream pods" => Answer::steps(vec![
            Step::Wait(Duration::from_secs(3)),
            Step::Bytes(format!("{}\n{}\n", line("ADDED", &pod("a", 5)), initial_end(7))),
            Step::Wait(Duration::from_secs(7)),
        ]),
        "stream events" => {
            Answer::watch(&[line("ADDED", &event("e", 6)), initial_end(7), line("MODIFIED", &event("e", 8))])
        }
        _ => quiet(asked),
    });
    let (seen, health) = seen_for(9, &access, &everything()).await;
    assert_eq!(all_words(&seen), ["list All", "listed a", "listed All", "event e", "event e"]);
    assert_eq!(health.of(Resource::Events).lag(), Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_at_the_beginning_is_waited_for() {
    let (access, _) = server_of_version("x", |asked| if asked.at < 20.0 { Answer::status(500) } else { quiet(asked) });
    let (seen, health) = seen_for(60, &access, &everything()).await;
    assert_eq!(only(&seen, "listed"), ["listed All"]);
    assert!(health.is_ready() && health.of(Resource::Pods).is_up());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_dropped_counts_no_more() {
    let (access, _) = server(quiet);
    let health = Arc::new(WatchHealth::new(|| NOW));
    let mut inputs = Box::pin(watch(&access, &everything(), &health));
    _ = timeout(Duration::from_secs(3), async { while inputs.next().await.is_some() {} }).await;
    assert!(health.is_ready() && health.of(Resource::Pods).is_up());
    drop(inputs);
    sleep(Duration::from_secs(1)).await;
    assert!(!health.is_ready() && !health.of(Resource::Pods).is_up());
}
