use std::path::Path;

use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::super::testing::NOW;
use super::super::{Resource, Trouble, WatchHealth, watch};
use super::*;
use crate::source::cluster::settings::{InitialList, Watch};

/// What a server on loopback does with a connection.
#[derive(Copy, Clone)]
enum Manner {
    /// Accepts it and sends nothing.
    Mute,
    /// Answers each request with a text, and keeps the connection.
    Answers(&'static str),
    /// Begins an unfinished answer, and sends nothing more.
    Begins(&'static str),
}

/// The address of a server that treats its connections like this; the last behaviour applies to all others.
async fn server(manners: &'static [Manner]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        let mut kept = Vec::new();
        for number in 0.. {
            let (connection, _) = listener.accept().await.expect("a connection");
            let manner = manners[number.min(manners.len() - 1)];
            kept.push(tokio::spawn(serve(connection, manner)));
        }
    });
    address.to_string()
}

async fn serve(mut connection: TcpStream, manner: Manner) {
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let read = connection.read(&mut part).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        request.extend_from_slice(&part[..read]);
        if !request.ends_with(b"\r\n\r\n") {
            continue;
        }
        request.clear();
        let text = match manner {
            Manner::Mute => continue,
            Manner::Answers(text) | Manner::Begins(text) => text,
        };
        connection.write_all(text.as_bytes()).await.expect("written");
    }
}

async fn access(scheme: &str, address: &str) -> Access {
    _ = rustls::crypto::ring::default_provider().install_default();
    let config = Config::new(format!("{scheme}://{address}").parse().expect("a URL"));
    Access::from_config(config, || NOW).await.expect("a client")
}

/// Seconds until the watch of pods has failed for the first time, and how.
async fn first_failure(access: &Access, initial_list: InitialList) -> (f64, Trouble) {
    let health = Arc::new(WatchHealth::new(|| NOW));
    let what = Watch { initial_list, ..Watch::default() };
    let mut inputs = Box::pin(watch(access, &what, &health));
    let start = Instant::now();
    let failed = || Trouble::ALL.into_iter().find(|trouble| health.of(Resource::Pods).errors(*trouble) > 0);
    loop {
        _ = tokio::time::timeout(Duration::from_millis(100), inputs.next()).await;
        if let Some(trouble) = failed() {
            return (start.elapsed().as_secs_f64(), trouble);
        }
        assert!(start.elapsed() < Duration::from_mins(1), "it was not noticed");
    }
}

const EMPTY_LIST: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 62\r\n\r\n\
     {\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}   ";
