//! Certificates and proxies: what is on the way to a receiver.

use std::time::Duration;

use probehound::delivery::http::Client;
use probehound::delivery::network::{Identity, Network};
use probehound::delivery::proxy::ProxySource;
use probehound::delivery::receiver::{Reply, chat, slack};
use probehound::delivery::secret::Secret;
use serde_json::json;

use super::secure::{self, Clients, file};
use crate::support::proxy::{Mood, Proxy};
use crate::support::slack::{Slack, Turn};

/// Far more than an exchange with a healthy server takes.
const LIMIT: Duration = Duration::from_secs(5);
/// `me:hunter2pass`
const CREDENTIALS: &str = "Basic bWU6aHVudGVyMnBhc3M=";

#[tokio::test]
async fn https_goes_through_a_tunnel_and_the_proxy_sees_the_host_alone() {
    let port = secure::serve(Clients::Anybody);
    let proxy = Proxy::start(port, Mood::Open).await;
    assert_eq!(send(&trusting(through(&proxy.url())), "https://localhost/services/hunter2").await, Reply::Delivered);
    assert_eq!(proxy.heads(), ["CONNECT localhost:443 HTTP/1.1\r\nhost: localhost:443\r\n\r\n"]);
}

#[tokio::test]
async fn http_is_passed_on_by_its_whole_address() {
    let server = Slack::start([Turn::Answer(200, "ok")]).await;
    let proxy = Proxy::start(server.port(), Mood::Wants(CREDENTIALS)).await;
    let network = through(&proxy.url_with("me:hunter2pass"));
    assert_eq!(send(&network, "http://chat.example/services/x?y=z").await, Reply::Delivered);
    assert!(
        proxy.heads()[0].starts_with("POST http://chat.example/services/x?y=z HTTP/1.1\r\n"),
        "{:?}",
        proxy.heads()
    );
    let head = &server.seen()[0].head;
    assert!(head.starts_with("POST /services/x?y=z HTTP/1.1") && !head.contains("proxy-auth"), "{head}");
}

#[tokio::test]
async fn a_user_and_a_password_are_told_to_the_proxy_alone() {
    let port = secure::serve(Clients::Anybody);
    let proxy = Proxy::start(port, Mood::Wants(CREDENTIALS)).await;
    let right = trusting(through(&proxy.url_with("me:hunter2pass")));
    assert_eq!(send(&right, "https://localhost:8443/").await, Reply::Delivered);
    let expected = "its proxy answers 407: it wants a user and a password, or others";
    for wrong in [proxy.url(), proxy.url_with("me:hunter2other"), proxy.url_with("hunter2")] {
        assert_eq!(failure(&trusting(through(&wrong)), "https://localhost:8443/").await, expected);
        assert_eq!(failure(&through(&wrong), "http://localhost:8080/").await, expected);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_proxy_is_told_apart_from_what_is_wrong_with_a_receiver() {
    let cases = [
        (Mood::Says("HTTP/1.1 403 Forbidden\r\n\r\n"), "its proxy answers 403 and does not connect to it"),
        (
            Mood::Says("HTTP/1.0 502 Bad Gateway\r\nServer: x\r\n\r\n"),
            "its proxy answers 502 and does not connect to it",
        ),
        (Mood::Says("SSH-2.0-OpenSSH_9.9\r\n\r\n"), "its proxy broke the connection, or is none"),
        (Mood::Says("HTTP/1.1 200"), "its proxy broke the connection, or is none"),
        (Mood::Says(""), "its proxy broke the connection, or is none"),
        (Mood::HangsUp, "it cannot be connected to"),
        (Mood::HalfClosed, "it cannot be connected to"),
        (Mood::Silent, "its proxy did not connect to it in time"),
    ];
    let port = secure::serve(Clients::Anybody);
    for (mood, expected) in cases {
        let proxy = Proxy::start(port, mood.clone()).await;
        let network = trusting(through(&proxy.url()));
        let client = client(&network).within(Duration::from_secs(2));
        assert_eq!(why(post(&client, "https://localhost/x").await), expected, "{mood:?}");
    }
}

#[tokio::test]
async fn a_slow_proxy_is_waited_for() {
    let port = secure::serve(Clients::Anybody);
    let proxy = Proxy::start(port, Mood::Slow(Duration::from_millis(300))).await;
    assert_eq!(send(&trusting(through(&proxy.url())), "https://localhost/x").await, Reply::Delivered);
}

#[tokio::test]
async fn an_answer_without_end_of_a_proxy_is_read_no_further() {
    let endless: &'static str = Box::leak(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(100_000)).into_boxed_str());
    let proxy = Proxy::start(1, Mood::Says(endless)).await;
    assert_eq!(
        failure(&through(&proxy.url()), "https://localhost/x").await,
        "its proxy broke the connection, or is none"
    );
}

#[tokio::test]
async fn a_proxy_that_cannot_be_reached_is_said() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        listener.local_addr().expect("it listens").port()
    };
    for (url, expected) in [
        (format!("http://127.0.0.1:{closed}"), "its proxy cannot be connected to"),
        ("http://no-such-proxy.invalid:3128".to_owned(), "the name of its proxy does not resolve"),
    ] {
        let client = client(&through(&url)).within(Duration::from_secs(20));
        assert_eq!(why(post(&client, "https://localhost/x").await), expected);
    }
}

