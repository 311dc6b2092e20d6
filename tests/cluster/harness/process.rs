//! Programs that end with the test run, however that ends.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::clock::Stopwatch;

/// Starts a program on a leash: when this process is gone, and with it its end of the pipe, the program is
/// killed. A line on the pipe means that nothing has to be killed any more.
///
/// The program replaces the shell, so that the process id and the exit status are its own. The process that
/// holds the leash ignores the signals that a terminal sends to the whole group.
const LEASH: &str = "exec 3<&0
trap '' HUP INT TERM
( read -r _ <&3 || kill -KILL $$ ) >/dev/null 2>&1 &
trap - HUP INT TERM
exec \"$@\" 3<&- </dev/null";

/// A running program, with its output in a file.
pub struct Process {
    child: Child,
    leash: Option<ChildStdin>,
    name: String,
    log: PathBuf,
}

/// The signals.
#[derive(Copy, Clone)]
pub enum Signal {
    Terminate,
    Interrupt,
    Kill,
    Stop,
    Continue,
}

impl Process {
    /// Starts `program`; both of its outputs are appended to `log`.
    pub fn start(name: &str, program: &Path, arguments: &[String], envs: &[(String, String)], log: &Path) -> Self {
        assert!(program.exists(), "{} is not there: make e2e builds what is needed", program.display());
        let output = File::options().create(true).append(true).open(log).expect("a log can be opened");
        let mut child = Command::new("sh")
            .args(["-c", LEASH, name])
            .arg(program)
            .args(arguments)
            .envs(envs.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a file handle can be cloned"))
            .stderr(output)
            .spawn()
            .expect("a shell starts");
        let leash = child.stdin.take();
        Self { child, leash, name: name.to_owned(), log: log.to_owned() }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its output so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Its name and the last lines of its output, for a failure's message.
    pub fn last_words(&self) -> String {
        const LINES: usize = 30;
        let log = self.log();
        let skipped = log.lines().count().saturating_sub(LINES);
        let tail: Vec<&str> = log.lines().skip(skipped).collect();
        format!("--- {} ({}):\n{}\n", self.name, self.log.display(), tail.join("\n"))
    }

    /// Sends a signal; nothing happens if the process has ended.
    pub fn signal(&mut self, signal: Signal) {
        if self.has_ended().is_some() {
            return;
        }
        let word = match signal {
            Signal::Terminate => "TERM",
            Signal::Interrupt => "INT",
            Signal::Kill => "KILL",
            Signal::Stop => "STOP",
            Signal::Continue => "CONT",
        };
        let command = format!("kill -{word} {}", self.pid());
        let status = Command::new("sh").args(["-c", &command]).status().expect("a shell starts");
        assert!(status.success(), "{command}: {status}");
    }

    /// Its exit status if it has ended.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Waits until it has ended; `None` if it does not within `limit`.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let since = Stopwatch::start();
        while since.elapsed() < limit {
            if let Some(status) = self.has_ended() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// Kills it at once.
    pub fn kill(&mut self) {
        if self.has_ended().is_none() {
            self.child.kill().expect("a child that runs can be killed");
            self.child.wait().expect("a killed child ends");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if let Some(mut leash) = self.leash.take() {
            // If the holder is gone already, there is nothing to release.
            drop(leash.write_all(b"over\n"));
        }
    }
}