const ENDLESS: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
const HALF: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 62\r\n\r\n{\"kind\":";

#[tokio::test(start_paused = true)]
async fn a_list_that_is_never_answered_is_noticed_within_15_seconds() {
    let access = access("http", &server(&[Manner::Mute]).await).await;
    let (seconds, trouble) = first_failure(&access, InitialList::List).await;
    assert!((5.0..=15.0).contains(&seconds), "{seconds}");
    assert_eq!(trouble, Trouble::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_stops_in_the_middle_is_noticed_within_15_seconds() {
    let access = access("http", &server(&[Manner::Begins(HALF)]).await).await;
    let (seconds, trouble) = first_failure(&access, InitialList::List).await;
    assert!((5.0..=15.0).contains(&seconds), "{seconds}");
    assert_eq!(trouble, Trouble::Timeout);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_falls_silent_is_noticed_within_15_seconds() {
    for initial_list in [InitialList::List, InitialList::Stream] {
        let manners: &[Manner] = match initial_list {
            InitialList::List => &[Manner::Answers(EMPTY_LIST), Manner::Begins(ENDLESS)],
            _ => &[Manner::Begins(ENDLESS)],
        };
        let access = access("http", &server(manners).await).await;
        let (seconds, trouble) = first_failure(&access, initial_list).await;
        assert!((5.0..=15.0).contains(&seconds), "{seconds}");
        assert_eq!(trouble, Trouble::Timeout);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_speaks_tls_is_noticed_within_5_seconds() {
    let access = access("https", &server(&[Manner::Mute]).await).await;
    let start = Instant::now();
    let error = access.check().await.expect_err("nobody answers");
    assert!(start.elapsed() <= Duration::from_millis(5100), "{:?}", start.elapsed());
    assert!(matches!(error, AccessError::Unreachable { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_time_that_a_connection_was_idle_does_not_count() {
    let access = access("http", &server(&[Manner::Answers(EMPTY_LIST)]).await).await;
    for _ in 0..3 {
        let request = http::Request::get("/api/v1/pods").body(Vec::new()).expect("valid");
        access.client().request_text(request).await.expect("answered");
        tokio::time::sleep(READ.saturating_sub(Duration::from_secs(1))).await;
    }
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    drop(listener);
    let error = access("http", &address).await.check().await.expect_err("nobody listens");
    assert_eq!(
        error.to_string(),
        format!("cannot reach the API server http://{address}: Connection refused (os error 111)")
    );
    assert!(error.hint().contains(&address), "{}", error.hint());
}

#[tokio::test]
async fn refusals_are_said_with_what_to_do() {
    for (answer, wanted, hint) in [
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", "does not accept the credentials", "log in again"),
        ("HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\n\r\nno\u{1b}c", "refuses: no\\u{1b}c", "auth can-i"),
        ("HTTP/1.1 500 Oh\r\ncontent-length: 4\r\n\r\noops", "cannot be used: oops", "/version"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\noops",
            "cannot be used: an answer that cannot be read",
            "/version",
        ),
    ] {
        let manners: &'static [Manner] = Box::leak(Box::new([Manner::Answers(answer)]));
        let address = server(manners).await;
        let error = access("http", &address).await.check().await.expect_err("refused");
        assert!(error.to_string().contains(wanted), "{error}");
        assert!(error.hint().contains(hint), "{}", error.hint());
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_server_asks_for_is_kept_on_the_way_through_the_whole_client() {
    const BUSY: &str = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
    let access = access("http", &server(&[Manner::Answers(BUSY)]).await).await;
    let start = Instant::now();
    for _ in 0..2 {
        let request = http::Request::get("/api/v1/pods").body(Vec::new()).expect("valid");
        let error = access.client().request_text(request).await.expect_err("busy");
        assert_eq!(Trouble::from_error(&error), Trouble::Throttled);
    }
    assert!(start.elapsed() >= Duration::from_secs(7), "{:?}", start.elapsed());
    assert_eq!(access.throttled().by_code(), [(429, 2), (503, 0)]);
}

/// A temporary kubeconfig file, removed on drop.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("probehound-{}-{name}", std::process::id()));
        std::fs::write(&path, text).expect("written");
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.0);
    }
}

async fn error_of(path: &Path, context: Option<&str>) -> AccessError {
    let target = Target { kubeconfig: Some(path.to_owned()), context: context.map(str::to_owned) };
    Access::find(&target, || NOW).await.expect_err("it cannot be used")
}

const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\n\
     clusters: [{name: c, cluster: {server: 'http://user:SECRET@127.0.0.1:1'}}]\n\
     contexts: [{name: one, context: {cluster: c, user: u}}, {name: other, context: {cluster: gone, user: u}}]\n\
     users: [{name: u, user: {token: SECRET}}]\n";

#[tokio::test]
async fn what_is_wrong_with_a_kubeconfig_is_said() {
    let path = std::env::temp_dir().join("probehound-that-is-not-there");
    let error = error_of(&path, None).await;
    assert!(matches!(&error, AccessError::Unreadable { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound));
    let file = File::new("no-context", KUBECONFIG);
    assert!(matches!(error_of(&file.0, None).await, AccessError::NoCurrentContext { .. }));
    let error = error_of(&file.0, Some("three")).await;
    assert!(error.to_string().ends_with("has no context \"three\""), "{error}");
    assert_eq!(error.hint(), "name one with --context: one, other");
    let error = error_of(&file.0, Some("other")).await;
    assert!(error.to_string().contains("failed to load the cluster of context: gone"), "{error}");
}

#[tokio::test]
async fn no_message_holds_a_secret() {
    let broken = File::new("broken", &format!("{KUBECONFIG}users: {{token: [SECRET\n"));
    let error = error_of(&broken.0, None).await;
    assert!(error.to_string().contains("line "), "{error}");
    let helper = KUBECONFIG.replace(
        "user: {token: SECRET}",
        "user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: ['-c', 'echo SECRET; exit 1']}}",
    );
    let helper = File::new("helper", &helper);
    let of_helper = error_of(&helper.0, Some("one")).await;
    assert!(of_helper.to_string().contains("the credential helper ended with exit status: 1"), "{of_helper}");
    let file = File::new("whole", KUBECONFIG);
    let target = Target { kubeconfig: Some(file.0.clone()), context: Some("one".into()) };
    let access = Access::find(&target, || NOW).await.expect("usable");
    let unreachable = access.check().await.expect_err("nobody listens");
    for text in [error.to_string(), error.hint(), of_helper.to_string(), unreachable.to_string(), format!("{access:?}")]
        .into_iter()
        .chain([format!("{error:?}"), format!("{of_helper:?}"), format!("{unreachable:?}"), unreachable.hint()])
    {
        assert!(!text.contains("SECRET"), "{text}");
    }
}
