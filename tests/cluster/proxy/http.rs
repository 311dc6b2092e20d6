//! A proxy that understands the traffic: plain HTTP in front, the API server behind it.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::http::header::{ACCEPT, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use kube::Client;
use serde_json::{Value, json};

use super::serve::{Body, Server, whole};

/// How a request is handled.
pub enum Rule {
    /// The API server answers.
    Pass,
    /// It is never answered, and does not reach the API server.
    Silence,
    /// It reaches the API server, and its answer is lost.
    Lose,
    /// The proxy answers.
    Answer(Response<String>),
    /// The API server answers in JSON, and each object of its answer is changed, in lists and in watches.
    Change(fn(&mut Value)),
}

/// A proxy in front of an API server.
pub struct HttpProxy {
    server: Server,
}

impl HttpProxy {
    /// A proxy in front of the server at `url` (its authority's certificate in PEM), with a rule for each
    /// request. It adds no permissions of its own: the client's token is passed on.
    pub fn start(url: &str, ca: &str, rule: impl Fn(&Parts) -> Rule + Send + Sync + 'static) -> Self {
        let (url, ca) = (url.to_owned(), ca.to_owned());
        let rule = Arc::new(rule);
        // A client's connections live on the runtime that created them: the server's.
        let client = Arc::new(tokio::sync::OnceCell::new());
        let server = Server::start(move |request| {
            let (url, ca) = (url.clone(), ca.clone());
            let (rule, client) = (Arc::clone(&rule), Arc::clone(&client));
            async move {
                let client = client.get_or_init(async || crate::harness::Api::anonymous(&url, &ca).client()).await;
                answer(client, &*rule, request).await
            }
        });
        Self { server }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        self.server.url()
    }
}

/// A refusal in the format of an API server.
pub fn refusal(code: StatusCode, message: &str) -> Response<String> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": code.canonical_reason().unwrap_or_default().replace(' ', ""), "code": code.as_u16(),
    });
    let response = Response::builder().status(code).header("content-type", "application/json");
    response.body(status.to_string()).expect("a response")
}

async fn answer(client: &Client, rule: &impl Fn(&Parts) -> Rule, request: Request<Incoming>) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    match rule(&parts) {
        Rule::Silence => std::future::pending().await,
        Rule::Answer(response) => response.map(whole),
        Rule::Lose => {
            // It arrives also when its sender ends meanwhile.
            let client = client.clone();
            tokio::spawn(async move { pass(&client, parts, body).await.map(drop) });
            std::future::pending().await
        }
        Rule::Pass => pass(client, parts, body).await.unwrap_or_else(|error| bad_gateway(&error)),
        Rule::Change(change) => {
            parts.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            let is_watch = parts.uri.query().is_some_and(|query| query.contains("watch=true"));
            match pass(client, parts, body).await {
                Ok(response) if is_watch => changed_watch(response, change),
                Ok(response) => changed_list(response, change).await,
                Err(error) => bad_gateway(&error),
            }
        }
    }
}

async fn pass(client: &Client, mut parts: Parts, body: Incoming) -> Result<Response<Body>, kube::Error> {
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    for hop in ["host", "connection", "content-length", "transfer-encoding"] {
        parts.headers.remove(hop);
    }
    let request = Request::from_parts(parts, kube::client::Body::from(body.to_vec()));
    let mut response = client.send(request).await?;
    for hop in ["connection", "content-length", "transfer-encoding"] {
        response.headers_mut().remove(hop);
    }
    Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
}

fn bad_gateway(error: &kube::Error) -> Response<Body> {
    refusal(StatusCode::BAD_GATEWAY, &format!("{error:?}")).map(whole)
}

async fn changed_list(response: Response<Body>, change: fn(&mut Value)) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut list: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    list["items"].as_array_mut().into_iter().flatten().for_each(change);
    Response::from_parts(parts, whole(list.to_string()))
}

fn changed_watch(response: Response<Body>, change: fn(&mut Value)) -> Response<Body> {
    response.map(|body| {
        let lines = stream::unfold((body, Vec::new()), move |(mut body, mut rest)| async move {
            loop {
                if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = rest.drain(..=end).collect();
                    return Some((Ok(Frame::data(changed_line(&line, change))), (body, rest)));
                }
                match body.frame().await? {
                    Ok(frame) => rest.extend(frame.into_data().unwrap_or_default()),
                    Err(error) => return Some((Err(error), (body, rest))),
                }
            }
        });
        StreamBody::new(lines.boxed()).boxed_unsync()
    })
}

fn changed_line(line: &[u8], change: fn(&mut Value)) -> Bytes {
    let mut event: Value = serde_json::from_slice(line).unwrap_or_default();
    change(&mut event["object"]);
    format!("{event}\n").into()
}
