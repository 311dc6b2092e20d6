//! How shells parse a line: real ones if available, and the grammar of Windows' `cmd`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Makes `kubectl` print its arguments, each terminated by NUL, and a separator after the last.
const STUB: &str = "kubectl() { for word do printf '%s\\000' \"$word\"; done; printf '\\036'; }\n";

/// The arguments of `kubectl` in each line, as parsed by that shell; `None` if it is not installed.
///
/// # Panics
/// A line is not a single command, or does something else besides.
pub fn read_by(shell: &str, lines: &[String]) -> Option<Vec<Vec<String>>> {
    let program =
        ["/bin", "/usr/bin"].map(|folder| Path::new(folder).join(shell)).into_iter().find(|file| file.exists())?;
    let folder = std::env::temp_dir().join(format!("probehound-{shell}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    // Without a PATH only the stub can be run by name.
    let mut command = Command::new(program);
    command.current_dir(&folder).env_clear().env("PATH", "/nonexistent");
    let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = started.expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    let script = format!("{STUB}{}\n", lines.join("\n"));
    let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads all");
    let left = std::fs::read_dir(&folder).expect("it is there").count();
    drop(std::fs::remove_dir_all(&folder));
    assert!(output.stderr.is_empty(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(left, 0, "{shell}: a file was written");
    let text = String::from_utf8(output.stdout).expect("words are text");
    let calls: Vec<&str> = text.split_terminator('\u{1e}').collect();
    assert_eq!(calls.len(), lines.len(), "{shell}: a command for each line");
    Some(calls.iter().map(|call| call.split_terminator('\0').map(str::to_owned).collect()).collect())
}

/// The words of a line as parsed by `cmd` and the C runtime of Windows, without the program's own.
///
/// # Errors
/// A character that `cmd` would interpret.
pub fn read_by_cmd(line: &str) -> Result<Vec<String>, char> {
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            // Variables are expanded within quotes too.
            '%' | '!' | '\n' | '\r' => return Err(character),
            '&' | '|' | '<' | '>' | '^' | '(' | ')' if !quoted => return Err(character),
            _ => {}
        }
    }
    let (mut words, mut word, mut within, mut quoted) = (Vec::new(), String::new(), false, false);
    for character in line.chars() {
        match character {
            ' ' | '\t' if !quoted => {
                if within {
                    words.push(std::mem::take(&mut word));
                }
                within = false;
            }
            '"' => (quoted, within) = (!quoted, true),
            other => {
                word.push(other);
                within = true;
            }
        }
    }
    if within {
        words.push(word);
    }
    Ok(words.split_off(1))
}

#[test]
fn the_stub_sees_the_words_and_the_grammar_of_cmd_what_acts() {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let lines = [r#"kubectl -n prod patch web -p '{"a b":1}'"#.to_owned(), "kubectl get ''".to_owned()];
    let read = read_by("sh", &lines).expect("there is one everywhere");
    assert_eq!(read, [words(&["-n", "prod", "patch", "web", "-p", r#"{"a b":1}"#]), words(&["get", ""])]);
    assert_eq!(read_by_cmd("kubectl get pods"), Ok(words(&["get", "pods"])));
    assert_eq!(read_by_cmd(r#"kubectl -p "a & b""#), Ok(words(&["-p", "a & b"])));
    assert_eq!(read_by_cmd("kubectl get pods & calc"), Err('&'));
    assert_eq!(read_by_cmd(r#"kubectl -p "%PATH%""#), Err('%'));
}

#[test]
#[should_panic(expected = "not found")]
fn a_line_that_runs_something_else_is_noticed() {
    read_by("sh", &["kubectl get $(reboot)".to_owned()]);
}
