//! A mail as it goes over the wire: MIME, by lettre.

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::MultiPart;
use lettre::message::header::{HeaderName, HeaderValue};

use super::Relay;
use crate::report::email::Mail;
use crate::time::Time;

/// It cannot be written.
#[derive(Copy, Clone, Debug)]
pub(super) struct Unwritten;

/// The mail with its headers, to all recipients.
///
/// What identifies it is derived from what is told: the second of two that were sent for one, since the answer
/// to the first was lost, can be recognised (RFC 5322, 3.6.4).
pub(super) fn formatted(mail: &Mail, relay: &Relay, now: Time) -> Result<Vec<u8>, Unwritten> {
    let domain = relay.from.0.email.domain();
    let mark = |local: &str| format!("<{local}@{domain}>");
    let since_epoch = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or_default());
    let mut builder = Message::builder()
        .from(relay.from.0.clone())
        .subject(mail.subject.clone())
        .date(SystemTime::UNIX_EPOCH + since_epoch)
        .message_id(Some(mark(&mail.id)));
    for recipient in &relay.to {
        builder = builder.to(recipient.0.clone());
    }
    if let Some(thread) = &mail.thread {
        builder = builder.in_reply_to(mark(thread)).references(mark(thread));
    }
    let content = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
    let mut message = builder.multipart(content).map_err(|_| Unwritten)?;
    // Nobody's holiday reply is wanted (RFC 3834, 5).
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    message.headers_mut().insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
    Ok(message.formatted())
}
