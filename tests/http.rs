//! The server for metrics and health, on real sockets: how clients affect each other.
#![expect(clippy::disallowed_methods, reason = "what a person would wait for is measured on the clock")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use probehound::config::Listen;
use probehound::operator::http::{Heartbeat, Limits, Pages, Patience, Readiness, Server, Site};
use tokio::runtime::{Builder, Runtime};

/// Far more than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

/// More than the kernel buffers for a client that does not read.
const PAGE: usize = 8 << 20;

const TEST: Limits = Limits {
    connections: 8,
    grace: Duration::from_millis(200),
    request: Duration::from_millis(500),
    answer: Duration::from_millis(800),
    patience: Patience::PerAnswer,
    life: Duration::from_secs(5),
};

#[test]
fn a_hundred_scrapers_at_once_all_get_the_whole_page() {
    let served = serve(Limits { grace: LIMIT, answer: LIMIT, ..TEST });
    let address = served.address;
    let scrapers: Vec<_> = (0..100).map(|_| thread::spawn(move || get(address, "/metrics"))).collect();
    for scraper in scrapers {
        let answer = scraper.join().expect("no panic");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{}", &answer[..100]);
        assert_eq!(body(&answer).len(), PAGE);
    }
}

#[test]
fn one_that_reads_a_byte_now_and_then_is_cut_off_and_holds_up_nobody() {
    let served = serve(TEST);
    let mut slow = connect(served.address);
    slow.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").expect("it is read");
    let mut read = 0;
    let started = Instant::now();
    while started.elapsed() < TEST.answer * 2 {
        read += slow.read(&mut [0]).expect("there is something to read");
        assert!(get(served.address, "/livez").ends_with("ok\n"));
    }
    let rest = rest(&mut slow);
    assert!(read + rest < PAGE, "it got {rest} bytes after its time");
}

#[test]
fn those_who_say_nothing_lose_their_places_to_one_who_asks() {
    let served = serve(Limits { request: LIMIT, ..TEST });
    let _silent: Vec<TcpStream> = (0..TEST.connections * 3).map(|_| connect(served.address)).collect();
    let started = Instant::now();
    assert!(get(served.address, "/livez").ends_with("ok\n"));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn one_who_does_not_finish_its_request_is_cut_off() {
    let served = serve(TEST);
    let mut slow = connect(served.address);
    let started = Instant::now();
    // Waits that long for an answer after each byte.
    slow.set_read_timeout(Some(Duration::from_millis(20))).expect("a time");
    while slow.write_all(b"G").is_ok() && slow.read(&mut [0]).is_err() {
        assert!(started.elapsed() < LIMIT, "it may go on for ever");
    }
    assert!(started.elapsed() >= TEST.request);
}

#[test]
fn what_is_too_long_or_no_request_is_refused() {
    let served = serve(TEST);
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(100));
    for (request, code) in [(&*long, "431"), (&*many, "431"), ("\u{16}\u{3}\u{1}hello\r\n\r\n", "400")] {
        let answer = send(served.address, request.as_bytes());
        assert!(answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {code}")), "{answer}");
    }
    assert!(get(served.address, "/livez").ends_with("ok\n"));
}

#[test]
fn a_connection_is_kept_for_a_second_request() {
    let served = serve(TEST);
    let request =
        "GET /livez HTTP/1.1\r\nHost: a\r\n\r\nHEAD /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = send(served.address, request.as_bytes());
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    assert!(answer.contains(&format!("content-length: {PAGE}")) && answer.len() < 1000, "HEAD has no body");
}

#[test]
fn it_says_what_it_is_not_ready_for() {
    let served = serve(TEST);
    let answer = get(served.address, "/readyz");
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.ends_with("waiting for the first list of pods\n"),
        "{answer}"
    );
}

#[test]
fn an_address_that_is_taken_is_said() {
    let served = serve(TEST);
    let listen = Listen { host: Some(served.address.ip()), port: served.address.port() };
    let _inside = served.runtime.enter();
    let error = Server::bind(listen, TEST).expect_err("it is taken").to_string();
    assert!(error.starts_with(&format!("cannot listen at {}: ", served.address)), "{error}");
}

struct Large;

impl Pages for Large {
    fn metrics(&self) -> String {
        "#".repeat(PAGE)
    }
}

struct Served {
    runtime: Runtime,
    address: SocketAddr,
}

fn serve(limits: Limits) -> Served {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let readiness = Readiness::default();
    let _awaited = readiness.wait_for("the first list of pods");
    let site = Site::new(Large, Heartbeat::new(), readiness);
    let address = runtime.block_on(async {
        let listen = Listen { host: Some([127, 0, 0, 1].into()), port: 0 };
        let server = Server::bind(listen, limits).expect("a free port");
        let address = server.address().expect("it listens");
        tokio::spawn(server.serve(site));
        address
    });
    Served { runtime, address }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, LIMIT).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a time");
    stream
}

fn get(address: SocketAddr, path: &str) -> String {
    send(address, format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
}

fn send(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = connect(address);
    // It may have answered and closed before it has read everything.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8(answer).expect("text"),
    }
}

/// The number of bytes still to come.
fn rest(stream: &mut TcpStream) -> usize {
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes);
    assert!(ended.is_ok() || ended.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
    bytes.len()
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
