//! The operator's watches on a scripted API server that answers in protobuf.

use std::sync::Arc;
use std::time::Duration;

use prost::encoding::{bytes, int64};

use super::super::testing::{
    Answer, Asked, Log, Step, all_words, bookmark, line, pod, seen_for, server, server_of_version,
};
use super::super::{Access, Resource, Trouble, WatchHealth};
use super::envelope::MAGIC;
use crate::source::cluster::settings::Watch;

fn text(number: u32, text: &str, out: &mut Vec<u8>) {
    bytes::encode(number, &text.as_bytes().to_vec(), out);
}

fn enveloped(kind: &str, message: &[u8]) -> Vec<u8> {
    let (mut types, mut out) = (Vec::new(), MAGIC.to_vec());
    text(1, "v1", &mut types);
    text(2, kind, &mut types);
    bytes::encode(1, &types, &mut out);
    bytes::encode(2, &message.to_vec(), &mut out);
    out
}

/// A pod as a message; one whose name is empty cannot be read.
fn named(name: &str, version: u32) -> Vec<u8> {
    let (mut metadata, mut out) = (Vec::new(), Vec::new());
    match name {
        "" => int64::encode(1, &7, &mut metadata),
        name => text(1, name, &mut metadata),
    }
    text(3, "n", &mut metadata);
    text(6, &version.to_string(), &mut metadata);
    bytes::encode(1, &metadata, &mut out);
    out
}

fn list(version: u32, next: &str, items: &[Vec<u8>]) -> Vec<u8> {
    let (mut metadata, mut out) = (Vec::new(), Vec::new());
    text(2, &version.to_string(), &mut metadata);
    text(3, next, &mut metadata);
    bytes::encode(1, &metadata, &mut out);
    for item in items {
        bytes::encode(2, item, &mut out);
    }
    enveloped("PodList", &out)
}

fn status(code: i64, reason: &str) -> Vec<u8> {
    let mut out = Vec::new();
    text(2, "Failure", &mut out);
    text(3, "no", &mut out);
    text(4, reason, &mut out);
    int64::encode(6, &code, &mut out);
    enveloped("Status", &out)
}

fn framed(what: &str, object: &[u8]) -> Vec<u8> {
    let (mut raw, mut event) = (Vec::new(), Vec::new());
    bytes::encode(1, &object.to_vec(), &mut raw);
    text(1, what, &mut event);
    bytes::encode(2, &raw, &mut event);
    [&(event.len() as u32).to_be_bytes()[..], &event].concat()
}

fn change(what: &str, name: &str, version: u32) -> Vec<u8> {
    framed(what, &enveloped("Pod", &named(name, version)))
}

/// A bookmark; `ends` is one at the end of the initial list.
fn mark(version: u32, ends: bool) -> Vec<u8> {
    let (mut metadata, mut out) = (Vec::new(), Vec::new());
    text(6, &version.to_string(), &mut metadata);
    if ends {
        let mut entry = Vec::new();
        text(1, "k8s.io/initial-events-end", &mut entry);
        text(2, "true", &mut entry);
        bytes::encode(12, &entry, &mut metadata);
    }
    bytes::encode(1, &metadata, &mut out);
    framed("BOOKMARK", &enveloped("Pod", &out))
}

fn stream(frames: &[Vec<u8>]) -> Answer {
    Answer::steps(vec![Step::Raw(frames.concat()), Step::Wait(Duration::from_secs(10))])
        .of_type("application/vnd.kubernetes.protobuf;stream=watch")
}

fn whole(code: u16, bytes: Vec<u8>) -> Answer {
    Answer::steps(vec![Step::Raw(bytes)]).of_type("application/vnd.kubernetes.protobuf").with_code(code)
}

/// What a server answers that has nothing.
fn quiet(asked: &Asked) -> Answer {
    match &*asked.what() {
        what if what.starts_with("stream") => stream(&[mark(1, true)]),
        what if what.starts_with("watch") => stream(&[]),
        _ => whole(200, list(1, "", &[])),
    }
}

/// The answers about pods; of events there are none.
fn pods(answer: impl FnMut(&Asked, usize) -> Option<Answer> + Send + 'static) -> (Access, Log) {
    server(scripted(answer))
}

