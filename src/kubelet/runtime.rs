//! What a container runtime says when it cannot execute a probe's command.

use super::Failure;
use super::quoted::unquote;

/// Classifies the runtime's words on a command that did not run.
pub fn errored(output: &str) -> Failure {
    const NOT_RUNNING: [&str; 8] = [
        "CONTAINER_EXITED",
        "no running task",
        "container not running",
        "container is not running",
        "cannot exec in a stopped state",
        "cannot exec in a stopped container",
        "container not created",
        "when try to find container",
    ];
    if let Some(name) = not_executable(output) {
        return Failure::CommandMissing { name: name.into() };
    }
    let task_is_gone = output.split_once("task ").is_some_and(|(_, words)| words.contains("not found"));
    if task_is_gone || NOT_RUNNING.iter().any(|words| output.contains(words)) {
        return Failure::NotRunning;
    }
    Failure::Unrecognised
}

/// The file that the runtime could not execute: `exec: "BIN": stat BIN: no such file or directory`.
pub fn not_executable(output: &str) -> Option<String> {
    const REASONS: [&str; 5] = [
        "no such file or directory",
        "executable file not found",
        "permission denied",
        "not a directory",
        "is a directory",
    ];
    if let Some((_, words)) = output.split_once("executable file `") {
        // crun
        return words.split_once("` not found").map(|(name, _)| name.to_owned());
    }
    // CRI-O quotes runc's message once more.
    let output = if output.contains(r#"exec: \""#) { output.replace(r#"\""#, r#"""#) } else { output.to_owned() };
    let at = output.find(r#"exec: ""#)? + "exec: ".len();
    let name = unquote(&output[at..])?;
    let why = name.rest?;
    REASONS.iter().any(|reason| why.contains(reason)).then(|| name.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "failed to exec in container: failed to start exec \"0001aa1f\": OCI runtime exec failed: exec failed: unable to start container process: ";

    #[test]
    fn a_runtime_that_cannot_execute_names_the_file() {
        for (words, name) in [
            (
                "exec: \"/usr/local/bin/healthcheck\": stat /usr/local/bin/healthcheck: no such file or directory: unknown",
                "/usr/local/bin/healthcheck",
            ),
            ("exec: \"curl\": executable file not found in $PATH", "curl"),
            ("exec: \"/probe.sh\": permission denied", "/probe.sh"),
            ("time=\"x\" level=error msg=\"exec: \\\"curl\\\": executable file not found in $PATH\", stdout: ", "curl"),
            ("executable file `curl` not found in $PATH: No such file or directory", "curl"),
            ("exec: \"CONTAINER_EXITED\": executable file not found in $PATH", "CONTAINER_EXITED"),
        ] {
            let output = format!("rpc error: code = Unknown desc = {STAT}{words}");
            assert_eq!(errored(&output), Failure::CommandMissing { name: name.into() }, "{output}");
        }
    }

    #[test]
    fn a_container_that_is_gone_says_nothing() {
        for output in [
            "rpc error: code = Unknown desc = container not running (8d3f)",
            "rpc error: code = NotFound desc = failed to exec in container: failed to load task: no running task found: task 8d3f not found: not found",
            "rpc error: code = Unknown desc = failed to exec in container: container is in CONTAINER_EXITED state",
            "rpc error: code = Unknown desc = OCI runtime exec failed: exec failed: cannot exec in a stopped container: unknown",
            "cannot exec in a stopped state: unknown",
        ] {
            assert_eq!(errored(output), Failure::NotRunning, "{output}");
        }
        assert_eq!(errored("rpc error: code = Unavailable desc = connection closed"), Failure::Unrecognised);
    }
}
