//! Hooks and the termination grace period.

use super::pod::{Container, Pod};
use super::{Finding, Rule};
use crate::source::manifest::Node;
use crate::template::Role;

/// The minimum part of the grace period left to the app, in seconds (`minimumGracePeriodInSeconds`,
/// `pkg/kubelet/kuberuntime/kuberuntime_container.go`).
const LEAST: i64 = 2;

/// Problems with the hooks of a container.
pub fn container(container: &Container<'_>, pod: &Pod<'_>, all: &mut Vec<Finding>) {
    let Some(grace) = pod.grace.filter(|_| container.role != Role::Init) else { return };
    let Some(lifecycle) = container.node.get("lifecycle") else { return };
    for hook in ["preStop", "postStart"] {
        let sleep = lifecycle.at_path(&[hook, "sleep"]).and_then(|sleep| sleep.entry("seconds"));
        if let Some((entry, seconds)) = sleep.and_then(|entry| Some((entry, entry.node.number()?)))
            && seconds > grace
        {
            let why = "it is longer than terminationGracePeriodSeconds: the API server refuses it";
            let field = format!("lifecycle.{hook}.sleep.seconds");
            let finding = Finding::new(Rule::SleepOverGrace, entry.at, field, why).current(seconds);
            let suggestion = format!("terminationGracePeriodSeconds above {seconds}, by what the app needs to end");
            all.push(finding.sum(format!("{seconds} s > {grace} s")).suggest(suggestion));
        }
    }
    let command = lifecycle.at_path(&["preStop", "exec"]).and_then(|exec| exec.entry("command"));
    if let Some((entry, seconds)) = command.and_then(|entry| Some((entry, slept(&entry.node)?)))
        && seconds >= grace
        && grace > 0
    {
        let why = format!(
            "it sleeps for {seconds} s, and all of the end may take {grace} s: nothing of it is left for the app, which \
             gets SIGTERM {LEAST} s before it is killed"
        );
        let finding = Finding::new(Rule::HookOverGrace, entry.at, "lifecycle.preStop.exec.command", why);
        let suggestion = format!("terminationGracePeriodSeconds above {seconds}, by what the app needs to end");
        let sum = format!("sleep {seconds} s >= terminationGracePeriodSeconds {grace} s");
        all.push(finding.current(format_args!("sleep {seconds}")).sum(sum).suggest(suggestion));
    }
}

/// How long a command sleeps before it does anything else, in seconds.
fn slept(command: &Node) -> Option<i64> {
    let words: Vec<&str> = command.items().iter().map(|word| word.text().unwrap_or_default()).collect();
    let name = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    match words.as_slice() {
        [program, _] if name(program) == "sleep" => {
            let seconds = &command.items()[1];
            seconds.number().or_else(|| plain(seconds.text()?))
        }
        [shell, "-c", script] if ["sh", "bash", "ash"].contains(&&*name(shell)) => {
            let first = script.trim_start().split([';', '&', '\n', '|']).next()?;
            let mut words = first.split_whitespace();
            let seconds = words.next().filter(|program| name(program) == "sleep").and(words.next())?;
            let in_background = script.trim_start().strip_prefix(first)?;
            let in_background = in_background.starts_with('&') && !in_background.starts_with("&&");
            words.next().is_none().then(|| plain(seconds)).flatten().filter(|_| !in_background)
        }
        _ => None,
    }
}

fn plain(text: &str) -> Option<i64> {
    text.strip_suffix('s').unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{ids, of_pod_and_probe};

    fn said(grace: i64, hook: &str) -> Vec<&'static str> {
        let grace = format!("terminationGracePeriodSeconds: {grace}");
        ids(&of_pod_and_probe(&grace, &format!("lifecycle: {{preStop: {hook}}}")))
    }

    #[test]
    fn a_hook_that_fits_is_not_flagged() {
        assert_eq!(said(30, "{sleep: {seconds: 30}}"), Vec::<&str>::new());
        for command in
            ["[sleep, \"29\"]", "[sh, -c, \"sleep 60 & wait\"]", "[sh, -c, \"nginx -s quit; sleep 60\"]", "[/drain]"]
        {
            assert_eq!(said(30, &format!("{{exec: {{command: {command}}}}}")), Vec::<&str>::new(), "{command}");
        }
        assert_eq!(said(0, "{exec: {command: [sleep, \"5\"]}}"), Vec::<&str>::new());
    }

    #[test]
    fn one_that_does_not_is() {
        assert_eq!(said(30, "{sleep: {seconds: 31}}"), ["sleep-over-grace"]);
        for command in
            ["[sleep, \"30\"]", "[/bin/sleep, 60]", "[sh, -c, \"sleep 45 && kill 1\"]", "[/bin/bash, -c, sleep 30s]"]
        {
            assert_eq!(said(30, &format!("{{exec: {{command: {command}}}}}")), ["hook-over-grace"], "{command}");
        }
    }
}
