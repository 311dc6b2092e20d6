//! The upgrade from an earlier release: what it told stands in its objects.

use probehound::engine::Finding;
use probehound::report::object::{FindingObject, FindingState, Notified};

use super::world::World;
use crate::support::released;

#[test]
fn what_the_first_release_told_is_not_told_again_and_its_end_is_told_once() {
    let world = World::new();
    let mut findings = Vec::new();
    for object in released::objects() {
        world.api.put_object(&object);
        let object: FindingObject = serde_json::from_value(object).expect("an object");
        findings.push(object.finding().expect("a finding"));
    }
    for finding in &findings {
        world.say(finding, FindingState::Confirmed);
    }
    let _replica = world.start();
    world.stays_at(0);

    let one = &findings[0];
    world.say(&Finding { resolved_at: one.confirmed_at, ..one.clone() }, FindingState::Resolved);
    world.records(one, Notified::Resolved);
    let told = world.takes(1);
    assert!(told.len() == 1 && told[0].starts_with("RESOLVED: web (probehound-example)"), "{told:?}");
}
