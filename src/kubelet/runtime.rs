//! Messages of container runtimes that cannot execute a command.

use super::quoted::unquote;
use super::{Failure, Obstacle};

/// Classifies the runtime's message about a probe command that did not run.
pub fn errored(output: &str) -> Failure {
    // CRI-O appends what the command wrote to its own message.
    let output = output.split(", stdout: ").next().unwrap_or(output);
    if let Some(refusal) = refusal(output) {
        return refusal.into();
    }
    if is_not_running(output) {
        return Failure::NotRunning;
    }
    // A deadline may have passed while it ran.
    let refused =
        !output.contains("code = DeadlineExceeded") && !output.contains("code = Canceled") && is_refusal(output);
    if refused { Failure::RuntimeRefused } else { Failure::Unrecognised }
}

/// Whether this is a runtime's message about a command that it did not run.
fn is_refusal(output: &str) -> bool {
    const WORDS: [&str; 4] =
        ["OCI runtime exec failed", "CreateProcess", "resource temporarily unavailable", "no pids left"];
    let starts = ["rpc error: code = ", "command error: "].iter().any(|start| output.starts_with(start));
    starts || WORDS.iter().any(|words| output.contains(words))
}

/// Whether the container had ended, or was not there yet: four texts of four runtimes.
fn is_not_running(output: &str) -> bool {
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
    let task_is_gone = output.split_once("task ").is_some_and(|(_, words)| words.contains("not found"));
    task_is_gone || NOT_RUNNING.iter().any(|words| output.contains(words))
}

/// Why a runtime could not execute a file.
#[derive(PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It does not exist.
    Missing(String),
    /// It exists, or its working directory does.
    NotExecutable(Option<String>, Obstacle),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing(name) => Self::CommandMissing { name: name.into() },
            Refusal::NotExecutable(name, why) => Self::NotExecutable { name: name.map(Into::into), why },
        }
    }
}

impl Refusal {
    /// The file in the message.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Missing(name) => Some(name),
            Self::NotExecutable(name, _) => name.as_deref(),
        }
    }
}

/// Parses why a file could not be executed, from the messages of runc and crun.
pub fn refusal(output: &str) -> Option<Refusal> {
    of_crun(output).or_else(|| of_working_dir(output)).or_else(|| of_runc(output))
}

fn of_crun(output: &str) -> Option<Refusal> {
    if let Some((_, words)) = output.split_once("executable file `") {
        return words.split_once("` not found").map(|(name, _)| Refusal::Missing(name.to_owned()));
    }
    let (_, why) = output.split_once("open executable: ")?;
    let why = match why {
        _ if why.starts_with("Operation not permitted") => Obstacle::Directory,
        _ if why.starts_with("Permission denied") => Obstacle::Permission,
        _ => return None,
    };
    Some(Refusal::NotExecutable(None, why))
}

/// ``chdir `X`: …`` (crun), `chdir to cwd ("X") set in config.json failed: …`, `mkdir X: …` (runc).
fn of_working_dir(output: &str) -> Option<Refusal> {
    let crun = || output.split_once("chdir `")?.1.split_once("`: ").map(|(name, _)| name);
    let cwd =
        || output.split_once("chdir to cwd (\"")?.1.split_once("\") set in config.json failed").map(|(name, _)| name);
    let made = || {
        let (name, _) = output.split_once("error during container init: mkdir ")?.1.rsplit_once(": not a directory")?;
        Some(name)
    };
    let name = crun().or_else(cwd).or_else(made)?;
    Some(Refusal::NotExecutable(Some(name.to_owned()), Obstacle::WorkingDir))
}

