use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;

use super::*;
use crate::cli::watch::news::Sight;
use crate::cli::watch::screen::Key;
use crate::cli::watch::testing::{outage_at, showing, type_in};
use crate::finding::{Finding, Severity, Value};
use crate::operator::testing::{at, finding};
use crate::report::text::Palette;

#[test]
fn the_list_in_the_middle_of_the_outage() {
    insta::assert_snapshot!(drawn(&mut outage_at(Some("07:20:30")), 80, 24));
}

#[test]
fn the_finding_with_a_lane_for_each_pod() {
    let mut screen = outage_at(Some("07:20:30"));
    screen.key(Key::Enter);
    insta::assert_snapshot!(drawn(&mut screen, 80, 24));
    insta::assert_snapshot!("the_finding_on_a_larger_terminal", drawn(&mut screen, 120, 40));
}

#[test]
fn the_finding_scrolled_to_its_end() {
    let mut screen = outage_at(Some("07:20:30"));
    screen.key(Key::Enter);
    drawn(&mut screen, 80, 24);
    screen.key(Key::End);
    insta::assert_snapshot!(drawn(&mut screen, 80, 24));
}

#[test]
fn the_outage_when_it_is_over() {
    let mut screen = outage_at(None);
    insta::assert_snapshot!("the_list_at_the_end", drawn(&mut screen, 80, 24));
    screen.key(Key::Enter);
    insta::assert_snapshot!(drawn(&mut screen, 80, 24));
}

#[test]
fn the_list_of_several_and_its_filter() {
    let mut screen = several();
    insta::assert_snapshot!(drawn(&mut screen, 80, 12));
    insta::assert_snapshot!("the_list_of_several_on_a_wide_terminal", drawn(&mut screen, 120, 12));
    screen.key(Key::Char('/'));
    type_in(&mut screen, "shop crash");
    insta::assert_snapshot!("the_filter_while_it_is_typed", drawn(&mut screen, 80, 12));
    screen.key(Key::Enter);
    insta::assert_snapshot!("the_filter_as_it_stays", drawn(&mut screen, 80, 12));
}

#[test]
fn the_help() {
    let mut screen = showing(Vec::new());
    screen.key(Key::Char('?'));
    insta::assert_snapshot!(drawn(&mut screen, 80, 24));
}

#[test]
fn an_empty_list_says_no_more_than_is_known() {
    let mut screen = showing(Vec::new());
    insta::assert_snapshot!(drawn(&mut screen, 80, 10));
    let troubles = vec!["events cannot be read: forbidden".to_owned()];
    screen.sight = Sight { is_listed: true, troubles };
    insta::assert_snapshot!("an_empty_list_without_events", drawn(&mut screen, 80, 10));
}

#[test]
fn a_terminal_that_is_too_small_says_so() {
    insta::assert_snapshot!(drawn(&mut several(), 40, 8));
}

#[test]
fn nothing_panics_at_any_size() {
    for key in [Key::Escape, Key::Enter, Key::Char('?'), Key::Char('/')] {
        let mut screen = outage_at(Some("07:20:30"));
        screen.key(key);
        for (width, height) in [(1, 1), (2, 50), (300, 1), (60, 10), (61, 11), (300, 100)] {
            drawn(&mut screen, width, height);
        }
    }
}

#[test]
fn names_stay_whole_while_anything_else_can_give_way() {
    let mut long = finding("a-deployment-whose-name-is-rather-long");
    long.namespace = "a-namespace".into();
    let text = drawn(&mut showing(vec![long]), 80, 12);
    assert!(text.contains("a-namespace"), "{text}");
    assert!(text.contains("Deployment/a-deployment-whose-name-is-rather-long"), "{text}");
}

#[test]
fn what_a_tenant_writes_reaches_no_terminal() {
    let evil = "web\u{1b}[2J\u{202e}\u{200b}\r\n";
    let mut odd = finding(evil);
    odd.container = evil.into();
    odd.suggested = Some(Value::Text(evil.to_owned()));
    odd.current = Some(Value::Text(evil.to_owned()));
    odd.evidence[0].what = evil.to_owned();
    odd.hypotheses = vec![evil.into()];
    odd.example = Some(evil.into());
    let mut screen = showing(vec![odd]);
    for key in [Key::Home, Key::Enter] {
        screen.key(key);
        let text = drawn(&mut screen, 200, 40);
        assert!(text.contains("\\u{1b}[2J"), "{text}");
        assert!(text.chars().all(|c| c == '\n' || crate::text::escape::is_visible(c)), "{text:?}");
    }
}

#[test]
fn without_colour_there_is_none_and_all_is_said() {
    let mut screen = outage_at(Some("07:20:30"));
    screen.key(Key::Enter);
    let buffer = buffer(&mut screen, 80, 24, Palette::PLAIN);
    assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    let coloured = self::buffer(&mut screen, 80, 24, Palette::COLOURED);
    assert!(coloured.content.iter().any(|cell| cell.fg == Color::Red));
    assert_eq!(text(&buffer), text(&coloured));
}

fn several() -> Screen {
    let mut crash = finding("checkout");
    crash.namespace = "shop".into();
    (crash.cause, crash.severity) = (crate::finding::Cause::Crash, Severity::Warning);
    (crash.suggested, crash.opened_at) = (None, at(-4000));
    let mut suspected = finding("web");
    (suspected.confirmed_at, suspected.opened_at) = (None, at(50));
    let over = Finding { resolved_at: Some(at(60)), ..finding("login") };
    let mut screen = showing(vec![crash, suspected, over, finding("auth-service")]);
    screen.tick(at(100));
    screen
}

fn drawn(screen: &mut Screen, width: u16, height: u16) -> String {
    text(&buffer(screen, width, height, Palette::PLAIN))
}

fn buffer(screen: &mut Screen, width: u16, height: u16, palette: Palette) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory");
    let mut reach = Reach::default();
    terminal.draw(|frame| reach = draw(screen, &Styles::for_palette(palette), frame)).expect("memory");
    screen.drawn(reach);
    terminal.backend().buffer().clone()
}

/// The rows, each without trailing spaces.
fn text(buffer: &Buffer) -> String {
    let rows = buffer.content.chunks(usize::from(buffer.area.width).max(1));
    let row = |cells: &[ratatui::buffer::Cell]| {
        cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
    };
    rows.map(row).collect::<Vec<_>>().join("\n")
}
