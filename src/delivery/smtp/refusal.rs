//! What it means that a relay did not take a mail.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;

use lettre::transport::smtp;

use crate::delivery::http::Failure;
use crate::delivery::receiver::Reply;

/// Why a relay did not take a mail.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    /// It answered so.
    Answered(Step, u16),
    /// It answered something else than what this step can be answered.
    OutOfTurn(Step, u16),
    /// It offers no STARTTLS.
    NoStartTls,
    /// It offers no way to log in that probehound knows.
    NoMechanism,
    /// There was no answer, or none that can be read.
    Unanswered(Failure),
}

/// What was answered.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// The connection, or the greeting.
    Greeting,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Login,
    /// MAIL.
    Sender,
    /// RCPT.
    Recipient,
    /// DATA.
    Data,
    /// The message.
    Message,
}

impl Refusal {
    /// What an error at this step means.
    pub(super) fn new(step: Step, error: &smtp::Error) -> Self {
        match error.status() {
            Some(code) => Self::Answered(step, u16::from(code)),
            None => Self::Unanswered(failure(error)),
        }
    }

    /// Whether the relay refused for good.
    pub(super) const fn is_permanent(self) -> bool {
        matches!(self, Self::Answered(_, 500..=599))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(step, code) => write!(f, "it answers {code} to {step}"),
            Self::OutOfTurn(step, code) => {
                write!(f, "it answers {code} to {step}, out of turn: something else stands in between")
            }
            Self::NoStartTls => f.write_str("it does not offer STARTTLS, and nothing is sent without encryption"),
            Self::NoMechanism => f.write_str("it offers neither AUTH PLAIN nor AUTH LOGIN"),
            Self::Unanswered(failure) => failure.fmt(f),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "the greeting",
            Self::StartTls => "STARTTLS",
            Self::Login => "the login",
            Self::Sender => "the sender",
            Self::Recipient => "a recipient",
            Self::Data => "DATA",
            Self::Message => "the message",
        })
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let why = refusal.to_string();
        match refusal {
            // About the settings; so is that a login is wanted (RFC 4954, 6), whatever it was that was refused.
            Refusal::NoMechanism | Refusal::Answered(Step::Login, 500..=599) | Refusal::Answered(_, 530 | 538) => {
                Self::Gone(why)
            }
            Refusal::Answered(Step::Sender | Step::Recipient | Step::Data | Step::Message, 500..=599) => {
                Self::Refused(why)
            }
            // About the relay, not the mail: it may be mended without a change here.
            _ => Self::Failed { why, wait: None },
        }
    }
}

/// The kind of an error without an answer, as a fixed text that shows nothing of where it happened.
fn failure(error: &smtp::Error) -> Failure {
    let chain: Vec<&(dyn Error + 'static)> =
        std::iter::successors(Some(error as &(dyn Error + 'static)), |error| source(*error)).take(16).collect();
    if let Some(error) = chain.iter().find_map(|error| error.downcast_ref::<rustls::Error>()) {
        let certificate = matches!(error, rustls::Error::InvalidCertificate(_));
        return if certificate { Failure::Certificate } else { Failure::Tls };
    }
    match chain.iter().find_map(|error| error.downcast_ref::<std::io::Error>()).map(std::io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => Failure::Refused,
        Some(ErrorKind::TimedOut) => Failure::TimedOut,
        Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => Failure::Unreachable,
        _ if error.is_tls() => Failure::Tls,
        _ => Failure::Broken,
    }
}

/// The source of an error; an IO error hides what it wraps.
fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_code_means_depends_on_what_it_answers() {
        let reply = |step, code| Reply::from(Refusal::Answered(step, code));
        assert!(matches!(reply(Step::Message, 554), Reply::Refused(_)));
        assert!(matches!(reply(Step::Greeting, 554), Reply::Failed { .. }));
        assert!(matches!(reply(Step::Login, 535), Reply::Gone(_)));
        assert!(matches!(reply(Step::Login, 454), Reply::Failed { .. }));
        assert!(matches!(reply(Step::Sender, 530), Reply::Gone(_)));
        assert!(matches!(reply(Step::StartTls, 502), Reply::Failed { .. }));
    }
}
