//! From the raw section to a validated one.

mod email;
mod network;
mod receivers;
mod routes;
mod template;
mod values;

use std::time::Duration;

use serde_saphyr::Location;

use super::{Notifications, Timing, raw};
use crate::config::annotations::raw::Annotations;
use crate::config::check::Checker;
use crate::config::value::{duration, quoted};
use crate::config::written::Text;
use crate::delivery::route::Routes;
use receivers::receivers;
use routes::{routes, unreached};
pub(in crate::config) use values::{hours, zone};

/// Maximum number of receivers: each has its entry in each `Finding` object.
const MAX_RECEIVERS: usize = 20;
/// Maximum number of routes: each finding is checked against each of them.
const MAX_ROUTES: usize = 200;
/// Maximum number of Alertmanager peers: each is sent everything.
const MAX_PEERS: usize = 8;
/// Default interval at which firing alerts are resent.
const RESEND: Duration = Duration::from_mins(1);

/// Checks the section.
///
/// A receiver that annotations may name needs no route.
pub(in crate::config) fn check(
    raw: &raw::Notifications,
    annotations: &Annotations,
    checker: &mut Checker,
) -> Notifications {
    let receivers = receivers(&raw.receivers, checker);
    let routes = routes(&raw.routes, &receivers, checker);
    if !raw.routes.is_empty() {
        unreached(&raw.receivers, &routes, annotations, checker);
    }
    Notifications { receivers, routes: Routes(routes), timing: timing(raw, checker) }
}

fn timing(raw: &raw::Notifications, checker: &mut Checker) -> Timing {
    let default = Timing::default();
    let digest_above = match &raw.digest_above {
        None => default.digest_above,
        Some(count) if (1..=100).contains(&count.value) => count.value as usize,
        Some(count) => {
            let what = format!("{} is not from 1 to 100", count.value);
            checker.refuse(count.referenced, "notifications.digestAbove", what, "the default is 5");
            default.digest_above
        }
    };
    Timing {
        changes_every: span("notifications.changesEvery", raw.changes_every.as_ref(), 60, checker)
            .unwrap_or(default.changes_every),
        remind_every: span("notifications.remindEvery", raw.remind_every.as_ref(), 300, checker),
        digest_above,
    }
}

/// A duration of at least that many seconds and at most a week.
fn span(key: &str, raw: Option<&Text>, least: u64, checker: &mut Checker) -> Option<Duration> {
    let text = raw?;
    let span = checker.read(key, Some(text), duration)?;
    if (least..=7 * 86_400).contains(&span.as_secs()) {
        return Some(span);
    }
    let what = format!("{} is not from {}s to 7d", quoted(&text.value), least);
    checker.refuse(text.referenced, key, what, "write 5m, 4h or 1d");
    None
}

/// The position of a mapping, and its key.
struct Key {
    at: Location,
    path: String,
}

impl Key {
    fn of(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
}
