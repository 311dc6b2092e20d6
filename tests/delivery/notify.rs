//! `probehound notify --test`, as users run it.

use tokio::runtime::{Builder, Runtime};

use super::support::binary::{Outcome, probehound};
use super::support::slack::{Slack, Turn};

#[test]
fn a_sample_goes_to_the_receiver_that_is_named() {
    let world = World::new([]);
    let outcome = world.notify("oncall");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "ok: the receiver oncall (slack) took the sample\n");
    let seen = world.slack.taken();
    assert!(seen[0].text().starts_with("[a test, nothing is wrong] CRITICAL: auth-service (prod): the liveness probe"));
}

#[test]
fn what_the_receiver_answers_is_said_without_its_address() {
    let world = World::new([Turn::Answer(404, "no_service")]);
    let outcome = world.notify("oncall");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("the receiver oncall did not take the sample: it answers 404: no_service"));
    assert!(!outcome.stderr.to_lowercase().contains("hunter2"), "{}", outcome.stderr);
}

#[test]
fn a_receiver_that_there_is_not_is_said_with_those_that_there_are() {
    let world = World::new([]);
    let outcome = world.notify("onkall");
    assert_eq!(outcome.code, Some(1));
    assert_eq!(
        outcome.stderr,
        "error: there is no receiver \"onkall\" in the settings\nhint: receivers: oncall, missing\n"
    );
}

#[test]
fn a_secret_that_is_missing_is_said_with_where_it_was_looked_for() {
    let world = World::new([]);
    let outcome = world.notify("missing");
    assert!(outcome.stderr.contains("cannot read the file /nowhere/url: entity not found"), "{}", outcome.stderr);
}

struct World {
    _runtime: Runtime,
    slack: Slack,
    folder: std::path::PathBuf,
}

impl World {
    fn new(script: impl IntoIterator<Item = Turn>) -> Self {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let slack = runtime.block_on(Slack::start(script));
        let folder = std::env::temp_dir().join(format!("probehound-notify-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
        let url = folder.join("url");
        std::fs::write(&url, slack.url()).expect("a temporary file can be written");
        let oncall = format!("{{name: oncall, slack: {{urlFile: '{}'}}}}", url.display());
        let missing = "{name: missing, slack: {urlFile: /nowhere/url}}";
        let settings = format!("notifications: {{receivers: [{oncall}, {missing}]}}\n");
        std::fs::write(folder.join("settings.yaml"), settings).expect("a temporary file can be written");
        Self { _runtime: runtime, slack, folder }
    }

    fn notify(&self, receiver: &str) -> Outcome {
        let settings = self.folder.join("settings.yaml");
        probehound(&["notify", "--test", receiver, "--config", &settings.display().to_string()], b"")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}
