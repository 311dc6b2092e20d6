//! Delivery: receivers, routes, policy and timing of notifications.

mod alerting;
mod forged;
mod hostile;
mod model;
mod notify;
mod outage;
mod policy;
mod properties;
mod receiver;
mod receivers;
mod rules;
mod running;
mod samples;
mod settings;
mod slack;
#[path = "../support/mod.rs"]
mod support;
mod world;
