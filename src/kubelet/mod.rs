//! What the kubelet reports and does: its event messages as typed failures and kills, and the timing of its
//! probes. Pure and total: any text in, never a panic.

mod address;
mod event_message;
mod exec;
mod failure;
mod network;
mod probe;
mod quoted;
mod redirect;
mod runtime;
mod shell;
mod start;
mod timing;

pub use address::{asked_port, dialed};
pub use event_message::{EventMessage, Killing, parse};
pub use failure::{Failure, Obstacle};
pub use probe::{Handler, HttpGet, Port, ProbeKind, ProbeSpec, Scheme};
pub use redirect::Redirect;
pub use start::{ConfigKind, StartFailure, start_error};
pub use timing::Timing;
