//! Each test named in SECURITY.md exists, and each attack names one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const SECURITY: &str = include_str!("../../SECURITY.md");

/// A test's file and its name.
type Named = (String, String);

#[test]
fn each_test_that_is_named_exists() {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let named = named();
    assert!(named.len() > 60, "{}", named.len());
    for (file, name) in named {
        let text = files.entry(file.clone()).or_insert_with(|| {
            std::fs::read_to_string(path(&file)).unwrap_or_else(|error| panic!("SECURITY.md names {file}: {error}"))
        });
        assert!(is_test(text, &name), "SECURITY.md names {name}, which is no test of {file}");
    }
}

#[test]
fn each_attack_names_a_test() {
    for row in rows() {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let last = cells.last().expect("a row has cells");
        assert!(!tests(last).is_empty(), "no test in: {row}");
    }
}

/// The rows of the tables whose last column is `test`.
fn rows() -> Vec<&'static str> {
    let mut rows = Vec::new();
    let mut within = false;
    for line in SECURITY.lines() {
        match line {
            line if line.ends_with("| test |") => within = true,
            line if !line.starts_with('|') => within = false,
            line if within && !line.starts_with("|---") => rows.push(line),
            _ => {}
        }
    }
    assert!(rows.len() > 30, "{}", rows.len());
    rows
}

fn named() -> Vec<Named> {
    let cells = rows().into_iter().map(|row| row.trim_matches('|').split(" | ").last().unwrap_or_default());
    cells.flat_map(tests).collect()
}

/// `FILE: NAME, NAME; FILE: NAME`, all in back-ticks.
fn tests(cell: &str) -> Vec<Named> {
    let mut all = Vec::new();
    let mut file = None;
    for word in cell.split('`').skip(1).step_by(2) {
        if Path::new(word).extension().is_some_and(|ending| ending == "rs") {
            file = Some(word);
        } else {
            let file = file.unwrap_or_else(|| panic!("{word} is in no file"));
            all.push((file.to_owned(), word.to_owned()));
        }
    }
    all
}

/// Whether there is a function of that name with a test attribute.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_it = |line: &str| line.trim_start_matches("async ").starts_with(&format!("fn {name}("));
    let place = lines.iter().position(|line| is_it(line));
    place.is_some_and(|place| {
        let above = lines[..place].iter().rev().take_while(|line| line.starts_with(['#', '/']) || line.is_empty());
        above.into_iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
            // Those of proptest are inside its macro.
            || text.contains("proptest!")
    })
}

/// Tests in the program's own modules are named without `src/`.
fn path(file: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if file.starts_with("tests/") { root.join(file) } else { root.join("src").join(file) }
}
