//! Names, paths and outputs that a tenant chose to do harm have no effect in any form.

use std::sync::Arc;

use probehound::engine::{Confidence, Fact, Finding, RevisionChange, ServiceState, Value};
use probehound::finding::remedy::{Kind, List, Place, Remedy, Target};
use probehound::text::escape::is_visible;
use serde_json::Value as Json;

use super::samples::{at, finding};
use crate::support::forms;
use crate::support::slack::{texts, wrong};

/// Each of them has an effect somewhere.
pub fn hostile() -> Vec<String> {
    let texts = [
        "<!channel> all is lost",
        "<!here|now>",
        "<@U024BE7LH>",
        "<#C024BE7LR|general>",
        "<!subteam^SAZ94GDB8>",
        "<https://evil.example/login|Sign in to Slack>",
        "https://evil.example/phish",
        "&lt;!channel&gt;",
        "*bold* _italic_ ~gone~ `code`",
        "``` ends the block ```",
        "`ends the code`",
        ":rotating_light: :tada:",
        "> quoted\n>>> all of it",
        "• one\n• two",
        "line\nbreak\r\nand another",
        "\u{1b}[2J\u{1b}[31mred",
        "\u{1b}]0;title\u{7}",
        "\u{202e}drowssap \u{2066}bidi\u{2069}",
        "zero\u{200b}width\u{feff}\u{2060}",
        "\u{0}nul \u{8}back \u{7f}del \u{9b}31m",
        "{{ .Labels.secret }} {{ printf \"%s\" . }}",
        "\"} 1\nprobehound_findings{severity=\"critical\"} 99",
        "\\\"\\\\n",
        "'; DROP TABLE pods; --",
        "$(reboot) `reboot` ; reboot",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "../../etc/passwd",
        "a\u{301}\u{301}\u{301}\u{301}\u{301} \u{3164}\u{2800}",
        "\u{e0041}\u{fff9}\u{ad}",
        "😀😀😀 健康診断 ﷽",
    ];
    let long = ["x".repeat(4_000), "<".repeat(4_000), "`".repeat(4_000), "\u{202e}".repeat(4_000)];
    texts.into_iter().map(str::to_owned).chain(long).collect()
}

#[test]
fn there_are_thirty_and_more() {
    assert!(hostile().len() >= 30);
}

#[test]
fn nothing_acts_in_slack() {
    for text in hostile() {
        for dispatch in forms::dispatches(&with(&text)) {
            let payload = forms::slack(&dispatch, at(100));
            assert_eq!(wrong(&payload), None, "{text:?}");
            for shown in texts(&payload).iter().chain(payload["text"].as_str().map(str::to_owned).iter()) {
                acts_on_nothing(shown, &text);
            }
        }
    }
}

/// Outside of code only the program's own bold and icons remain.
fn acts_on_nothing(shown: &str, text: &str) {
    for line in without_code(shown).lines() {
        let line = icon_removed(line);
        let ours = line.matches('*').count();
        assert!(ours <= 2, "{line:?} of {text:?}");
        assert!(!line.contains("://") || !line.contains('<'), "{line:?} of {text:?}");
        let marks = line.char_indices().filter(|(_, c)| matches!(c, '_' | '~'));
        for (place, _) in marks {
            let (before, after) = (line[..place].chars().last(), line[place + 1..].chars().next());
            let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            assert!(inside(before) && inside(after), "{line:?} of {text:?}");
        }
        let emoji =
            line.match_indices(':').any(|(place, _)| line[place + 1..].starts_with(|c: char| c.is_ascii_lowercase()));
        assert!(!emoji, "{line:?} of {text:?}");
    }
}

fn without_code(shown: &str) -> String {
    let blocks = shown.split("```").step_by(2).collect::<Vec<_>>().join("");
    blocks.split('`').step_by(2).collect::<Vec<_>>().join("")
}

fn icon_removed(line: &str) -> &str {
    const ICONS: [&str; 5] = [
        ":red_circle:",
        ":large_orange_circle:",
        ":large_blue_circle:",
        ":white_check_mark:",
        ":leftwards_arrow_with_hook:",
    ];
    ICONS.iter().find_map(|icon| line.strip_prefix(icon)).unwrap_or(line)
}

