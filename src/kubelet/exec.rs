//! What the output of an exec probe proves. An app may print anything: only messages that name the probe's
//! own command count.

use std::sync::Arc;

use super::event_message::OUTPUT_MAX;
use super::quoted::{Quoted, unquote};
use super::runtime::{errored, obstacle, refusal};
use super::shell::{Call, Link, calls, is_interpreter, is_shell, is_wrapper};
use super::{Failure, Obstacle};

/// Classifies the output of a command that failed.
pub fn failed(command: &[Arc<str>], output: &str) -> Failure {
    if timed_out(command, output) {
        return Failure::TimedOut;
    }
    refused_by_runtime(command, output.trim_end())
        .or_else(|| missing(command, output))
        .unwrap_or(Failure::CommandFailed)
}

/// `command timed out: "CMD" timed out after 1s` (≥1.31), `command "CMD" timed out` (≤1.30).
///
/// The whole output has to match, and CMD has to be the probe's command. The message of a long command is
/// cut within CMD, which is then compared up to the cut.
fn timed_out(command: &[Arc<str>], output: &str) -> bool {
    let (quoted, end) = match output.strip_prefix("command timed out: ") {
        Some(quoted) => (quoted, " timed out after "),
        None => match output.strip_prefix("command ") {
            Some(quoted) => (quoted, " timed out"),
            None => return false,
        },
    };
    let Some(Quoted { bytes, rest }) = unquote(quoted) else {
        return false;
    };
    let said = String::from_utf8_lossy(&bytes);
    let pattern = command.join(" ");
    match rest {
        Some(rest) => rest.strip_prefix(end).is_some_and(is_duration_or_nothing) && matches(&pattern, &said),
        None => output.len() + CUT_SLACK >= OUTPUT_MAX && matches_so_far(&pattern, said.trim_end_matches('\u{fffd}')),
    }
}

/// A cut between characters may lose up to this many bytes.
const CUT_SLACK: usize = 3;

fn is_duration_or_nothing(text: &str) -> bool {
    let in_duration = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | 'µ');
    text.is_empty() || (text.starts_with(|first: char| first.is_ascii_digit()) && text.chars().all(in_duration))
}

/// The literal pieces of a command, between parts that may differ in a message: `***` is a mask, and the
/// kubelet replaces `$(NAME)` by the variable's value and `$$` by `$`.
fn literal_pieces(pattern: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(found) = pattern[at..].find(['*', '$']) {
        at += found;
        match hole(&pattern[at..]) {
            Some(length) => {
                pieces.push(&pattern[start..at]);
                at += length;
                start = at;
            }
            None => at += 1,
        }
    }
    pieces.push(&pattern[start..]);
    pieces
}

/// The length of a mask or variable at the beginning.
fn hole(text: &str) -> Option<usize> {
    if text.starts_with("***") {
        return Some(3);
    }
    if text.starts_with("$$") {
        return Some(2);
    }
    let name = text.strip_prefix("$(")?;
    let end = name.find(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '-' | '.'))?;
    name[end..].starts_with(')').then_some(end + 3)
}

fn matches(pattern: &str, text: &str) -> bool {
    let pieces = literal_pieces(pattern);
    let [first, middle @ .., last] = pieces.as_slice() else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(first) else {
        return false;
    };
    let Some(mut text) = text.strip_suffix(last) else {
        return false;
    };
    for piece in middle {
        let Some(found) = text.find(piece) else { return false };
        text = &text[found + piece.len()..];
    }
    true
}

fn matches_so_far(pattern: &str, text: &str) -> bool {
    match literal_pieces(pattern).as_slice() {
        [] => false,
        [whole] => whole.starts_with(text),
        [first, ..] => first.starts_with(text) || text.starts_with(first),
    }
}

/// Longer scripts are not analysed: each call is compared with the others.
const CALLS_MAX: usize = 256;

/// The probe's own command that a shell reports as missing or not executable, if that decided the result.
fn missing(command: &[Arc<str>], output: &str) -> Option<Failure> {
    let reported: Vec<Complaint<'_>> = output.lines().filter_map(|line| complaint(line.trim())).collect();
    if reported.is_empty() {
        return None;
    }
    let calls = calls(command);
    if calls.len() > CALLS_MAX {
        return None;
    }
    let is_missing = |call: &Call| reported.iter().any(|complaint| call.is(complaint.name));
    let answers = |call: &Call| call.tells() && !is_missing(call);
    let at = (0..calls.len()).find(|&at| {
        let (before, after) = (&calls[..=at], &calls[at + 1..]);
        is_missing(&calls[at]) && !is_fallback(before, answers) && !is_made_good(after, answers)
    })?;
    let decided = reported.into_iter().find(|complaint| calls[at].is(complaint.name))?;
    let name = Arc::from(decided.name);
    Some(match decided.obstacle {
        Some(why) => Failure::NotExecutable { name: Some(name), why },
        None => Failure::CommandMissing { name },
    })
}