#[tokio::test]
async fn a_proxy_may_speak_tls_itself() {
    let server = secure::serve(Clients::Anybody);
    let inner = Proxy::start(server, Mood::Open).await;
    let outer = secure::in_front_of(inner.port()).await;
    let network = trusting(through(&format!("https://localhost:{outer}")));
    assert_eq!(send(&network, "https://localhost/x").await, Reply::Delivered);
    assert_eq!(inner.heads().len(), 1);
    let untrusted = through(&format!("https://localhost:{outer}"));
    let expected = "no TLS connection to its proxy can be made, or the proxy's certificate is not trusted";
    assert_eq!(failure(&untrusted, "https://localhost/x").await, expected);
}

#[tokio::test]
async fn no_failure_shows_a_proxys_address_or_password() {
    for url in ["http://me:hunter2@127.0.0.1:1", "http://me:hunter2@hunter2.invalid", "socks5://me:hunter2@proxy"] {
        let network = through(url);
        let said = match Client::new(&network) {
            Ok(client) => format!("{client:?} {:?}", post(&client, "https://hunter2.invalid/").await),
            Err(error) => format!("{error} {error:?}"),
        };
        assert!(!said.replace("hunter2.invalid", "").contains("hunter2"), "{said}");
        assert!(!said.contains("bWU6"), "{said}");
        assert!(!format!("{network:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_certificate_of_ones_own_is_trusted_where_it_is_named_and_nowhere_else() {
    let url = format!("https://127.0.0.1:{}/services/x", secure::serve(Clients::Anybody));
    assert_eq!(send(&trusting(directly()), &url).await, Reply::Delivered);
    assert_eq!(failure(&directly(), &url).await, "its certificate is not trusted");
}

#[tokio::test]
async fn a_client_certificate_is_shown_to_who_wants_one() {
    let url = format!("https://localhost:{}/services/x", secure::serve(Clients::Certified));
    let identity = |name: &str| {
        let key = if name == "server" { "server.key" } else { "client.key" };
        Some(Identity { certificate_file: file(&format!("{name}.pem")), key_file: file(key) })
    };
    let with = |identity| Network { identity, ..trusting(directly()) };
    assert_eq!(send(&with(identity("client")), &url).await, Reply::Delivered);
    let expected = "it does not accept the client certificate, or wants one";
    assert_eq!(failure(&with(None), &url).await, expected);
    assert_eq!(failure(&with(identity("server")), &url).await, expected);
}

#[test]
fn files_that_hold_no_certificate_and_no_key_are_said() {
    let of = |ca: Option<&str>, certificate: &str, key: &str| {
        let identity = Some(Identity { certificate_file: file(certificate), key_file: file(key) });
        let network = Network { ca_file: ca.map(file), identity, proxy: ProxySource::Nowhere };
        Client::new(&network).expect_err("something is missing").to_string()
    };
    let ends = |error: String, end: &str| assert!(error.ends_with(end), "{error}");
    ends(of(Some("README.md"), "client.pem", "client.key"), "README.md: there are none in it");
    ends(of(None, "client.key", "client.key"), "client.key: there are none in it");
    ends(of(None, "client.pem", "README.md"), "README.md: there is none in it");
    ends(
        of(None, "client.pem", "server.key"),
        "server.key: it is not that of the certificate, or of a kind that cannot be used",
    );
    ends(of(None, "client.pem", "nowhere.key"), "nowhere.key: entity not found");
    ends(of(Some("nowhere.pem"), "client.pem", "client.key"), "nowhere.pem: entity not found");
}

fn directly() -> Network {
    Network { proxy: ProxySource::Nowhere, ..Network::default() }
}

fn through(proxy: &str) -> Network {
    Network { proxy: ProxySource::Written(Secret::new(proxy)), ..Network::default() }
}

fn trusting(network: Network) -> Network {
    Network { ca_file: Some(file("ca.pem")), ..network }
}

async fn send(network: &Network, url: &str) -> Reply {
    post(&client(network), url).await
}

async fn failure(network: &Network, url: &str) -> String {
    why(send(network, url).await)
}

fn why(reply: Reply) -> String {
    match reply {
        Reply::Failed { why, .. } => why,
        reply => panic!("no failure: {reply:?}"),
    }
}

fn client(network: &Network) -> Client {
    Client::new(network).expect("there are certificates").within(LIMIT)
}

async fn post(client: &Client, url: &str) -> Reply {
    chat(client, &Secret::new(url), &json!({ "text": "x" }), slack::meaning).await
}
