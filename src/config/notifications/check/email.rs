//! Mail.

use super::Key;
use super::network::source;
use super::values::{host, mail_address, path, user};
use crate::config::check::Checker;
use crate::config::notifications::raw;
use crate::delivery::smtp::{Address, Encryption, Login, Relay};

/// Maximum number of recipients: for more there are lists.
const MAX_RECIPIENTS: usize = 20;
/// How probehound introduces itself, unless the settings say otherwise.
const HELLO: &str = "localhost";

/// A relay, and the addresses of the mails.
pub(super) fn relay(key: &Key, raw: &raw::Email, checker: &mut Checker) -> Option<Relay> {
    let within = Key { at: key.at, path: key.of("email") };
    let encryption = match raw.encryption.unwrap_or_default() {
        raw::Encryption::StartTls => Encryption::StartTls,
        raw::Encryption::Tls => Encryption::Tls,
        raw::Encryption::None => Encryption::None,
    };
    for (value, what) in [(&raw.host, "host"), (&raw.from, "from")] {
        if value.is_none() {
            let hint = "write host, the mail server, from, the sender, and to, a list of recipients";
            checker.refuse(key.at, &within.path, format!("it has no {what}"), hint);
        }
    }
    let name = checker.read(&within.of("host"), raw.host.as_ref(), host);
    let from = checker.read(&within.of("from"), raw.from.as_ref(), mail_address);
    Some(Relay {
        port: port(&within, raw, encryption, checker),
        encryption,
        ca_file: checker.read(&within.of("caFile"), raw.ca_file.as_ref(), path),
        login: login(&within, raw, encryption, checker),
        hello: checker.read(&within.of("hello"), raw.hello.as_ref(), host).unwrap_or_else(|| HELLO.to_owned()),
        to: recipients(&within, raw, checker)?,
        host: name?,
        from: from?,
    })
}

/// The port that is written, or the usual one (RFC 8314, RFC 6409, RFC 5321).
fn port(key: &Key, raw: &raw::Email, encryption: Encryption, checker: &mut Checker) -> u16 {
    let usual = match encryption {
        Encryption::StartTls => 587,
        Encryption::Tls => 465,
        Encryption::None => 25,
    };
    let Some(port) = &raw.port else { return usual };
    match u16::try_from(port.value) {
        Ok(port) if port > 0 => port,
        _ => {
            checker.refuse(port.referenced, &key.of("port"), format!("{} is no port", port.value), "587, 465 or 25");
            usual
        }
    }
}

fn login(key: &Key, raw: &raw::Email, encryption: Encryption, checker: &mut Checker) -> Option<Login> {
    let password = source(key, "password", raw.password_file.as_ref(), raw.password_env.as_ref(), checker);
    let user = checker.read(&key.of("username"), raw.username.as_ref(), user);
    match (user, password) {
        (Some(_), Some(_)) if encryption == Encryption::None => {
            const HINT: &str = "write encryption: startTls or tls";
            checker.refuse(key.at, &key.path, "a password is not sent without encryption", HINT);
            None
        }
        (Some(user), Some(password)) => Some(Login { user, password }),
        (None, None) => None,
        _ => {
            const HINT: &str = "write username with passwordFile or passwordEnv";
            checker.refuse(key.at, &key.path, "its credentials are incomplete", HINT);
            None
        }
    }
}

fn recipients(key: &Key, raw: &raw::Email, checker: &mut Checker) -> Option<Vec<Address>> {
    if raw.to.is_empty() || raw.to.len() > MAX_RECIPIENTS {
        let what = format!("it has {} recipients", raw.to.len());
        checker.refuse(key.at, &key.of("to"), what, "name one to twenty; a list has an address of its own");
    }
    let all = raw.to.iter().take(MAX_RECIPIENTS);
    let all: Vec<Address> = all.filter_map(|to| checker.read(&key.of("to"), Some(to), mail_address)).collect();
    (!all.is_empty()).then_some(all)
}
