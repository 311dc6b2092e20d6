//! The command of a probe: it runs as written, without a shell.

use super::pod::Probe;
use super::{Finding, Rule};
use crate::kubelet::ProbeKind;
use crate::source::manifest::Node;
use crate::source::mask;

/// Words that have a meaning only for a shell.
const OF_SHELL: [&str; 8] = ["|", "||", "&&", ";", ">", ">>", "<", "2>&1"];

/// Programs for which such words have a meaning as well.
const KNOW_THEM: [&str; 4] = ["find", "test", "[", "expr"];

/// Shells, and programs that run a script like them.
const SHELLS: [&str; 8] = ["sh", "bash", "ash", "dash", "zsh", "ksh", "busybox", "env"];

/// Problems with the command of a probe.
pub fn probe(probe: &Probe<'_>, all: &mut Vec<Finding>) {
    let Some(("exec", exec)) = probe.handler() else { return };
    let Some(command) = exec.get("command") else { return };
    let words: Option<Vec<&str>> = command.items().iter().map(Node::text).collect();
    let finding = |rule, why: String| {
        let masked = words.iter().flatten().copied();
        let masked = mask::command(masked).iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
        Finding::new(rule, probe.place(&["exec", "command"]), probe.field("exec.command"), why)
            .current(format_args!("[{masked}]"))
    };
    match words.as_deref() {
        Some([only]) if is_several(only) => {
            let effect = match probe.kind {
                ProbeKind::Liveness => "it cannot run, never counts as failed, and protects nothing",
                ProbeKind::Readiness => "it cannot run, so the pod never becomes ready",
                ProbeKind::Startup => "it cannot run, so the container never counts as started",
            };
            let why = format!("all of it is taken for the name of one program, which is not there: {effect}");
            all.push(
                finding(Rule::CommandInOneWord, why).suggest("each word as an item of its own, or [sh, -c, \"…\"]"),
            );
        }
        Some([program, ..]) if KNOW_THEM.contains(&name(program)) => {}
        Some([program, rest @ ..]) if !is_shell(program) => {
            if let Some(word) = rest.iter().find(|word| OF_SHELL.contains(word)) {
                let why = format!("no shell reads it: {word} and what follows are handed to {program} as arguments");
                all.push(
                    finding(Rule::CommandWithoutShell, why).suggest("[sh, -c, \"…\"], with all of it as one text"),
                );
            }
        }
        Some([_, flag, rest @ ..]) if *flag == "-c" => match without_options(rest) {
            [script, first, ..] if is_one_word(script) && !is_filler(first) => {
                let why = format!("of [sh, -c, …] one word is run: {script}, without what follows it");
                all.push(finding(Rule::ShellDropsWords, why).suggest("the command as one text behind -c"));
            }
            _ => {}
        },
        _ => {}
    }
}

fn name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

fn is_shell(program: &str) -> bool {
    SHELLS.contains(&name(program)) || program.contains(['\\', '.']) || program == "cmd"
}

/// Whether a word is a program with its arguments: no file has such a name.
fn is_several(word: &str) -> bool {
    let mut words = word.split_whitespace();
    let (Some(first), Some(second)) = (words.next(), words.next()) else { return false };
    !first.contains('\\') && (!first.contains('/') || second.starts_with(['-', '/']))
}

/// What follows `-c` without further options of the shell, such as `-e` or `-o pipefail`: the script comes after them.
fn without_options<'a, 'b>(words: &'a [&'b str]) -> &'a [&'b str] {
    match words {
        [option, _, rest @ ..] if option.starts_with(['-', '+']) && option.len() > 1 && option.ends_with('o') => {
            without_options(rest)
        }
        ["--", rest @ ..] => rest,
        [option, rest @ ..] if option.starts_with(['-', '+']) && option.len() > 1 => without_options(rest),
        _ => words,
    }
}

/// Whether a script uses no arguments.
fn is_one_word(script: &str) -> bool {
    !script.is_empty() && !script.contains(|c: char| c.is_whitespace() || "$;|&(){}`".contains(c))
}

/// Whether a word after a script is its `$0`.
fn is_filler(word: &str) -> bool {
    ["--", "-", "_", "sh", "bash", "/bin/sh", "/bin/bash"].contains(&word)
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{ids, of_probe};

    fn said(command: &str) -> Vec<&'static str> {
        ids(&of_probe(&format!("readinessProbe: {{exec: {{command: {command}}}}}")))
    }

    #[test]
    fn what_runs_as_it_is_meant_is_not_flagged() {
        for command in [
            "[cat, /tmp/ok]",
            "[/opt/My App/check]",
            "[\"C:\\\\Program Files\\\\x.exe\"]",
            "[sh, -c, \"a || exit 1\"]",
            "[sh, -c, \"echo $0\", x]",
            "[/bin/bash, -c, check, --]",
            "[bash, -ec, a, b]",
            "[/bin/sh, -c, -e, \"exec pg_isready -U app\"]",
            "[bash, -c, -eo, pipefail, \"a | b\"]",
            "[sh, -c, --, check]",
            "[/check.sh]",
            "[env, A=b, sh, -c, a, \"|\"]",
            "[grep, a|b, /f]",
            "[/usr/bin/find, /run, -exec, test, -f, \"{}\", \";\"]",
            "[expr, \"1\", \"|\", \"0\"]",
        ] {
            assert_eq!(said(command), Vec::<&str>::new(), "{command}");
        }
    }

    #[test]
    fn what_does_not_is() {
        for (command, id) in [
            ("[cat /tmp/ok]", "command-in-one-word"),
            ("[\"/bin/grpc_health_probe -addr=:8080\"]", "command-in-one-word"),
            ("[curl, -f, localhost, \"||\", exit, \"1\"]", "command-without-shell"),
            ("[sh, -c, redis-cli, ping]", "shell-drops-words"),
            ("[sh, -c, -e, redis-cli, ping]", "shell-drops-words"),
        ] {
            assert_eq!(said(command), [id], "{command}");
        }
    }

    #[test]
    fn secrets_of_a_command_are_masked() {
        let all = of_probe("readinessProbe: {exec: {command: [mysqladmin, --password=hunter2, \"|\", cat]}}");
        assert!(!format!("{all:?}").contains("hunter2"), "{all:?}");
    }
}
