//! The built binary, as users and scripts run it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

const BOOKMARKS: &str = r#"{"ts":"2026-11-22T13:58:00Z","resource":"pods","type":"BOOKMARK","object":{}}
{"ts":"2026-11-22T14:00:10Z","resource":"pods","type":"BOOKMARK","object":{}}
"#;

#[test]
fn every_command_explains_itself_with_examples_and_exit_codes() {
    for command in [
        vec![],
        vec!["demo"],
        vec!["scan"],
        vec!["lint"],
        vec!["replay"],
        vec!["run"],
        vec!["watch"],
        vec!["record"],
        vec!["notify"],
        vec!["crd"],
        vec!["version"],
        vec!["completions"],
        vec!["man"],
    ] {
        let output = probehound(&[&command[..], &["--help"]].concat());
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        assert!(text.contains("Examples:\n  # "), "{text}");
        assert!(text.contains("Exit codes:\n  0  "), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn the_version_is_the_packages() {
    let output = probehound(&["--version"]);
    assert_eq!(stdout(&output), format!("probehound {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_manners_of_a_shell_are_known() {
    assert_eq!(stdout(&probehound(&["version"])), format!("probehound {}\n", env!("CARGO_PKG_VERSION")));
    let help = stdout(&probehound(&["help", "scan"]));
    assert!(help.contains("Usage: probehound scan") && help.contains("--exit-code"), "{help}");
    for (typed, meant) in [("scna", "scan"), ("repaly", "replay")] {
        let text = stderr(&probehound(&[typed]));
        assert!(text.contains(&format!("hint: a similar subcommand exists: '{meant}'")), "{text}");
    }
}

#[test]
fn no_command_at_all_shows_the_help_as_wrong_usage() {
    let output = probehound(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("Usage: probehound"));
    assert!(output.stdout.is_empty());
}

#[test]
fn wrong_usage_is_one_line_and_a_hint() {
    let cases: [(&[&str], &str); 14] = [
        (&["run", "-n", "Prod"], "\"Prod\" is no name of a namespace"),
        (&["run", "-l", "a in b"], "\"a in b\" is no label's key"),
        (&["run", "--listen", "8080"], "\"8080\" is no address to listen at"),
        (&["run", "-A", "-n", "prod"], "cannot be used with"),
        (&["demo", "--speed", "slow"], "neither max nor a number above 0"),
        (&["demo", "x"], "unexpected argument 'x' found"),
        (&["replay", "--sped", "3", "x"], "unexpected argument '--sped' found"),
        (&["record", "--for", "10", "x"], "\"10\" has no unit"),
        (&["record"], "the following required arguments were not provided: <FILE>"),
        (&["replay"], "the following required arguments were not provided: <FILE>..."),
        (&["replay", "--speed", "0", "x"], "neither max nor a number above 0"),
        (&["replay", "-o", "yaml", "x"], "invalid value 'yaml' for '--output <FORMAT>'"),
        (&["rewind"], "unrecognized subcommand 'rewind'"),
        (&["man", "rewind"], "there is no command \"rewind\""),
    ];
    for (args, what) in cases {
        let output = probehound(args);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text.starts_with("error: ") && text.contains(what), "{text}");
        assert!(text.lines().nth(1).is_some_and(|hint| hint.starts_with("hint: ")), "{text}");
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_hostile_argument_cannot_touch_the_terminal() {
    let output = probehound(&["replay", "--\u{1b}[2J\u{202e}", "x"]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains(r"\u{202e}") && !text.contains(['\u{1b}', '\u{202e}']), "{text}");
}

#[test]
fn a_missing_file_is_named_with_a_hint() {
    let output = probehound(&["replay", "no/such\u{7}.jsonl"]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.starts_with(r"error: cannot open no/such\u{7}.jsonl: there is no such file"), "{text}");
    assert!(text.contains("\nhint: check the path"), "{text}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_folder_is_no_recording() {
    let output = probehound(&["replay", env!("CARGO_TARGET_TMPDIR")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("is a directory\nhint: name the files in it"), "{}", stderr(&output));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_recording_that_is_cut_claims_no_more_than_it_holds() {
    let output = fed(&["replay", "-"], "\u{1f}\u{0}");
    assert!(stdout(&output).starts_with("Not a recording: no line of it could be used.\n"));
    let zipped = recording("cut.jsonl.gz", "");
    std::fs::write(&zipped, cut_gzip()).expect("the folder can be written");
    let output = probehound(&["replay", &zipped]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("No findings in what could be read.\n"), "{}", stdout(&output));
    assert!(stderr(&output).contains("error: cannot read "), "{}", stderr(&output));
    assert!(stderr(&output).contains("\nhint: a recording is JSON lines"), "{}", stderr(&output));
}

#[test]
fn a_missing_file_does_not_keep_the_others_from_being_replayed() {
    let file = recording("others.jsonl", BOOKMARKS);
    let output = probehound(&["replay", "missing.jsonl", &file]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("==> "), "each of several files has a heading");
    assert!(stdout(&output).contains("2 observations in 2m10s, 0 lines skipped."));
    assert!(stderr(&output).contains("error: cannot open missing.jsonl"));
    assert!(stderr(&output).contains("error: 1 of 2 files could not be read to their end"));
}

#[test]
fn a_quiet_recording_has_no_findings() {
    let output = fed(&["replay", "-"], BOOKMARKS);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        stdout(&output),
        "No findings: nothing here restarts in a loop or is held up by a probe.\n\n\
         2 observations in 2m10s, 0 lines skipped.\n"
    );
    assert!(output.stderr.is_empty());
}

#[test]
fn json_is_one_document_per_file() {
    let file = recording("documents.jsonl", BOOKMARKS);
    let output = probehound(&["replay", "-o", "json", &file, &file]);
    let text = stdout(&output);
    let documents: Vec<serde_json::Value> = serde_json::Deserializer::from_str(&text)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("a stream of JSON documents");
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[0]["findings"], serde_json::json!([]));
    assert_eq!(documents[1]["observations"], 2);
    assert_eq!(documents[1]["skipped"], 0);
}

#[test]
fn lines_that_cannot_be_used_are_reported_up_to_a_bound() {
    let output = fed(&["replay", "-o", "json", "-"], &"no\u{1b}[2J json\n".repeat(23));
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "no line of it could be used");
    assert_eq!(text.lines().count(), 23, "{text}");
    assert!(text.starts_with("-:1: "), "{text}");
    assert!(text.contains("-: and 3 more lines skipped\nerror: no line of - could be used\n"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(stdout(&output).contains("\"skipped\": 23"));
}

#[test]
fn colour_is_for_terminals_or_on_request() {
    let plain = |args: &[&str]| !stdout(&fed(args, BOOKMARKS)).contains('\u{1b}');
    assert!(plain(&["replay", "-"]), "a pipe gets no colour");
    assert!(plain(&["--color", "never", "replay", "-"]));
    let mut command = binary(&["replay", "--color", "auto", "-"]);
    command.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1");
    assert!(!stdout(&run_fed(command, BOOKMARKS)).contains('\u{1b}'));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = binary(&["replay", "-o", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    drop(child.stdin.take());
    let output = child.wait_with_output().expect("the binary ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn every_shell_has_completions_for_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = probehound(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        for word in ["demo", "replay", "run", "record", "notify", "crd", "completions", "man", "speed", "check-config"]
        {
            assert!(stdout(&output).contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    assert!(stdout(&probehound(&["man"])).contains(".TH probehound 1"));
    for command in ["demo", "replay", "run", "record", "notify", "crd", "completions", "man"] {
        let page = stdout(&probehound(&["man", command]));
        assert!(page.contains(&format!(".TH probehound-{command} 1")), "{page}");
        assert!(page.contains("Examples:"), "{page}");
    }
}

#[cfg(unix)]
#[test]
fn as_a_kubectl_plugin_it_calls_itself_so() {
    use std::os::unix::process::CommandExt;

    let help = |args: &[&str]| {
        let mut command = binary(args);
        command.arg0("/usr/local/bin/kubectl-probehound");
        stdout(&command.output().expect("the binary runs"))
    };
    assert!(help(&["--help"]).contains("Usage: kubectl probehound "));
    let replay = help(&["replay", "--help"]);
    assert!(replay.contains("Usage: kubectl probehound replay "), "{replay}");
    assert!(replay.contains("  kubectl probehound replay incident.jsonl.gz"), "{replay}");
}

#[test]
fn the_demo_tells_its_story_into_a_pipe_without_escape_codes() {
    let output = probehound(&["demo", "--speed", "max"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
    assert!(text.starts_with("A recorded outage"), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[cfg(unix)]
#[test]
fn a_demo_that_is_broken_off_leaves_whole_lines_and_nothing_to_clean_up() {
    use std::io::Read;

    let mut child = binary(&["--color", "always", "demo", "--speed", "1"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut out = child.stdout.take().expect("piped");
    let mut text = vec![0; 200];
    out.read_exact(&mut text).expect("it tells at once what it is about");
    // If the tests run in the background, SIGINT may be ignored.
    for signal in ["-INT", "-TERM"] {
        let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("there is a kill");
        assert!(killed.success());
    }
    out.read_to_end(&mut text).expect("the pipe is closed");
    assert!(!child.wait().expect("it ends").success());
    let text = String::from_utf8(text).expect("whole characters");
    assert!(text.ends_with('\n'), "{text:?}");
    assert!(!text.contains("\u{1b}[?"), "no mode of the terminal is changed: {text:?}");
    let ends_plain = |line: &str| line.rsplit_once("\u{1b}[").is_none_or(|(_, last)| last.starts_with("0m"));
    assert!(text.lines().all(ends_plain), "each line ends its colours: {text:?}");
}

fn binary(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probehound"));
    command.args(args);
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"] {
        command.env_remove(variable);
    }
    command
}

fn probehound(args: &[&str]) -> Output {
    binary(args).stdin(Stdio::null()).output().expect("the binary runs")
}

fn fed(args: &[&str], input: &str) -> Output {
    run_fed(binary(args), input)
}

fn run_fed(mut command: Command, input: &str) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).expect("the binary reads");
    drop(stdin);
    child.wait_with_output().expect("the binary ends")
}

/// A file with that content in cargo's folder for tests.
fn recording(name: &str, content: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).expect("the folder can be written");
    path.display().to_string()
}

/// Many lines, of which the last few are lost.
fn cut_gzip() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for second in 0..60_000 {
        let time = format!("2026-11-22T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
        let line = BOOKMARKS.lines().next().expect("two lines").replace("2026-11-22T13:58:00Z", &time);
        writeln!(encoder, "{line}").expect("memory takes everything");
    }
    let mut bytes = encoder.finish().expect("memory takes everything");
    bytes.truncate(bytes.len() - 100);
    bytes
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}
