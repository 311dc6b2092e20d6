//! At the end of an input nothing is waited for.

use probehound::engine::{ChangeKind, Settings};

use crate::engine::world::{World, pod};

#[test]
fn what_waits_for_its_event_is_said_when_nothing_more_will_be_heard() {
    let mut world = World::new(Settings::default());
    let mut it = pod(&world, "shop", "web-1");
    world.show(&it);
    for _ in 0..3 {
        world.replace(&mut it, 1);
    }
    let of_the_last = |world: &mut World| world.said().iter().any(|(kind, _)| *kind == ChangeKind::Confirmed);
    assert!(!of_the_last(&mut world), "the event of the last end may still come");
    world.engine.settle();
    assert!(of_the_last(&mut world));
}
