//! What stands between the operator and its API server, to spoil what passes.

pub mod http;
pub mod serve;
pub mod tcp;

pub use http::{HttpProxy, Rule};
pub use serve::Server;
pub use tcp::{Mode, TcpProxy};
