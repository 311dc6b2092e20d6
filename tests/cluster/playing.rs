//! The player itself: what it writes is what was recorded.

use std::time::Duration;

use futures::future::join_all;

use crate::harness::{ControlPlane, clock};
use crate::player::{self, Recorder, Scene};
use crate::support::replay;

#[tokio::test]
async fn what_is_played_and_recorded_again_gives_the_same_findings() {
    let cluster = ControlPlane::start("playing").await;
    let _witness = cluster.witness();
    let api = cluster.admin();
    let recorder = Recorder::start(&api);
    let length = Duration::from_secs(40);
    let late = |name, skip| Scene::of(name, length).skipping(Duration::from_secs(skip));
    let scenes = [
        late("auth-service-outage", 90),
        late("agents-k134", 40),
        late("chart-k134", 40),
        late("media-k134", 40),
        late("dependency-outage-k130", 55),
        late("scaledown-k134", 0),
        late("control-healthy-k130", 0),
        late("churn-k134", 0),
        late("crash-exit-1-k130", 0),
        late("oom-killed", 0),
        late("liveness-http-wrong-port", 0),
        late("liveness-exec-missing-binary", 0),
        late("readiness-http-404", 0),
        late("job-onfailure-liveness", 0),
        late("job-never-liveness", 0),
        late("sidecar-liveness", 0),
        late("pod-bare-liveness-404", 0),
        late("startup-probe-failing", 0),
        late("fulfil-k137", 0),
        late("image-pull-not-found", 0),
        late("reporting-k134", 0),
    ];
    let start = clock::now().plus(Duration::from_secs(8));
    let played = join_all(scenes.iter().map(|scene| player::play(&api, scene, start))).await;
    let recording = recorder.stop();
    for (p, scene) in played.iter().zip(&scenes) {
        println!("{} {} lines, {} {:#?}", scene.incident(), p.lines, p.lag, p.refused);
    }
    std::fs::write("/tmp/again.jsonl", recording.bytes()).unwrap();
    let again = replay(&recording);
    for f in again.confirmed() {
        println!(
            "{} {} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            f.namespace,
            f.brief(),
            f.field,
            f.current,
            f.suggested,
            f.revision,
            f.change.as_ref().and_then(|c| c.by.clone()),
            f.pods,
            f.resolved_at
        );
    }
}
