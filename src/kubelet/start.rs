//! Why a container, or a pod as a whole, could not start.

use std::sync::Arc;

use super::Obstacle;
use super::runtime::{Refusal, refusal};

/// What keeps a container from starting, as far as messages show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StartFailure {
    /// The command does not exist in the image.
    MissingCommand {
        /// As the manifest or the image names it.
        name: Arc<str>,
    },
    /// The command exists but cannot be executed, or its working directory is invalid.
    NotExecutable {
        /// The file or folder, if the runtime names it.
        name: Option<Arc<str>>,
        /// Why not.
        why: Obstacle,
    },
    /// The memory limit is too small to start at all.
    MemoryTooSmall,
    /// The low-level runtime of the node is too old for its caller.
    RuntimeTooOld,
    /// The node's container runtime gave up before it was done: the node is too busy.
    RuntimeGaveUp,
    /// It must not run as root, but its image does.
    RunsAsRoot,
    /// A `ConfigMap` or Secret, or a key in it, does not exist.
    Config {
        /// Which of the two.
        kind: ConfigKind,
        /// Its name.
        name: Arc<str>,
        /// The missing key; `None` if the whole object is missing.
        key: Option<Arc<str>>,
    },
}

/// A kind of configuration object.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum ConfigKind {
    /// `ConfigMap`
    ConfigMap,
    /// `Secret`
    Secret,
}

impl ConfigKind {
    const ALL: [Self; 2] = [Self::ConfigMap, Self::Secret];

