//! Tells an open page that there is something new: server-sent events without content.

use std::convert::Infallible;
use std::time::Duration;

use futures::Stream;
use futures::stream::unfold;
use hyper::body::{Bytes, Frame};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep, timeout};

/// Minimum time between two events.
const PAUSE: Duration = Duration::from_secs(1);
/// Something is sent at least that often, so that proxies and browsers know that it goes on.
const ALIVE: Duration = Duration::from_secs(25);
/// After that the stream ends, and the browser begins another one.
const LIFE: Duration = Duration::from_mins(10);

struct State {
    turns: watch::Receiver<u64>,
    until: Instant,
    first: bool,
    _place: OwnedSemaphorePermit,
}

/// An event for each turn of the page, until it has been open for long; it keeps its place as long.
pub fn events(
    turns: watch::Receiver<u64>,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send {
    let state = State { turns, until: Instant::now() + LIFE, first: true, _place: place };
    unfold(state, |mut state| async move {
        if state.first {
            state.first = false;
            state.turns.mark_unchanged();
            // How long a browser waits before it begins another one.
            return Some((Ok(frame("retry: 3000\n\n")), state));
        }
        if Instant::now() >= state.until {
            return None;
        }
        let event = match timeout(ALIVE, state.turns.changed()).await {
            Ok(Ok(())) => {
                sleep(PAUSE).await;
                state.turns.mark_unchanged();
                "event: turn\ndata:\n\n"
            }
            Ok(Err(_)) => return None,
            Err(_) => ":\n\n",
        };
        Some((Ok(frame(event)), state))
    })
}

fn frame(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;

    use futures::StreamExt;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_turns_at_once_are_one_event_and_the_stream_ends_with_its_place() {
        let places = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&places).acquire_owned().await.expect("it is open");
        let (turned, turns) = watch::channel(0_u64);
        let mut events = Box::pin(events(turns, place));
        assert!(next(&mut events).await.is_some_and(|text| text.starts_with("retry")));
        for _ in 0..100 {
            turned.send_modify(|turn| *turn += 1);
        }
        assert_eq!(next(&mut events).await.as_deref(), Some("event: turn\ndata:\n\n"));
        assert_eq!(next(&mut events).await.as_deref(), Some(":\n\n"), "nothing has changed");
        let mut kept = 0;
        while next(&mut events).await.is_some() {
            kept += 1;
        }
        assert!(kept < 30, "{kept}");
        drop(events);
        assert_eq!(places.available_permits(), 1);
    }

    async fn next(events: &mut (impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Unpin)) -> Option<String> {
        let frame = pin!(events).next().await?.expect("it cannot fail");
        Some(String::from_utf8_lossy(frame.data_ref().expect("data")).into_owned())
    }
}
