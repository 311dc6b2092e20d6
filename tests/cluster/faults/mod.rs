//! Faults between the operator and its API server, or in the operator itself.

mod away;
mod flood;
mod killed;
mod lacking;
mod refused;
mod replicas;
mod sending;
mod silent;
mod undecodable;

use std::time::Duration;

use crate::harness::{Api, clock};
use crate::operator::Operator;
use crate::player::{self, Played, Scene};
use crate::told;

/// Plays a scene in its own namespace, starting a few seconds from now.
async fn play(api: &Api, scene: &Scene) -> Played {
    let played = player::play(api, scene, clock::now().plus(Duration::from_secs(2))).await;
    assert!(played.refused.is_empty(), "the server refused: {:#?}", played.refused);
    played
}

/// The incident for tests that need just one: confirmed by its second kill, after nine seconds.
fn short(namespace: &str, length: Duration) -> Scene {
    Scene::of("liveness-http-wrong-port", length).in_namespace(namespace)
}

/// Whether a namespace has exactly one finding, with that cause.
async fn has_finding(api: &Api, namespace: &str, cause: &str) -> Result<(), String> {
    let told = told::by_objects(api, &[namespace.to_owned()]).await;
    match &told[..] {
        [one] if one.cause == cause => Ok(()),
        told => Err(format!("{told:?}")),
    }
}

/// Whether a watch of a resource is up, or down.
async fn watch_is(operator: &Operator, resource: &str, up: bool) -> Result<(), String> {
    let value = operator.metrics().await.sum("probehound_watch_up", &[&format!("resource=\"{resource}\"")]);
    if value == Some(u64::from(up)) { Ok(()) } else { Err(format!("probehound_watch_up is {value:?}")) }
}
