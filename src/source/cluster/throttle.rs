//! Obeys the API server's 429 and 503 answers: a tower layer, since the header with the delay is not passed
//! on any further.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response, StatusCode, header};
use tokio::time::{Instant, Sleep, sleep_until};
use tower::{Layer, Service};

use crate::time::Time;

/// Maximum time that requests are held back, however long the server asks for.
const LONGEST: Duration = Duration::from_mins(1);

/// How often the API server asked for fewer requests.
#[derive(Debug, Default)]
pub struct Throttled {
    too_many: AtomicU64,
    unavailable: AtomicU64,
}

impl Throttled {
    /// Number of answers so far, by code: 429 and 503.
    pub fn by_code(&self) -> [(u16, u64); 2] {
        [(429, self.too_many.load(Ordering::Relaxed)), (503, self.unavailable.load(Ordering::Relaxed))]
    }

    fn count(&self, status: StatusCode) {
        let counter = if status == StatusCode::TOO_MANY_REQUESTS { &self.too_many } else { &self.unavailable };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Holds back all requests of a client while the server asks for it, 60 s at most.
///
/// 429 and 503 with a `Retry-After` (seconds, or a date of RFC 9110) close the gate until then; without one
/// they are only counted, and the caller's own back-off applies.
#[derive(Clone, Debug)]
pub struct ThrottleLayer {
    gate: Arc<Gate>,
}

impl ThrottleLayer {
    /// A layer with a gate of its own; `clock` is the reference for dates.
    pub fn new(counts: Arc<Throttled>, clock: fn() -> Time) -> Self {
        Self { gate: Arc::new(Gate { counts, clock, closed_until: Mutex::new(None) }) }
    }
}

impl<S> Layer<S> for ThrottleLayer {
    type Service = Throttle<S>;

    fn layer(&self, inner: S) -> Throttle<S> {
        Throttle { inner, gate: Arc::clone(&self.gate), held: None }
    }
}

/// A client behind the gate.
#[derive(Debug)]
pub struct Throttle<S> {
    inner: S,
    gate: Arc<Gate>,
    held: Option<Pin<Box<Sleep>>>,
}

impl<S, A, B> Service<Request<A>> for Throttle<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        while let Some(until) = self.gate.closed_until() {
            let held = self.held.get_or_insert_with(|| Box::pin(sleep_until(until)));
            if held.deadline() != until {
                held.as_mut().reset(until);
            }
            ready!(held.poll_unpin(context));
        }
        self.held = None;
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let gate = Arc::clone(&self.gate);
        let answer = self.inner.call(request);
        async move {
            let answer = answer.await?;
            gate.note(answer.status(), answer.headers());
            Ok(answer)
        }
        .boxed()
    }
}

#[derive(Debug)]
struct Gate {
    counts: Arc<Throttled>,
    clock: fn() -> Time,
    closed_until: Mutex<Option<Instant>>,
}

impl Gate {
    /// Until when it is closed, if it is.
    fn closed_until(&self) -> Option<Instant> {
        let until = *self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.filter(|until| Instant::now() < *until)
    }

    fn note(&self, status: StatusCode, headers: &HeaderMap) {
        if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            return;
        }
        self.counts.count(status);
        if let Some(span) = self.retry_after(headers) {
            let until = Instant::now() + span.min(LONGEST);
            let mut closed_until = self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
            *closed_until = (*closed_until).max(Some(until));
        }
    }

    fn retry_after(&self, headers: &HeaderMap) -> Option<Duration> {
        let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(Time::from_millis(at.as_millisecond()).since((self.clock)()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use tower::{BoxError, ServiceExt, service_fn};

    use super::*;

    /// 2026-11-24T10:00:00Z
    const NOW: Time = Time::from_millis(1_795_514_400_000);

    /// The seconds at which consecutive requests are sent, each as soon as allowed, to a server that gives
    /// these answers and 200 from then on.
    async fn sent(answers: &[(u16, Option<&str>)], requests: usize) -> (Vec<f64>, [(u16, u64); 2]) {
        let start = Instant::now();
        let mut answers: VecDeque<_> = answers.iter().map(|(code, after)| answer(*code, *after)).collect();
        let times = Arc::new(Mutex::new(Vec::new()));
        let sent = Arc::clone(&times);
        let server = service_fn(move |_: Request<()>| {
            sent.lock().expect("no panic").push(start.elapsed().as_secs_f64());
            let answer = answers.pop_front().unwrap_or_else(|| answer(200, None));
            async move { Ok::<_, Infallible>(answer) }
        });
        let counts = Arc::new(Throttled::default());
        let mut client = ThrottleLayer::new(Arc::clone(&counts), || NOW).layer(server);
        for _ in 0..requests {
            client.ready().await.expect("never fails").call(Request::new(())).await.expect("never fails");
        }
        let times = times.lock().expect("no panic").clone();
        (times, counts.by_code())
    }

    fn answer(code: u16, retry_after: Option<&str>) -> Response<()> {
        let mut answer = Response::builder().status(code);
        if let Some(text) = retry_after {
            answer = answer.header("Retry-After", text);
        }
        answer.body(()).expect("valid")
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_held_back_for_the_seconds_that_the_server_asks_for() {
        let (sent, counts) = sent(&[(429, Some("7")), (200, None), (503, Some(" 3 "))], 5).await;
        assert_eq!(sent, [0.0, 7.0, 7.0, 10.0, 10.0]);
        assert_eq!(counts, [(429, 1), (503, 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_held_back_until_the_date_that_the_server_names() {
        let (held, _) = sent(&[(503, Some("Tue, 24 Nov 2026 10:00:20 GMT"))], 2).await;
        assert_eq!(held, [0.0, 20.0]);
        let (past, _) = sent(&[(503, Some("Tue, 24 Nov 2026 09:00:00 GMT"))], 2).await;
        assert_eq!(past, [0.0, 0.0]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_server_can_hold_us_back_for_longer_than_a_minute() {
        let (sent, _) = sent(&[(429, Some("86400"))], 2).await;
        assert_eq!(sent, [0.0, 60.0]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_says_no_time_is_counted_and_holds_nothing_back() {
        let answers =
            [(429, None), (429, Some("soon")), (429, Some("-1")), (429, Some("0")), (500, Some("9")), (200, Some("9"))];
        let (sent, counts) = sent(&answers, 7).await;
        assert_eq!(sent, [0.0; 7]);
        assert_eq!(counts, [(429, 4), (503, 0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_longer_wish_extends_the_wait_of_those_who_wait_already() {
        let start = Instant::now();
        let layer = ThrottleLayer::new(Arc::default(), || NOW);
        let server = service_fn(|_: Request<()>| async { Ok::<_, BoxError>(answer(200, None)) });
        let mut waiting = layer.layer(server);
        layer.gate.note(StatusCode::TOO_MANY_REQUESTS, answer(429, Some("5")).headers());
        let waits = tokio::spawn(async move {
            waiting.ready().await.expect("never fails");
            start.elapsed()
        });
        tokio::time::sleep(Duration::from_secs(2)).await;
        layer.gate.note(StatusCode::TOO_MANY_REQUESTS, answer(429, Some("9")).headers());
        layer.gate.note(StatusCode::TOO_MANY_REQUESTS, answer(429, Some("1")).headers());
        assert_eq!(waits.await.expect("no panic"), Duration::from_secs(11));
    }
}
