//! The page and the report in a real browser: a part of `make e2e`.

mod browser;
#[path = "../cluster/harness/mod.rs"]
mod harness;
mod looks;
mod reach;
mod shots;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use browser::{Browser, SHOTS, SOON, save};
use harness::waiting;
use probehound::engine::{Change, ChangeKind, Finding};
use probehound::finding::Identity;
use probehound::operator::page;
use probehound::report::case::Case;
use probehound::report::html::Report;
use probehound::runtime::clock;
use probehound::time::Time;
use support::page::{Played, Served};

/// The windows: a desk, a phone, a wall.
const DESK: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (360, 740);
const WALL: (u32, u32) = (3840, 2160);

/// A finding's link in the list.
const LINK: &str = ".list h2 a";

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_appears_while_somebody_looks_and_moves_when_it_is_over() {
    let Some(browser) = Browser::start().await else { return };
    let (served, changes) = serve();
    browser.open(&served.url("/ui/"), DESK).await;
    browser.until("#live", "Nothing is open").await;
    browser.until("#live-state", "live").await;
    served.publish(&open(&changes));
    browser.until(LINK, "asks for a path that the app does not serve").await;
    browser.until("#news", "1 open").await;
    served.publish(changes.last().expect("it is over"));
    browser.until(".list .resolved", "resolved").await;
    browser.until("#live", "Nothing is open").await;
    assert_eq!(browser.asked_outside(), Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_is_filtered_opened_and_its_command_copied() {
    let Some(browser) = Browser::start().await else { return };
    let served = with_findings().await;
    browser.open(&served.url("/ui/"), DESK).await;
    browser.until(LINK, "asks for a path").await;
    let all = count(&browser, ".list > li").await;
    browser.types("input[name=text]", "auth").await;
    browser.click(".filter button").await;
    browser.until(".filter a", "Show all").await;
    assert!(count(&browser, ".list > li").await < all);
    browser.click(LINK).await;
    browser.until("h1", "asks for a path").await;
    assert!(count(&browser, ".picture .killed").await > 10);
    browser.allow_clipboard().await;
    browser.click(".command button").await;
    browser.until("#news", "Copied").await;
    let copied = browser.later("navigator.clipboard.readText().then(arguments[arguments.length - 1], String)").await;
    assert_eq!(copied, browser.eval("return document.querySelector('.command code').textContent").await);
    assert!(browser.text(".evidence").await.contains("404"));
    assert_eq!(browser.asked_outside(), Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_works_without_script() {
    let Some(browser) = Browser::start().await else { return };
    browser.disable_scripts().await;
    let served = with_findings().await;
    browser.open(&served.url("/ui/?text=auth"), DESK).await;
    browser.until(LINK, "asks for a path").await;
    assert!(!browser.text("#live-state").await.contains("live"), "the script did run");
    browser.click(LINK).await;
    browser.until("h1", "asks for a path").await;
    assert_eq!(browser.text(".command button").await, "");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_wider_than_a_phone_and_lines_stay_readable_on_a_wall() {
    let Some(browser) = Browser::start().await else { return };
    let served = with_findings().await;
    let detail = detail(&browser, &served).await;
    for (name, url) in [("list", served.url("/ui/")), ("detail", detail)] {
        for (size, window) in [("phone", PHONE), ("desk", DESK), ("wall", WALL)] {
            browser.open(&url, window).await;
            let widths = browser.eval("return [document.documentElement.scrollWidth, innerWidth]").await;
            assert!(widths[0].as_f64() <= widths[1].as_f64(), "{name} on a {size}: {widths}");
            browser.shoot(&format!("{name}-{size}")).await;
        }
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn page_and_report_have_no_barriers_in_light_and_dark() {
    let Some(browser) = Browser::start().await else { return };
    let served = with_findings().await;
    for colours in ["light", "dark"] {
        browser.prefer(colours).await;
        let detail = detail(&browser, &served).await;
        let report = report();
        for (name, url) in [("list", served.url("/ui/")), ("detail", detail), ("report", report)] {
            browser.open(&url, DESK).await;
            browser.shoot(&format!("{name}-{colours}")).await;
            let violations = axe(&browser).await;
            assert_eq!(violations, Vec::<String>::new(), "{name}, {colours}");
        }
        let ground = browser.eval("return getComputedStyle(document.body).backgroundColor").await.to_string();
        assert_eq!(ground.contains("13, 18, 24"), colours == "dark", "{ground}");
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_the_outage_prints_on_three_pages_at_most() {
    let Some(browser) = Browser::start().await else { return };
    browser.open(&report(), DESK).await;
    let pdf = browser.print("report").await;
    let text = String::from_utf8_lossy(&pdf);
    // The tree of them is `/Pages`.
    let pages = text.matches("/Type /Page").count() - text.matches("/Type /Pages").count();
    assert!((1..=3).contains(&pages), "{pages}");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tenant_names_runs_nothing_and_breaks_no_policy() {
    const HOSTILE: &str = "\"><img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>";
    let Some(browser) = Browser::start().await else { return };
    let (served, changes) = serve();
    let change = open(&changes);
    let finding = Finding {
        container: HOSTILE.into(),
        workload: format!("Deployment/{HOSTILE}").into(),
        namespace: "a/b?c#d<e>".into(),
        ..(*change.finding).clone()
    };
    served.publish(&Change { finding: Arc::new(finding), ..change });
    browser.watch_policy().await;
    browser.open(&served.url("/ui/"), DESK).await;
    browser.until(LINK, "<script>").await;
    assert_eq!(browser.eval("return window.broken").await, 0);
    browser.click(LINK).await;
    browser.until("h1", "<script>").await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let title = browser.eval("return document.title").await.to_string();
    assert!(!title.starts_with("\"owned"), "{title}");
    assert_eq!(count(&browser, "img").await, 0);
    assert_eq!(browser.eval("return window.broken").await, 0);
    assert_eq!(browser.asked_outside(), Vec::<String>::new());
    browser.close().await;
}

async fn count(browser: &Browser, selector: &str) -> u64 {
    let script = format!("return document.querySelectorAll({}).length", serde_json::to_string(selector).expect("text"));
    browser.eval(&script).await.as_u64().expect("a number")
}

/// What axe-core finds, as rule and element.
async fn axe(browser: &Browser) -> Vec<String> {
    let file = Path::new(SHOTS).join("axe/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(file).expect("tests/browser/install has been run");
    browser.eval(&axe).await;
    let script = "const done = arguments[arguments.length - 1]; \
                  axe.run().then((found) => done(found.violations.flatMap((rule) => \
                  rule.nodes.map((node) => rule.id + ': ' + node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? '')))))";
    let found = browser.later(script).await;
    found.as_array().expect("a list").iter().map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
}

fn serve() -> (Served, Vec<Change>) {
    let Played { engine, changes, .. } = Played::of(support::incident("auth-service-outage").recording());
    (Served::start(engine, None), changes)
}

/// A page with the outage open, and others beside it.
async fn with_findings() -> Served {
    with_findings_at(clock::now).await
}

/// The same, at another time.
async fn with_findings_at(clock: fn() -> Time) -> Served {
    // Before anybody mends it.
    const LEFT: Duration = Duration::from_secs(355);
    let recording = support::incident("auth-service-outage").recording();
    let until = recording.end().minus(LEFT);
    let Played { engine, changes, .. } = Played::ending(clock(), &recording.filtered(|_, line| line.at <= until));
    let mut all = vec![open(&changes)];
    // None of them is worse.
    for name in
        ["liveness-http-deadlock", "liveness-grpc-wrong-service", "blocked-k133", "dependency-outage", "flapping"]
    {
        let played = Played::ending(clock(), support::incident(name).recording());
        all.extend(played.changes.into_iter().filter(|change| change.finding.confirmed_at.is_some()));
    }
    let served = Served::start_with(page::limits(), clock, engine, None);
    for change in &all {
        served.publish(change);
    }
    let last: BTreeMap<Identity, ChangeKind> =
        all.iter().map(|change| (change.finding.identity(), change.kind)).collect();
    let findings = last.values().filter(|kind| **kind != ChangeKind::Withdrawn).count();
    waiting::eventually("the page shows all findings", SOON, async || {
        let shown = served.shown();
        if shown == findings { Ok(()) } else { Err(shown) }
    })
    .await;
    served
}

/// The last change while the finding was open.
fn open(changes: &[Change]) -> Change {
    let is_open = |change: &&Change| change.finding.resolved_at.is_none() && change.finding.confirmed_at.is_some();
    let last = changes.iter().rev().find(is_open).expect("it was open");
    Change { kind: ChangeKind::Updated, ..last.clone() }
}

/// The address of the outage's page.
async fn detail(browser: &Browser, served: &Served) -> String {
    browser.open(&served.url("/ui/?text=auth"), DESK).await;
    browser.until(LINK, "asks for a path").await;
    browser.eval("return document.querySelector('.list h2 a').href").await.as_str().expect("a link").to_owned()
}

/// The address of a report of the outage.
fn report() -> String {
    report_of(&Played::of(support::incident("auth-service-outage").recording()), "report.html")
}

/// The address of a report, which is a file of that name.
fn report_of(played: &Played, name: &str) -> String {
    let findings = played.engine.findings();
    let case = |finding: &Arc<Finding>| Case {
        finding: Arc::clone(finding),
        incident: played.engine.incident(&finding.identity()),
        told: Vec::new(),
    };
    let cases: Vec<Case> = findings.iter().filter(|finding| finding.confirmed_at.is_some()).map(case).collect();
    let text = Report { source: "incident.jsonl.gz", at: played.end, cases: &cases, notes: &[] }
        .render()
        .expect("it can be written");
    save(name, text.as_bytes());
    format!("file://{}", Path::new(SHOTS).join(name).display())
}