/// Whether the last of these calls runs because an earlier one, whose result matters, has failed.
fn is_fallback(calls: &[Call], answers: impl Fn(&Call) -> bool) -> bool {
    let Some(first) = calls.iter().position(answers) else {
        return false;
    };
    calls[first + 1..].iter().any(|call| call.link == Link::Instead && !call.ends())
}

/// Whether one of these calls runs although the previous one failed, and its result matters.
fn is_made_good(calls: &[Call], answers: impl Fn(&Call) -> bool) -> bool {
    calls.iter().skip_while(|call| call.link == Link::With).any(answers)
}

/// A shell's error about a command that it cannot run.
struct Complaint<'a> {
    name: &'a str,
    /// Why not, if the file exists.
    obstacle: Option<Obstacle>,
}

/// Parses an error of a shell, or of the kernel passed on by the runtime: `sh: 1: curl: not found`, `sh:
/// can't open '/x.sh': No such file or directory`.
fn complaint(line: &str) -> Option<Complaint<'_>> {
    let mut parts: Vec<&str> = line.split(": ").collect();
    let last = parts.pop()?;
    let (name, obstacle) = what_and_why(&mut parts, last)?;
    let name = bare_name(name);
    let speakers_fit = match parts.split_first() {
        Some((speaker, places)) => is_speaker(speaker) && places.iter().all(|place| is_place(place)),
        // "/probe.sh: not found", "exec /probe.sh: no such file or directory"
        None => name.contains('/'),
    };
    speakers_fit.then_some(Complaint { name, obstacle })
}

/// Removes the file and the reason from the end of an error.
fn what_and_why<'a>(parts: &mut Vec<&'a str>, last: &'a str) -> Option<(&'a str, Option<Obstacle>)> {
    let before = parts.last().copied().unwrap_or_default();
    if before == "bad interpreter" && is_missing_reason(last) {
        // bash: /probe.sh: /bin/bash^M: bad interpreter: No such file or directory
        parts.truncate(parts.len().checked_sub(2)?);
        return Some((parts.pop()?, Some(Obstacle::Interpreter)));
    }
    if before == "cannot execute" && last == "required file not found" {
        parts.pop();
        return Some((parts.pop()?, Some(Obstacle::Interpreter)));
    }
    if let Some(why) = obstacle(last) {
        if matches!(before, "cannot execute" | "cannot execute binary file") {
            parts.pop();
        }
        return Some((parts.pop()?, Some(why)));
    }
    if is_missing_reason(last) {
        return Some((parts.pop()?, None));
    }
    if before == "command not found" {
        // zsh:1: command not found: curl
        parts.pop();
        return Some((last, None));
    }
    last.starts_with("Can't open ").then_some((last, None))
}

fn is_missing_reason(text: &str) -> bool {
    const REASONS: [&str; 3] = ["not found", "no such file", "no such file or directory"];
    let text = text.strip_prefix("[Errno 2] ").unwrap_or(text).to_ascii_lowercase();
    let text = text.strip_prefix("command ").or_else(|| text.strip_prefix("inaccessible or ")).unwrap_or(&text);
    REASONS.contains(&text)
}

fn is_speaker(text: &str) -> bool {
    // zsh puts the line number directly after its name.
    let name = text.split(':').next().unwrap_or(text);
    is_shell(name) || is_wrapper(name) || is_interpreter(name)
}

/// `line 1`, `1`, `exec`: a position in a script.
fn is_place(text: &str) -> bool {
    let number = text.strip_prefix("line ").unwrap_or(text);
    number.bytes().all(|byte| byte.is_ascii_digit()) || matches!(text, "exec" | "eval")
}

/// Strips `can't open '…'` and the like from a name.
fn bare_name(text: &str) -> &str {
    const VERBS: [&str; 8] = [
        "can't open file ",
        "can't open ",
        "Can't open ",
        "cannot open ",
        "can't execute ",
        "can't exec ",
        "failed to run command ",
        "exec ",
    ];
    let name = VERBS.iter().find_map(|verb| text.strip_prefix(verb)).unwrap_or(text);
    name.trim_matches(|mark| matches!(mark, '\'' | '"' | '`' | '‘' | '’'))
}

