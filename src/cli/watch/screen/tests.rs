use super::findings::Sort;
use super::*;
use crate::cli::watch::testing::{showing, type_in};
use crate::engine::Change;
use crate::finding::remedy::{Kind, Remedy, Target};
use crate::finding::{Finding, Severity};
use crate::operator::testing::{at, finding};

#[test]
fn worst_first_and_what_is_over_last() {
    let over = Finding { resolved_at: Some(at(9)), ..finding("a") };
    let warning = Finding { severity: Severity::Warning, ..finding("b") };
    let screen = showing(vec![over, warning, finding("c")]);
    assert_eq!(names(&screen), ["Deployment/c", "Deployment/b", "Deployment/a"]);
}

#[test]
fn the_order_can_be_another_one() {
    let newest = Finding { opened_at: at(9), severity: Severity::Info, ..finding("b") };
    let mut screen = showing(vec![finding("a"), newest]);
    let mut orders = Vec::new();
    for _ in 0..4 {
        orders.push((screen.findings.sort.word(), names(&screen)[0].clone()));
        screen.key(Key::Char('s'));
    }
    let first = |sort, name: &str| (sort, format!("Deployment/{name}"));
    assert_eq!(orders, [first("worst", "a"), first("newest", "b"), first("pods", "a"), first("name", "a")]);
    assert_eq!(screen.findings.sort, Sort::Worst);
}

#[test]
fn the_chosen_one_stays_chosen_wherever_it_moves_and_the_first_one_follows_the_worst() {
    let warning = |name: &str| Finding { severity: Severity::Warning, ..finding(name) };
    let mut screen = showing(vec![warning("b"), warning("c")]);
    screen.apply(change(ChangeKind::Confirmed, finding("d")));
    assert_eq!(chosen(&screen), "Deployment/d");
    screen.key(Key::Down);
    assert_eq!(chosen(&screen), "Deployment/b");
    screen.apply(change(ChangeKind::Confirmed, finding("a")));
    assert_eq!(chosen(&screen), "Deployment/b");
    screen.key(Key::Home);
    screen.apply(change(ChangeKind::Resolved, Finding { resolved_at: Some(at(9)), ..finding("a") }));
    assert_eq!(chosen(&screen), "Deployment/d");
}

#[test]
fn a_finding_that_is_taken_back_is_gone_and_whoever_looks_at_it_is_told() {
    let mut screen = showing(vec![finding("a"), finding("b")]);
    screen.key(Key::Enter);
    screen.apply(change(ChangeKind::Withdrawn, finding("a")));
    assert_eq!(screen.mode, Mode::List);
    assert!(screen.note.is_some());
    assert_eq!(names(&screen), ["Deployment/b"]);
}

#[test]
fn all_words_of_a_filter_have_to_be_there() {
    let mut screen = showing(vec![finding("web"), finding("api")]);
    screen.key(Key::Char('/'));
    type_in(&mut screen, "PROD api q");
    assert!(names(&screen).is_empty());
    screen.key(Key::Backspace);
    assert_eq!(names(&screen), ["Deployment/api"]);
    screen.key(Key::Enter);
    assert_eq!(screen.mode, Mode::List);
    screen.key(Key::Escape);
    assert_eq!(names(&screen).len(), 2);
}

#[test]
fn a_filter_takes_what_can_be_seen_up_to_a_bound() {
    let mut screen = showing(Vec::new());
    screen.key(Key::Char('/'));
    type_in(&mut screen, &"\u{1b}\u{202e}ab".repeat(200));
    assert_eq!(screen.findings.filter, "ab".repeat(MAX_FILTER / 2));
}

#[test]
fn a_command_is_copied_and_words_are_not() {
    let mut screen = showing(vec![finding("web")]);
    assert_eq!(screen.key(Key::Char('c')), Action::None);
    assert!(screen.note.is_some(), "it says why");
    let mut with_command = finding("web");
    let target = Target { kind: Kind::Deployment, name: "web".into() };
    with_command.remedy.push(Remedy::RollBack { target, revision: Some(7) });
    screen.apply(change(ChangeKind::Updated, with_command.clone()));
    let command = "kubectl -n prod rollout undo deployment/web --to-revision=7";
    assert_eq!(screen.key(Key::Char('y')), Action::Copy(command.to_owned()));
    screen.key(Key::Enter);
    assert_eq!(screen.key(Key::Char('c')), Action::Copy(command.to_owned()));
    screen.apply(change(ChangeKind::Resolved, Finding { resolved_at: Some(at(9)), ..with_command }));
    assert_eq!(screen.key(Key::Char('c')), Action::None);
}

#[test]
fn q_quits_but_not_while_a_filter_is_typed_and_control_c_quits_always() {
    let mut screen = showing(Vec::new());
    screen.key(Key::Char('/'));
    assert_eq!(screen.key(Key::Char('q')), Action::None);
    assert_eq!(screen.key(Key::Interrupt), Action::Quit);
    screen.key(Key::Escape);
    screen.key(Key::Char('?'));
    assert_eq!(screen.key(Key::Char('q')), Action::None, "it closes the help");
    assert_eq!(screen.key(Key::Char('q')), Action::Quit);
}

#[test]
fn what_is_shown_is_bounded_and_what_is_over_goes_first() {
    let mut screen = showing(Vec::new());
    for number in 0..700 {
        let over = Finding { resolved_at: Some(at(number)), ..finding(&format!("over-{number}")) };
        screen.apply(change(ChangeKind::Resolved, over));
    }
    assert_eq!(screen.findings.count(), (0, 500));
    assert_eq!(screen.findings.left_out(), 0);
}

fn change(kind: ChangeKind, finding: Finding) -> News {
    News::Change(Change { kind, at: at(10), finding: finding.into() })
}

fn names(screen: &Screen) -> Vec<String> {
    screen.findings.rows().iter().map(|finding| finding.workload.to_string()).collect()
}

fn chosen(screen: &Screen) -> &str {
    screen.chosen().map_or("", |finding| &finding.workload)
}
