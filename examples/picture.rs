//! Makes an SVG of what the demo prints: `make picture` writes it to docs/demo.svg.

use std::ffi::OsString;
use std::fmt::Write;
use std::process::{Command, ExitCode};

/// Lines of the demo that are shown; the picture is no page.
const LINES: usize = 62;
/// Columns that are shown.
const COLUMNS: usize = 80;
/// Size of a character, and of the margin, in pixels.
const CHARACTER: f32 = 8.4;
const LINE: f32 = 18.0;
const MARGIN: f32 = 16.0;

fn main() -> ExitCode {
    let Some(binary) = std::env::args_os().nth(1) else {
        eprintln!("error: no binary named\nhint: make picture");
        return ExitCode::FAILURE;
    };
    match demo(&binary) {
        Ok(text) => {
            print!("{}", picture(&text));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: cannot run {}: {error}", binary.display());
            ExitCode::FAILURE
        }
    }
}

fn demo(binary: &OsString) -> std::io::Result<String> {
    let columns = COLUMNS.to_string();
    let output =
        Command::new(binary).args(["--color", "always", "demo", "--speed", "max"]).env("COLUMNS", columns).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn picture(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().take(LINES).collect();
    if text.lines().count() > LINES {
        lines.push("…");
    }
    let width = (COLUMNS as f32).mul_add(CHARACTER, 2.0 * MARGIN);
    let height = (lines.len() as f32 + 1.5).mul_add(LINE, 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n\
         <title>What probehound demo prints</title>\n\
         <style>text{{font:14px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;white-space:pre;fill:#d8dee9}}\
         .b{{font-weight:bold}}.f{{fill:#8b949e}}.g{{fill:#7ee787}}.c{{fill:#79c0ff}}.r{{fill:#ff7b72}}.y{{fill:#e3b341}}\
         .p{{fill:#7ee787}}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n"
    );
    let prompt = "\u{1b}[32m$\u{1b}[0m probehound demo";
    for (index, line) in std::iter::once(&prompt).chain(&lines).enumerate() {
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
