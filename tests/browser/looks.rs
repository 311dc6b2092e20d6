//! How page, report and picture look: the screenshots in `kept`, of which the README shows some.

use std::path::Path;

use probehound::report::picture::{self, Rules};
use probehound::time::Time;

use crate::browser::{Browser, SHOTS, save};
use crate::shots::{SHARE, compared, difference};
use crate::support::page::{Played, Served};
use crate::{LINK, PHONE, detail, report_of, support, with_findings_at};

/// Their window: small, since they are kept.
const LAPTOP: (u32, u32) = (1024, 768);

/// The time of all screenshots.
fn now() -> Time {
    Time::parse("2026-11-30T15:00:00Z").expect("a time")
}

#[tokio::test(flavor = "multi_thread")]
async fn page_report_and_picture_look_as_they_did() {
    let Some(browser) = Browser::start().await else { return };
    let served = with_findings_at(now).await;
    let (list, finding) = (served.url("/ui/"), detail(&browser, &served).await);
    let outage = Played::ending(now(), support::incident("auth-service-outage").recording());
    let (report, picture) = (report_of(&outage, "report-kept.html"), picture_of(&outage));
    let mut failures = Vec::new();
    for (name, url, window, colours) in [
        ("page-list", &list, LAPTOP, "light"),
        ("page-list-dark", &list, LAPTOP, "dark"),
        ("page-list-phone", &list, PHONE, "light"),
        ("page-finding", &finding, LAPTOP, "light"),
        ("page-finding-dark", &finding, LAPTOP, "dark"),
        ("page-finding-phone", &finding, PHONE, "light"),
        ("report", &report, LAPTOP, "light"),
        ("picture", &picture, LAPTOP, "light"),
        ("picture-dark", &picture, LAPTOP, "dark"),
    ] {
        browser.prefer(colours).await;
        browser.open(url, window).await;
        if url.starts_with("http") {
            browser.until("#live-state", "live").await;
        }
        failures.extend(compared(&browser, name).await.err());
    }
    support::assert_none("screenshots", &failures);
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_colour_and_another_layout_do_not_look_as_they_did() {
    let Some(browser) = Browser::start().await else { return };
    let served = with_findings_at(now).await;
    for (what, rule) in [
        ("another ground", "body { background: #e0d4c0 }"),
        ("a narrower column", "main { max-width: 40rem }"),
        ("a line above the list", ".list { margin-top: 3rem }"),
        ("findings of another colour", ".list > li { background: #cfe0ff }"),
    ] {
        let shown = list(&browser, &served).await;
        assert!(shown <= SHARE, "before: {shown}");
        // A sheet of the document: the page's own script puts other elements into the list.
        let sheet = "const sheet = new CSSStyleSheet(); sheet.replaceSync(arguments[0]); \
                     document.adoptedStyleSheets = [sheet]; arguments[1]()";
        browser.later_with(sheet, &serde_json::json!([rule])).await;
        let taken = browser.shoot("changed").await;
        let share = difference(&browser, "page-list", "changed", &taken).await.expect("it can be compared");
        println!("{what}: {share}");
        assert!(share > SHARE, "{what}: {share}");
    }
    browser.close().await;
}

/// Opens the list, and compares it.
async fn list(browser: &Browser, served: &Served) -> f64 {
    browser.prefer("light").await;
    browser.open(&served.url("/ui/"), LAPTOP).await;
    browser.until(LINK, "asks for a path").await;
    browser.until("#live-state", "live").await;
    let taken = browser.shoot("changed").await;
    difference(browser, "page-list", "changed", &taken).await.expect("it can be compared")
}

/// The picture of the outage, as a file.
fn picture_of(outage: &Played) -> String {
    let finding = outage.engine.findings().into_iter().next().expect("one");
    let incident = outage.engine.incident(&finding.identity());
    let svg = picture::draw(&finding, &incident, outage.end, Rules::Within);
    save("incident.svg", svg.as_bytes());
    format!("file://{}", Path::new(SHOTS).join("incident.svg").display())
}
