//! The receivers.

use std::collections::BTreeSet;

use serde_saphyr::Spanned;

use super::values::{path, peer, receiver_name, user, variable};
use super::{Key, MAX_PEERS, MAX_RECEIVERS, RESEND, span};
use crate::config::check::Checker;
use crate::config::notifications::{Alertmanager, Receiver, To, Webhook, raw};
use crate::config::value::quoted;
use crate::config::written::Text;
use crate::delivery::receiver::alertmanager::Credentials;
use crate::delivery::secret::{Secret, SecretSource};

/// Checks the receivers.
pub(super) fn receivers(raw: &[Spanned<raw::Receiver>], checker: &mut Checker) -> Vec<Receiver> {
    if let Some(over) = raw.get(MAX_RECEIVERS) {
        let what = format!("more than {MAX_RECEIVERS} receivers");
        checker.refuse(over.referenced, "notifications.receivers", what, "let one webhook pass on to several");
    }
    let (mut all, mut names) = (Vec::new(), BTreeSet::new());
    for (place, raw) in raw.iter().take(MAX_RECEIVERS).enumerate() {
        let key = Key { at: raw.referenced, path: format!("notifications.receivers[{place}]") };
        let Some(receiver) = receiver(&key, &raw.value, checker) else { continue };
        if !names.insert(receiver.name.clone()) {
            let what = format!("there is already a receiver {}", quoted(&receiver.name));
            checker.refuse(key.at, &key.path, what, "give each receiver a name of its own");
        }
        if all.iter().any(|other: &Receiver| is_same_place(&other.to, &receiver.to)) {
            let what = "another receiver has the same address";
            checker.refuse(key.at, &key.path, what, "let several routes lead to one receiver: it keeps its pace");
        }
        all.push(receiver);
    }
    all
}

fn is_same_place(one: &To, other: &To) -> bool {
    match (one, other) {
        (To::Slack(one), To::Slack(other)) | (To::Webhook { webhook: one, .. }, To::Webhook { webhook: other, .. }) => {
            one.url == other.url
        }
        (To::Events, To::Events) => true,
        _ => false,
    }
}

/// `slack and webhook`
fn types(raw: &raw::Receiver) -> String {
    let set = [
        ("slack", raw.slack.is_some()),
        ("webhook", raw.webhook.is_some()),
        ("events", raw.events.is_some()),
        ("alertmanager", raw.alertmanager.is_some()),
    ];
    let set: Vec<&str> = set.into_iter().filter_map(|(word, is_set)| is_set.then_some(word)).collect();
    set.join(" and ")
}

fn receiver(key: &Key, raw: &raw::Receiver, checker: &mut Checker) -> Option<Receiver> {
    const HINT: &str = "give it one of slack, webhook, events and alertmanager";
    let name = checker.read(&key.of("name"), raw.name.as_ref(), receiver_name);
    if raw.name.is_none() {
        checker.refuse(key.at, &key.path, "it has no name", "give it a name: of its team or channel");
    }
    let mut found = Vec::new();
    found.extend(raw.slack.as_ref().map(|raw| {
        let (file, env) = (raw.url_file.as_ref(), raw.url_env.as_ref());
        webhook(key, "slack", file, env, raw.ca_file.as_ref(), checker).map(To::Slack)
    }));
    found.extend(raw.webhook.as_ref().map(|raw| signed_webhook(key, raw, checker)));
    found.extend(raw.events.as_ref().map(|_| Some(To::Events)));
    found.extend(raw.alertmanager.as_ref().map(|raw| alertmanager(key, raw, checker).map(To::Alertmanager)));
    match found.len() {
        0 => checker.refuse(key.at, &key.path, "it does not say what it is", HINT),
        1 => {}
        _ => {
            let what = format!("a receiver has exactly one type; this has {}", types(raw));
            checker.refuse(key.at, &key.path, what, HINT);
        }
    }
    Some(Receiver { name: name?, to: found.into_iter().next()?? })
}

