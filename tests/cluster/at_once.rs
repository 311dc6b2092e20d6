//! The main scenario: the 50-pod story and many other incidents at once, live, including the resulting
//! alerts.

use std::time::Duration;

use futures::future::join_all;

use crate::alerting::{Alerting, Wanted};
use crate::clock;
use crate::installed::Installed;
use crate::measured::usage;
use crate::player::{self, Lag, Recorder, Scene};
use crate::replayed::{self, Agreement};
use crate::support::replay;
use crate::told::{self, Told};

/// How long all of them are played: the story from ten seconds before its rollout to ten after the fix has
/// taken effect.
const LENGTH: Duration = Duration::from_secs(340);

/// Time to write what exists when the scenes begin.
const SETTING_UP: Duration = Duration::from_secs(10);

/// A player that is later than this still plays what happened, but not when: a kubelet's late writes may
/// look different from the recording.
const IN_TIME: Duration = Duration::from_secs(5);

/// Later than this the order in which two watches observe things is no longer that of a cluster that keeps
/// up: the engine compares whole seconds.
const LATE: Duration = Duration::from_secs(2);

/// No player is later than this on any usable machine: the run lasts only some ten minutes.
const TOO_LATE: Duration = Duration::from_mins(3);

/// The story's namespace.
const STORY: &str = "auth-prod";

/// The alert for the story, and words in its description.
const STORYS_ALERT: Wanted = Wanted {
    labels: &[
        ("namespace", STORY),
        ("workload", "auth-service"),
        ("cause", "WrongPath"),
        ("field", "livenessProbe.httpGet.path"),
        ("current", "/v2/health"),
        ("suggested", "/health"),
        ("severity", "critical"),
    ],
    words: &["WrongPath", "livenessProbe.httpGet.path is /v2/health", "What works: /health"],
};

/// The incidents, and how much of each has happened when they begin.
const SCENES: [(&str, u64); 21] = [
    ("auth-service-outage", 90),
    ("agents-k134", 40),
    ("chart-k134", 40),
    ("media-k134", 40),
    ("dependency-outage-k130", 55),
    ("scaledown-k134", 0),
    ("control-healthy-k130", 0),
    ("churn-k134", 0),
    ("crash-exit-1-k130", 0),
    ("oom-killed", 0),
    ("liveness-http-wrong-port", 0),
    ("liveness-exec-missing-binary", 0),
    ("readiness-http-404", 0),
    ("job-onfailure-liveness", 0),
    ("job-never-liveness", 0),
    ("sidecar-liveness", 0),
    ("pod-bare-liveness-404", 0),
    ("startup-probe-failing", 0),
    ("fulfil-k137", 0),
    ("image-pull-not-found", 0),
    ("reporting-k134", 0),
];

#[tokio::test]
async fn what_the_operator_says_is_what_a_replay_says_and_wakes_somebody_until_it_is_over() {
    let installed = Installed::start("at-once").await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    let recorder = Recorder::start(&api);
    let operator = installed.settings("at-once").await.start(installed.cluster.folder());
    operator.until_ready().await;
    let alerting = Alerting::start(installed.cluster.folder(), &operator.address()).await;
    let scenes = SCENES.map(|(incident, skip)| Scene::of(incident, LENGTH).skipping(Duration::from_secs(skip)));

    let start = clock::now().plus(SETTING_UP);
    let playing = join_all(scenes.iter().map(|scene| player::play(&api, scene, start)));
    let firing = async {
        if let Some(alerting) = &alerting {
            alerting.until_fires(&STORYS_ALERT, SETTING_UP + LENGTH).await;
        }
    };
    let (played, ()) = tokio::join!(playing, firing);

    let namespaces: Vec<String> = scenes.iter().map(Scene::namespace).collect();
    let lag = lag(&scenes, &played);
    let agreement = if lag.most() < LATE { Agreement::Whole } else { Agreement::NoContradiction };
    println!("all players: late by {lag}; compared with what was seen: {agreement:?}");
    let expected =
        replayed::as_replayed(&installed.cluster, recorder, &namespaces, agreement, Duration::from_mins(1)).await;
    let complaints = operator.complaints();
    let wrong: Vec<_> = complaints.iter().filter(|complaint| !is_of_a_busy_machine(complaint)).collect();
    assert!(wrong.is_empty(), "nobody needs to look at anything: {wrong:#?}");
    let used = usage::of(operator.pid());
    println!("the operator: {} at most, {:.1?} of processor", usage::mebibytes(used.peak), used.processor);
    check_the_playing(&scenes, &lag, &expected);
    check_the_story(&told::objects(&api).await);
    if let Some(alerting) = &alerting {
        alerting.until_over(&STORYS_ALERT).await;
    }
}

/// Whether the only problem is that the API server was slow: what was not written is written later, and
/// that is checked.
fn is_of_a_busy_machine(complaint: &str) -> bool {
    complaint.contains("trying again") && complaint.contains("no answer within")
}

/// How late everything played was written; nothing of it was refused.
fn lag(scenes: &[Scene], played: &[player::Played]) -> Lag {
    let mut lag = Lag::default();
    for (scene, played) in scenes.iter().zip(played) {
        lag.merge(&played.lag);
        assert!(played.refused.is_empty(), "{}: the server refused: {:#?}", scene.incident(), played.refused);
        println!("{}: {} lines, late by {}", scene.incident(), played.lines, played.lag);
    }
    lag
}

/// The players kept up, and what they played matches the recordings.
fn check_the_playing(scenes: &[Scene], lag: &Lag, expected: &[Told]) {
    assert!(lag.most() < TOO_LATE, "writes were held up for {:?}", lag.most());
    if lag.most() >= IN_TIME {
        println!("too late to be compared with what was recorded; with what was seen it is");
        return;
    }
    for scene in scenes {
        let alike = told::by_replay(&replay(&scene.recorded()), &[scene.recorded_namespace()]);
        let played: Vec<&Told> = expected.iter().filter(|told| told.namespace == scene.namespace()).collect();
        assert_eq!(alike.len(), played.len(), "{}: played, it looks otherwise: {played:#?}", scene.incident());
    }
}

/// One object contains everything: all pods, the rollout and who did it, and the resolution.
fn check_the_story(objects: &[serde_json::Value]) {
    let story: Vec<_> = objects.iter().filter(|object| object["metadata"]["namespace"] == STORY).collect();
    assert_eq!(story.len(), 1, "{story:#?}");
    let status = &story[0]["status"];
    assert_eq!(status["affected"], "50/50", "{status:#}");
    assert_eq!(status["state"], "Resolved", "{status:#}");
    assert_eq!(status["cause"], "WrongPath", "{status:#}");
    assert_eq!((&status["current"], &status["suggested"]), (&"/v2/health".into(), &"/health".into()), "{status:#}");
    assert_eq!(status["change"]["by"], "kubectl-edit", "{status:#}");
}