#[test]
fn a_webhook_gets_the_values_as_they_are_and_nothing_that_nobody_sees() {
    for text in hostile() {
        let finding = with(&text);
        for dispatch in forms::dispatches(&finding) {
            let document = forms::webhook(&dispatch, at(100));
            assert!(document.chars().all(is_visible), "{text:?}");
            let read: Json = serde_json::from_str(&document).expect("it is JSON");
            let first: Finding = serde_json::from_value(read["items"][0]["finding"].clone()).expect("a finding");
            // Remedies are shown as lines.
            let sent = Finding { labels: Arc::default(), remedy: Vec::new(), ..finding.clone() };
            assert_eq!(sent, Finding { remedy: Vec::new(), ..first });
            assert!(read["summary"].as_str().is_some_and(|line| line.chars().all(is_visible)), "{text:?}");
        }
    }
}

#[test]
fn an_alertmanager_gets_labels_that_are_cut_and_clean() {
    for text in hostile() {
        let alert = forms::alert(&with(&text), at(100));
        for (name, value) in alert["labels"].as_object().expect("there are labels") {
            let value = value.as_str().expect("a text");
            assert!(value.chars().all(is_visible) && value.chars().count() <= 128, "{name}={value:?}");
        }
        // The replacement for a special character takes three bytes.
        assert!(alert["annotations"].to_string().len() < 3 * 60_000);
    }
}

#[test]
fn an_event_fits_and_has_a_name() {
    for text in hostile() {
        for note in forms::notes(&with(&text), at(100)) {
            assert!(note.text.len() <= 1000 && note.text.chars().all(is_visible), "{note:?}");
            let dns = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
            assert!(note.name.len() <= 253 && note.name.chars().all(dns), "{note:?}");
        }
    }
}

#[test]
fn a_series_stays_on_its_line() {
    for text in hostile() {
        let metrics = forms::metrics(&with(&text));
        assert!(metrics.chars().all(|c| c == '\n' || is_visible(c)), "{text:?}");
        for line in metrics.lines() {
            let sample = line.starts_with("probehound_") && line.ends_with("} 1");
            assert!(sample || line.starts_with("# "), "{line}");
        }
    }
}

#[test]
fn a_terminal_shows_what_it_is() {
    for text in hostile() {
        let shown = forms::terminal(&with(&text), at(100));
        assert!(shown.chars().all(|c| c == '\n' || is_visible(c)), "{text:?}");
        assert!(shown.lines().all(|line| line.starts_with("  | ")), "{text:?}");
    }
}

/// The text wherever a cluster can contain one.
pub fn with(text: &str) -> Finding {
    let (name, value) = (Arc::<str>::from(text), Value::Text(text.to_owned()));
    Finding {
        namespace: Arc::clone(&name),
        workload: format!("Deployment/{text}").into(),
        container: Arc::clone(&name),
        field: Some(probehound::finding::field::Field::parse(text)),
        current: Some(value.clone()),
        suggested: Some(value.clone()),
        hypotheses: vec![text.into(); 7],
        confidence: Confidence::Low,
        evidence: vec![Fact { at: at(1), what: text.to_owned() }; 5],
        change: Some(RevisionChange {
            revision: 2,
            at: None,
            by: Some(Arc::clone(&name)),
            from: Some(text.to_owned()),
            to: Some(text.to_owned()),
        }),
        services: vec![ServiceState { name: Arc::clone(&name), ready: 0, total: 1 }; 5],
        remedy: vec![
            Remedy::RollBack { target: Target { kind: Kind::Deployment, name: "web".into() }, revision: None },
            Remedy::DescribePod { pod: Arc::clone(&name) },
            Remedy::SetField {
                place: Place::Template {
                    target: Target { kind: Kind::Deployment, name: Arc::clone(&name) },
                    list: List::Containers,
                    paused: false,
                },
                field: probehound::finding::field::Field::parse(text),
                value: value.clone(),
            },
            Remedy::ChangeInGit { tool: Arc::clone(&name) },
            Remedy::Words(text.to_owned()),
        ],
        episodes: 3,
        example: None,
        start_failure: None,
        min_ready: None,
        considered: std::sync::Arc::default(),
        labels: vec![(Arc::clone(&name), name)].into(),
        rollout: None,
        guard: None,
        ..finding("web", 10)
    }
}
