//! Notifications: receivers and routes.

mod check;
pub mod raw;

pub use crate::delivery::settings::{Alertmanager, Notifications, Pager, Receiver, Template, Timing, To, Webhook};
pub(super) use check::{check, hours, zone};
