//! The receivers.

use std::collections::BTreeSet;

use serde_saphyr::Spanned;

use super::email::relay;
use super::network::{network, source};
use super::template::template;
use super::values::{api, peer, receiver_name, user};
use super::{Key, MAX_PEERS, MAX_RECEIVERS, RESEND, span};
use crate::config::check::Checker;
use crate::config::notifications::{Alertmanager, Pager, Receiver, To, Webhook, raw};
use crate::config::value::quoted;
use crate::config::written::Text;
use crate::delivery::receiver::alertmanager::Credentials;
use crate::delivery::secret::{Secret, SecretSource};

/// The types of receivers.
const HINT: &str = "give it one of slack, teams, discord, googleChat, pagerDuty, opsgenie, webhook, email, \
                    events and alertmanager";

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
        (To::Events, To::Events) => true,
        (To::Email(one), To::Email(other)) => one.to == other.to,
        (To::PagerDuty(one), To::PagerDuty(other)) | (To::Opsgenie(one), To::Opsgenie(other)) => {
            (&one.url, &one.key) == (&other.url, &other.key)
        }
        _ => url(one).is_some_and(|one| Some(one) == url(other)),
    }
}

/// Where the address of a webhook comes from.
const fn url(to: &To) -> Option<&SecretSource> {
    match to {
        To::Slack(webhook)
        | To::Teams(webhook)
        | To::Discord(webhook)
        | To::GoogleChat(webhook)
        | To::Webhook { webhook, .. } => Some(&webhook.url),
        To::PagerDuty(_) | To::Opsgenie(_) | To::Email(_) | To::Events | To::Alertmanager(_) => None,
    }
}

fn receiver(key: &Key, raw: &raw::Receiver, checker: &mut Checker) -> Option<Receiver> {
    let name = checker.read(&key.of("name"), raw.name.as_ref(), receiver_name);
    if raw.name.is_none() {
        checker.refuse(key.at, &key.path, "it has no name", "give it a name: of its team or channel");
    }
    let types = types(key, raw, checker);
    match types.as_slice() {
        [_] => {}
        [] => checker.refuse(key.at, &key.path, "it does not say what it is", HINT),
        _ => {
            let words: Vec<&str> = types.iter().map(|(word, _)| *word).collect();
            let what = format!("a receiver has exactly one type; this has {}", words.join(" and "));
            checker.refuse(key.at, &key.path, what, HINT);
        }
    }
    Some(Receiver { name: name?, to: types.into_iter().next()?.1? })
}

/// A kind of chat: its key, what stands there, and what it becomes.
type ChatKind<'a> = (&'static str, &'a Option<raw::Chat>, fn(Webhook) -> To);

/// The types that it names; a type that is not valid is `None`.
fn types(key: &Key, raw: &raw::Receiver, checker: &mut Checker) -> Vec<(&'static str, Option<To>)> {
    let mut found = Vec::new();
    let chats: [ChatKind; 4] = [
        ("slack", &raw.slack, To::Slack),
        ("teams", &raw.teams, To::Teams),
        ("discord", &raw.discord, To::Discord),
        ("googleChat", &raw.google_chat, To::GoogleChat),
    ];
    for (word, raw, to) in chats {
        let Some(raw) = raw else { continue };
        let (file, env) = (raw.url_file.as_ref(), raw.url_env.as_ref());
        found.push((word, webhook(key, word, (file, env), raw.network(), checker).map(to)));
    }
    found.extend(raw.pager_duty.as_ref().map(|raw| ("pagerDuty", pagerduty(key, raw, checker).map(To::PagerDuty))));
    found.extend(raw.opsgenie.as_ref().map(|raw| ("opsgenie", opsgenie(key, raw, checker).map(To::Opsgenie))));
    found.extend(raw.webhook.as_ref().map(|raw| ("webhook", signed_webhook(key, raw, checker))));
    found.extend(raw.email.as_ref().map(|raw| ("email", relay(key, raw, checker).map(To::Email))));
    found.extend(raw.events.as_ref().map(|_| ("events", Some(To::Events))));
    let alertmanager = raw.alertmanager.as_ref();
    found.extend(alertmanager.map(|raw| ("alertmanager", alertmanagers(key, raw, checker).map(To::Alertmanager))));
    found
}

