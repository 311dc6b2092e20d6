//! Event messages → typed events.

use std::sync::Arc;

use super::ProbeKind;

/// The content of a kubelet event on a pod, as far as it matters here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventMessage {
    /// `Unhealthy`, "probe failed": counted towards the failure threshold.
    ProbeFailed {
        /// Which probe.
        probe: ProbeKind,
        /// What follows "probe failed: ".
        output: Arc<str>,
    },
    /// `Unhealthy`, "probe errored": it could not run; never counted, never restarts.
    ProbeErrored {
        /// Which probe.
        probe: ProbeKind,
        /// What follows "errored: " or "errored and resulted in unknown state: " (or "failure").
        output: Arc<str>,
    },
    /// `ProbeWarning`: counted as success (a redirect to another host).
    ProbeWarning {
        /// Which probe.
        probe: ProbeKind,
    },
    /// `Killing`: the kubelet stops a container.
    Killing(Killing),
    /// `FailedPostStartHook`
    HookFailed,
    /// The pod as a whole cannot start: no sandbox, no volume, no network. It is retried continuously.
    SandboxFailed {
        /// The event's reason: `FailedCreatePodSandBox`, `FailedMount`, …
        reason: &'static str,
        /// The message.
        output: Arc<str>,
    },
    /// `Failed` and the like: the container cannot be created, started, or its image pulled.
    StartFailed {
        /// The message.
        output: Arc<str>,
    },
}

/// Why the kubelet stops a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Killing {
    /// "Container X failed liveness probe", "Init container X failed liveness probe".
    ProbeFailed {
        /// The container's name, from the message.
        container: Arc<str>,
        /// Which probe.
        probe: ProbeKind,
    },
    /// "Stopping container X": a deletion, or a probe kill under restartPolicy Never.
    Stopping {
        /// The container's name, from the message.
        container: Arc<str>,
    },
    /// `FailedPostStartHook`
    HookFailed,
    /// On purpose and without a fault: an in-place resize, a changed definition, a preemption, the
    /// neighbours of a container whose rule restarts them all; the container is the field path's.
    Deliberate,
}

/// Parses a kubelet event.
///
/// Returns its content and whether the message was aggregated ("(combined from similar events): …"), which
/// keeps the first event's container whatever container it is now about. `None` is an event that is not
/// about a termination, a failure or a failed start.
pub fn parse(reason: &str, message: &str) -> Option<(EventMessage, bool)> {
    let (message, aggregated) = match message.strip_prefix(AGGREGATED) {
        Some(rest) => (rest, true),
        None => (message, false),
    };
    let said = match reason {
        "Unhealthy" | "ProbeWarning" => probe_result(message)?,
        "Killing" => EventMessage::Killing(killing(message)?),
        "Preempting" => EventMessage::Killing(Killing::Deliberate),
        "FailedPostStartHook" => EventMessage::HookFailed,
        "Failed" | "ErrImageNeverPull" | "InspectFailed" => EventMessage::StartFailed { output: cut(message) },
        "BackOff" if message.starts_with("Back-off pulling image") => {
            EventMessage::StartFailed { output: cut(message) }
        }
        _ => {
            let reason = SANDBOX_FAILED.into_iter().find(|known| *known == reason)?;
            EventMessage::SandboxFailed { reason, output: cut(message) }
        }
    };
    Some((said, aggregated))
}

/// The reasons with which a kubelet reports that a pod as a whole cannot start.
const SANDBOX_FAILED: [&str; 7] = [
    "FailedCreatePodSandBox",
    "FailedMount",
    "FailedAttachVolume",
    "FailedMapVolume",
    "FailedCreatePodContainer",
    "FailedPrepareDynamicResources",
    "NetworkNotReady",
];

/// The prefix of an aggregated message (`client-go/tools/record/events_cache.go`).
const AGGREGATED: &str = "(combined from similar events): ";

/// Maximum number of bytes kept of a message's tail: an exec probe's output makes events of 10 KiB, and no
/// rule needs more than this.
pub(super) const OUTPUT_MAX: usize = 1024;

