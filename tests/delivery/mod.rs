//! Delivery: receivers, routes, policy and timing of notifications.

mod alerting;
mod annotated;
mod chats;
mod forged;
mod hostile;
mod mails;
mod model;
mod notify;
mod outage;
mod paging;
mod policy;
mod properties;
mod proxies;
mod receiver;
mod receivers;
mod released;
mod rendered;
mod rules;
mod running;
pub mod samples;
mod secure;
mod services;
mod settings;
mod slack;
mod templates;
mod world;
