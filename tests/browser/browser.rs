//! Debian's chromium, driven over `WebDriver`, of which the tests need eight requests.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Api, Folder, Process, installed, ports, waiting};

/// Where screenshots are put.
pub const SHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/browser");

/// The fonts of all screenshots.
const FONTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/fonts.conf");
/// Far more than a page needs, on a busy machine.
pub const SOON: Duration = Duration::from_mins(1);
/// First lines of requests.
type Outside = Arc<Mutex<Vec<String>>>;

/// What Debian's chromium shows in a new tab, and asks for although none is opened.
const NEW_TAB: &str = "start.duckduckgo.com";
/// What a machine for tests needs, and no request of the browser's own: those to sign in and for updates
/// have no switch, so they go nowhere.
const ARGUMENTS: [&str; 16] = [
    // With it the browser ends when the driver does, however that ends.
    "--remote-debugging-pipe",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-features=OptimizationHints,AutofillServerCommunication,MediaRouter,NetworkTimeServiceQuerying",
    "--gaia-url=http://127.0.0.1:9/",
    "--component-updater=url-source=http://127.0.0.1:9/",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
];
/// The name of an element's reference in answers.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with a profile of its own, which ends with the run.
pub struct Browser {
    api: Api,
    session: String,
    outside: Outside,
    _driver: Process,
    _folder: Folder,
}

