//! A message as a mail: subject, text, the same as HTML, and by what it is recognised.
//!
//! How it is packed for the way is the sender's business (`delivery::smtp`).

mod html;
mod text;

use ring::digest::{SHA256, digest};

use super::outline::escape::{fit, head, unlinked};
use super::outline::{Context, Outline};
use super::update::{Dispatch, FindingUpdate};
use super::webhook;
use crate::text::hex;

/// Maximum length of a subject, in characters: more is not shown in a list, and it is within the 998 of a
/// line (RFC 5322, 2.1.1) also where each character is encoded.
pub const MAX_OF_SUBJECT: usize = 200;

/// A mail, without its addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    /// The subject: one line without control characters.
    pub subject: String,
    /// The content as plain text, its lines separated by `\n`.
    pub text: String,
    /// The content as HTML.
    pub html: String,
    /// The local part of `Message-ID`: the same for the same news, however often it is sent, and different for
    /// other news. Hexadecimal digits.
    pub id: String,
    /// The local part of what `References` and `In-Reply-To` name, the same for all mails of an episode;
    /// `None` if there are several findings. No mail has it as its own.
    pub thread: Option<String>,
}

impl Mail {
    /// The mail for a dispatch to that receiver.
    pub fn new(dispatch: &Dispatch, receiver: &str, context: Context) -> Self {
        let outline = Outline::new(dispatch, context);
        let phone = unlinked(&head(&outline.phone, MAX_OF_SUBJECT));
        let subject = fit(phone.into_iter().map(String::from), MAX_OF_SUBJECT, |text| text.chars().count());
        Self {
            subject,
            text: text::render(&outline),
            html: html::render(&outline),
            id: id(dispatch, receiver),
            thread: match dispatch.news() {
                [news] => Some(thread(news, receiver)),
                _ => None,
            },
        }
    }
}

/// What is told, and after what: a reminder says the same as the one before, and is another mail all the same.
fn id(dispatch: &Dispatch, receiver: &str) -> String {
    let before = |news: &FindingUpdate| news.before.as_ref().map(|before| before.at);
    let after: Vec<_> = dispatch.news().iter().map(before).collect();
    mark(&format!("{} {after:?}", webhook::id(dispatch, receiver)))
}

fn thread(news: &FindingUpdate, receiver: &str) -> String {
    mark(&format!("{receiver}\n{:?}", (news.finding.identity(), news.finding.episodes)))
}

fn mark(text: &str) -> String {
    hex(&digest(&SHA256, text.as_bytes()).as_ref()[..16])
}
