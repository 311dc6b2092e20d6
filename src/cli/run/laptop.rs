//! `run` by hand, on a person's own machine: findings on standard output, in the format of `scan`.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::net::Ipv4Addr;

use crate::config::{Listen, Overrides};
use crate::engine::Finding;
use crate::operator::console::{Console, Turn};
use crate::report::headline::subject;
use crate::report::text::Look;
use crate::report::text::block::{Depth, Page};
use crate::report::when::{clock, lasted, span};
use crate::runtime::clock::now;
use crate::text::escape::terminal;
use crate::time::Time;

/// Maximum length of a name, in columns.
const NAME: usize = 300;

/// Whether a person is watching, and this is not a pod.
pub fn is_one() -> bool {
    io::stdout().is_terminal() && std::env::var_os("KUBERNETES_SERVICE_HOST").is_none()
}

/// Listens only on loopback, unless configured otherwise.
pub fn keep_to_itself(overrides: &mut Overrides, has_file: bool) {
    let own = Listen { host: Some(Ipv4Addr::LOCALHOST.into()), ..Listen::default() };
    if !has_file {
        overrides.listen.get_or_insert(own);
    }
}

/// Shows findings on standard output. A reader that closes it has seen enough.
pub fn console(look: Look) -> Console {
    Console::new(move |turn, finding| {
        let mut out = io::stdout().lock();
        let _ = out.write_all(shown(turn, finding, look, now()).as_bytes()).and_then(|()| out.flush());
    })
}

fn shown(turn: Turn, finding: &Finding, look: Look, now: Time) -> String {
    let mut text = String::new();
    let name = terminal(&subject(finding), NAME);
    let at = clock(now);
    let written = match turn {
        Turn::Confirmed => Page { look, out: &mut text, at: now }.block(finding, Depth::Short),
        Turn::Resolved => writeln!(text, "resolved  {name}: after {}, at {at} UTC", span(lasted(finding, now))),
        Turn::Withdrawn => writeln!(text, "withdrawn {name}: another finding took its place, at {at} UTC"),
    };
    debug_assert!(written.is_ok(), "a string takes everything");
    text.push('\n');
    text
}
