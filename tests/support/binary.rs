//! The binary, as users run it, with a time limit for every wait.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Far more than any run takes; a run that takes longer hangs.
const LIMIT: Duration = Duration::from_mins(2);

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

/// Runs `probehound` with these arguments and that standard input.
pub fn probehound<W: AsRef<OsStr>>(words: &[W], stdin: &[u8]) -> Outcome {
    probehound_in(&[], words, stdin)
}

/// The same with more variables in its environment.
pub fn probehound_in<W: AsRef<OsStr>>(variables: &[(&str, &str)], words: &[W], stdin: &[u8]) -> Outcome {
    let mut child = Command::new(env!("CARGO_BIN_EXE_probehound"))
        .args(words)
        .env("NO_COLOR", "1")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut input = child.stdin.take().expect("piped");
    let stdin = stdin.to_vec();
    // It may end without reading everything, which is for the test to judge.
    let feeder = thread::spawn(move || drop(input.write_all(&stdin)));
    let stdout = drain(child.stdout.take().expect("piped"));
    let stderr = drain(child.stderr.take().expect("piped"));
    let (Ok(stdout), Ok(stderr)) = (stdout.recv_timeout(LIMIT), stderr.recv_timeout(LIMIT)) else {
        child.kill().expect("a child that hangs can be killed");
        panic!("the binary did not end within {LIMIT:?}");
    };
    feeder.join().expect("the feeder does not panic");
    Outcome {
        code: child.wait().expect("it has ended").code(),
        stdout,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

fn drain(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
        // Nobody receives any more if the test has given up.
        drop(sender.send(bytes));
    });
    receiver
}
