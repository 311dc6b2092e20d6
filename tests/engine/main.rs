//! The engine by its front door: observations in, what it says and counts out.

mod counts;
mod lists;
mod orders;
mod remembered;
mod settings;
mod settle;
mod static_pods;
mod tenants;
mod ticks;
mod world;
