//! The engine by its public API: observations in, changes and counts out.

mod counts;
mod judged;
mod lists;
mod orders;
mod passes;
mod remembered;
mod settings;
mod settle;
mod static_pods;
mod tenants;
mod ticks;
mod world;
