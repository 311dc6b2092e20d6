//! The page for people: what is wrong now, the findings with the picture of their incidents, and what was
//! resolved in the last day.
//!
//! Invariants:
//! - It only reads: GET and HEAD, and nothing that a request says changes anything.
//! - Whatever a cluster or a request contains, no answer contains script or style that is not ours, and the
//!   policy in its headers allows no other.
//! - With authentication nobody sees a finding of a namespace whose findings the API server does not let
//!   them list; where it does not answer, nobody sees anything.
//! - Bounded: connections, streams, findings of a page, renderings that are kept.
//! - All links are relative: it works behind any prefix that a proxy strips.

mod access;
mod archive;
mod filter;
mod list;
mod show;
mod site;
mod stream;

pub use access::Access;
pub use archive::{Archive, follow};
pub use show::Sources;
pub use site::Site;

use std::time::Duration;

use super::http::{Limits, Patience};

/// The limits for visitors: a browser has one connection for the stream of changes and some for all else.
pub fn limits() -> Limits {
    Limits {
        connections: 600,
        grace: Duration::from_secs(1),
        request: Duration::from_mins(1),
        answer: Duration::from_secs(20),
        patience: Patience::PerPart,
        life: Duration::from_mins(15),
    }
}
