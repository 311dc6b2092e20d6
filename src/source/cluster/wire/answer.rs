//! Asks for protobuf, and turns each answer into the JSON that kube reads, with a ticket for each object.

use std::sync::Arc;

use futures::{Stream, stream};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame};
use kube::client::Body;
use serde::Deserialize;
use serde_json::{Value, json};

use super::envelope::{Enveloped, WatchEvent};
use super::field::Unreadable;
use super::message::Message;
use super::messages::{BOOKMARK, LIST_META, STATUS};
use super::parts::{Events, List, Part};
use super::read::Encoded;
use super::schema::Schema;
use super::shelf::Place;

/// The media type.
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
/// What is asked for: JSON where a server, or a proxy before it, has nothing else.
const ACCEPTED: HeaderValue = HeaderValue::from_static("application/vnd.kubernetes.protobuf, application/json;q=0.9");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Maximum length of the status that comes with an error.
const STATUS_LENGTH: usize = 1 << 20;

/// The body of an answer that kube is given.
pub type AnswerBody = UnsyncBoxBody<Bytes, kube::Error>;

/// Called for each object that cannot be read.
pub type Report = Arc<dyn Fn(Unreadable) + Send + Sync>;

/// Asks for the objects of one watch in protobuf, and reads them; cheap to clone.
pub struct Reader<T: 'static> {
    schema: &'static Schema<T>,
    place: Arc<Place<T>>,
    report: Report,
}

impl<T> Clone for Reader<T> {
    fn clone(&self) -> Self {
        Self { schema: self.schema, place: Arc::clone(&self.place), report: Arc::clone(&self.report) }
    }
}

impl<T: Send + Sync> Reader<T> {
    /// A reader that reports what it cannot read.
    pub fn new(schema: &'static Schema<T>, report: Report) -> Self {
        Self { schema, place: schema.shelf().place(), report }
    }

    /// Asks for protobuf. What the answer before has left is given up.
    pub fn ask(&self, request: &mut Request<Body>) {
        self.place.clear();
        request.headers_mut().insert(ACCEPT, ACCEPTED);
    }

    /// Reads an answer; JSON is passed on as it is.
    pub async fn read(&self, answer: Response<Body>) -> Response<AnswerBody> {
        let encoding = encoding(answer.headers());
        let (mut parts, body) = answer.into_parts();
        let is_success = parts.status.is_success();
        let body = match encoding {
            Encoding::Json => return Response::from_parts(parts, body.boxed_unsync()),
            _ if !is_success => Full::from(status_in(body).await).map_err(|never| match never {}).boxed_unsync(),
            Encoding::ProtobufStream => Watching { body, events: Events::default(), reader: self.clone() }.into_body(),
            Encoding::Protobuf => Listing::new(body, self.clone()).into_body(),
        };
        parts.headers.insert(CONTENT_TYPE, JSON);
        parts.headers.remove(CONTENT_LENGTH);
        Response::from_parts(parts, body)
    }

    /// Decodes an object, and leaves it on the shelf.
    fn shelve(&self, kind: Option<&str>, bytes: &[u8]) -> Result<String, Unreadable> {
        let object = self.schema.decode(&mut self.schema.memory(), kind, bytes)?;
        Ok(self.place.put(object).to_string())
    }
}

/// What an answer is written in.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// JSON, or whatever else kube then fails to read.
    Json,
    /// Protobuf, of a whole object.
    Protobuf,
    /// Protobuf, of the events of a watch.
    ProtobufStream,
}

/// The encoding that the headers of an answer tell.
pub fn encoding(headers: &HeaderMap) -> Encoding {
    let media = headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    let mut parts = media.split(';').map(str::trim);
    if !parts.next().is_some_and(|media| media.eq_ignore_ascii_case(PROTOBUF)) {
        return Encoding::Json;
    }
    let is_stream = parts.any(|parameter| parameter.eq_ignore_ascii_case("stream=watch"));
    if is_stream { Encoding::ProtobufStream } else { Encoding::Protobuf }
}

/// The status in an answer of an error as JSON; nothing where it cannot be read: kube then takes the code.
async fn status_in(body: Body) -> Vec<u8> {
    let Ok(body) = Limited::new(body, STATUS_LENGTH).collect().await else {
        return Vec::new();
    };
    let status = Enveloped::read(&body.to_bytes()).and_then(|status| shown(&STATUS, status));
    status.map_or_else(|_| Vec::new(), |status| status.to_string().into_bytes())
}

/// An object as JSON.
fn shown(message: &'static Message, object: Enveloped<'_>) -> Result<Value, Unreadable> {
    let mut value = Value::deserialize(Encoded { message, bytes: object.message, kind: Some(object.kind) })?;
    value["apiVersion"] = json!("v1");
    Ok(value)
}

