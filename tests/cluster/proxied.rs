//! Each kind of receiver behind a real proxy: Tinyproxy, with a user and a password.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::{Folder, Process, installed, ports, waiting};
use crate::secure::{self, file};
use crate::services::{discord, google_chat, opsgenie, pagerduty, serving, teams};
use crate::support::binary::probehound_in;
use crate::support::slack::{self, Judge, Slack};

/// Far more than it takes to start, on a busy machine.
const START: Duration = Duration::from_secs(30);

/// A kind of receiver, and who answers.
struct Kind {
    /// Its name in the settings.
    name: &'static str,
    /// Its keys, in which `SECRET` is the file of its secret and `BASE` its address.
    settings: &'static str,
    /// Its secret, in which `BASE` is its address too.
    secret: String,
    judge: Judge,
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_receiver_is_reached_through_a_real_proxy() {
    let Some(program) = installed(&["tinyproxy"]) else { return };
    let folder = Folder::new("proxied");
    let (port, mut proxy) = start(&program, &folder).await;
    for kind in kinds() {
        let name = kind.name;
        let server = Slack::start_as("127.0.0.1:0", Arc::clone(&kind.judge), []).await;
        let secured = secure::in_front_of(server.port()).await;
        let base = format!("https://localhost:{secured}");
        folder.write("secret", &kind.secret.replace("BASE", &base));
        for (user, expected) in [("me:hunter2pass@", 0), ("", 1)] {
            folder.write("proxy", &format!("http://{user}127.0.0.1:{port}"));
            let settings = settings(&kind, &folder, &base);
            let words = ["notify", "--test", &name.to_lowercase(), "--config", &settings].map(str::to_owned);
            let outcome = tokio::task::spawn_blocking(move || probehound_in(&[], &words, b"")).await.expect("it runs");
            assert_eq!(outcome.code, Some(expected), "{name}: {}\n{}", outcome.stderr, proxy.last_words());
            assert_eq!(outcome.stderr.contains("its proxy answers 407"), expected == 1, "{name}: {}", outcome.stderr);
        }
        assert!(!server.taken().is_empty(), "{name}");
        assert!(
            proxy.log().contains(&format!("CONNECT localhost:{secured} HTTP/1.1")),
            "{name}: {}",
            proxy.last_words()
        );
    }
    proxy.kill();
}

fn kinds() -> Vec<Kind> {
    let kind = |name, settings, secret: &str, judge| Kind { name, settings, secret: secret.to_owned(), judge };
    let chat = |name, path: &str, judge| kind(name, "urlFile: SECRET", &format!("BASE{path}"), judge);
    let taking = |path: &'static str| -> Judge {
        Arc::new(move |head: &str, _: &str| {
            let status = if head.starts_with(&format!("POST {path} HTTP/1.1")) { 200 } else { 404 };
            (status, "", String::new())
        })
    };
    vec![
        chat("slack", slack::PATH, Arc::new(slack::as_slack)),
        chat("teams", teams::PATH, serving(teams::answer)),
        chat("discord", discord::PATH, serving(discord::answer)),
        chat("googleChat", google_chat::PATH, serving(google_chat::answer)),
        kind("pagerDuty", "routingKeyFile: SECRET, url: 'BASE'", pagerduty::KEY, serving(pagerduty::answer)),
        kind("opsgenie", "apiKeyFile: SECRET, url: 'BASE'", opsgenie::KEY, serving(opsgenie::answer)),
        chat("webhook", "/hook", taking("/hook")),
        kind("alertmanager", "urls: ['BASE'], tokenFile: SECRET", "hunter2token", taking("/api/v2/alerts")),
    ]
}

/// The file of settings for one receiver, with the tests' CA and the proxy.
fn settings(kind: &Kind, folder: &Folder, base: &str) -> String {
    let (secret, proxy, name) = (folder.file("secret"), folder.file("proxy"), kind.name);
    let own = kind.settings.replace("SECRET", &secret.display().to_string()).replace("BASE", base);
    let network = format!("caFile: {}, proxyUrlFile: {}", file("ca.pem").display(), proxy.display());
    let receiver = format!("{{name: {}, {name}: {{{own}, {network}}}}}", name.to_lowercase());
    let text = format!("notifications: {{receivers: [{receiver}]}}\n");
    folder.write("settings.yaml", &text).display().to_string()
}

async fn start(program: &std::path::Path, folder: &Folder) -> (u16, Process) {
    let port = ports::free();
    let lines = [
        format!("Port {port}"),
        "Listen 127.0.0.1".to_owned(),
        "Timeout 30".to_owned(),
        "MaxClients 50".to_owned(),
        "Allow 127.0.0.1".to_owned(),
        "BasicAuth me hunter2pass".to_owned(),
        "LogLevel Connect".to_owned(),
    ];
    let config = folder.write("tinyproxy.conf", &(lines.join("\n") + "\n"));
    // In the foreground, with its log on standard output.
    let arguments = ["-d".to_owned(), "-c".to_owned(), config.display().to_string()];
    let proxy = Process::start("tinyproxy", program, &arguments, &[], &folder.file("tinyproxy.log"));
    waiting::eventually("the proxy listens", START, async || {
        tokio::net::TcpStream::connect(("127.0.0.1", port)).await.map(drop).map_err(|error| (error, proxy.last_words()))
    })
    .await;
    (port, proxy)
}
