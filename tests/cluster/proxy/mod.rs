//! Proxies between the operator and its API server that disturb the traffic.

pub mod http;
pub mod serve;
pub mod tcp;

pub use http::{HttpProxy, Rule};
pub use serve::Server;
pub use tcp::{Mode, TcpProxy};
