//! What is asked for, and the answer's headers.

use std::convert::Infallible;
use std::sync::Arc;

use http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
    LOCATION, REFERRER_POLICY, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Bytes;
use tokio::sync::Semaphore;

use super::access::{Access, Refused, Sees};
use super::filter::{Filter, part};
use super::show::{Shower, Sources, Wanted};
use super::stream::events;
use crate::operator::http::Answers;
use crate::report::{html, picture};

/// Maximum number of streams of changes at once; further pages are not live.
const STREAMS: usize = 300;

/// Nothing but our own style, script and requests.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const SCRIPT: &str = include_str!("../../../templates/page/live.js");
const ICON: &str = include_str!("../../../templates/page/icon.svg");

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The page.
pub struct Site {
    shower: Shower,
    access: Option<Access>,
    streams: Arc<Semaphore>,
}

impl Site {
    /// A page of these sources; without `access` whoever reaches it sees everything.
    pub fn new(sources: Sources, access: Option<Access>) -> Arc<Self> {
        Arc::new(Self { shower: Shower::new(sources), access, streams: Arc::new(Semaphore::new(STREAMS)) })
    }

    async fn respond(&self, request: &Parts) -> Response<Body> {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let path = request.uri.path();
        match path {
            "/" | "/ui" => return moved("ui/"),
            "/ui/style.css" => return file("text/css; charset=utf-8", [html::STYLE, picture::STYLE].concat()),
            "/ui/live.js" => return file("text/javascript; charset=utf-8", SCRIPT),
            "/ui/icon.svg" => return file("image/svg+xml", ICON),
            _ => {}
        }
        let sees = match self.sees(request).await {
            Ok(sees) => sees,
            Err(refused) => return turned_away(refused),
        };
        match path.strip_prefix("/ui/") {
            Some("") => {
                let filter = Filter::parse(request.uri.query().unwrap_or_default());
                self.page(Wanted::List(filter), sees).await
            }
            Some("events") => self.events(),
            Some(rest) => self.finding(rest, sees).await,
            None => missing(),
        }
    }

    async fn sees(&self, request: &Parts) -> Result<Sees, Refused> {
        match &self.access {
            None => Ok(Sees::All),
            Some(access) => access.sees(request.headers.get(AUTHORIZATION), &self.shower.namespaces()).await,
        }
    }

    /// `finding/NAMESPACE/NAME`, or `finding/NAMESPACE/NAME/report.html`.
    async fn finding(&self, path: &str, sees: Sees) -> Response<Body> {
        let parts: Vec<String> = path.split('/').map(part).collect();
        match parts.as_slice() {
            [kind, namespace, name] if kind == "finding" => {
                self.page(Wanted::Finding(namespace.clone(), name.clone()), sees).await
            }
            [kind, namespace, name, file] if kind == "finding" && file == "report.html" => {
                let mut response = self.page(Wanted::Report(namespace.clone(), name.clone()), sees).await;
                if response.status() == StatusCode::OK {
                    let headers = response.headers_mut();
                    let disposition = HeaderValue::from_static("attachment; filename=\"incident.html\"");
                    headers.insert(CONTENT_DISPOSITION, disposition);
                }
                response
            }
            _ => missing(),
        }
    }

    async fn page(&self, wanted: Wanted, sees: Sees) -> Response<Body> {
        match self.shower.show(wanted, sees, self.access.is_none()).await {
            Some(bytes) => response(StatusCode::OK, HTML, Full::new(bytes).boxed_unsync()),
            None => missing(),
        }
    }

    fn events(&self) -> Response<Body> {
        let Ok(place) = Arc::clone(&self.streams).try_acquire_owned() else {
            return text(StatusCode::SERVICE_UNAVAILABLE, "too many pages are open: load this one again by hand\n");
        };
        let turns = self.shower.archive().turns();
        response(StatusCode::OK, "text/event-stream", StreamBody::new(events(turns, place)).boxed_unsync())
    }
}

impl Answers for Site {
    type Body = Body;

    async fn answer(&self, request: Parts) -> Response<Body> {
        self.respond(&request).await
    }
}

fn turned_away(refused: Refused) -> Response<Body> {
    match refused {
        Refused::Unknown => {
            let what = "a token of this cluster is needed: as a bearer token, or as the password of any name\n";
            let mut response = text(StatusCode::UNAUTHORIZED, what);
            let asks = HeaderValue::from_static(
                "Basic realm=\"probehound: any name, a token as password\", charset=\"UTF-8\"",
            );
            response.headers_mut().insert(WWW_AUTHENTICATE, asks);
            response
        }
        Refused::Unanswered => text(StatusCode::SERVICE_UNAVAILABLE, "nobody says who may see what\n"),
    }
}

fn missing() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "there is no such page or finding, or it is not for you\n")
}

/// Relative, so that it holds behind a prefix.
fn moved(to: &'static str) -> Response<Body> {
    let mut response = text(StatusCode::FOUND, "see ui/\n");
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(to));
    response
}

fn text(code: StatusCode, text: &'static str) -> Response<Body> {
    response(code, TEXT, Full::new(Bytes::from_static(text.as_bytes())).boxed_unsync())
}

/// A file of ours, which changes only with the release.
fn file(content_type: &'static str, bytes: impl Into<Bytes>) -> Response<Body> {
    let mut response = response(StatusCode::OK, content_type, Full::new(bytes.into()).boxed_unsync());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    response
}

fn response(code: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(VARY, HeaderValue::from_static("Authorization"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}