fn webhook(
    key: &Key,
    word: &str,
    file: Option<&Text>,
    env: Option<&Text>,
    ca_file: Option<&Text>,
    checker: &mut Checker,
) -> Option<Webhook> {
    let within = Key { at: key.at, path: key.of(word) };
    let url = source(&within, "url", file, env, checker);
    if url.is_none() && file.is_none() && env.is_none() {
        const HINT: &str = "write urlFile or urlEnv: the address is a password and has no place in this file";
        checker.refuse(key.at, &within.path, "its address is missing", HINT);
    }
    let ca_file = checker.read(&within.of("caFile"), ca_file, path);
    Some(Webhook { url: url?, ca_file })
}

fn signed_webhook(key: &Key, raw: &raw::Webhook, checker: &mut Checker) -> Option<To> {
    let within = Key { at: key.at, path: key.of("webhook") };
    let signing_key =
        source(&within, "signingKey", raw.signing_key_file.as_ref(), raw.signing_key_env.as_ref(), checker);
    let (file, env) = (raw.url_file.as_ref(), raw.url_env.as_ref());
    let webhook = webhook(key, "webhook", file, env, raw.ca_file.as_ref(), checker)?;
    Some(To::Webhook { webhook, signing_key })
}

fn alertmanager(key: &Key, raw: &raw::Alertmanager, checker: &mut Checker) -> Option<Alertmanager> {
    let within = Key { at: key.at, path: key.of("alertmanager") };
    if raw.urls.is_empty() || raw.urls.len() > MAX_PEERS {
        let what = format!("it has {} addresses", raw.urls.len());
        checker.refuse(key.at, &within.of("urls"), what, "name one to eight: each peer of a cluster of Alertmanagers");
    }
    let urls = raw.urls.iter().take(MAX_PEERS);
    let peers: Vec<Secret> = urls.filter_map(|url| checker.read(&within.of("urls"), Some(url), peer)).collect();
    let resend_every = span(&within.of("resendEvery"), raw.resend_every.as_ref(), 10, checker).unwrap_or(RESEND);
    let credentials = credentials(&within, raw, checker);
    let ca_file = checker.read(&within.of("caFile"), raw.ca_file.as_ref(), path);
    (!peers.is_empty()).then_some(Alertmanager { peers, credentials, resend_every, ca_file })
}

fn credentials(key: &Key, raw: &raw::Alertmanager, checker: &mut Checker) -> Option<Credentials> {
    let password = source(key, "password", raw.password_file.as_ref(), raw.password_env.as_ref(), checker);
    let token = source(key, "token", raw.token_file.as_ref(), raw.token_env.as_ref(), checker);
    let user = checker.read(&key.of("username"), raw.username.as_ref(), user);
    match (user, password, token) {
        (None, None, None) => None,
        (Some(user), Some(password), None) => Some(Credentials::Basic { user, password }),
        (None, None, Some(token)) => Some(Credentials::Bearer(token)),
        _ => {
            const HINT: &str = "write username with passwordFile or passwordEnv, or else tokenFile or tokenEnv";
            checker.refuse(key.at, &key.path, "its credentials are incomplete, or of two kinds", HINT);
            None
        }
    }
}

/// `NAMEFile` or `NAMEEnv`.
fn source(
    key: &Key,
    name: &str,
    file: Option<&Text>,
    env: Option<&Text>,
    checker: &mut Checker,
) -> Option<SecretSource> {
    if let (Some(file), Some(_)) = (file, env) {
        let what = format!("both {name}File and {name}Env");
        checker.refuse(file.referenced, &key.path, what, "write one of them");
        return None;
    }
    let file = checker.read(&key.of(&format!("{name}File")), file, path).map(SecretSource::File);
    file.or_else(|| checker.read(&key.of(&format!("{name}Env")), env, variable).map(SecretSource::Variable))
}
