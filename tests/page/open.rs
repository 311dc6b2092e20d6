//! Many open pages, and some that read nothing.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::Request;
use http::request::Parts;
use http_body_util::BodyExt;
use probehound::engine::{Change, ChangeKind};
use probehound::operator::http::{Answers, Limits};
use probehound::operator::page::{self, Site};
use probehound::report::object::object_name;
use probehound::runtime::clock;
use tokio::runtime::Builder;
use tokio::time::sleep;

use super::{LIMIT, connect, get, head, open, serve, serve_with, stream, until};
use crate::support::page::{Played, Unserved, publish};

const PAGES: usize = 200;

#[test]
fn two_hundred_open_pages_are_told_at_once_and_those_that_do_not_read_hold_nobody_up() {
    let (runtime, served, changes) = serve();
    let _entered = runtime.enter();
    let mut pages: Vec<_> = (0..PAGES).map(|_| stream(&served)).collect();
    let _silent: Vec<_> = (0..90).map(|_| stream(&served)).collect();
    served.publish(&open(&changes));
    for page in &mut pages {
        let mut seen = String::new();
        while !seen.contains("event: turn") {
            let mut buffer = [0; 512];
            let read = page.read(&mut buffer).expect("it is told in time");
            assert!(read > 0, "the stream ended: {seen}");
            seen += &String::from_utf8_lossy(&buffer[..read]);
        }
    }
    assert!(get(&served, "/ui/").starts_with("HTTP/1.1 200"));
    let mut more: Vec<_> = (0..20).map(|_| stream(&served)).collect();
    let refused = more.iter_mut().filter_map(head).filter(|head| head.starts_with("HTTP/1.1 503")).count();
    assert_eq!(refused, 10, "the number of streams is bounded");
}

/// The clock stands still but for what all wait for: a minute of it is over at once.
#[test]
fn two_hundred_live_pages_cost_one_rendering_a_second_however_much_happens() {
    const SECONDS: usize = 60;
    const CHANGES_A_SECOND: usize = 10;
    let Played { engine, changes, .. } =
        Played::of(crate::support::incident("liveness-http-404-wrong-path").recording());
    let change = open(&changes);
    let path = format!("/ui/finding/{}/{}", change.finding.namespace, object_name(&change.finding.identity()));
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let Unserved { site, board, asked, .. } = Unserved::start(clock::now, engine, None);
        let changed = Change { kind: ChangeKind::Updated, ..change };
        publish(&board, &changed);
        sleep(Duration::from_secs(1)).await;
        for _ in 0..PAGES {
            tokio::spawn(live(Arc::clone(&site), path.clone()));
        }
        for _ in 0..SECONDS * CHANGES_A_SECOND {
            publish(&board, &changed);
            sleep(Duration::from_secs(1) / CHANGES_A_SECOND as u32).await;
        }
        let rendered = asked.load(Ordering::Relaxed);
        assert!((SECONDS / 3..=SECONDS + 1).contains(&rendered), "{rendered} renderings in {SECONDS} s");
    });
}

/// Does what the script of a page does: loads it, and again at each event.
async fn live(site: Arc<Site>, path: String) {
    load(&site, &path).await;
    let mut events = site.answer(request("/ui/events")).await.into_body();
    while let Some(Ok(frame)) = events.frame().await {
        if frame.data_ref().is_some_and(|text| text.starts_with(b"event: turn")) {
            load(&site, &path).await;
        }
    }
}

async fn load(site: &Site, path: &str) {
    let answer = site.answer(request(path)).await;
    assert_eq!(answer.status(), 200, "{path}");
    assert!(
        answer.into_body().collect().await.expect("it cannot fail").to_bytes().trim_ascii_end().ends_with(b"</html>")
    );
}

fn request(path: &str) -> Parts {
    Request::builder().uri(path).body(()).expect("a request").into_parts().0
}

#[test]
fn whoever_asks_and_reads_nothing_is_cut_off_and_holds_nobody_up() {
    const ASKED: usize = 400;
    let limits = Limits { answer: Duration::from_millis(200), ..page::limits() };
    let (runtime, served, changes) = serve_with(limits);
    let _entered = runtime.enter();
    let change = open(&changes);
    served.publish(&change);
    until(&served, "/ui/", "asks for a path");
    let path = format!("/ui/finding/{}/{}", change.finding.namespace, object_name(&change.finding.identity()));
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut idle = connect(&served);
    // All at once, so that far more is answered than a kernel keeps for somebody who does not read.
    idle.write_all(request.repeat(ASKED).as_bytes()).expect("it is taken");
    idle.set_write_timeout(Some(Duration::from_millis(50))).expect("a limit");
    let tries = LIMIT.as_millis() / 50;
    let ended = (0..tries).find_map(|_| {
        assert!(get(&served, "/ui/").starts_with("HTTP/1.1 200"), "others are answered meanwhile");
        std::thread::sleep(Duration::from_millis(50));
        idle.write_all(b"\r\n").err().map(|error| error.kind()).filter(|kind| *kind != ErrorKind::WouldBlock)
    });
    let ended = ended.expect("it is cut off in time");
    assert!(matches!(ended, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{ended}");
}
