//! Five thousand pods: their cost for the operator, and for an informer.

use std::time::Duration;

use super::crowd;
use super::usage::{self, Usage, mebibytes};
use crate::harness::clock::Stopwatch;
use crate::harness::{ControlPlane, Process, waiting};
use crate::operator::Settings;

/// How many pods.
const PODS: usize = 5_000;

/// How long to wait for things to settle.
const SETTLING: Duration = Duration::from_mins(1);

/// Far more than a first list takes.
const READY: Duration = Duration::from_mins(3);

/// What one of them needed.
#[derive(Debug)]
struct Cost {
    until_ready: Duration,
    /// The API server's processor time until then.
    served: Duration,
    settled: Usage,
}

#[tokio::test]
#[ignore = "it measures for minutes: make bench-cluster"]
async fn five_thousand_pods() {
    let cluster = ControlPlane::start("crowd").await;
    let _witness = cluster.witness();
    let api = cluster.admin();
    let since = Stopwatch::start();
    crowd::make(&api, PODS).await;
    println!("{PODS} pods of {} bytes, made in {:.0?}", crowd::mean_size(&api).await, since.elapsed());

    let kubeconfig = cluster.admin_kubeconfig();
    let informer = of_the_informer(&cluster, &kubeconfig).await;
    let probehound = of_probehound(&cluster, Settings::new("measured", kubeconfig)).await;

    report(&probehound, &informer);
}

async fn of_the_informer(cluster: &ControlPlane, kubeconfig: &std::path::Path) -> Cost {
    let (folder, before) = (cluster.folder(), usage::of(cluster.api_server_pid()));
    let envs = [("KUBECONFIG".to_owned(), kubeconfig.display().to_string())];
    let program = crate::harness::control_plane::program("informer");
    let since = Stopwatch::start();
    let informer = Process::start("informer", &program, &[], &envs, &folder.file("informer.log"));
    let is_ready = async || if informer.log().contains("ready") { Ok(()) } else { Err(informer.last_words()) };
    waiting::eventually("the informer is ready", READY, is_ready).await;
    let until_ready = since.elapsed();
    let served = usage::of(cluster.api_server_pid()).processor.saturating_sub(before.processor);
    tokio::time::sleep(SETTLING).await;
    Cost { until_ready, served, settled: usage::of(informer.pid()) }
}

async fn of_probehound(cluster: &ControlPlane, settings: Settings) -> Cost {
    let before = usage::of(cluster.api_server_pid());
    let since = Stopwatch::start();
    let operator = settings.start(cluster.folder());
    operator.until_ready().await;
    let until_ready = since.elapsed();
    let served = usage::of(cluster.api_server_pid()).processor.saturating_sub(before.processor);
    tokio::time::sleep(SETTLING).await;
    assert_eq!(operator.metrics().await.sum("probehound_tracked_pods", &[]), Some(PODS as u64));
    Cost { until_ready, served, settled: usage::of(operator.pid()) }
}

fn report(probehound: &Cost, informer: &Cost) {
    println!("\n{:12}{:>14}{:>14}{:>12}{:>12}{:>12}", "", "settled", "peak", "ready", "processor", "API server");
    for (name, cost) in [("probehound", probehound), ("informer", informer)] {
        println!(
            "{name:12}{:>14}{:>14}{:>12}{:>12}{:>12}",
            mebibytes(cost.settled.resident),
            mebibytes(cost.settled.peak),
            format!("{:.1?}", cost.until_ready),
            format!("{:.2?}", cost.settled.processor),
            format!("{:.2?}", cost.served),
        );
    }
    let ratio = |a: u64, b: u64| a as f64 / b as f64;
    println!(
        "\nsettled, of the informer's: 1/{:.1} (goal: 1/10)",
        ratio(informer.settled.resident, probehound.settled.resident)
    );
    println!("peak, of settled: {:.2} (goal: 1.25)", ratio(probehound.settled.peak, probehound.settled.resident));
    println!("ready: {:.1?} to {:.1?} (goal: no later)", probehound.until_ready, informer.until_ready);
    println!(
        "ready, of the informer's: {:.2} (goal: 0.8)",
        probehound.until_ready.div_duration_f64(informer.until_ready)
    );
    println!(
        "processor, of the informer's: {:.2} (goal: 0.2)",
        probehound.settled.processor.div_duration_f64(informer.settled.processor)
    );
    println!(
        "the API server's, of the informer's: {:.2} (goal: 0.6)\n",
        probehound.served.div_duration_f64(informer.served)
    );
}