fn webhook(
    key: &Key,
    word: &str,
    (file, env): (Option<&Text>, Option<&Text>),
    raw: raw::Network,
    checker: &mut Checker,
) -> Option<Webhook> {
    let within = Key { at: key.at, path: key.of(word) };
    let url = source(&within, "url", file, env, checker);
    if url.is_none() && file.is_none() && env.is_none() {
        const HINT: &str = "write urlFile or urlEnv: the address is a password and has no place in this file";
        checker.refuse(key.at, &within.path, "its address is missing", HINT);
    }
    let network = network(&within, raw, checker);
    Some(Webhook { url: url?, network })
}

fn pagerduty(key: &Key, raw: &raw::PagerDuty, checker: &mut Checker) -> Option<Pager> {
    const AT: [&str; 2] = ["https://events.pagerduty.com", "https://events.eu.pagerduty.com"];
    let within = Key { at: key.at, path: key.of("pagerDuty") };
    let source = source(&within, "routingKey", raw.routing_key_file.as_ref(), raw.routing_key_env.as_ref(), checker);
    if raw.routing_key_file.is_none() && raw.routing_key_env.is_none() {
        const HINT: &str =
            "write routingKeyFile or routingKeyEnv: where the key of an Events API v2 integration stands";
        checker.refuse(key.at, &within.path, "its key is missing", HINT);
    }
    let url = api_of(&within, AT, raw.region, raw.url.as_ref(), checker);
    let network = network(&within, raw.network(), checker);
    Some(Pager { url: url?, key: source?, network })
}

fn opsgenie(key: &Key, raw: &raw::Opsgenie, checker: &mut Checker) -> Option<Pager> {
    const AT: [&str; 2] = ["https://api.opsgenie.com", "https://api.eu.opsgenie.com"];
    let within = Key { at: key.at, path: key.of("opsgenie") };
    let source = source(&within, "apiKey", raw.api_key_file.as_ref(), raw.api_key_env.as_ref(), checker);
    if raw.api_key_file.is_none() && raw.api_key_env.is_none() {
        const HINT: &str = "write apiKeyFile or apiKeyEnv: where the key of an API integration stands";
        checker.refuse(key.at, &within.path, "its key is missing", HINT);
    }
    let url = api_of(&within, AT, raw.region, raw.url.as_ref(), checker);
    let network = network(&within, raw.network(), checker);
    Some(Pager { url: url?, key: source?, network })
}

/// The address that is written, or that of the region: `[us, eu]`.
fn api_of(
    key: &Key,
    [us, eu]: [&str; 2],
    region: Option<raw::Region>,
    url: Option<&Text>,
    checker: &mut Checker,
) -> Option<Secret> {
    let Some(url) = url else {
        return Some(Secret::new(match region.unwrap_or_default() {
            raw::Region::Us => us,
            raw::Region::Eu => eu,
        }));
    };
    if region.is_some() {
        checker.refuse(url.referenced, &key.path, "both url and region", "write one of them");
    }
    checker.read(&key.of("url"), Some(url), api)
}

fn signed_webhook(key: &Key, raw: &raw::Webhook, checker: &mut Checker) -> Option<To> {
    let within = Key { at: key.at, path: key.of("webhook") };
    let signing_key =
        source(&within, "signingKey", raw.signing_key_file.as_ref(), raw.signing_key_env.as_ref(), checker);
    let template = template(&within, raw, checker);
    let (file, env) = (raw.url_file.as_ref(), raw.url_env.as_ref());
    let webhook = webhook(key, "webhook", (file, env), raw.network(), checker)?;
    Some(To::Webhook { webhook, signing_key, template })
}

fn alertmanagers(key: &Key, raw: &raw::Alertmanager, checker: &mut Checker) -> Option<Alertmanager> {
    let within = Key { at: key.at, path: key.of("alertmanager") };
    if raw.urls.is_empty() || raw.urls.len() > MAX_PEERS {
        let what = format!("it has {} addresses", raw.urls.len());
        checker.refuse(key.at, &within.of("urls"), what, "name one to eight: each peer of a cluster of Alertmanagers");
    }
    let urls = raw.urls.iter().take(MAX_PEERS);
    let peers: Vec<Secret> = urls.filter_map(|url| checker.read(&within.of("urls"), Some(url), peer)).collect();
    let resend_every = span(&within.of("resendEvery"), raw.resend_every.as_ref(), 10, checker).unwrap_or(RESEND);
    let credentials = credentials(&within, raw, checker);
    let network = network(&within, raw.network(), checker);
    (!peers.is_empty()).then_some(Alertmanager { peers, credentials, resend_every, network })
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
