//! Time passing for many workloads at once.

use std::sync::Arc;
use std::time::Duration;

use probehound::engine::{ContainerId, Owner, PodSnapshot, Settings, State, Terminated};
use probehound::time::Time;

use crate::engine::world::{World, pod};

/// How many findings are confirmed, and in how many rounds of that many looks.
fn told_by(most: usize) -> (usize, usize) {
    let mut world = World::new(Settings { own_ends: 1, ..Settings::default() });
    let mut pods: Vec<_> = (0..100).map(|number| pod_of(&world, &format!("app-{number}"))).collect();
    world.show_all(&pods);
    world.wait(60);
    for pod in &mut pods {
        restart(pod, world.now);
        world.show(pod);
    }
    let mut longest = 0;
    for seconds in [15, 30, 45, 60] {
        let later = world.now.plus(Duration::from_secs(seconds));
        let mut rounds = 0;
        while world.engine.next_deadline().is_some_and(|due| due <= later) {
            world.engine.tick_some(later, most);
            rounds += 1;
            assert!(rounds <= 1000, "each look leaves less to do");
        }
        longest = longest.max(rounds);
    }
    let confirmed = world.engine.findings().iter().filter(|finding| finding.confirmed_at.is_some()).count();
    (confirmed, longest)
}

fn pod_of(world: &World, name: &str) -> PodSnapshot {
    let owner = Some(Owner { kind: Arc::from("StatefulSet"), name: Arc::from(name) });
    PodSnapshot { owner, ..pod(world, "shop", &format!("{name}-0")) }
}

fn restart(pod: &mut PodSnapshot, at: Time) {
    let container = &mut pod.containers[0];
    let State::Running { since } = container.state else { panic!("it runs") };
    container.last = Some(Terminated {
        id: container.id,
        exit: 1,
        reason: Arc::from("Error"),
        started: since,
        finished: Some(at),
        message: None,
    });
    container.restarts = 1;
    container.id = Some(ContainerId(1));
    container.state = State::Running { since: Some(at) };
}

#[test]
fn of_many_that_are_due_as_many_are_looked_at_as_was_asked_for_and_in_the_end_all() {
    assert_eq!(told_by(usize::MAX), (100, 1));
    assert_eq!(told_by(16), (100, 7));
}
