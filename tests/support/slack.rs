//! A Slack of our own on loopback, or another service: as strict as the real one, with scripted failures.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// The path of the webhook, which is as secret as a real one.
pub const PATH: &str = "/services/THUNTER2/BHUNTER2/hunter2webhook";

/// How the server handles the next request; without a script it behaves like Slack.
#[derive(Clone, Debug)]
pub enum Turn {
    /// Gives this answer.
    Answer(u16, &'static str),
    /// Gives this answer, with a header line.
    With(u16, &'static str, &'static str),
    /// Delays the answer, then behaves like Slack.
    Slow(Duration),
    /// Accepts the request and never answers.
    Hang,
    /// Accepts the request, begins to answer, and disconnects.
    Break,
    /// Disconnects before it has read the request.
    Reset,
    /// Answers without TLS to a TLS client, or the other way round.
    Garbage,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When it began to arrive.
    pub came: Instant,
    /// When it was answered.
    pub at: Instant,
    pub head: String,
    pub body: String,
    /// The status of the answer; 0: none.
    pub status: u16,
}

impl Seen {
    /// The payload's fallback text.
    pub fn text(&self) -> String {
        let payload: Value = serde_json::from_str(&self.body).unwrap_or_default();
        payload["text"].as_str().unwrap_or_default().to_owned()
    }

    /// Everything that the channel shows of it.
    pub fn page(&self) -> String {
        let payload: Value = serde_json::from_str(&self.body).unwrap_or_default();
        texts(&payload).join("\n")
    }
}

/// What is answered to a head and a body: the status, a header line, and the body.
pub type Judge = Arc<dyn Fn(&str, &str) -> (u16, &'static str, String) + Send + Sync>;

/// The server; it stops when dropped.
pub struct Slack {
    port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    judge: Judge,
    script: Mutex<VecDeque<Turn>>,
    seen: Mutex<Vec<Seen>>,
    out: Mutex<bool>,
    news: Notify,
}

impl Slack {
    /// Listens on a free loopback port.
    pub async fn start(script: impl IntoIterator<Item = Turn>) -> Self {
        Self::start_at("127.0.0.1:0", script).await
    }

    /// Listens there.
    pub async fn start_at(address: &str, script: impl IntoIterator<Item = Turn>) -> Self {
        Self::start_as(address, Arc::new(as_slack), script).await
    }

    /// Listens there as another service.
    pub async fn start_as(address: &str, judge: Judge, script: impl IntoIterator<Item = Turn>) -> Self {
        let listener = TcpListener::bind(address).await.expect("the address is free");
        let port = listener.local_addr().expect("it listens").port();
        let script = Mutex::new(script.into_iter().collect());
        let (seen, out, news) = (Mutex::default(), Mutex::default(), Notify::new());
        let shared = Arc::new(Shared { judge, script, seen, out, news });
        let task = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { port, shared, task }
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its address, without a path.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The webhook's URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// The same, with TLS, which it does not support.
    pub fn tls_url(&self) -> String {
        format!("https://127.0.0.1:{}{PATH}", self.port)
    }

    /// While it is down it answers 503.
    pub fn set_out(&self, out: bool) {
        *self.shared.out.lock().expect("no panic holds it") = out;
    }

    /// Extends the script.
    pub fn then(&self, turns: impl IntoIterator<Item = Turn>) {
        self.shared.script.lock().expect("no panic holds it").extend(turns);
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("no panic holds it").clone()
    }

    /// The number of requests so far.
    pub fn count(&self) -> usize {
        self.shared.seen.lock().expect("no panic holds it").len()
    }

    /// The accepted ones.
    pub fn taken(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| (200..300).contains(&seen.status)).collect()
    }

    /// Waits until it has accepted that many messages.
    pub async fn took(&self, count: usize, within: Duration) -> Vec<Seen> {
        let end = Instant::now() + within;
        loop {
            let news = self.shared.news.notified();
            if self.taken().len() >= count || timeout_at(end, news).await.is_err() {
                return self.taken();
            }
        }
    }
}

impl Drop for Slack {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // A client that disconnects is not the server's problem.
            let _ = converse(stream, &shared).await;
        });
    }
}

