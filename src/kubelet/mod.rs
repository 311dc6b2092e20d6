//! What the kubelet reports and does: its event messages as typed failures and kills, and the timing of its
//! probes. Pure and total: any text in, never a panic.

mod address;
mod exec;
mod failure;
mod message;
mod network;
mod probe;
mod quoted;
mod redirect;
mod runtime;
mod shell;
mod start;
mod timing;

pub use address::{asked_port, dialed};
pub use failure::{Failure, Obstacle};
pub use message::{EventMessage, Killing, parse};
pub use probe::{Handler, HttpGet, Port, ProbeKind, ProbeSpec, Scheme};
pub use redirect::Redirect;
pub use start::{ConfigKind, StartFailure, start_error};
