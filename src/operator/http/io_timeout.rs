//! A connection with a time limit for writing each response, or each part of one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// What a time limit is for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Patience {
    /// A whole response: the time runs from the first write after a read.
    PerAnswer,
    /// A part of one that may go on for long: the time runs while nothing is taken.
    PerPart,
}

/// Fails if a started write is not taken in time, however little is missing.
pub struct IoTimeout<S> {
    stream: S,
    limit: Duration,
    patience: Patience,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> IoTimeout<S> {
    /// A connection with this time limit.
    pub const fn new(stream: S, limit: Duration, patience: Patience) -> Self {
        Self { stream, limit, patience, deadline: None }
    }

    /// A part was taken, or not yet.
    fn wrote<T>(&mut self, outcome: Poll<T>) -> Poll<T> {
        if self.patience == Patience::PerPart && outcome.is_ready() {
            self.deadline = None;
        }
        outcome
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let limit = self.limit;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(limit)));
        match deadline.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::Error::new(io::ErrorKind::TimedOut, "the answer is not taken")),
            Poll::Pending => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for IoTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.deadline = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for IoTimeout<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        self.check(context)?;
        let outcome = Pin::new(&mut self.stream).poll_write(context, buffer);
        self.wrote(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.wrote(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
