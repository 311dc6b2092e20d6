//! The dialogue with a relay, command by command, since what a refusal means depends on the command.

use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;

use super::refusal::{Refusal, Step};
use super::{CONNECT, Encryption, Relay};
use crate::delivery::http::Failure;

/// How long a farewell may take: the mail has arrived, or will not.
const FAREWELL: Duration = Duration::from_secs(1);
/// The relay accepted the login.
const LOGGED_IN: u16 = 235;
/// The relay waits for the message.
const GO_ON: u16 = 354;
/// Done.
const DONE: u16 = 250;
/// Done: the relay forwards to another address.
const FORWARDED: u16 = 251;

/// Hands over one mail; returns how many recipients were refused for good, although others were accepted.
pub(super) async fn exchange(
    relay: &Relay,
    tls: Option<&TlsParameters>,
    credentials: Option<Credentials>,
    letter: &[u8],
) -> Result<usize, Refusal> {
    let mut connection = connect(relay, tls).await?;
    let handed_over = hand_over(&mut connection, relay, credentials, letter).await;
    // A farewell that is not answered changes nothing.
    let _ = tokio::time::timeout(FAREWELL, connection.abort()).await;
    handed_over
}

/// A connection that is encrypted as the settings want it.
async fn connect(relay: &Relay, tls: Option<&TlsParameters>) -> Result<AsyncSmtpConnection, Refusal> {
    let resolving = tokio::net::lookup_host((relay.host.as_str(), relay.port)).await;
    let addresses: Vec<_> = resolving.map_err(|_| Refusal::Unanswered(Failure::Name))?.collect();
    let hello = ClientId::Domain(relay.hello.clone());
    let at_once = tls.filter(|_| relay.encryption == Encryption::Tls).cloned();
    let connecting = AsyncSmtpConnection::connect_tokio1(addresses.as_slice(), Some(CONNECT), &hello, at_once, None);
    let mut connection = connecting.await.map_err(|error| Refusal::new(Step::Greeting, &error))?;
    if let (Encryption::StartTls, Some(tls)) = (relay.encryption, tls) {
        if !connection.can_starttls() {
            let _ = tokio::time::timeout(FAREWELL, connection.abort()).await;
            return Err(Refusal::NoStartTls);
        }
        connection.starttls(tls.clone(), &hello).await.map_err(|error| Refusal::new(Step::StartTls, &error))?;
    }
    Ok(connection)
}

async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    relay: &Relay,
    credentials: Option<Credentials>,
    letter: &[u8],
) -> Result<usize, Refusal> {
    if let Some(credentials) = credentials {
        log_in(connection, &credentials).await?;
    }
    let sender = Mail::new(Some(relay.from.0.email.clone()), Vec::new());
    ask(connection, Step::Sender, sender, &[DONE]).await?;
    let refused = name_recipients(connection, relay).await?;
    ask(connection, Step::Data, Data, &[GO_ON]).await?;
    let answer = connection.message(letter).await;
    answered(Step::Message, answer, &[DONE])?;
    Ok(refused)
}

async fn log_in(connection: &mut AsyncSmtpConnection, credentials: &Credentials) -> Result<(), Refusal> {
    let mechanisms = [Mechanism::Plain, Mechanism::Login];
    if connection.server_info().get_auth_mechanism(&mechanisms).is_none() {
        return Err(Refusal::NoMechanism);
    }
    answered(Step::Login, connection.auth(&mechanisms, credentials).await, &[LOGGED_IN])
}

/// All of them are asked for; a temporary refusal of one ends it before anybody has the mail, so that a retry
/// gives it to nobody twice.
async fn name_recipients(connection: &mut AsyncSmtpConnection, relay: &Relay) -> Result<usize, Refusal> {
    let mut refusals = Vec::new();
    for recipient in &relay.to {
        let recipient = Rcpt::new(recipient.0.email.clone(), Vec::new());
        match ask(connection, Step::Recipient, recipient, &[DONE, FORWARDED]).await {
            Ok(()) => {}
            Err(refusal) if refusal.is_permanent() => refusals.push(refusal),
            Err(refusal) => return Err(refusal),
        }
    }
    let refused = refusals.len();
    match refusals.pop() {
        Some(refusal) if refused == relay.to.len() => Err(refusal),
        _ => Ok(refused),
    }
}

async fn ask(
    connection: &mut AsyncSmtpConnection,
    step: Step,
    command: impl std::fmt::Display,
    expected: &[u16],
) -> Result<(), Refusal> {
    answered(step, connection.command(command).await, expected)
}

/// A positive answer that answers something else is not one to this command: answers put in before the
/// encryption began would otherwise be taken for those that follow.
fn answered(
    step: Step,
    answer: Result<Response, lettre::transport::smtp::Error>,
    expected: &[u16],
) -> Result<(), Refusal> {
    let code = u16::from(answer.map_err(|error| Refusal::new(step, &error))?.code());
    if expected.contains(&code) { Ok(()) } else { Err(Refusal::OutOfTurn(step, code)) }
}
