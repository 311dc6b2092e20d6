//! Makes an SVG of a terminal: of what the demo prints (`make picture`, docs/demo.svg), or of a
//! transcript in a file (`make picture-cluster`, docs/cluster.svg).

use std::ffi::OsString;
use std::fmt::Write;
use std::process::{Command, ExitCode};

/// Lines that are shown; the picture is no page.
const LINES: usize = 62;
/// Columns of the terminal in which the demo runs.
const COLUMNS: usize = 80;
/// Size of a character, and of the margin, in pixels.
const CHARACTER: f32 = 8.4;
const LINE: f32 = 18.0;
const MARGIN: f32 = 16.0;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let drawn = match &arguments[..] {
        [option, file] if option == "--transcript" => {
            std::fs::read_to_string(file).map(|text| picture("What kubectl shows of a wrong path", &transcript(&text)))
        }
        [binary] => demo(binary).map(|text| picture("What probehound demo prints", &text)),
        _ => {
            eprintln!("error: it is not said what to draw\nhint: make picture, or make picture-cluster");
            return ExitCode::FAILURE;
        }
    };
    match drawn {
        Ok(svg) => {
            print!("{svg}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: cannot draw {arguments:?}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demo(binary: &OsString) -> std::io::Result<String> {
    let columns = COLUMNS.to_string();
    let output =
        Command::new(binary).args(["--color", "always", "demo", "--speed", "max"]).env("COLUMNS", columns).output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<&str> = printed.lines().take(LINES).collect();
    if printed.lines().count() > LINES {
        lines.push("…");
    }
    Ok(format!("{}{}", prompt(" probehound demo"), lines.join("\n")))
}

/// What was typed and printed, its prompts coloured and its remarks faint.
fn transcript(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix('$').map(|typed| typed.split_once("  #")) {
        Some(Some((typed, remark))) => format!("{}  \u{1b}[2m#{remark}\u{1b}[0m\n", prompt(typed).trim_end()),
        Some(None) => prompt(&line[1..]),
        None => format!("{line}\n"),
    };
    text.trim_end().lines().map(line).collect()
}

fn prompt(typed: &str) -> String {
    format!("\u{1b}[32m$\u{1b}[0m{typed}\n")
}

fn picture(title: &str, text: &str) -> String {
    let rows = text.lines().count();
    let columns = text.lines().map(columns).max().unwrap_or_default().max(COLUMNS);
    let width = (columns as f32).mul_add(CHARACTER, 2.0 * MARGIN);
    let height = (rows as f32 + 0.5).mul_add(LINE, 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n\
         <title>{title}</title>\n\
         <style>text{{font:14px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre;fill:#d8dee9}}\
         .b{{font-weight:bold}}.f{{fill:#8b949e}}.g{{fill:#7ee787}}.c{{fill:#79c0ff}}.r{{fill:#ff7b72}}.y{{fill:#e3b341}}\
         .p{{fill:#7ee787}}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n"
    );
    for (index, line) in text.lines().enumerate() {
        let y = (index as f32 + 1.0).mul_add(LINE, MARGIN);
        for (column, class, part) in parts(line) {
            let x = (column as f32).mul_add(CHARACTER, MARGIN);
            let length = part.chars().count() as f32 * CHARACTER;
            // Writing to a string cannot fail.
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{length:.1}\" class=\"{class}\">{}</text>",
                escape(&part)
            );
        }
    }
    svg + "</svg>\n"
}

/// How many columns a line takes.
fn columns(line: &str) -> usize {
    parts(line).last().map_or(0, |(column, _, part)| column + part.chars().count())
}

/// A line's parts of one style: the column in which it begins, the style's class, the text.
fn parts(line: &str) -> Vec<(usize, String, String)> {
    let mut parts = Vec::new();
    let (mut column, mut class) = (0, String::new());
    for (index, piece) in line.split("\u{1b}[").enumerate() {
        let text = match piece.split_once('m') {
            Some((codes, text)) if index > 0 => {
                restyle(&mut class, codes);
                text
            }
            _ => piece,
        };
        let lead = text.chars().take_while(|character| *character == ' ').count();
        let shown = text.trim();
        if !shown.is_empty() {
            parts.push((column + lead, class.clone(), shown.to_owned()));
        }
        column += text.chars().count();
    }
    parts
}

fn restyle(class: &mut String, codes: &str) {
    for code in codes.split(';') {
        let added = match code {
            "1" => "b ",
            "2" => "f ",
            "31" => "r ",
            "32" => "g ",
            "33" => "y ",
            "36" => "c ",
            _ => {
                class.clear();
                continue;
            }
        };
        class.push_str(added);
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace("  ", " \u{a0}")
}