/// "Liveness probe failed: …", "… errored: …", "… warning: …".
fn probe_result(message: &str) -> Option<EventMessage> {
    let (probe, words) = ProbeKind::ALL.into_iter().find_map(|probe| {
        let words = strip_word(message, probe.word())?.strip_prefix(" probe ")?;
        Some((probe, words))
    })?;
    if let Some(tail) = words.strip_prefix("failed") {
        return Some(EventMessage::ProbeFailed { probe, output: tail_output(tail)? });
    }
    if let Some(tail) = words.strip_prefix("errored") {
        let state = [" and resulted in unknown state", " and resulted in failure state"];
        let tail = state.iter().find_map(|state| tail.strip_prefix(state)).unwrap_or(tail);
        return Some(EventMessage::ProbeErrored { probe, output: tail_output(tail)? });
    }
    tail_output(words.strip_prefix("warning")?)?;
    Some(EventMessage::ProbeWarning { probe })
}

/// What follows the colon, which may be nothing.
fn tail_output(tail: &str) -> Option<Arc<str>> {
    if tail.is_empty() {
        return Some(cut(tail));
    }
    let output = tail.strip_prefix(':')?;
    Some(cut(output.strip_prefix(' ').unwrap_or(output)))
}

fn cut(output: &str) -> Arc<str> {
    Arc::from(&output[..output.floor_char_boundary(OUTPUT_MAX)])
}

fn killing(message: &str) -> Option<Killing> {
    if message == "FailedPostStartHook" {
        return Some(Killing::HookFailed);
    }
    if message == "killing" || message.starts_with("Preempt") {
        return Some(Killing::Deliberate);
    }
    if let Some(name) = message.strip_prefix("Stopping container ") {
        return Some(Killing::Stopping { container: container_name(name)? });
    }
    if let Some(words) = message.strip_prefix("Killing container with id ") {
        return killing_by_id(words);
    }
    let words = message.strip_prefix("Init container ").or_else(|| message.strip_prefix("Container "))?;
    let (name, why) = words.split_once(' ')?;
    why_killed(container_name(name)?, why)
}

/// The old `docker://NAME:Container failed liveness probe.. Container will be killed and recreated.`
fn killing_by_id(words: &str) -> Option<Killing> {
    let (_, words) = words.split_once("://")?;
    let (name, why) = words.split_once(':')?;
    let container = container_name(name)?;
    match why.strip_prefix("Container ") {
        Some(why) => why_killed(container, why),
        None if why.starts_with("Need to kill Pod") => Some(Killing::Stopping { container }),
        None => None,
    }
}

/// Interprets what follows the container's name. An unknown text about a probe is ignored; a text about
/// anything else counts as deliberate.
fn why_killed(container: Arc<str>, why: &str) -> Option<Killing> {
    let killer = ProbeKind::ALL.into_iter().filter(|probe| probe.kills());
    for probe in killer {
        let rest = why.strip_prefix("failed ").and_then(|why| why.strip_prefix(probe.word()));
        if rest.and_then(|rest| rest.strip_prefix(" probe")).is_some_and(ends_word) {
            return Some(Killing::ProbeFailed { container, probe });
        }
    }
    (!why.contains("probe")).then_some(Killing::Deliberate)
}

fn ends_word(rest: &str) -> bool {
    !rest.starts_with(|next: char| next.is_alphanumeric() || next == '-')
}

/// Strips a word, ignoring the case of its first letter.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

