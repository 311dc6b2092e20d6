//! Runs the commands in the README.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const README: &str = include_str!("../README.md");
const RECORDING: &str = r#"{"ts":"2026-11-22T13:58:00Z","resource":"pods","type":"BOOKMARK","object":{}}
{"ts":"2026-11-22T13:58:10Z","resource":"pods","type":"BOOKMARK","object":{}}
"#;

#[test]
fn every_command_of_the_readme_runs() {
    let folder = folder_with_recordings("commands");
    let commands = commands();
    assert!(commands.len() >= 12, "{commands:?}");
    for command in commands.into_iter().filter(|command| !needs_more_than_rust(command)) {
        let output = run(command, &folder);
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn what_a_command_for_a_cluster_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named: Vec<&str> = commands()
        .into_iter()
        .filter(|command| needs_more_than_rust(command))
        .flat_map(str::split_whitespace)
        .filter(|word| word.starts_with("manifests/") || word.starts_with("charts/"))
        .collect();
    assert!(named.len() >= 3, "{named:?}");
    for path in named {
        assert!(root.join(path).exists(), "{path}");
    }
}

#[test]
fn everything_that_can_be_made_is_a_target_with_a_help_text() {
    let help = Command::new("make").current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("make is installed");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for target in ["demo", "test", "e2e", "e2e-node", "bench", "bench-cluster", "picture", "lint"] {
        assert!(help.contains(&format!("make {target} ")), "{help}");
    }
}

#[test]
fn what_the_readme_says_of_the_outage_is_what_the_demo_computes() {
    let demo = run("probehound demo --speed max", &folder_with_recordings("outage"));
    let demo = String::from_utf8(demo.stdout).expect("text");
    let words = demo.split_whitespace().collect::<Vec<_>>().join(" ");
    for (readme, told) in [
        ("| 22s |", "22s after the rollout"),
        ("were up at +17m30s", "are up at +17m30s"),
        ("the loop ended at +7m1s", "no container is in CrashLoopBackOff after +7m1s"),
        ("first seen at +2m30s", "first CrashLoopBackOff at +2m30s"),
        ("one alert for each of 50 containers", "It counts for 50 containers"),
    ] {
        assert!(README.contains(readme), "the README no longer says {readme:?}");
        assert!(words.contains(told), "the demo no longer says {told:?}: {demo}");
    }
}

/// The lines of all blocks marked as shell, without their comments.
fn commands() -> Vec<&'static str> {
    let mut inside = false;
    let mut commands = Vec::new();
    for line in README.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside => commands.push(line.split("  #").next().unwrap_or(line).trim()),
            _ => {}
        }
    }
    commands.retain(|command| !command.is_empty());
    commands
}

/// Whether `make e2e` runs it, on a real API server.
fn needs_more_than_rust(command: &str) -> bool {
    ["kubectl ", "helm "].iter().any(|program| command.starts_with(program))
}

/// Runs a command like a shell; `make` only prints its commands, since the tests run inside it.
fn run(command: &str, folder: &Path) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_probehound")).parent().expect("a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    let (command, folder) = match command.strip_prefix("make") {
        Some(targets) => (format!("make --dry-run{targets}"), Path::new(env!("CARGO_MANIFEST_DIR"))),
        None if command == "probehound demo" => (format!("{command} --speed 10000"), folder),
        None => (command.to_owned(), folder),
    };
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).current_dir(folder).env("PATH", path).env_remove("COLUMNS");
    shell.output().expect("there is a shell")
}

fn folder_with_recordings(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    std::fs::write(folder.join("incident.jsonl"), RECORDING).expect("the folder can be written");
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut zipped, RECORDING.as_bytes()).expect("memory takes everything");
    std::fs::write(folder.join("incident.jsonl.gz"), zipped.finish().expect("memory takes everything"))
        .expect("writable");
    folder
}
