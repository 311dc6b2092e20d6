//! Failures on the way to the API server, in kinds that can be counted.

use std::error::Error as StdError;
use std::io;

use kube::client::AuthError;
use kube::core::Status;
use kube::runtime::watcher;

use crate::text::escape::terminal;

/// Maximum length of a reported cause, in columns.
const CAUSE: usize = 300;

/// Maximum depth of nested errors that is followed: a source that cycles must not hang us.
const DEPTH: usize = 16;

/// A kind of trouble: a closed set, so that it can be a metric's label.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Trouble {
    /// 403: the permission is missing.
    Forbidden,
    /// 401, or credentials that cannot be obtained.
    Unauthorized,
    /// 410: the version to resume from has expired.
    Gone,
    /// 429: the server asks for fewer requests.
    Throttled,
    /// No answer in time.
    Timeout,
    /// No connection, or one that broke.
    Connection,
    /// 5xx.
    Server,
    /// An answer that cannot be read.
    Decode,
    /// Anything else, including a request that the server does not understand.
    Other,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Forbidden,
        Self::Unauthorized,
        Self::Gone,
        Self::Throttled,
        Self::Timeout,
        Self::Connection,
        Self::Server,
        Self::Decode,
        Self::Other,
    ];

    /// The metric's label.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Unauthorized => "unauthorized",
            Self::Gone => "gone",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Server => "server",
            Self::Decode => "decode",
            Self::Other => "other",
        }
    }

    /// Whether the same request may succeed a little later by itself.
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::Throttled | Self::Timeout | Self::Connection | Self::Server)
    }

    /// Whether the server was not reached at all: as soon as it answers anybody, this is resolved.
    pub const fn is_unreachable(self) -> bool {
        matches!(self, Self::Timeout | Self::Connection)
    }

    /// Classifies a client error.
    pub fn from_error(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(status),
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) | kube::Error::LinesCodecMaxLineLengthExceeded => {
                Self::Decode
            }
            kube::Error::Auth(_) => Self::Unauthorized,
            kube::Error::ReadEvents(_) | kube::Error::HyperError(_) | kube::Error::Service(_) => Self::of_chain(error),
            _ => Self::Other,
        }
    }

    /// Classifies a watch error.
    pub fn of_watch(error: &watcher::Error) -> Self {
        match error {
            watcher::Error::InitialListFailed(error)
            | watcher::Error::WatchStartFailed(error)
            | watcher::Error::WatchFailed(error) => Self::from_error(error),
            watcher::Error::WatchError(status) => Self::of_status(status),
            watcher::Error::NoResourceVersion => Self::Decode,
        }
    }

    fn of_status(status: &Status) -> Self {
        match status.code {
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            408 | 504 => Self::Timeout,
            410 => Self::Gone,
            429 => Self::Throttled,
            500..=599 => Self::Server,
            // Any JSON is accepted as a status: kube parses an unreadable line as an empty one.
            0 if status.message.is_empty() && status.reason.is_empty() => Self::Decode,
            0 if matches!(status.reason.as_str(), "Expired" | "Gone") => Self::Gone,
            _ => Self::Other,
        }
    }

    fn of_chain(error: &kube::Error) -> Self {
        if find::<AuthError>(error).is_some() {
            return Self::Unauthorized;
        }
        let late = |error: &(dyn StdError + 'static)| {
            let of_io = error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
            of_io || error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout)
        };
        if chain(error).any(late) { Self::Timeout } else { Self::Connection }
    }
}

/// The cause in words that may be shown: cut, without control characters, and without output of a
/// credential helper.
pub fn cause(error: &kube::Error) -> String {
    let text = match error {
        kube::Error::Api(status) => of_status(status),
        kube::Error::Auth(error) => credentials(error),
        kube::Error::SerdeError(error) => format!("an answer that cannot be read: {}", category(error)),
        _ => match find::<AuthError>(error) {
            Some(error) => credentials(error),
            None => told(error),
        },
    };
    terminal(&text, CAUSE)
}