/// `exec: "BIN": stat BIN: no such file or directory`
fn of_runc(output: &str) -> Option<Refusal> {
    const MISSING: [&str; 3] = ["no such file or directory", "executable file not found", "not a directory"];
    // CRI-O quotes runc's message once more.
    let output = if output.contains(r#"exec: \""#) { output.replace(r#"\""#, r#"""#) } else { output.to_owned() };
    let at = output.find(r#"exec: ""#)? + "exec: ".len();
    let name = unquote(&output[at..])?;
    let words = name.rest?;
    match obstacle(words) {
        Some(why) => Some(Refusal::NotExecutable(Some(name.text()), why)),
        None => MISSING.iter().any(|reason| words.contains(reason)).then(|| Refusal::Missing(name.text())),
    }
}

/// The kernel's error about an existing file, ignoring case.
pub fn obstacle(words: &str) -> Option<Obstacle> {
    const WORDS: [(&str, Obstacle); 3] = [
        ("exec format error", Obstacle::Format),
        ("permission denied", Obstacle::Permission),
        ("is a directory", Obstacle::Directory),
    ];
    let words = words.to_ascii_lowercase();
    WORDS.iter().find(|(known, _)| words.contains(known)).map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "failed to exec in container: failed to start exec \"0001aa1f\": OCI runtime exec failed: exec failed: unable to start container process: ";

    #[test]
    fn a_runtime_that_does_not_find_the_file_names_it() {
        for (words, name) in [
            (
                "exec: \"/usr/local/bin/healthcheck\": stat /usr/local/bin/healthcheck: no such file or directory: unknown",
                "/usr/local/bin/healthcheck",
            ),
            ("exec: \"curl\": executable file not found in $PATH", "curl"),
            ("time=\"x\" level=error msg=\"exec: \\\"curl\\\": executable file not found in $PATH\", stdout: ", "curl"),
            ("executable file `curl` not found in $PATH: No such file or directory", "curl"),
            ("exec: \"CONTAINER_EXITED\": executable file not found in $PATH", "CONTAINER_EXITED"),
        ] {
            let output = format!("rpc error: code = Unknown desc = {STAT}{words}");
            assert_eq!(errored(&output), Failure::CommandMissing { name: name.into() }, "{output}");
        }
    }

    #[test]
    fn a_runtime_that_may_not_execute_the_file_says_why() {
        for (words, name, why) in [
            ("exec: \"/probe.sh\": permission denied", Some("/probe.sh"), Obstacle::Permission),
            ("exec: \"/probes\": is a directory: unknown", Some("/probes"), Obstacle::Directory),
            ("exec: \"/probe\": exec format error", Some("/probe"), Obstacle::Format),
            ("open executable: Permission denied: unknown", None, Obstacle::Permission),
            ("open executable: Operation not permitted", None, Obstacle::Directory),
            ("chdir `/data/app.conf`: Not a directory", Some("/data/app.conf"), Obstacle::WorkingDir),
            (
                "chdir to cwd (\"/srv\") set in config.json failed: no such file or directory",
                Some("/srv"),
                Obstacle::WorkingDir,
            ),
        ] {
            let output = format!("rpc error: code = Unknown desc = {STAT}{words}");
            assert_eq!(errored(&output), Failure::NotExecutable { name: name.map(Into::into), why }, "{output}");
        }
    }

    #[test]
    fn a_container_that_is_gone_says_nothing() {
        for output in [
            "rpc error: code = Unknown desc = container not running (8d3f)",
            "rpc error: code = NotFound desc = failed to exec in container: failed to load task: no running task found: task 8d3f not found: not found",
            "rpc error: code = Unknown desc = failed to exec in container: container is in CONTAINER_EXITED state",
            "rpc error: code = Unknown desc = OCI runtime exec failed: exec failed: cannot exec in a stopped container: unknown",
            "rpc error: code = NotFound desc = failed to exec in container: failed to start exec \"1a\": container not created: not found",
            "cannot exec in a stopped state: unknown",
        ] {
            assert_eq!(errored(output), Failure::NotRunning, "{output}");
        }
    }

    #[test]
    fn a_runtime_that_runs_nothing_has_refused() {
        for output in [
            "rpc error: code = Unavailable desc = connection closed",
            "rpc error: code = Unknown desc = failed to exec in container: failed to start exec \"3b\": hcs::System::CreateProcess 2964: The RPC server is unavailable.: unknown",
            "rpc error: code = Unknown desc = failed to exec in container: failed to start exec \"3b\": OCI runtime exec failed: fork/exec /usr/bin/runc: resource temporarily unavailable: unknown",
            "command error: time=\"x\" level=error msg=\"cannot fork\", stdout: permission denied, stderr: , exit code -1",
        ] {
            assert_eq!(errored(output), Failure::RuntimeRefused, "{output}");
        }
        for output in ["", "something new", "rpc error: code = DeadlineExceeded desc = context deadline exceeded"] {
            assert_eq!(errored(output), Failure::Unrecognised, "{output}");
        }
    }
}