impl Browser {
    /// Starts one; `None` where there is none and the test is passed over.
    ///
    /// # Panics
    /// There is none, and this is CI.
    pub async fn start() -> Option<Self> {
        let (chromium, driver) = (installed(&["chromium"])?, installed(&["chromedriver"])?);
        let (folder, port) = (Folder::new("browser"), ports::free());
        let fonts = [("FONTCONFIG_FILE".to_owned(), FONTS.to_owned())];
        let driver =
            Process::start("chromedriver", &driver, &[format!("--port={port}")], &fonts, &folder.file("driver.log"));
        let api = Api::anonymous(&format!("http://127.0.0.1:{port}"), "");
        waiting::eventually("the driver listens", SOON, async || {
            let answer = api.get("/status").await;
            if answer.is_success() { Ok(()) } else { Err(answer.refusal()) }
        })
        .await;
        let (outside, proxy) = proxy();
        let own = [
            format!("--user-data-dir={}", folder.file("profile").display()),
            format!("--proxy-server=127.0.0.1:{proxy}"),
        ];
        let arguments: Vec<String> = ARGUMENTS.iter().map(|one| (*one).to_owned()).chain(own).collect();
        let options = json!({"binary": chromium, "args": arguments});
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}});
        let session = api.create("/session", &wanted).await.expect("a session");
        let session = session["value"]["sessionId"].as_str().expect("an id").to_owned();
        Some(Self { api, session, outside, _driver: driver, _folder: folder })
    }

    /// Opens an address in a window of that size.
    pub async fn open(&self, url: &str, (width, height): (u32, u32)) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
        self.post("url", &json!({"url": url})).await;
    }

    /// Prefers `light` or `dark` colours.
    pub async fn prefer(&self, colours: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": colours}]});
        self.cdp("Emulation.setEmulatedMedia", features).await;
    }

    /// Turns scripts of pages off.
    pub async fn disable_scripts(&self) {
        self.cdp("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
    }

    /// Counts in `window.broken` of every page what its policy forbids.
    pub async fn watch_policy(&self) {
        let source = "window.broken = 0; addEventListener('securitypolicyviolation', () => { window.broken++; })";
        self.cdp("Page.addScriptToEvaluateOnNewDocument", json!({"source": source})).await;
    }

    /// The text of the first element that a selector finds; empty if there is none.
    pub async fn text(&self, selector: &str) -> String {
        let Some(element) = self.find(selector).await else { return String::new() };
        let answer = self.api.get(&self.path(&format!("element/{element}/text"))).await;
        answer.body["value"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an element has such a text.
    pub async fn until(&self, selector: &str, words: &str) {
        waiting::eventually(&format!("{selector} says {words:?}"), SOON, async || {
            let text = self.text(selector).await;
            if text.contains(words) { Ok(()) } else { Err(text) }
        })
        .await;
    }

    /// Clicks the first element that a selector finds.
    pub async fn click(&self, selector: &str) {
        let element = self.find(selector).await.expect(selector);
        self.post(&format!("element/{element}/click"), &json!({})).await;
    }

    /// Types into an element.
    pub async fn types(&self, selector: &str, text: &str) {
        let element = self.find(selector).await.expect(selector);
        self.post(&format!("element/{element}/value"), &json!({"text": text})).await;
    }

    /// Presses `Tab` or `Enter`.
    pub async fn press(&self, key: &str) {
        let (code, text) = if key == "Tab" { (9, "") } else { (13, "\r") };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            self.cdp("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Lets pages read and write the clipboard.
    pub async fn allow_clipboard(&self) {
        let permissions = json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
        self.cdp("Browser.grantPermissions", permissions).await;
    }

    /// The value of a script.
    pub async fn eval(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({"script": script, "args": []})).await
    }

    /// The value that a script passes to its last argument.
    pub async fn later(&self, script: &str) -> Value {
        self.later_with(script, &json!([])).await
    }

    /// The same, with arguments before that one.
    pub async fn later_with(&self, script: &str, arguments: &Value) -> Value {
        self.post("execute/async", &json!({"script": script, "args": arguments})).await
    }

    /// What is in the window, as PNG; saved as `target/browser/NAME.png`.
    pub async fn shoot(&self, name: &str) -> Vec<u8> {
        let shot = self.cdp("Page.captureScreenshot", json!({"format": "png"})).await;
        let png = decoded(&shot["data"]);
        save(&format!("{name}.png"), &png);
        png
    }

    /// The page as it is printed; saved as `target/browser/NAME.pdf`.
    pub async fn print(&self, name: &str) -> Vec<u8> {
        let printed = self.cdp("Page.printToPDF", json!({"preferCSSPageSize": true, "printBackground": true})).await;
        let pdf = decoded(&printed["data"]);
        save(&format!("{name}.pdf"), &pdf);
        pdf
    }

    /// The requests for what is not on this machine, by their first lines.
    pub fn asked_outside(&self) -> Vec<String> {
        let all = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|line| !line.contains(NEW_TAB)).cloned().collect()
    }

    /// Ends it.
    pub async fn close(self) {
        self.api.delete(&format!("/session/{}", self.session), 0).await;
    }

    async fn find(&self, selector: &str) -> Option<String> {
        let wanted = json!({"using": "css selector", "value": selector});
        let answer = self.api.create(&self.path("element"), &wanted).await;
        Some(answer.body["value"][ELEMENT].as_str()?.to_owned())
    }

    async fn cdp(&self, command: &str, params: Value) -> Value {
        self.post("goog/cdp/execute", &json!({"cmd": command, "params": params})).await
    }

    async fn post(&self, what: &str, body: &Value) -> Value {
        let answer = self.api.create(&self.path(what), body).await;
        assert!(answer.is_success(), "{what}: {}", answer.body["value"]["message"]);
        answer.body["value"].clone()
    }

    fn path(&self, what: &str) -> String {
        format!("/session/{}/{what}", self.session)
    }
}

/// A listener in place of a proxy: what does not go to this machine would go through it.
fn proxy() -> (Outside, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("it listens").port();
    let asked = Outside::default();
    let noted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let noted = Arc::clone(&noted);
            std::thread::spawn(move || {
                let mut line = String::new();
                // A connection on which nothing is asked is no request.
                if BufReader::new(stream).read_line(&mut line).is_ok_and(|read| read > 0) {
                    noted.lock().unwrap_or_else(PoisonError::into_inner).push(line.trim_end().to_owned());
                }
            });
        }
    });
    (asked, port)
}

fn decoded(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().expect("a text")).expect("base64")
}

/// Writes `target/browser/NAME`.
pub fn save(name: &str, bytes: &[u8]) {
    let file = Path::new(SHOTS).join(name);
    std::fs::create_dir_all(SHOTS).and_then(|()| std::fs::write(&file, bytes)).expect("it can be written");
}
