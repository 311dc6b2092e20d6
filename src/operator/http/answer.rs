//! Responses to HTTP requests.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Bytes;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::gate::{Gate, Verdict};
use super::health::{Heartbeat, Readiness};
use super::serve::Answers;
use crate::metrics;
use crate::operator::exporter::Exporter;

/// Maximum age of a cached metrics page: a hundred concurrent scrapes get the same one.
const FRESH: Duration = Duration::from_secs(1);

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

const INDEX: &str = "<!doctype html>\n<title>probehound</title>\n<h1>probehound</h1>\n<ul>\n\
    <li><a href=\"/metrics\">/metrics</a>\n<li><a href=\"/livez\">/livez</a>\n\
    <li><a href=\"/readyz\">/readyz</a>\n</ul>\n";

/// Renders the metrics page.
pub trait Pages: Send + Sync {
    /// All metrics, in Prometheus' text format.
    fn metrics(&self) -> String;
}

impl Pages for Exporter {
    fn metrics(&self) -> String {
        self.render()
    }
}

/// Everything that can be requested.
pub struct Site {
    pages: Box<dyn Pages>,
    heartbeat: Heartbeat,
    readiness: Readiness,
    gate: Option<Gate>,
    rendered: Mutex<Option<(Instant, Bytes)>>,
}

impl Site {
    /// A site that serves these pages, with liveness and readiness from these.
    pub fn new(pages: impl Pages + 'static, heartbeat: Heartbeat, readiness: Readiness) -> Arc<Self> {
        Self::behind(None, pages, heartbeat, readiness)
    }

    /// The same, with its metrics behind a gate.
    pub fn behind(
        gate: Option<Gate>,
        pages: impl Pages + 'static,
        heartbeat: Heartbeat,
        readiness: Readiness,
    ) -> Arc<Self> {
        Arc::new(Self { pages: Box::new(pages), heartbeat, readiness, gate, rendered: Mutex::default() })
    }

    /// The response to a request, given its `Authorization` header.
    async fn respond(&self, method: &Method, path: &str, authorization: Option<&HeaderValue>) -> Response<Full<Bytes>> {
        let known = matches!(path, "/" | "/metrics" | "/livez" | "/readyz");
        if known && !matches!(*method, Method::GET | Method::HEAD) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match path {
            "/" => respond(StatusCode::OK, HTML, INDEX),
            "/metrics" => match self.turned_away(authorization).await {
                Some(response) => response,
                None => respond(StatusCode::OK, metrics::CONTENT_TYPE, self.metrics().await),
            },
            "/livez" => self.livez(),
            "/readyz" => self.readyz(),
            _ => text(StatusCode::NOT_FOUND, "there are /metrics, /livez and /readyz\n"),
        }
    }

    /// The response to a client that may not read metrics.
    async fn turned_away(&self, authorization: Option<&HeaderValue>) -> Option<Response<Full<Bytes>>> {
        match self.gate.as_ref()?.ask(authorization).await {
            Verdict::Admitted => None,
            Verdict::Unknown => {
                let mut response = text(StatusCode::UNAUTHORIZED, "a bearer token of this cluster is needed\n");
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                Some(response)
            }
            Verdict::Forbidden => {
                Some(text(StatusCode::FORBIDDEN, "the right to get the non-resource URL /metrics is needed\n"))
            }
            Verdict::Unanswered => Some(text(StatusCode::SERVICE_UNAVAILABLE, "nobody says who may read metrics\n")),
        }
    }

    /// Rendered once for all requests within a second.
    async fn metrics(&self) -> Bytes {
        let mut rendered = self.rendered.lock().await;
        if let Some((at, page)) = &*rendered
            && at.elapsed() < FRESH
        {
            return page.clone();
        }
        let page = Bytes::from(self.pages.metrics());
        *rendered = Some((Instant::now(), page.clone()));
        page
    }

    fn livez(&self) -> Response<Full<Bytes>> {
        if self.heartbeat.is_alive() {
            return text(StatusCode::OK, "ok\n");
        }
        let seconds = self.heartbeat.silent_for().as_secs();
        text(StatusCode::INTERNAL_SERVER_ERROR, format!("the loop has not gone round for {seconds} seconds\n"))
    }

    fn readyz(&self) -> Response<Full<Bytes>> {
        let code = if self.readiness.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let lines = self.readiness.lines();
        text(code, if lines.is_empty() { "ok\n".to_owned() } else { lines.join("\n") + "\n" })
    }
}

impl Answers for Site {
    type Body = Full<Bytes>;

    async fn answer(&self, request: Parts) -> Response<Full<Bytes>> {
        self.respond(&request.method, request.uri.path(), request.headers.get(AUTHORIZATION)).await
    }
}

fn text(code: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    respond(code, TEXT, body)
}

fn respond(code: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body_util::BodyExt;

    use super::*;

    #[derive(Default)]
    struct Counting(Arc<AtomicUsize>);

    impl Pages for Counting {
        fn metrics(&self) -> String {
            self.0.fetch_add(1, Ordering::Relaxed);
            "up 1\n".to_owned()
        }
    }

    #[tokio::test]
    async fn pages_have_their_types_and_others_are_not_there() {
        let site = site(Counting::default());
        for (path, code, content_type) in [
            ("/", 200, HTML),
            ("/metrics", 200, "text/plain; version=0.0.4"),
            ("/livez", 200, TEXT),
            ("/readyz", 503, TEXT),
            ("/metrics/", 404, TEXT),
            ("/..%2f", 404, TEXT),
        ] {
            let response = site.respond(&Method::GET, path, None).await;
            assert_eq!(response.status(), code, "{path}");
            assert_eq!(response.headers()[CONTENT_TYPE], content_type, "{path}");
        }
    }

    #[tokio::test]
    async fn nothing_can_be_written() {
        let response = site(Counting::default()).respond(&Method::POST, "/metrics", None).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()[ALLOW]),
            (405, &HeaderValue::from_static("GET, HEAD"))
        );
    }

    #[tokio::test]
    async fn those_who_ask_at_once_get_the_same_page() {
        let rendered = Arc::new(AtomicUsize::new(0));
        let site = site(Counting(Arc::clone(&rendered)));
        for _ in 0..100 {
            let body = site.respond(&Method::GET, "/metrics", None).await.into_body();
            assert_eq!(body.collect().await.expect("a body in memory").to_bytes(), "up 1\n");
        }
        assert!(rendered.load(Ordering::Relaxed) < 100);
    }

    fn site(pages: Counting) -> Arc<Site> {
        let readiness = Readiness::default();
        let _awaited = readiness.wait_for("the first list of pods");
        Site::new(pages, Heartbeat::new(), readiness)
    }
}