/// The same for an error of a watch.
pub fn watch_cause(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => cause(error),
        watcher::Error::WatchError(status) => terminal(&of_status(status), CAUSE),
        watcher::Error::NoResourceVersion => "an object without metadata.resourceVersion".to_owned(),
    }
}

/// The first error of a type among nested errors.
pub(super) fn find<'e, E: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// An error and its sources, outermost first; the error inside an [`io::Error`] counts as its source as
/// well.
fn chain<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| held_by(*error)).take(DEPTH)
}

fn held_by<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(held) => Some(held),
        None => error.source(),
    }
}

fn of_status(status: &Status) -> String {
    match (&*status.message, &*status.reason) {
        ("", "") => format!("status {} without a word", status.code),
        ("", reason) => reason.to_owned(),
        (message, _) => message.to_owned(),
    }
}

/// The message of the innermost error, which names the cause; the outer ones only describe where it arose.
fn told(error: &kube::Error) -> String {
    let innermost = chain(error).map(ToString::to_string).filter(|text| !text.is_empty()).last();
    innermost.unwrap_or_else(|| "an error without a word".to_owned())
}

fn category(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Io | serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Data => "it is not what was asked for",
    }
}

/// Why there are no credentials; never the output of a helper, since that may be a token.
fn credentials(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecStart(error) => format!("the credential helper cannot be started: {error}"),
        AuthError::AuthExecRun { out, .. } => format!("the credential helper ended with {}", out.status),
        AuthError::ReadTokenFile(error, path) => format!("the token file {} cannot be read: {error}", path.display()),
        AuthError::ExecPluginFailed | AuthError::AuthExecParse(_) | AuthError::MalformedTokenExpirationDate(_) => {
            "the credential helper's answer is none".to_owned()
        }
        AuthError::MissingCommand => "the kubeconfig names a credential helper without a command".to_owned(),
        _ => "the credentials cannot be used".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(code: u16) -> kube::Error {
        kube::Error::Api(Status::failure("no\u{1b}[2J", "Because").with_code(code).boxed())
    }

    #[test]
    fn answers_of_the_server_are_told_apart() {
        for (code, trouble) in [
            (401, Trouble::Unauthorized),
            (403, Trouble::Forbidden),
            (404, Trouble::Other),
            (410, Trouble::Gone),
            (422, Trouble::Other),
            (429, Trouble::Throttled),
            (500, Trouble::Server),
            (503, Trouble::Server),
            (504, Trouble::Timeout),
        ] {
            assert_eq!(Trouble::from_error(&api(code)), trouble, "{code}");
        }
    }

    #[test]
    fn an_empty_status_is_a_line_that_cannot_be_read() {
        let empty = kube::Error::Api(Status::default().boxed());
        assert_eq!(Trouble::from_error(&empty), Trouble::Decode);
    }

    #[test]
    fn a_time_out_is_found_however_deep_it_is_wrapped() {
        let deep = io::Error::other(io::Error::other(io::Error::from(io::ErrorKind::TimedOut)));
        assert_eq!(Trouble::from_error(&kube::Error::ReadEvents(deep)), Trouble::Timeout);
        let broken = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(Trouble::from_error(&kube::Error::Service(Box::new(broken))), Trouble::Connection);
    }

    #[test]
    fn what_a_credential_helper_prints_is_never_told() {
        let run = std::process::Command::new("sh").args(["-c", "echo SECRET; exit 3"]).output().expect("a shell");
        let error = AuthError::AuthExecRun { cmd: "helper --token SECRET".into(), out: Box::new(run) };
        assert_eq!(cause(&kube::Error::Auth(error)), "the credential helper ended with exit status: 3");
        let error = AuthError::AuthExecStart(io::Error::from(io::ErrorKind::NotFound));
        let error = kube::Error::Service(Box::new(error));
        assert_eq!(Trouble::from_error(&error), Trouble::Unauthorized);
        assert_eq!(cause(&error), "the credential helper cannot be started: entity not found");
    }

    #[test]
    fn causes_are_harmless() {
        assert_eq!(cause(&api(500)), "no\\u{1b}[2J");
    }
}