/// The runtime's error, if it is given as the command's output.
///
/// An app could print the same: only messages that name the probe's own command count, or, for runtimes
/// that name none, those that are the whole output.
fn refused_by_runtime(command: &[Arc<str>], output: &str) -> Option<Failure> {
    let own = command.first()?;
    if output.contains('\n') {
        return None;
    }
    if let Some(why) = output.strip_prefix("exec: ") {
        // crun, which found the file; a shell would have named it.
        let why = kernel_says(why).filter(|_| !is_shell(own))?;
        return Some(Failure::NotExecutable { name: None, why });
    }
    if let Some((name, why)) = output.strip_prefix("exec ").and_then(|words| words.rsplit_once(": ")) {
        let why = kernel_says(why).filter(|_| matches(own, name))?;
        return Some(Failure::NotExecutable { name: Some(name.into()), why });
    }
    if !is_runtimes(output) {
        return None;
    }
    let names_another = refusal(output).is_some_and(|refusal| refusal.name().is_some_and(|name| !matches(own, name)));
    Some(errored(output)).filter(|failure| !names_another && *failure != Failure::Unrecognised)
}

/// Prefixes of errors that runtimes return as the command's output: Docker, containerd, CRI-O and Windows.
fn is_runtimes(output: &str) -> bool {
    let cri_o = output.starts_with("command error: ") && output.ends_with(", exit code -1");
    let windows = output.starts_with("container ") && output.contains(" encountered an error during CreateProcess: ");
    let containerd =
        output.starts_with("rpc error: code = ") && output.contains(" desc = failed to exec in container: ");
    output.starts_with("OCI runtime exec failed: ") || cri_o || windows || containerd
}

