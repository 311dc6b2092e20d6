//! Mail to a relay over SMTP (RFC 5321), a connection each: at most one a second is needed.
//!
//! Invariants:
//! - Nothing that leaves this module shows an address, a name, a password or a text of the server: errors are
//!   fixed texts and codes.
//! - A password is never sent without encryption, and nothing at all where STARTTLS is wanted and not offered.
//! - A mail is given to all recipients that are accepted, or to nobody.
//! - Everything is bounded: connecting, the whole exchange, an answer's size (by lettre).

mod dialogue;
mod letter;
mod refusal;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};

use super::http::Failure;
use super::network::NetworkError;
use super::receiver::Reply;
use super::secret::{Secret, SecretSource};
use crate::report::email::Mail;
use crate::time::Time;

/// Connect timeout.
const CONNECT: Duration = Duration::from_secs(5);
/// Timeout for the whole exchange: a relay may look up senders and scan contents before it answers.
const WHOLE: Duration = Duration::from_secs(20);
/// Maximum size of a file of certificates, in bytes.
const CERTIFICATES: u64 = 1024 * 1024;

/// A relay, and the mails' addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relay {
    /// Its host: a name or an IP address.
    pub host: String,
    /// Its port: 587, 465 or 25 in most cases.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// The certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// How probehound logs in, if it has to.
    pub login: Option<Login>,
    /// The host name that probehound introduces itself by.
    pub hello: String,
    /// The sender.
    pub from: Address,
    /// The recipients.
    pub to: Vec<Address>,
}

/// How a connection is encrypted.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Encryption {
    /// By STARTTLS; without it nothing is sent.
    #[default]
    StartTls,
    /// From the first byte on.
    Tls,
    /// Not at all.
    None,
}

/// How probehound logs in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    /// The name.
    pub user: String,
    /// Where the password comes from.
    pub password: SecretSource,
}

/// A mail address, with a name if it has one: `Ops <ops@example.com>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address(Mailbox);

/// It is no mail address.
#[derive(Copy, Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("is no mail address: one of ASCII characters is wanted, such as ops@example.com or Ops <ops@example.com>")]
pub struct NoAddress;

/// Why there can be no mailer.
#[derive(thiserror::Error, Debug)]
pub enum MailerError {
    /// The host or the name to introduce itself by is none.
    #[error("{0} is no host name")]
    Host(&'static str),
    /// There is no recipient.
    #[error("it has no recipients")]
    Recipients,
    /// There is a password, and no encryption.
    #[error("a password is not sent without encryption")]
    Unencrypted,
    /// The certificates cannot be used.
    #[error(transparent)]
    Certificates(#[from] NetworkError),
    /// No TLS can be had.
    #[error("the system's certificates cannot be used")]
    System,
}

/// Sends mail.
#[derive(Clone)]
pub struct Mailer {
    relay: Relay,
    tls: Option<TlsParameters>,
    whole: Duration,
}

/// The outcome of sending a mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// The outcome.
    pub reply: Reply,
    /// How many recipients the relay refused for good, although others were accepted.
    pub refused: usize,
}

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let mailbox: Mailbox = text.trim().parse().map_err(|_| NoAddress)?;
        let name = mailbox.name.as_deref().unwrap_or_default();
        let address: &str = mailbox.email.as_ref();
        let plain = address.is_ascii() && !name.contains(char::is_control);
        if plain { Ok(Self(mailbox)) } else { Err(NoAddress) }
    }
}

impl Mailer {
    /// A mailer for that relay.
    ///
    /// # Errors
    /// The relay's settings cannot be used.
    pub fn new(relay: Relay) -> Result<Self, MailerError> {
        if !is_host(&relay.host) {
            return Err(MailerError::Host("its host"));
        }
        if !is_host(&relay.hello) {
            return Err(MailerError::Host("the name that it is greeted with"));
        }
        if relay.to.is_empty() {
            return Err(MailerError::Recipients);
        }
        let tls = match (relay.encryption, &relay.login) {
            (Encryption::None, Some(_)) => return Err(MailerError::Unencrypted),
            (Encryption::None, None) => None,
            (Encryption::StartTls | Encryption::Tls, _) => Some(tls(&relay.host, relay.ca_file.as_deref())?),
        };
        Ok(Self { relay, tls, whole: WHOLE })
    }

