//! A peer that stops sending, and keeps its connections open.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use probehound::time::Time;

use super::{has_finding, play, short, watch_is};
use crate::harness::{clock, waiting};
use crate::installed::Installed;
use crate::operator::Operator;
use crate::proxy::{HttpProxy, Mode, Rule, TcpProxy};

/// Time within which silence must be noticed.
const NOTICED: Duration = Duration::from_secs(15);

/// Time within which it is visible from outside, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The maximum pause between two attempts, and their duration.
const BACK: Duration = Duration::from_secs(90);

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

    let since = clock::now();
    proxy.set(Mode::Silent);
    for resource in ["pods", "events"] {
        waiting::eventually("the silence is noticed", PATIENCE, async || watch_is(&operator, resource, false).await)
            .await;
        noticed_in_time(&operator, resource, since);
    }

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
    let first = Arc::new(OnceLock::new());
    let (silence, asked) = (Arc::clone(&is_silent), Arc::clone(&first));
    let proxy = HttpProxy::start(&installed.cluster.url(), installed.cluster.ca(), move |request| {
        if request.uri.path().ends_with("/pods") && silence.load(Ordering::Relaxed) {
            asked.get_or_init(clock::now);
            Rule::Silence
        } else {
            Rule::Pass
        }
    });
    let settings = installed.settings_at("silent-list", &proxy.url()).await.watching(&["silent-list"]);

    let operator = settings.start(installed.cluster.folder());

    waiting::eventually("the silence is noticed", PATIENCE, async || {
        let errors = operator.metrics().await.sum("probehound_watch_errors_total", &["resource=\"pods\""]);
        errors.filter(|count| *count > 0).ok_or(errors)
    })
    .await;
    noticed_in_time(&operator, "pods", *first.get().expect("it asked"));
    operator.get("/livez").await.expect("it is alive all the same");
    operator.get("/readyz").await.expect_err("it has read nothing yet");
    is_silent.store(false, Ordering::Relaxed);
    operator.until_ready().await;
}

/// According to its own log it noticed soon that nothing arrives any more.
fn noticed_in_time(operator: &Operator, resource: &str, since: Time) {
    let words = ["A watch fails", &*format!("resource=\"{resource}\""), "error=\"timeout\""];
    let after = operator.logged(&words, since).expect("it says so").since(since);
    println!("silence about {resource} is noticed after {after:.1?}");
    assert!(after <= NOTICED, "not before {after:?}");
}
