//! The server for `/metrics`, `/livez` and `/readyz`.
//!
//! Invariants:
//! - `/livez` depends on nothing but the driver's loop, never on the API server.
//! - A client that is slow, silent or one of hundreds takes nothing from the others: connections, requests,
//!   time and buffers are bounded, and when all connections are in use the oldest one is closed.
//! - The gate protects only `/metrics`: kubelet probes need no token.

mod answer;
mod gate;
mod health;
mod io_timeout;
mod review;
mod serve;
mod tokens;

pub use answer::{Pages, Site};
pub use gate::{Gate, Verdict};
pub use health::{Awaited, Heartbeat, Readiness};
pub use io_timeout::Patience;
pub use review::{Account, Asked, Review, bearer};
pub use serve::{Answers, BindError, Limits, Server};
pub use tokens::{FRESH, Tokens, mark};