fn scripted(
    mut answer: impl FnMut(&Asked, usize) -> Option<Answer> + Send + 'static,
) -> impl FnMut(&Asked) -> Answer + Send + 'static {
    let mut number = 0;
    move |asked| {
        if asked.path.ends_with("events") {
            return quiet(asked);
        }
        number += 1;
        answer(asked, number).unwrap_or_else(|| quiet(asked))
    }
}

async fn watched(seconds: u64, access: &Access) -> (Vec<String>, Arc<WatchHealth>) {
    let (seen, health) = seen_for(seconds, access, &Watch::default()).await;
    (all_words(&seen).into_iter().map(str::to_owned).collect(), health)
}

fn errors(health: &WatchHealth) -> Vec<(Trouble, u64)> {
    let of = |trouble| (trouble, health.of(Resource::Pods).errors(trouble));
    Trouble::ALL.into_iter().map(of).filter(|(_, count)| *count > 0).collect()
}

#[tokio::test(start_paused = true)]
async fn a_streamed_list_and_what_follows_are_read() {
    let (access, log) = pods(|asked, _| {
        (asked.what() == "stream pods").then(|| {
            stream(&[
                change("ADDED", "a", 5),
                change("ADDED", "b", 6),
                mark(7, true),
                change("MODIFIED", "a", 8),
                mark(9, false),
                change("DELETED", "b", 10),
            ])
        })
    });
    let (seen, health) = watched(9, &access).await;
    assert_eq!(seen, ["list All", "listed a", "listed b", "listed All", "changed a", "gone b"]);
    let asked = log.all();
    let watches = asked.iter().filter(|asked| asked.path != "/version");
    for asked in watches {
        assert_eq!(asked.accept, "application/vnd.kubernetes.protobuf, application/json;q=0.9", "{asked:?}");
    }
    assert!(asked.iter().any(|asked| asked.path == "/version" && asked.accept.is_empty()));
    assert_eq!(health.of(Resource::Pods).in_protobuf(), 1);
    assert_eq!(errors(&health), []);
}

