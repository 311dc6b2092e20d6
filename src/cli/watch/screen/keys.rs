//! The handling of keys.

use super::{MAX_FILTER, Mode, Screen};
use crate::text::escape::is_visible;

/// A supported key.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// The arrow up.
    Up,
    /// The arrow down.
    Down,
    /// The arrow to the left.
    Left,
    /// The arrow to the right.
    Right,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
    /// Enter.
    Enter,
    /// Escape.
    Escape,
    /// Backspace.
    Backspace,
    /// A character.
    Char(char),
    /// Ctrl-C.
    Interrupt,
}

/// The action for a key, besides redrawing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Nothing.
    None,
    /// Quit.
    Quit,
    /// Copy this text.
    Copy(String),
}

/// The target of a movement.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Move {
    /// That many rows down, or up if negative.
    By(isize),
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

impl Screen {
    /// A key was pressed.
    pub fn key(&mut self, key: Key) -> Action {
        self.note = None;
        match (&self.mode, key) {
            (_, Key::Interrupt) => return Action::Quit,
            (Mode::Filter, key) => self.type_filter(key),
            (Mode::Help(_), Key::Char('q' | '?') | Key::Escape | Key::Enter | Key::Left) => self.close_help(),
            (_, Key::Char('q')) => return Action::Quit,
            (_, Key::Char('?')) => {
                let before = std::mem::replace(&mut self.mode, Mode::List);
                self.look_at(Mode::Help(Box::new(before)));
            }
            (Mode::List | Mode::Detail(_), Key::Char('c' | 'y')) => match self.command() {
                Ok(command) => return Action::Copy(command),
                Err(why) => self.note = Some(why.to_owned()),
            },
            (Mode::List, key) => self.key_in_list(key),
            (Mode::Detail(_), Key::Escape | Key::Left | Key::Backspace | Key::Char('h')) => self.look_at(Mode::List),
            (Mode::Detail(_) | Mode::Help(_), key) => self.scroll_by(key),
        }
        Action::None
    }

    fn key_in_list(&mut self, key: Key) {
        match key {
            Key::Enter | Key::Right | Key::Char('l') => {
                if let Some(finding) = self.findings.chosen() {
                    let identity = finding.identity();
                    // The finding that was first stays selected on return.
                    self.findings.choose(&identity);
                    self.look_at(Mode::Detail(Box::new(identity)));
                }
            }
            Key::Char('/') => self.mode = Mode::Filter,
            Key::Char('s') => self.findings.sort = self.findings.sort.next(),
            Key::Escape => self.findings.filter.clear(),
            key => {
                if let Some(to) = self.moves(key) {
                    self.findings.go(to);
                }
            }
        }
    }

    fn type_filter(&mut self, key: Key) {
        let filter = &mut self.findings.filter;
        match key {
            Key::Enter => self.mode = Mode::List,
            Key::Escape => {
                filter.clear();
                self.mode = Mode::List;
            }
            Key::Backspace => _ = filter.pop(),
            Key::Char(character) if is_visible(character) && filter.chars().count() < MAX_FILTER => {
                filter.push(character);
            }
            Key::Up => self.findings.go(Move::By(-1)),
            Key::Down => self.findings.go(Move::By(1)),
            _ => {}
        }
    }

    fn close_help(&mut self) {
        if let Mode::Help(before) = std::mem::replace(&mut self.mode, Mode::List) {
            self.look_at(*before);
        }
    }

    fn scroll_by(&mut self, key: Key) {
        self.scroll = match self.moves(key) {
            Some(Move::By(lines)) => self.scroll.saturating_add_signed(lines as i16).min(self.reach.scroll),
            Some(Move::First) => 0,
            Some(Move::Last) => self.reach.scroll,
            None => return,
        };
    }

    fn moves(&self, key: Key) -> Option<Move> {
        let page = isize::from(self.reach.page.max(1) as i16);
        Some(match key {
            Key::Up | Key::Char('k') => Move::By(-1),
            Key::Down | Key::Char('j') => Move::By(1),
            Key::PageUp => Move::By(-page),
            Key::PageDown | Key::Char(' ') => Move::By(page),
            Key::Home | Key::Char('g') => Move::First,
            Key::End | Key::Char('G') => Move::Last,
            _ => return None,
        })
    }
}