    /// As in a manifest: `ConfigMap`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

/// Parses the message of a status (`StartError`, `RunContainerError`, `CreateContainerConfigError`) or of
/// an event (`Failed`, `FailedCreatePodSandBox`, `FailedMount`) about a failed start.
pub fn start_error(text: &str) -> Option<StartFailure> {
    const TOO_SMALL: [&str; 4] =
        ["memory limit too low", "too low; should be at least", "Minimum memory limit", "minimum memory limit"];
    const AS_ROOT: [&str; 2] = ["runAsNonRoot and image will run as root", "runAsUser breaks non-root policy"];
    const GAVE_UP: [&str; 3] = ["context canceled", "context deadline exceeded", "code = DeadlineExceeded"];
    let says = |all: &[&str]| all.iter().any(|words| text.contains(words));
    if says(&TOO_SMALL) {
        return Some(StartFailure::MemoryTooSmall);
    }
    if says(&["unknown version specified"]) {
        return Some(StartFailure::RuntimeTooOld);
    }
    if says(&GAVE_UP) {
        return Some(StartFailure::RuntimeGaveUp);
    }
    if says(&AS_ROOT) {
        return Some(StartFailure::RunsAsRoot);
    }
    if let Some(config) = config(text) {
        return Some(config);
    }
    Some(match refusal(text)? {
        Refusal::Missing(name) => StartFailure::MissingCommand { name: name.into() },
        Refusal::NotExecutable(name, why) => StartFailure::NotExecutable { name: name.map(Into::into), why },
    })
}

/// `configmap "web" not found`, `couldn't find key URL in ConfigMap shop/web`
fn config(text: &str) -> Option<StartFailure> {
    if let Some((_, words)) = text.split_once("couldn't find key ") {
        let (key, of) = words.split_once(" in ")?;
        let (kind, place) = of.split_once(' ')?;
        let kind = ConfigKind::ALL.into_iter().find(|known| known.word() == kind)?;
        let place = place.split([' ', ',', ':']).next()?;
        let name = place.rsplit('/').next().filter(|name| !name.is_empty())?;
        return Some(StartFailure::Config { kind, name: name.into(), key: Some(key.into()) });
    }
    ConfigKind::ALL.into_iter().find_map(|kind| {
        let quoted = format!("{} \"", kind.word().to_ascii_lowercase());
        let (name, _) = text.split_once(&quoted)?.1.split_once("\" not found")?;
        let fits = !name.is_empty() && !name.contains('"');
        fits.then(|| StartFailure::Config { kind, name: name.into(), key: None })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CREATE: &str = "failed to create containerd task: failed to create shim task: OCI runtime create failed: ";

    #[test]
    fn a_missing_command_is_named_by_both_runtimes() {
        for words in [
            "runc create failed: unable to start container process: exec: \"/opt/app/server\": stat /opt/app/server: no such file or directory: unknown",
            "runc create failed: unable to start container process: error during container init: exec: \"/opt/app/server\": stat /opt/app/server: no such file or directory",
            "executable file `/opt/app/server` not found in $PATH: No such file or directory: unknown",
        ] {
            let expected = StartFailure::MissingCommand { name: "/opt/app/server".into() };
            assert_eq!(start_error(&format!("{CREATE}{words}")), Some(expected), "{words}");
        }
    }

    #[test]
    fn what_is_there_and_cannot_be_executed_says_why() {
        for (words, name, why) in [
            ("open executable: Operation not permitted", None, Obstacle::Directory),
            ("open executable: Permission denied", None, Obstacle::Permission),
            (
                "runc create failed: unable to start container process: exec: \"/scripts/ok.sh\": permission denied",
                Some("/scripts/ok.sh"),
                Obstacle::Permission,
            ),
            ("chdir `/scripts/ok.sh`: Not a directory", Some("/scripts/ok.sh"), Obstacle::WorkingDir),
            (
                "runc create failed: unable to start container process: error during container init: mkdir /scripts/ok.sh: not a directory",
                Some("/scripts/ok.sh"),
                Obstacle::WorkingDir,
            ),
        ] {
            let expected = StartFailure::NotExecutable { name: name.map(Into::into), why };
            assert_eq!(start_error(&format!("{CREATE}{words}")), Some(expected), "{words}");
        }
    }

    #[test]
    fn what_a_node_or_a_limit_does_not_let_begin_is_told() {
        for (text, expected) in [
            (
                "failed to start sandbox \"1a\": container init was OOM-killed (memory limit too low?): unknown",
                StartFailure::MemoryTooSmall,
            ),
            ("set memory limit 1048576 too low; should be at least 12582912 bytes", StartFailure::MemoryTooSmall),
            ("OCI runtime create failed: unknown version specified", StartFailure::RuntimeTooOld),
            ("failed to create shim task: context canceled", StartFailure::RuntimeGaveUp),
            ("rpc error: code = DeadlineExceeded desc = context deadline exceeded", StartFailure::RuntimeGaveUp),
            ("container has runAsNonRoot and image will run as root (pod: \"a_b(c)\")", StartFailure::RunsAsRoot),
        ] {
            assert_eq!(start_error(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn missing_settings_are_named() {
        use ConfigKind::{ConfigMap, Secret};

        for (text, kind, name, key) in [
            ("configmap \"web-config\" not found", ConfigMap, "web-config", None),
            ("Error: secret \"absent\" not found", Secret, "absent", None),
            ("MountVolume.SetUp failed for volume \"x\" : configmap \"web\" not found", ConfigMap, "web", None),
            ("couldn't find key URL in ConfigMap shop/web", ConfigMap, "web", Some("URL")),
            ("Error: couldn't find key db.url in Secret shop/db", Secret, "db", Some("db.url")),
        ] {
            let expected = StartFailure::Config { kind, name: name.into(), key: key.map(Into::into) };
            assert_eq!(start_error(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_words_say_nothing() {
        for text in [
            "",
            "Error: ErrImagePull",
            "failed to sync configmap cache: timed out waiting for the condition",
            "cgroups in hybrid mode not supported, drop all controllers from cgroupv2",
            "couldn't find key x",
            "secret \"\" not found",
        ] {
            assert_eq!(start_error(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>(), name in "[\"`a-z/ ]*") {
            start_error(&text);
            start_error(&format!("couldn't find key {name} in ConfigMap {text}"));
            start_error(&format!("chdir `{name}`: x, exec: \"{name}\": permission denied"));
        }
    }
}