#[tokio::test(start_paused = true)]
async fn a_list_in_pages_is_read_and_its_version_is_watched() {
    let (access, log) = server_of_version(
        "33",
        scripted(|asked, _| match (&*asked.what(), asked.get("continue")) {
            ("list pods", _) => Some(whole(200, list(5, "next", &[named("a", 1), named("b", 2)]))),
            ("page pods", "next") => Some(whole(200, list(5, "", &[named("c", 3)]))),
            ("watch pods", _) if asked.get("resourceVersion") == "5" => {
                Some(stream(&[change("ADDED", "d", 6), mark(8, false)]))
            }
            _ => None,
        }),
    );
    let (seen, health) = watched(15, &access).await;
    assert_eq!(seen, ["list All", "listed a", "listed b", "listed c", "listed All", "changed d"]);
    let versions: Vec<_> = log
        .all()
        .iter()
        .filter(|asked| asked.what() == "watch pods")
        .map(|asked| asked.get("resourceVersion").to_owned())
        .collect();
    assert_eq!(versions, ["5", "8"]);
    assert_eq!(health.of(Resource::Pods).in_protobuf(), health.of(Resource::Pods).requests());
    assert_eq!(errors(&health), []);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_gone_costs_one_list() {
    let (access, log) = pods(|asked, number| match (&*asked.what(), number) {
        ("stream pods", _) => Some(stream(&[change("ADDED", "a", 5), mark(7, true)])),
        ("watch pods", 2) => Some(stream(&[framed("ERROR", &status(410, "Expired"))])),
        _ => None,
    });
    let (_, health) = watched(25, &access).await;
    assert_eq!(log.count("stream pods"), 2);
    assert_eq!(errors(&health), [(Trouble::Gone, 1)]);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_refuses_is_told_by_its_status() {
    for (code, reason, trouble) in [
        (403, "Forbidden", Trouble::Forbidden),
        (429, "TooManyRequests", Trouble::Throttled),
        (500, "", Trouble::Server),
    ] {
        let (access, _) = pods(move |_, number| (number == 1).then(|| whole(code, status(i64::from(code), reason))));
        let (seen, health) = watched(60, &access).await;
        assert_eq!(errors(&health), [(trouble, 1)]);
        assert!(seen.contains(&"listed All".to_owned()), "{seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_cannot_be_read_leaves_its_code() {
    let (access, _) = pods(|_, number| (number == 1).then(|| whole(403, b"k8s\0\x0b".to_vec())));
    let (_, health) = watched(60, &access).await;
    assert_eq!(errors(&health), [(Trouble::Forbidden, 1)]);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_read_costs_itself() {
    let (access, log) = pods(|asked, _| {
        (asked.what() == "stream pods").then(|| {
            stream(&[
                change("ADDED", "", 4),
                change("ADDED", "a", 5),
                mark(7, true),
                framed("NEWS", &enveloped("Pod", &named("x", 8))),
                framed("MODIFIED", b"no envelope"),
                vec![0, 0, 0, 1, 0x0b],
                change("MODIFIED", "a", 9),
            ])
        })
    });
    let (seen, health) = watched(9, &access).await;
    assert_eq!(seen, ["list All", "listed a", "listed All", "changed a"]);
    assert_eq!(errors(&health), [(Trouble::Decode, 4)]);
    assert_eq!(log.count("stream pods"), 1);
    assert!(health.of(Resource::Pods).is_up());
}

#[tokio::test(start_paused = true)]
async fn an_object_of_a_list_that_cannot_be_read_costs_itself() {
    let (access, log) = server_of_version(
        "33",
        scripted(|asked, _| {
            let items = [named("a", 1), named("", 2), b"\x0b".to_vec(), named("c", 3)];
            (asked.what() == "list pods").then(|| whole(200, list(5, "", &items)))
        }),
    );
    let (seen, health) = watched(5, &access).await;
    assert_eq!(seen, ["list All", "listed a", "listed c", "listed All"]);
    assert_eq!(errors(&health), [(Trouble::Decode, 2)]);
    assert_eq!(log.count("list pods"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_cut_or_none_is_asked_for_again() {
    let right = list(5, "", &[named("a", 1), named("b", 2)]);
    let cut = right[..right.len() - 9].to_vec();
    for wrong in [cut, b"<html>".to_vec(), Vec::new()] {
        let right = right.clone();
        let (access, log) = server_of_version(
            "33",
            scripted(move |asked, number| {
                let answer = if number == 1 { &wrong } else { &right };
                (asked.what() == "list pods").then(|| whole(200, answer.clone()))
            }),
        );
        let (seen, health) = watched(30, &access).await;
        assert_eq!(seen.last().map(String::as_str), Some("listed All"));
        assert_eq!(errors(&health), [(Trouble::Decode, 1)]);
        assert_eq!(log.count("list pods"), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_cut_goes_on_where_it_was() {
    let (access, log) = pods(|asked, _| match (&*asked.what(), asked.get("resourceVersion")) {
        ("stream pods", _) => {
            let cut = change("MODIFIED", "a", 9);
            Some(stream(&[change("ADDED", "a", 5), mark(7, true), cut[..cut.len() - 2].to_vec()]))
        }
        ("watch pods", "7") => Some(stream(&[change("MODIFIED", "a", 9)])),
        _ => None,
    });
    let (seen, health) = watched(15, &access).await;
    assert_eq!(seen, ["list All", "listed a", "listed All", "changed a"]);
    assert_eq!(log.words().iter().filter(|word| word.ends_with("pods")).count(), 2);
    assert_eq!(errors(&health), []);
}

#[tokio::test(start_paused = true)]
async fn json_is_read_where_there_is_nothing_else() {
    let (access, _) = pods(|asked, _| match &*asked.what() {
        "stream pods" => Some(Answer::watch(&[
            line("ADDED", &pod("a", 5)),
            bookmark(7, &serde_json::json!({"k8s.io/initial-events-end": "true"})),
        ])),
        "watch pods" => Some(stream(&[change("MODIFIED", "a", 9)])),
        _ => None,
    });
    let (seen, health) = watched(15, &access).await;
    assert_eq!(seen, ["list All", "listed a", "listed All", "changed a"]);
    let health = health.of(Resource::Pods);
    assert_eq!((health.requests(), health.in_protobuf()), (2, 1));
}