/// Why the kernel did not execute a file that the runtime had found.
fn kernel_says(words: &str) -> Option<Obstacle> {
    match words.to_ascii_lowercase().as_str() {
        "no such file or directory" => Some(Obstacle::Interpreter),
        "exec format error" => Some(Obstacle::Format),
        "permission denied" => Some(Obstacle::Permission),
        "is a directory" => Some(Obstacle::Directory),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_told_in_two_wordings() {
        for output in [
            "command \"sleep 10\" timed out",
            "command timed out: \"sleep 10\" timed out after 1s",
            "command timed out: \"sleep 10\" timed out after 1m30.5s",
        ] {
            assert_eq!(failed(&words(&["sleep", "10"]), output), Failure::TimedOut, "{output}");
        }
        let script = words(&["sh", "-c", "echo \"a\\b\"\n\tcurl é"]);
        let output = r#"command "sh -c echo \"a\\b\"\n\tcurl é" timed out"#;
        assert_eq!(failed(&script, output), Failure::TimedOut);
    }

    #[test]
    fn a_timeout_is_known_although_words_are_masked_or_expanded() {
        let command = words(&["redis-cli", "-a", "***", "-p", "$(PORT)", "ping $$"]);
        assert_eq!(failed(&command, "command \"redis-cli -a s3cret -p 6379 ping $\" timed out"), Failure::TimedOut);
        assert_eq!(failed(&command, "command \"redis-cli -a *** -p 6379 ping $\" timed out"), Failure::TimedOut);
        assert_eq!(failed(&command, "command \"redis-cli -a s3cret -p 6379 flush\" timed out"), Failure::CommandFailed);
    }

    #[test]
    fn a_timeout_of_a_long_command_is_known_although_its_message_is_cut() {
        let script = "x\n".repeat(1000);
        let output = format!("command timed out: {:?}", format!("sh -c {script}"));

        assert_eq!(failed(&words(&["sh", "-c", &script]), &output[..1024]), Failure::TimedOut);
        assert_eq!(failed(&words(&["sh", "-c", "y"]), &output[..1024]), Failure::CommandFailed);
        assert_eq!(failed(&words(&["sh", "-c", &script]), &output[..100]), Failure::CommandFailed);
    }

    #[test]
    fn an_app_s_own_timeout_is_a_failed_command() {
        for output in [
            "command \"psql\" timed out",
            "error: command \"sleep 10\" timed out",
            "command \"sleep 10\" timed out, giving up",
            "command timed out: \"sleep 10\" timed out after a while",
            "context deadline exceeded",
        ] {
            assert_eq!(failed(&words(&["sleep", "10"]), output), Failure::CommandFailed, "{output}");
        }
    }

    #[test]
    fn a_shell_that_misses_the_probe_s_command_is_understood() {
        for (script, output, name) in [
            ("pg_isready -U app -h 127.0.0.1", "sh: pg_isready: not found\n", "pg_isready"),
            ("curl -sf localhost || exit 1", "sh: 1: curl: not found\n", "curl"),
            ("foo", "bash: line 1: foo: command not found", "foo"),
            ("foo", "bash: foo: command not found", "foo"),
            ("foo", "zsh:1: command not found: foo", "foo"),
            ("exec foo", "/bin/sh: exec: line 0: foo: not found", "foo"),
            ("exec foo", "exec: foo: not found", "foo"),
            ("env foo", "env: 'foo': No such file or directory", "foo"),
            ("timeout 3 foo", "timeout: failed to run command ‘foo’: No such file or directory", "foo"),
            ("/probe.sh", "/probe.sh: not found", "/probe.sh"),
            ("$DIR/probe.sh", "sh: /opt/probe.sh: not found", "/opt/probe.sh"),
            ("wget -qO- localhost | jq .", "sh: jq: not found\nwget: short write", "jq"),
            ("curl x || wget y", "sh: curl: not found\r\nsh: wget: not found\r\n", "curl"),
            ("nc -z db 1 || exit 1; pg_isready", "sh: pg_isready: not found", "pg_isready"),
            ("curl -s x > /tmp/o; grep -q ok /tmp/o || curl y", "sh: curl: not found\nsh: grep: not found", "curl"),
        ] {
            let expected = Failure::CommandMissing { name: name.into() };
            assert_eq!(failed(&words(&["sh", "-c", script]), output), expected, "{script}: {output}");
        }
    }

    #[test]
    fn a_missing_script_is_understood() {
        for output in [
            "sh: can't open '/x.sh': No such file or directory",
            "sh: 0: cannot open /x.sh: No such file",
            "/bin/sh: 0: Can't open /x.sh",
            "/bin/bash: /x.sh: No such file or directory",
            "exec /x.sh: no such file or directory",
        ] {
            let expected = Failure::CommandMissing { name: "/x.sh".into() };
            assert_eq!(failed(&words(&["sh", "/x.sh"]), output), expected, "{output}");
        }
        let output = "python3: can't open file '/x.py': [Errno 2] No such file or directory";
        let expected = Failure::CommandMissing { name: "/x.py".into() };
        assert_eq!(failed(&words(&["python3", "/x.py"]), output), expected);
    }

    #[test]
    fn what_the_app_misses_is_a_failed_command() {
        for (command, output) in [
            (["cat", "/tmp/healthy", ""], "cat: can't open '/tmp/healthy': No such file or directory\n"),
            (["sh", "-c", "cat /tmp/healthy"], "cat: can't open '/tmp/healthy': No such file or directory\n"),
            (["sh", "-c", "grep ok < /tmp/healthy"], "sh: 1: cannot open /tmp/healthy: No such file"),
            (["sh", "-c", "grep ok </tmp/healthy"], "sh: can't open /tmp/healthy: no such file or directory"),
            (["sh", "-c", "check"], "check: not found"),
            (["sh", "-c", "/check.sh"], "/check.sh: line 3: curl: not found"),
            (["sh", "-c", "check config"], "sh: config: not found"),
            (["sh", "-c", "check"], "service: check: not found"),
            (["sh", "-c", "check"], "the shell says: sh: check: not found, or so"),
            (
                ["sh", "-c", ". /vault/env && check"],
                "sh: .: line 0: can't open '/vault/env': No such file or directory",
            ),
            (["sh", "-c", "***"], "sh: check: not found"),
        ] {
            assert_eq!(failed(&words(&command), output), Failure::CommandFailed, "{command:?}: {output}");
        }
        assert_eq!(failed(&[], ""), Failure::CommandFailed);
        assert_eq!(failed(&[], "sh: : not found"), Failure::CommandFailed);
    }

    #[test]
    fn a_missing_command_beside_one_that_answered_does_not_decide() {
        for script in [
            "curl -sf localhost || wget -q localhost",
            "wget -q localhost || curl -sf localhost",
            "wget -q localhost || { echo down; curl -d down hook; exit 1; }",
            "curl -d up hook; wget -q localhost",
            "if wget -q localhost; then exit 0; else curl -sf localhost; fi",
        ] {
            let output = "sh: curl: not found\n";
            assert_eq!(failed(&words(&["sh", "-c", script]), output), Failure::CommandFailed, "{script}");
        }
    }

    #[test]
    fn a_script_that_a_shell_cannot_execute_says_why() {
        for (output, why) in [
            ("sh: 1: /probe.sh: Permission denied", Obstacle::Permission),
            ("bash: line 1: /probe.sh: Is a directory", Obstacle::Directory),
            ("bash: /probe.sh: /bin/bash^M: bad interpreter: No such file or directory", Obstacle::Interpreter),
            ("bash: line 1: /probe.sh: cannot execute: required file not found", Obstacle::Interpreter),
            ("bash: line 1: /probe.sh: cannot execute binary file: Exec format error", Obstacle::Format),
            ("/bin/sh: 1: /probe.sh: Exec format error", Obstacle::Format),
        ] {
            let expected = Failure::NotExecutable { name: Some("/probe.sh".into()), why };
            assert_eq!(failed(&words(&["sh", "-c", "/probe.sh"]), output), expected, "{output}");
            assert_eq!(failed(&words(&["sh", "-c", "other"]), output), Failure::CommandFailed, "{output}");
        }
    }

    #[test]
    fn a_script_that_the_runtime_cannot_execute_says_why() {
        for (output, name, why) in [
            ("exec /scripts/check.sh: no such file or directory\n", Some("/scripts/check.sh"), Obstacle::Interpreter),
            ("exec /scripts/check.sh: exec format error\n", Some("/scripts/check.sh"), Obstacle::Format),
            ("exec /scripts/check.sh: permission denied", Some("/scripts/check.sh"), Obstacle::Permission),
            ("exec: No such file or directory\n", None, Obstacle::Interpreter),
            ("exec: Exec format error\n", None, Obstacle::Format),
        ] {
            let expected = Failure::NotExecutable { name: name.map(Into::into), why };
            assert_eq!(failed(&words(&["/scripts/check.sh", "-v"]), output), expected, "{output}");
        }
        for output in [
            "exec /other.sh: exec format error",
            "exec: Exec format error\nand more",
            "checking\nexec: Exec format error",
            "the app says: exec: Exec format error",
        ] {
            assert_eq!(failed(&words(&["/scripts/check.sh"]), output), Failure::CommandFailed, "{output}");
        }
        assert_eq!(failed(&words(&["sh", "-c", "x"]), "exec: Exec format error"), Failure::CommandFailed);
    }

    #[test]
    fn a_runtime_that_ran_nothing_is_not_the_app() {
        for (output, expected) in [
            (
                "OCI runtime exec failed: fork/exec /usr/sbin/runc: resource temporarily unavailable: unknown\r\n",
                Failure::RuntimeRefused,
            ),
            ("OCI runtime exec failed: runc did not terminate successfully: unknown", Failure::RuntimeRefused),
            (
                "container 2964d2a9 encountered an error during CreateProcess: failure in a Windows system call: The RPC server is unavailable. (0x6ba)",
                Failure::RuntimeRefused,
            ),
            ("command error: time=\"x\" level=error msg=\"cannot fork\", exit code -1", Failure::RuntimeRefused),
            ("OCI runtime exec failed: exec failed: cannot exec in a stopped container: unknown", Failure::NotRunning),
            (
                "OCI runtime exec failed: open executable: Permission denied",
                Failure::NotExecutable { name: None, why: Obstacle::Permission },
            ),
        ] {
            assert_eq!(failed(&words(&["/check"]), output), expected, "{output}");
        }
        for output in [
            "rpc error: code = Unavailable desc = connection refused",
            "checking\nOCI runtime exec failed: x",
            "fork: resource temporarily unavailable",
            "command error: the database is down",
            "the container encountered an error during CreateProcess: x",
        ] {
            assert_eq!(failed(&words(&["/check"]), output), Failure::CommandFailed, "{output}");
        }
    }

    #[test]
    fn docker_gives_the_runtime_s_refusal_as_output() {
        let output = "OCI runtime exec failed: exec failed: unable to start container process: exec: \"curl\": executable file not found in $PATH: unknown\r\n";

        assert_eq!(failed(&words(&["curl", "x"]), output), Failure::CommandMissing { name: "curl".into() });
        assert_eq!(failed(&words(&["other"]), output), Failure::CommandFailed);
    }

    fn words(words: &[&str]) -> Vec<Arc<str>> {
        words.iter().map(|&word| word.into()).collect()
    }
}
