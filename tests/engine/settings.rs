//! The number of restarts that confirm a finding is a setting.

use std::sync::Arc;
use std::time::Duration;

use probehound::engine::Settings;
use probehound::kubelet::Handler;

use crate::engine::world::{World, container, pod, template_with};

/// Number of restarts by own terminations until something is confirmed.
fn own_ends_until_confirmed(settings: Settings) -> Option<u32> {
    let mut world = World::new(settings);
    let mut it = pod(&world, "shop", "web-1");
    world.show(&it);
    (1..20).find(|_| {
        world.restart(&mut it, 1);
        world.confirms()
    })
}

/// Number of kills by a refused probe until something is confirmed.
fn kills_until_confirmed(settings: Settings) -> Option<u32> {
    let mut world = World::new(settings);
    let mut it = pod(&world, "shop", "web-1");
    world.show(&it);
    (1..20).find(|_| {
        world.kill_refusing(&mut it);
        world.confirms()
    })
}

#[test]
fn by_default_the_second_kill_or_the_third_own_end_confirms() {
    assert_eq!(own_ends_until_confirmed(Settings::default()), Some(3));
    assert_eq!(kills_until_confirmed(Settings::default()), Some(2));
}

#[test]
fn other_numbers_confirm_sooner_or_later() {
    for ends in 1..=Settings::MAX_ENDS {
        let own = Settings { own_ends: ends, ..Settings::default() };
        assert_eq!(own_ends_until_confirmed(own), Some(ends));
        let kills = Settings { probe_kills: ends, ..Settings::default() };
        assert_eq!(kills_until_confirmed(kills), Some(ends));
    }
}

#[test]
fn none_counts_as_one_and_too_many_as_the_most() {
    let settings = |ends| Settings { own_ends: ends, ..Settings::default() };
    assert_eq!(own_ends_until_confirmed(settings(0)), Some(1));
    assert_eq!(own_ends_until_confirmed(settings(u32::MAX)), Some(Settings::MAX_ENDS));
}

#[test]
fn restarts_outside_the_window_are_no_loop() {
    let window = Settings { window: Duration::from_secs(8), ..Settings::default() };
    assert_eq!(own_ends_until_confirmed(window), None);
}

#[test]
fn a_first_list_is_measured_by_the_same_numbers() {
    for (restarts, ends, confirms) in [(3, 3, true), (3, 4, false), (4, 4, true), (1, 1, true)] {
        let mut world = World::new(Settings { own_ends: ends, ..Settings::default() });
        let mut it = pod(&world, "shop", "web-1");
        World::new(Settings::default()).restart(&mut it, 1);
        it.containers[0].restarts = restarts;
        world.wait(9);
        world.show(&it);
        world.wait(12);
        assert_eq!(world.confirms(), confirms, "{restarts} restarts of {ends}");
    }
}

#[test]
fn settings_that_are_reloaded_hold_from_then_on() {
    let mut world = World::new(Settings::default());
    let mut it = pod(&world, "shop", "web-1");
    world.show(&it);
    for _ in 0..3 {
        world.restart(&mut it, 1);
    }
    assert!(world.confirms());
    world.engine.set_settings(Settings { own_ends: 7, ..Settings::default() });
    let mut other = pod(&world, "bank", "web-2");
    world.show(&other);
    for _ in 0..4 {
        world.restart(&mut it, 1);
        world.restart(&mut other, 1);
    }
    assert!(!world.confirms(), "four are not enough now");
    let finding = &world.engine.findings()[1];
    assert!(&*finding.namespace == "shop" && finding.confirmed_at.is_some(), "what was confirmed stays: {finding:?}");
    world.engine.set_settings(Settings { own_ends: 0, ..Settings::default() });
    world.restart(&mut other, 1);
    assert!(world.confirms());
}

#[test]
fn what_exec_probes_print_can_be_left_out() {
    let printed = |exec_output| {
        let mut world = World::new(Settings { exec_output, ..Settings::default() });
        let mut pod = pod(&world, "shop", "web-1");
        let mut checked = container("app");
        let liveness = Arc::make_mut(checked.liveness.as_mut().expect("it has one"));
        liveness.handler = Handler::Exec(Box::from([Arc::from("check")]));
        pod.template = template_with([checked].into_iter().collect());
        world.show(&pod);
        for round in 0..3 {
            let words = "Liveness probe failed: queue hunter2 is stuck";
            world.event(&pod, 100 + 10 * round, "Unhealthy", words, 2);
            world.wait(5);
            world.event(&pod, 101 + 10 * round, "Killing", "Container app failed liveness probe, will be restarted", 1);
            let until = world.now;
            world.restart_ended(&mut pod, 137, until);
        }
        world.wait(60);
        format!("{:?}", world.engine.findings())
    };
    assert!(printed(true).contains("queue hunter2 is stuck"), "{}", printed(true));
    assert!(!printed(false).contains("hunter2"), "{}", printed(false));
    assert!(printed(false).contains("bytes left out)"), "{}", printed(false));
}