type Piece = kube::Result<Frame<Bytes>>;

/// The answer to a watch.
struct Watching<T: 'static> {
    body: Body,
    events: Events,
    reader: Reader<T>,
}

impl<T: Send + Sync> Watching<T> {
    fn into_body(self) -> AnswerBody {
        body_of(stream::unfold(self, |mut all| async { all.next().await.map(|line| (line, all)) }))
    }

    /// The next event as a line of JSON.
    async fn next(&mut self) -> Option<Piece> {
        loop {
            while let Some(part) = self.events.next() {
                match self.line(&part) {
                    Ok(line) => return Some(Ok(Frame::data(line.into()))),
                    Err(unreadable) => (self.reader.report)(unreadable),
                }
            }
            match self.body.frame().await? {
                Ok(frame) => frame.into_data().into_iter().for_each(|data| self.events.push(data)),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn line(&self, part: &Part) -> Result<String, Unreadable> {
        let Part::Object(bytes) = part else {
            return Err(Unreadable::TooLong);
        };
        let event = WatchEvent::read(bytes)?;
        let object = Enveloped::read(event.object)?;
        let (kind, object) = match event.kind {
            b"ADDED" => ("ADDED", self.reader.shelve(Some(object.kind), object.message)?),
            b"MODIFIED" => ("MODIFIED", self.reader.shelve(Some(object.kind), object.message)?),
            b"DELETED" => ("DELETED", self.reader.shelve(Some(object.kind), object.message)?),
            b"BOOKMARK" => ("BOOKMARK", shown(&BOOKMARK, object)?.to_string()),
            b"ERROR" => ("ERROR", shown(&STATUS, object)?.to_string()),
            _ => return Err(Unreadable::Type),
        };
        // The type first: kube then reads the object without keeping it in between.
        Ok(format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n"))
    }
}

/// The answer to a list.
struct Listing<T: 'static> {
    body: Body,
    list: List,
    reader: Reader<T>,
    meta: Value,
    /// What kube has not been given yet.
    text: String,
    has_items: bool,
    is_over: bool,
}

impl<T: Send + Sync> Listing<T> {
    fn new(body: Body, reader: Reader<T>) -> Self {
        let (list, text) = (List::default(), r#"{"kind":"List","apiVersion":"v1","items":["#.to_owned());
        Self { body, list, reader, meta: json!({}), text, has_items: false, is_over: false }
    }

    fn into_body(self) -> AnswerBody {
        body_of(stream::unfold(self, |mut all| async { all.next().await.map(|piece| (piece, all)) }))
    }

    /// The next piece of JSON. A list that is cut off stays so: kube then sees that it is.
    async fn next(&mut self) -> Option<Piece> {
        while !self.is_over {
            match self.body.frame().await {
                Some(Ok(frame)) => frame.into_data().into_iter().for_each(|data| self.take_in(data)),
                Some(Err(error)) => {
                    self.is_over = true;
                    return Some(Err(error));
                }
                None => self.end(),
            }
            if !self.text.is_empty() {
                return Some(Ok(Frame::data(std::mem::take(&mut self.text).into())));
            }
        }
        None
    }

    fn take_in(&mut self, data: Bytes) {
        self.list.push(data);
        loop {
            match self.list.next() {
                Ok(Some(part)) => self.part(&part).unwrap_or_else(|unreadable| (self.reader.report)(unreadable)),
                Ok(None) => return,
                Err(_) => {
                    // No JSON: the list is of no use to kube, which asks for it again.
                    self.text.push('?');
                    self.is_over = true;
                    return;
                }
            }
        }
    }

    fn part(&mut self, part: &Part) -> Result<(), Unreadable> {
        match part {
            Part::Object(bytes) => {
                let ticket = self.reader.shelve(None, bytes)?;
                if std::mem::replace(&mut self.has_items, true) {
                    self.text.push(',');
                }
                self.text.push_str(&ticket);
            }
            Part::Meta(bytes) => {
                self.meta = Value::deserialize(Encoded { message: &LIST_META, bytes, kind: None })?;
            }
            Part::TooLong => return Err(Unreadable::TooLong),
        }
        Ok(())
    }

    fn end(&mut self) {
        self.is_over = true;
        if self.list.is_complete() {
            self.text.push_str(r#"],"metadata":"#);
            self.text.push_str(&self.meta.to_string());
            self.text.push('}');
        }
    }
}

fn body_of(pieces: impl Stream<Item = Piece> + Send + 'static) -> AnswerBody {
    StreamBody::new(pieces).boxed_unsync()
}