async fn converse(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let came = Instant::now();
    let turn = shared.script.lock().expect("no panic holds it").pop_front();
    match turn {
        Some(Turn::Reset) => {
            // Closed with unread bytes: the kernel sends a reset.
            stream.read_u8().await?;
            note(shared, came, String::new(), String::new(), 0);
            return Ok(());
        }
        Some(Turn::Garbage) => {
            note(shared, came, String::new(), String::new(), 0);
            return stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await;
        }
        _ => {}
    }
    let Some((head, body)) = request(&mut stream).await? else { return Ok(()) };
    let (status, extra, answer) = match turn {
        Some(Turn::Answer(status, answer)) => (status, "", answer.to_owned()),
        Some(Turn::With(status, header, answer)) => (status, header, answer.to_owned()),
        Some(Turn::Hang) => {
            note(shared, came, head, body, 0);
            tokio::time::sleep(Duration::from_mins(10)).await;
            return Ok(());
        }
        Some(Turn::Break) => {
            note(shared, came, head, body, 0);
            return stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no").await;
        }
        Some(Turn::Slow(time)) => {
            tokio::time::sleep(time).await;
            (shared.judge)(&head, &body)
        }
        _ if *shared.out.lock().expect("no panic holds it") => (503, "", "out".to_owned()),
        _ => (shared.judge)(&head, &body),
    };
    note(shared, came, head, body, status);
    let extra = if extra.is_empty() { String::new() } else { format!("{extra}\r\n") };
    let length = answer.len();
    let text = format!("HTTP/1.1 {status} X\r\n{extra}Content-Length: {length}\r\nConnection: close\r\n\r\n{answer}");
    stream.write_all(text.as_bytes()).await
}

fn note(shared: &Shared, came: Instant, head: String, body: String, status: u16) {
    let seen = Seen { came, at: Instant::now(), head, body, status };
    shared.seen.lock().expect("no panic holds it").push(seen);
    shared.news.notify_one();
}

async fn request(stream: &mut TcpStream) -> io::Result<Option<(String, String)>> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await?;
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= content_length(head)
        {
            return Ok(Some((head.to_owned(), body.to_owned())));
        }
        if count == 0 {
            return Ok(None);
        }
    }
}

fn content_length(head: &str) -> usize {
    header(head, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// Slack's answer to such a request; stricter than Slack about what must not be in it.
pub fn as_slack(head: &str, body: &str) -> (u16, &'static str, String) {
    let first = head.lines().next().unwrap_or_default();
    let refused = |status: u16, why: String| (status, "", why);
    if first != format!("POST {PATH} HTTP/1.1") {
        return refused(404, "no_service".into());
    }
    if header(head, "content-type").is_none_or(|kind| !kind.starts_with("application/json")) {
        return refused(400, "invalid_payload".into());
    }
    let Ok(payload) = serde_json::from_str::<Value>(body) else {
        return refused(400, "invalid_payload".into());
    };
    match wrong(&payload) {
        Some(why) => refused(400, why),
        None => (200, "", "ok".into()),
    }
}

/// What is wrong with a payload.
pub fn wrong(payload: &Value) -> Option<String> {
    let keys = ["text", "blocks", "unfurl_links", "unfurl_media"];
    let text = payload["text"].as_str().filter(|text| !text.is_empty());
    if text.is_none() || payload.as_object()?.keys().any(|key| !keys.contains(&key.as_str())) {
        return Some("no_text".into());
    }
    let blocks = payload["blocks"].as_array()?;
    let texts = texts(payload);
    let length = |text: &String| text.encode_utf16().count();
    if blocks.is_empty() || blocks.len() > 50 || blocks.iter().any(|block| !is_block(block)) {
        return Some("invalid_blocks".into());
    }
    if texts.iter().any(|text| length(text) == 0 || length(text) > 3000) {
        return Some("invalid_blocks".into());
    }
    if texts.iter().map(length).sum::<usize>() > 13_000 {
        return Some("msg_blocks_too_long".into());
    }
    let all = texts.iter().map(String::as_str).chain(text);
    all.filter(|text| acts(text)).map(|text| format!("something acts in: {text}")).next()
}

fn is_block(block: &Value) -> bool {
    match block["type"].as_str() {
        Some("section") => is_text(&block["text"]) && block.as_object().is_some_and(|block| block.len() == 2),
        Some("context") => {
            let elements = block["elements"].as_array();
            elements.is_some_and(|elements| (1..=10).contains(&elements.len()) && elements.iter().all(is_text))
        }
        Some("divider") => true,
        _ => false,
    }
}

fn is_text(text: &Value) -> bool {
    text["type"] == "mrkdwn" && text["text"].is_string() && text["verbatim"] == true
}

/// All texts of the blocks.
pub fn texts(payload: &Value) -> Vec<String> {
    let blocks = payload["blocks"].as_array().into_iter().flatten();
    let of = |text: &Value| text["text"].as_str().map(str::to_owned);
    blocks
        .flat_map(|block| match block["elements"].as_array() {
            Some(elements) => elements.iter().filter_map(of).collect::<Vec<_>>(),
            None => of(&block["text"]).into_iter().collect(),
        })
        .collect()
}

/// Whether Slack would interpret something in it: probehound itself uses no link and no mention.
fn acts(text: &str) -> bool {
    let entities = ["&amp;", "&lt;", "&gt;"];
    let bare = text.match_indices('&').any(|(at, _)| !entities.iter().any(|entity| text[at..].starts_with(entity)));
    let hidden = |c: char| {
        c != '\n' && c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    // Code has to end where it should: an odd number of back-ticks ends elsewhere.
    let ticks = text.chars().filter(|c| *c == '`').count();
    bare || text.contains(['<', '>']) || text.contains(hidden) || !ticks.is_multiple_of(2)
}
