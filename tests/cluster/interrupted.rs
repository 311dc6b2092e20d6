//! Everything started for the tests ends with them, however they end.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::{Folder, Process, waiting};

#[test]
#[ignore = "it is ended by the next test"]
fn a_run_that_is_ended_from_outside() {
    let folder = Folder::new("interrupted");
    let log = folder.file("log");
    let program = Process::start("sleep", Path::new("/bin/sleep"), &["600".to_owned()], &[], &log);
    println!("started {} {}", program.pid(), folder.path().display());
    std::thread::sleep(Duration::from_mins(1));
}

#[tokio::test]
async fn what_a_run_started_ends_with_it_however_it_is_ended() {
    for signal in ["KILL", "TERM", "INT", "HUP"] {
        let mut run = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(["--exact", "interrupted::a_run_that_is_ended_from_outside", "--ignored", "--nocapture"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("this program starts");
        let lines = BufReader::new(run.stdout.take().expect("piped")).lines();
        let started =
            lines.map_while(Result::ok).find_map(|line| line.split_once("started ").map(|(_, rest)| rest.to_owned()));
        let started = started.expect("it says what it started");
        let (pid, folder) = started.split_once(' ').expect("a process id and a folder");

        // A terminal sends its signals to the whole process group at once.
        let target = if signal == "KILL" { run.id().to_string() } else { format!("-{}", run.id()) };
        assert!(shell(&format!("kill -s {signal} -- {target}")));

        assert!(!run.wait().expect("it ends").success());
        waiting::eventually(&format!("after {signal} nothing is left"), Duration::from_mins(1), async || {
            let is_gone = !shell(&format!("kill -0 {pid}")) && !Path::new(folder).exists();
            if is_gone { Ok(()) } else { Err(started.clone()) }
        })
        .await;
    }
}

fn shell(command: &str) -> bool {
    Command::new("sh").args(["-c", command]).stderr(Stdio::null()).status().expect("a shell starts").success()
}
