//! A proxy of our own on loopback: strict about what it is asked, with scripted failures. Whatever host a client
//! names, it connects to one of ours.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How it handles connections.
#[derive(Clone, Debug)]
pub enum Mood {
    /// It does what it is asked, whoever asks.
    Open,
    /// It does so for those with these credentials: `Basic …`.
    Wants(&'static str),
    /// It answers this and disconnects.
    Says(&'static str),
    /// It connects, says so, and then disconnects.
    HangsUp,
    /// It connects after so long.
    Slow(Duration),
    /// It reads the request and says nothing.
    Silent,
    /// It stops reading from the client as soon as it has connected, and passes on the other direction.
    HalfClosed,
}

/// The proxy; it stops when dropped.
pub struct Proxy {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free loopback port, and connects to that port of ours.
    pub async fn start(to: u16, mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let port = listener.local_addr().expect("it listens").port();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, mood) = (Arc::clone(&seen), mood.clone());
                tokio::spawn(async move {
                    // A client that disconnects is not the proxy's problem.
                    let _ = serve(stream, to, &mood, &seen).await;
                });
            }
        });
        Self { port, heads, task }
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The URL with a user and a password.
    pub fn url_with(&self, user: &str) -> String {
        format!("http://{user}@127.0.0.1:{}", self.port)
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic holds it").clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut client: TcpStream, to: u16, mood: &Mood, seen: &Mutex<Vec<String>>) -> io::Result<()> {
    let head = head(&mut client).await?;
    seen.lock().expect("no panic holds it").push(head.clone());
    let refused = match mood {
        Mood::Says(answer) => Some(*answer),
        Mood::Wants(credentials) if !head.contains(&format!("\r\nproxy-authorization: {credentials}\r\n")) => {
            Some("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n")
        }
        _ if !is_as_it_should_be(&head) => Some("HTTP/1.1 400 Bad Request\r\n\r\n"),
        _ => None,
    };
    if let Some(answer) = refused {
        client.write_all(answer.as_bytes()).await?;
        client.shutdown().await?;
        // What was not read would break the connection before the answer is.
        return tokio::io::copy(&mut client, &mut tokio::io::sink()).await.map(drop);
    }
    match mood {
        Mood::Silent => tokio::time::sleep(Duration::from_mins(10)).await,
        Mood::Slow(time) => tokio::time::sleep(*time).await,
        _ => {}
    }
    let mut server = TcpStream::connect(("127.0.0.1", to)).await?;
    if let Some(rest) = head.strip_prefix("POST http://") {
        server.write_all(passed_on(rest).as_bytes()).await?;
    } else {
        client.write_all(b"HTTP/1.1 200 Connection established\r\nVia: a proxy of ours\r\n\r\n").await?;
    }
    match mood {
        Mood::HangsUp => return Ok(()),
        Mood::HalfClosed => {
            server.shutdown().await?;
            tokio::io::copy(&mut server, &mut client).await?;
        }
        _ => drop(copy_bidirectional(&mut client, &mut server).await?),
    }
    Ok(())
}

/// The head of a request, with header names in small letters.
async fn head(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let line = |line: &str| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}", name.to_ascii_lowercase()),
        None => line.to_owned(),
    };
    Ok(text.split("\r\n").map(line).collect::<Vec<_>>().join("\r\n"))
}

/// `CONNECT HOST:PORT` with the same host, and nothing that is the server's business; or a whole address.
fn is_as_it_should_be(head: &str) -> bool {
    let mut lines = head.lines();
    let first: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let host = lines.clone().find_map(|line| line.strip_prefix("host: "));
    match first.as_slice() {
        ["CONNECT", to, "HTTP/1.1"] => {
            let ours = |line: &str| line.starts_with("host: ") || line.starts_with("proxy-authorization: ");
            host == Some(to) && to.contains(':') && lines.all(|line| line.is_empty() || ours(line))
        }
        ["POST", url, "HTTP/1.1"] => {
            let authority = url.strip_prefix("http://").and_then(|rest| rest.split('/').next());
            host.is_some() && host == authority
        }
        _ => false,
    }
}

/// The request as the server gets it: its path alone, without what was for the proxy.
fn passed_on(rest: &str) -> String {
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    let lines = path.split("\r\n").filter(|line| !line.starts_with("proxy-authorization: "));
    format!("POST {}", lines.collect::<Vec<_>>().join("\r\n"))
}
