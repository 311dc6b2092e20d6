//! An operator that is killed, again and again.

use std::time::Duration;

use crate::clock;
use crate::installed::Installed;
use crate::player::{self, Recorder, Scene};
use crate::replayed::{self, Agreement};
use crate::support::random::Random;
use crate::told;

/// How often.
const DEATHS: u64 = 10;

/// The story, from its rollout to its end.
const LENGTH: Duration = Duration::from_secs(340);

/// Random seed.
const SEED: u64 = 5;

#[tokio::test]
async fn ten_deaths_during_one_story_lose_no_finding_and_double_none() {
    let installed = Installed::start("killed").await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let recorder = Recorder::start(&api);
    let settings = installed.settings("killed").await;
    let mut operator = settings.start(installed.cluster.folder());
    operator.until_ready().await;
    let scenes = [
        Scene::of("auth-service-outage", LENGTH).skipping(Duration::from_secs(90)),
        Scene::of("scaledown-k134", LENGTH),
        Scene::of("liveness-grpc-wrong-service", LENGTH),
    ];
    let start = clock::now().plus(Duration::from_secs(10));

    let playing = futures::future::join_all(scenes.iter().map(|scene| player::play(&api, scene, start)));
    let dying = async {
        let mut random = Random::new(SEED);
        let step = LENGTH.as_millis() as u64 / DEATHS;
        for death in 0..DEATHS {
            let at = start.plus(Duration::from_millis(death * step + random.below(step)));
            clock::sleep_until(at).await;
            operator.kill();
            operator = settings.start(installed.cluster.folder());
        }
    };
    tokio::join!(playing, dying);

    let namespaces: Vec<String> = scenes.iter().map(Scene::namespace).collect();
    let told =
        replayed::as_replayed(&installed.cluster, recorder, &namespaces, Agreement::Whole, Duration::from_mins(1))
            .await;
    assert_eq!(told.len(), scenes.len(), "{told:#?}");
    for object in told::objects(&api).await {
        assert_eq!(object["status"]["episodes"], 1, "no death begins a new episode: {object:#}");
    }
}
