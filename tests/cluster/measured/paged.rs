//! Two hundred open pages for a minute, of an operator to which something happens all the time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::source::Source;
use super::stream::kubeconfig;
use super::usage::{self, Usage, mebibytes};
use crate::harness::{Api, Folder, ports, waiting};
use crate::operator::{Operator, Settings};

/// Pages, half of them of the list, half of the finding.
const PAGES: usize = 200;
/// Events a second.
const RATE: u64 = 20;
/// How long each half is measured.
const LENGTH: Duration = Duration::from_mins(1);
/// Far more than a page needs.
const SOON: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures for minutes: make bench-cluster"]
async fn two_hundred_open_pages() {
    let (folder, port) = (Folder::new("paged"), ports::free());
    let source = Source::start(RATE, RATE * 600);
    let address = format!("127.0.0.1:{port}");
    let operator = Settings::new("paged", folder.write("paged.kubeconfig", &kubeconfig(&source.url())))
        .with("watch", json!({"initialList": "list"}))
        .with("page", json!({"enabled": true, "listen": address}))
        .start(&folder);
    operator.until_ready().await;
    source.begin();
    let api = Api::anonymous(&format!("http://{address}"), "");
    let finding = waiting::eventually("a finding is shown", SOON, async || {
        let list = api.get("/ui/").await.body.to_string();
        let link = list.split("finding/").nth(1).and_then(|rest| rest.split(['"', '\\']).next());
        link.map(|rest| format!("/ui/finding/{rest}")).ok_or(list)
    })
    .await;

    let (_, alone) = spent(&operator).await;
    let loads = Arc::<AtomicUsize>::default();
    let mut pages = JoinSet::new();
    for number in 0..PAGES {
        let path = if number % 2 == 0 { "/ui/".to_owned() } else { finding.clone() };
        pages.spawn(stay(address.clone(), path, Arc::clone(&loads)));
    }
    waiting::eventually("all of them are open", SOON, async || {
        let loaded = loads.load(Ordering::Relaxed);
        if loaded >= PAGES { Ok(()) } else { Err(loaded) }
    })
    .await;
    let before = loads.load(Ordering::Relaxed);
    let (resident, with) = spent(&operator).await;
    let loaded = loads.load(Ordering::Relaxed) - before;
    assert!(pages.try_join_next().is_none(), "a page was closed");

    let share = |used: Duration| used.as_secs_f64() / LENGTH.as_secs_f64() * 100.0;
    println!("\n{PAGES} open pages for {LENGTH:.0?}, {RATE} events a second, {loaded} loads:");
    println!(
        "processor: {:.1} % of a core without them, {:.1} % with them: {:.1} % more (goal: 10 %)",
        share(alone.processor),
        share(with.processor),
        share(with.processor.saturating_sub(alone.processor))
    );
    println!(
        "memory: {} before, {} then: {} more (goal: 20 MiB)\n",
        mebibytes(alone.resident),
        mebibytes(resident),
        mebibytes(resident.saturating_sub(alone.resident))
    );
}

/// What is resident at the end of a while, and the usage in it.
async fn spent(operator: &Operator) -> (u64, Usage) {
    let before = usage::of(operator.pid());
    tokio::time::sleep(LENGTH).await;
    let after = usage::of(operator.pid());
    let processor = after.processor.saturating_sub(before.processor);
    (after.resident, Usage { processor, ..after })
}

/// Does what a browser with the page's script does: loads, listens for changes, and loads again.
async fn stay(address: String, path: String, loads: Arc<AtomicUsize>) -> io::Result<()> {
    let mut page = BufReader::new(TcpStream::connect(&address).await?);
    load(&mut page, &path).await?;
    loads.fetch_add(1, Ordering::Relaxed);
    let mut events = BufReader::new(TcpStream::connect(&address).await?);
    events.write_all(b"GET /ui/events HTTP/1.1\r\nHost: page\r\n\r\n").await?;
    let mut line = String::new();
    while events.read_line(&mut line).await? > 0 {
        if line.starts_with("event: turn") {
            load(&mut page, &path).await?;
            loads.fetch_add(1, Ordering::Relaxed);
        }
        line.clear();
    }
    Ok(())
}

/// Reads a page to its end; the connection is kept.
async fn load(page: &mut BufReader<TcpStream>, path: &str) -> io::Result<()> {
    page.write_all(format!("GET {path} HTTP/1.1\r\nHost: page\r\n\r\n").as_bytes()).await?;
    let (mut line, mut length) = (String::new(), 0);
    while page.read_line(&mut line).await? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    page.read_exact(&mut body).await?;
    assert!(body.starts_with(b"<!doctype html>"), "{path}: {}", String::from_utf8_lossy(&body));
    Ok(())
}
