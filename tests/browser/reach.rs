//! Who reaches the page how: below a prefix, by keyboard, and what the page itself reaches.

use tokio::net::TcpStream;

use crate::browser::{Browser, SOON};
use crate::harness::{Folder, Process, installed, ports, waiting};
use crate::{DESK, LINK, count, open, serve, with_findings};

/// Tinyproxy as a reverse proxy, which strips the prefix.
#[tokio::test(flavor = "multi_thread")]
async fn below_the_prefix_of_a_real_proxy_it_is_styled_live_and_linked() {
    let Some(program) = installed(&["tinyproxy"]) else { return };
    let Some(browser) = Browser::start().await else { return };
    let (served, changes) = serve();
    let (folder, port) = (Folder::new("prefix"), ports::free());
    let settings = format!(
        "Port {port}\nListen 127.0.0.1\nTimeout 600\nAllow 127.0.0.1\nReverseOnly Yes\n\
         ReversePath \"/tools/hound/\" \"{}\"\n",
        served.url("/")
    );
    let arguments = ["-d".to_owned(), "-c".to_owned(), folder.write("tinyproxy.conf", &settings).display().to_string()];
    let _proxy = Process::start("tinyproxy", &program, &arguments, &[], &folder.file("tinyproxy.log"));
    waiting::eventually("the proxy listens", SOON, async || TcpStream::connect(("127.0.0.1", port)).await).await;

    browser.open(&format!("http://127.0.0.1:{port}/tools/hound/ui/"), DESK).await;
    browser.until("#live-state", "live").await;
    served.publish(&open(&changes));
    browser.until(LINK, "asks for a path that the app does not serve").await;
    browser.click(LINK).await;
    browser.until("h1", "asks for a path").await;
    browser.until("#live-state", "live").await;
    let face = browser.eval("return getComputedStyle(document.querySelector('.finding section')).borderRadius").await;
    assert_ne!(face, "0px", "it has its style");
    let address = browser.eval("return location.pathname").await.to_string();
    assert!(address.starts_with("\"/tools/hound/ui/finding/"), "{address}");
    browser.click(".actions a").await;
    browser.until(LINK, "asks for a path").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_alone_reach_the_finding_and_a_change_does_not_take_the_focus_away() {
    const FOCUSED: &str = "return document.activeElement.id || document.activeElement.textContent";
    let Some(browser) = Browser::start().await else { return };
    let (served, changes) = serve();
    served.publish(&open(&changes));
    browser.open(&served.url("/ui/"), DESK).await;
    browser.until(LINK, "asks for a path").await;
    browser.until("#live-state", "live").await;
    browser.press("Tab").await;
    assert_eq!(browser.eval(FOCUSED).await, "Skip to the findings");
    browser.press("Enter").await;
    assert_eq!(browser.eval(FOCUSED).await, "main");
    let mut steps = 0;
    while !browser.eval(FOCUSED).await.to_string().contains("asks for a path") {
        browser.press("Tab").await;
        steps += 1;
        assert!(steps < 12, "the finding is not reached");
    }
    let outline = browser.eval("return getComputedStyle(document.activeElement).outlineStyle").await;
    assert_ne!(outline, "none", "who uses keys sees where they are");
    browser.eval("document.querySelector('.list').dataset.old = '1'").await;
    served.publish(&open(&changes));
    waiting::eventually("the list is loaded anew", SOON, async || {
        let old = count(&browser, ".list[data-old]").await;
        if old == 0 { Ok(()) } else { Err(old) }
    })
    .await;
    assert!(browser.eval(FOCUSED).await.to_string().contains("asks for a path"), "the focus was lost");
    browser.press("Enter").await;
    browser.until("h1", "asks for a path").await;
    browser.close().await;
}

/// What the other tests rely on: that they would notice.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_another_host_would_be_counted() {
    let Some(browser) = Browser::start().await else { return };
    let served = with_findings().await;
    browser.open(&served.url("/ui/"), DESK).await;
    browser.until(LINK, "asks for a path").await;
    assert_eq!(browser.asked_outside(), Vec::<String>::new());
    browser.open("about:blank", DESK).await;
    browser.later("fetch('http://elsewhere.example/').catch(() => {}).then(arguments[arguments.length - 1])").await;
    assert!(browser.asked_outside().iter().any(|line| line.contains("elsewhere.example")));
    browser.close().await;
}
