//! Two hours of churn, and of faults around an operator: `make soak`.

mod compare;
#[allow(dead_code, reason = "the stories and the worlds use the rest")]
#[path = "../../../kubelet/mod.rs"]
mod kubelet;
mod line;
mod receiver;
mod recorder;
mod sample;
mod story;
mod troubles;

use std::time::Duration;

use futures::future::join_all;
use probehound::time::Time;

use crate::clock;
use crate::harness::{Signal, waiting};
use crate::installed::Installed;
use crate::operator::Operator;
use crate::player::{self, Gate, Played, Scene};
use line::Course;
use recorder::Recorder;
use sample::Sample;
use troubles::Stage;

/// The duration, in minutes: `MINUTES=30 make soak`.
const MINUTES: &str = "MINUTES";
const DEFAULT: u64 = 120;
const MINUTE: Duration = Duration::from_mins(1);
/// After the last change of the story: time to send what is due, and for all watches to catch up.
const SETTLING: Duration = Duration::from_secs(90);
/// Time within which a process ends when asked to.
const ENDED: Duration = Duration::from_secs(30);
/// Minimum length, in minutes, of a run with a slope: shorter ones show how it warms up.
const ENOUGH: u64 = 60;

#[tokio::test]
#[ignore = "it takes hours: make soak"]
async fn a_soak() {
    let minutes = std::env::var(MINUTES).ok().and_then(|minutes| minutes.parse().ok()).unwrap_or(DEFAULT);
    let installed = Installed::start("soak").await;
    let _witness = installed.cluster.witness();
    let recorder = Recorder::start(&installed.cluster).await;
    let gate = Gate::default();
    let mut stage = Stage::set(&installed, gate.clone()).await;

    let start = clock::now().plus(Duration::from_secs(5));
    let (played, samples) =
        tokio::join!(play(&installed, &gate, start, minutes), watch(&mut stage, &recorder, start, minutes));
    tokio::time::sleep(SETTLING).await;
    let end = clock::now();
    let replayed = recorder.finish().await;
    stage.end().await;

    said(&played, &samples);
    let problems = [
        stage.wrong(),
        samples.wrong(minutes >= ENOUGH),
        compare::wrong(&stage.webhook.episodes(), &replayed, &stage.disturbances, end),
    ];
    let problems = problems.concat();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What happens in the cluster.
async fn play(installed: &Installed, gate: &Gate, start: Time, minutes: u64) -> Vec<Played> {
    let api = installed.cluster.admin();
    let length = MINUTE * u32::try_from(minutes).expect("no soak of years");
    let scenes =
        story::all(length).into_iter().map(|(namespace, story)| Scene::recorded_elsewhere(namespace, story, length));
    let scenes: Vec<Scene> = scenes.collect();
    join_all(scenes.iter().map(|scene| player::play_through(&api, scene, start, gate))).await
}

/// Prints a line per minute, and causes a fault after each.
async fn watch(stage: &mut Stage<'_>, recorder: &Recorder, start: Time, minutes: u64) -> Course {
    let mut course = Course::default();
    println!("{}", Sample::HEAD);
    for minute in 1..=minutes {
        clock::sleep_until(start.plus(MINUTE * minute as u32)).await;
        let sample = Sample::of(minute, stage, recorder).await;
        println!("{sample}");
        course.add(sample);
        // The last minutes are undisturbed, so that the end can be compared.
        if minute + 2 <= minutes {
            stage.disturb(minute).await;
        }
    }
    course
}

fn said(played: &[Played], course: &Course) {
    let lines: usize = played.iter().map(|played| played.lines).sum();
    let refused: Vec<&String> = played.iter().flat_map(|played| &played.refused).collect();
    println!(
        "\n{lines} changes were written; {} were refused: {:?}",
        refused.len(),
        refused.iter().take(3).collect::<Vec<_>>()
    );
    for played in played {
        println!("  late: {}", played.lag);
    }
    println!("{course}");
}

/// Ends it as a cluster does.
async fn ends(name: &str, operator: &mut Operator) -> Vec<String> {
    operator.signal(Signal::Terminate);
    let status = waiting::eventually("it ends", ENDED, async || operator.has_ended().ok_or("it runs")).await;
    let log = operator.log();
    let mut wrong = Vec::new();
    if !status.success() {
        wrong.push(format!("{name} ended with {status}"));
    }
    for words in ["panicked", "A task did not come to its end"] {
        wrong.extend(log.lines().filter(|line| line.contains(words)).map(|line| format!("{name}: {line}")));
    }
    wrong
}