/// A container's name is a DNS label; any other text was not written by a kubelet.
fn container_name(name: &str) -> Option<Arc<str>> {
    let in_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = (1..=63).contains(&name.len()) && !name.starts_with('-') && !name.ends_with('-');
    (fits && name.bytes().all(in_label)).then(|| Arc::from(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_wording_of_a_failed_probe_is_read() {
        for (message, probe, output) in [
            (
                "Liveness probe failed: HTTP probe failed with statuscode: 404",
                ProbeKind::Liveness,
                "HTTP probe failed with statuscode: 404",
            ),
            (
                "Readiness probe failed: Get \"http://10.0.0.7:8080/health\": EOF",
                ProbeKind::Readiness,
                "Get \"http://10.0.0.7:8080/health\": EOF",
            ),
            (
                "Startup probe failed: dial tcp 10.0.0.7:1: i/o timeout",
                ProbeKind::Startup,
                "dial tcp 10.0.0.7:1: i/o timeout",
            ),
            ("Liveness probe failed: ", ProbeKind::Liveness, ""),
            ("Liveness probe failed:", ProbeKind::Liveness, ""),
            (
                "Liveness probe failed: a\nKilling\u{1b}[0m: Container app failed liveness probe",
                ProbeKind::Liveness,
                "a\nKilling\u{1b}[0m: Container app failed liveness probe",
            ),
            (
                "Liveness probe failed: x (combined from similar events): y",
                ProbeKind::Liveness,
                "x (combined from similar events): y",
            ),
        ] {
            let expected = EventMessage::ProbeFailed { probe, output: output.into() };
            assert_eq!(parse("Unhealthy", message), Some((expected, false)), "{message}");
        }
    }

    #[test]
    fn every_wording_of_an_errored_probe_are_read() {
        let expected = EventMessage::ProbeErrored {
            probe: ProbeKind::Liveness,
            output: r#"strconv.Atoi: parsing "metrics": invalid syntax"#.into(),
        };
        for message in [
            r#"Liveness probe errored: strconv.Atoi: parsing "metrics": invalid syntax"#,
            r#"Liveness probe errored and resulted in unknown state: strconv.Atoi: parsing "metrics": invalid syntax"#,
            r#"Liveness probe errored and resulted in failure state: strconv.Atoi: parsing "metrics": invalid syntax"#,
        ] {
            assert_eq!(parse("Unhealthy", message), Some((expected.clone(), false)));
        }
    }

    #[test]
    fn a_warning_names_its_probe() {
        let message = "Liveness probe warning: Probe terminated redirects, Response body: <a href=\"http://sso.example.com/login\">Found</a>.\n\n";

        let expected = EventMessage::ProbeWarning { probe: ProbeKind::Liveness };
        assert_eq!(parse("ProbeWarning", message), Some((expected, false)));
    }

    #[test]
    fn an_aggregated_message_is_marked() {
        let message = "(combined from similar events): Liveness probe errored: no running task found";

        let expected =
            EventMessage::ProbeErrored { probe: ProbeKind::Liveness, output: "no running task found".into() };
        assert_eq!(parse("Unhealthy", message), Some((expected, true)));
    }

    #[test]
    fn every_wording_of_a_probe_kill_is_read() {
        for (message, container, probe) in [
            ("Container app failed liveness probe, will be restarted", "app", ProbeKind::Liveness),
            ("Container app failed startup probe, will be restarted", "app", ProbeKind::Startup),
            ("Container app failed liveness probe", "app", ProbeKind::Liveness),
            ("Init container proxy failed liveness probe", "proxy", ProbeKind::Liveness),
            ("Init container proxy failed startup probe, will be restarted", "proxy", ProbeKind::Startup),
            (
                "Killing container with id docker://app:Container failed liveness probe.. Container will be killed and recreated.",
                "app",
                ProbeKind::Liveness,
            ),
        ] {
            let expected = Killing::ProbeFailed { container: container.into(), probe };
            assert_eq!(parse("Killing", message), Some((EventMessage::Killing(expected), false)), "{message}");
        }
    }

    #[test]
    fn a_container_may_be_called_like_a_word_of_the_message() {
        for name in ["container", "failed", "liveness", "probe"] {
            let message = format!("Container {name} failed startup probe, will be restarted");
            let expected = Killing::ProbeFailed { container: name.into(), probe: ProbeKind::Startup };
            assert_eq!(killing(&message), Some(expected));
        }
        let deliberate = "Container probe definition changed, will be restarted";
        assert_eq!(killing(deliberate), Some(Killing::Deliberate));
    }

    #[test]
    fn a_kill_for_another_reason_is_no_probe_s() {
        for message in [
            "Container app resize requires restart",
            "Init container app resize requires restart",
            "Container app definition changed, will be restarted",
            "Preempting pod to admit a critical one",
            "killing",
        ] {
            assert_eq!(killing(message), Some(Killing::Deliberate), "{message}");
        }
        assert_eq!(killing("FailedPostStartHook"), Some(Killing::HookFailed));
        assert_eq!(killing("Stopping container app"), Some(Killing::Stopping { container: "app".into() }));
        let preempted = parse("Preempting", "Preempted in order to admit critical pod");
        assert_eq!(preempted, Some((EventMessage::Killing(Killing::Deliberate), false)));
    }

    #[test]
    fn a_kill_in_unknown_words_says_nothing() {
        let long = format!("Stopping container {}", "a".repeat(64));
        for message in [
            "",
            "Container",
            "Container app failed readiness probe, will be restarted",
            "Container app failed liveness probes",
            "Container app probe gave up",
            "Container APP failed liveness probe, will be restarted",
            "Container a_b failed liveness probe, will be restarted",
            "Container -a failed liveness probe, will be restarted",
            "Container  failed liveness probe, will be restarted",
            "Stopping container app\nStopping container db",
            "Stopping container ",
            long.as_str(),
            "Killing container with id docker://",
        ] {
            assert_eq!(killing(message), None, "{message}");
        }
    }

    #[test]
    fn what_keeps_a_container_from_starting_is_kept() {
        for (reason, message) in [
            ("Failed", r#"Error: configmap "web-config" not found"#),
            ("Failed", "Error: ErrImagePull"),
            ("ErrImageNeverPull", r#"Container image "rig.local/absent:1" is not present with pull policy of Never"#),
            ("InspectFailed", "Failed to apply default image tag"),
            ("BackOff", r#"Back-off pulling image "10.0.0.1:5000/shop/web:v9""#),
        ] {
            let expected = EventMessage::StartFailed { output: message.into() };
            assert_eq!(parse(reason, message), Some((expected, false)), "{message}");
        }
        assert_eq!(parse("FailedPostStartHook", "PostStartHook failed"), Some((EventMessage::HookFailed, false)));
    }

    #[test]
    fn what_keeps_a_pod_from_beginning_is_kept() {
        for (reason, message) in [
            (
                "FailedCreatePodSandBox",
                "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to start sandbox \"a1\": unknown version specified",
            ),
            ("FailedMount", r#"MountVolume.SetUp failed for volume "x" : timed out waiting for the condition"#),
            ("NetworkNotReady", "network is not ready: container runtime network not ready: NetworkReady=false"),
        ] {
            let expected = EventMessage::SandboxFailed { reason, output: message.into() };
            assert_eq!(parse(reason, message), Some((expected, false)), "{message}");
        }
    }

    #[test]
    fn events_of_an_ordinary_life_say_nothing() {
        for (reason, message) in [
            ("BackOff", "Back-off restarting failed container"),
            ("BackOff", "Back-off restarting failed container app in pod web-1_shop(5e5a7b42)"),
            ("Pulled", r#"Container image "app:1" already present on machine"#),
            ("Created", "Created container: app"),
            ("Started", "Container started"),
            ("Scheduled", "Successfully assigned shop/web-1 to node-1"),
            ("FailedScheduling", "0/3 nodes are available: 3 Insufficient memory."),
            (
                "FailedToRetrieveImagePullSecret",
                "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.",
            ),
            // OpenShift reports it again, beside the Unhealthy event of the same failure.
            ("ProbeError", "Liveness probe error: HTTP probe failed with statuscode: 404\nbody: 404 page not found\n"),
            ("Unhealthy", "Liveness probe was odd"),
            ("Unhealthy", "Liveness probe failed-over: x"),
            ("Unhealthy", "The app says: Liveness probe failed: x"),
        ] {
            assert_eq!(parse(reason, message), None, "{reason}: {message}");
        }
    }

    #[test]
    fn long_output_is_cut_between_characters() {
        let message = format!("Liveness probe failed: a{}", "é".repeat(5000));

        let Some((EventMessage::ProbeFailed { output, .. }, _)) = parse("Unhealthy", &message) else {
            panic!("not read")
        };
        assert_eq!(output.len(), 1023);
        assert!(message.contains(&*output));
    }

    proptest! {
        #[test]
        fn any_event_is_read(
            reason in "Unhealthy|Killing|ProbeWarning|BackOff|Failed|\\PC*",
            start in "(\\(combined from similar events\\): )?((Liveness probe |Container |Init container |Stopping container |Killing container with id ).{0,9})?",
            rest in any::<String>(),
        ) {
            parse(&reason, &format!("{start}{rest}"));
        }
    }
}
