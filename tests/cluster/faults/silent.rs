//! A peer that says nothing any more, and keeps its connections open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{has_finding, play, short, watch_is};
use crate::harness::clock::Stopwatch;
use crate::harness::waiting;
use crate::installed::Installed;
use crate::proxy::{HttpProxy, Mode, Rule, TcpProxy};

/// Within this a silence has to be noticed.
const NOTICED: Duration = Duration::from_secs(15);

/// The longest pause between two attempts, and what they take.
const BACK: Duration = Duration::from_secs(45);

#[tokio::test]
async fn a_watch_that_goes_silent_is_noticed_and_resumed() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    let api = installed.cluster.admin();
    api.create_namespace("silent").await;
    let proxy = TcpProxy::start(installed.cluster.port());
    let settings = installed.settings_at("silent", &proxy.url()).await.watching(&["silent"]);
    let operator = settings.start(installed.cluster.folder());
    operator.until_ready().await;

    proxy.set(Mode::Silent);
    let since = Stopwatch::start();
    for resource in ["pods", "events"] {
        waiting::eventually("the silence is noticed", NOTICED, async || watch_is(&operator, resource, false).await)
            .await;
    }
    println!("a silent watch is noticed after {:.1?}", since.elapsed());
    assert!(since.elapsed() < NOTICED, "{:?}", since.elapsed());

    let scene = short("silent", Duration::from_secs(20));
    let playing = play(&api, &scene);
    let talking = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        proxy.set(Mode::Pass);
        for resource in ["pods", "events"] {
            waiting::eventually("it watches again", BACK, async || watch_is(&operator, resource, true).await).await;
        }
    };
    tokio::join!(playing, talking);
    waiting::eventually("nothing was missed", BACK, async || has_finding(&api, "silent", "WrongPort").await).await;
}

#[tokio::test]
async fn a_list_that_is_never_answered_is_noticed_and_asked_for_again() {
    let installed = Installed::shared().await;
    let _witness = installed.cluster.witness();
    installed.cluster.admin().create_namespace("silent-list").await;
    let is_silent = Arc::new(AtomicBool::new(true));
    let silence = Arc::clone(&is_silent);
    let proxy = HttpProxy::start(&installed.cluster.url(), installed.cluster.ca(), move |request| {
        let is_list = request.uri.path().ends_with("/pods") && silence.load(Ordering::Relaxed);
        if is_list { Rule::Silence } else { Rule::Pass }
    });
    let settings = installed.settings_at("silent-list", &proxy.url()).await.watching(&["silent-list"]);

    let operator = settings.start(installed.cluster.folder());

    let noticed = waiting::eventually("the silence is noticed", NOTICED, async || {
        let errors = operator.metrics().await.sum("probehound_watch_errors_total", &["resource=\"pods\""]);
        errors.filter(|count| *count > 0).ok_or(errors)
    })
    .await;
    println!("a silent list is noticed within {NOTICED:?}: {noticed} errors");
    operator.get("/livez").await.expect("it is alive all the same");
    operator.get("/readyz").await.expect_err("it has read nothing yet");
    is_silent.store(false, Ordering::Relaxed);
    operator.until_ready().await;
}
