//! Notifications: receivers and routes.

mod check;
pub mod raw;

pub use crate::delivery::settings::{Alertmanager, Notifications, Receiver, Timing, To, Webhook};
pub(super) use check::check;