    /// The same with another timeout for the whole exchange.
    #[must_use]
    pub fn within(self, whole: Duration) -> Self {
        Self { whole, ..self }
    }

    /// Sends a mail, dated `now`; `password` is that of the relay's login.
    pub async fn send(&self, mail: &Mail, password: Option<&Secret>, now: Time) -> Sent {
        let Ok(letter) = letter::formatted(mail, &self.relay, now) else {
            let reply = Reply::Refused("it cannot be written as a mail".to_owned());
            return Sent { reply, refused: 0 };
        };
        let user = self.relay.login.as_ref().map(|login| login.user.clone());
        let credentials =
            user.zip(password).map(|(user, password)| Credentials::new(user, password.reveal().to_owned()));
        let exchange = dialogue::exchange(&self.relay, self.tls.as_ref(), credentials, &letter);
        match tokio::time::timeout(self.whole, exchange).await {
            Ok(Ok(refused)) => {
                if refused > 0 {
                    tracing::warn!(refused, "a mail was not accepted for some of its recipients");
                }
                Sent { reply: Reply::Delivered, refused }
            }
            Ok(Err(refusal)) => Sent { reply: refusal.into(), refused: 0 },
            Err(_) => Sent { reply: Reply::Failed { why: Failure::TimedOut.to_string(), wait: None }, refused: 0 },
        }
    }
}

/// Whether it is a name or an address of a host, which cannot end a line of the dialogue.
pub fn is_host(text: &str) -> bool {
    let part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_' | ':');
    (1..=253).contains(&text.len()) && text.chars().all(part)
}

fn tls(host: &str, authorities: Option<&Path>) -> Result<TlsParameters, MailerError> {
    let builder = TlsParameters::builder(host.to_owned());
    let builder = match authorities {
        None => builder,
        Some(file) => builder.certificate_store(CertificateStore::None).add_root_certificate(certificates(file)?),
    };
    builder.build_rustls().map_err(|_| match authorities {
        None => MailerError::System,
        Some(file) => unusable(file, "they cannot be used").into(),
    })
}

fn certificates(file: &Path) -> Result<Certificate, NetworkError> {
    use std::io::Read;
    let mut pem = Vec::new();
    let opened = std::fs::File::open(file).and_then(|open| open.take(CERTIFICATES).read_to_end(&mut pem));
    opened.map_err(|error| unusable(file, &error.to_string()))?;
    if !pem.windows(BEGINS.len()).any(|window| window == BEGINS) {
        return Err(unusable(file, "there are none in it"));
    }
    Certificate::from_pem(&pem).map_err(|_| unusable(file, "they are damaged"))
}

/// How a certificate begins in a PEM file (RFC 7468, 5.1).
const BEGINS: &[u8] = b"-----BEGIN CERTIFICATE-----";

fn unusable(file: &Path, what: &str) -> NetworkError {
    NetworkError::Certificates { file: file.to_owned(), what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_local_part_and_a_domain() {
        for good in ["ops@example.com", "Ops Team <ops@example.com>", " ops+prod@mail.example.com ", "ops@localhost"] {
            assert!(good.parse::<Address>().is_ok(), "{good}");
        }
        let bad = ["", "ops", "ops@", "@example.com", "ops@example.com\r\nBcc: x@y.z", "a b@c", "öps@example.com"];
        for bad in bad {
            assert_eq!(bad.parse::<Address>(), Err(NoAddress), "{bad}");
        }
    }

    #[test]
    fn a_host_cannot_end_a_line() {
        for good in ["mail.example.com", "10.0.0.7", "fd00::7", "localhost"] {
            assert!(is_host(good), "{good}");
        }
        for bad in ["", "mail example", "mail\r\nMAIL FROM:<>", "mäil.example"] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
