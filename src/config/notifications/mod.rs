//! Who is told, and of what.

mod check;
pub mod raw;

pub use crate::delivery::settings::{Alertmanager, Notifications, Receiver, Timing, To, Webhook};
pub(super) use check::check;
