//! The picture of what the guard keeps (`make picture-guard`), drawn from what the node test measures.

#[path = "../examples/guard/chart.rs"]
mod chart;

use chart::{courses, svg};

/// As `tests/node/guarded.rs` writes it.
const MEASURED: &str = "unguarded 12 12 9 0 0\ndefaults 12 9 7 12\nsurge 12 10 12\nmin-ready 12 9 9 12\n";

#[test]
fn each_course_is_drawn_and_told_in_words() {
    let drawn = svg(&courses(MEASURED).expect("courses"));
    for words in [
        "without the guard",
        "lowest 0; not undone after 4 s",
        "lowest 7; all back after 3 s",
        "lowest 10; all back after 2 s",
        "minReadySeconds above the kill budget",
        "ready pods of 12,",
    ] {
        assert!(drawn.contains(words), "{words}: {drawn}");
    }
    // A line and its mark in the key.
    assert_eq!(drawn.matches("class=\"c\"").count(), 8);
    let dashes: std::collections::BTreeSet<_> =
        drawn.split("stroke-dasharray=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(dashes.len(), 4, "they differ without colours too");
}

#[test]
fn a_long_run_stays_small() {
    let flapping = (0..600).map(|second| (second % 13).to_string()).collect::<Vec<_>>().join(" ");
    let text = ["unguarded", "defaults", "surge", "min-ready"].map(|name| format!("{name} {flapping}\n")).concat();
    let drawn = svg(&courses(&text).expect("courses"));
    assert!(drawn.len() < 80_000 && drawn.ends_with("</svg>\n"), "{} bytes", drawn.len());
    assert!(svg(&courses(MEASURED).expect("courses")).len() < 30_000);
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    for (text, words) in [
        ("", "it is empty"),
        ("unguarded", "unguarded has no numbers"),
        ("unguarded 1 x", "unguarded has no numbers"),
        ("<script> 1", "<script> is no story that is known"),
    ] {
        assert_eq!(courses(text), Err(words.to_owned()), "{text:?}");
    }
}
