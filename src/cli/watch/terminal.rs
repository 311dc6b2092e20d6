//! The terminal: keys and time in, the screen out, and all as it was at the end.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::draw::{Styles, draw};
use super::news::News;
use super::screen::{Action, Key, Origin, Screen};
use crate::cli::error::Error;
use crate::runtime::clock;

/// How long keys are waited for before news are looked at: ten pictures a second are enough to read.
const BETWEEN: Duration = Duration::from_millis(100);
/// News that are taken in before keys are looked at again.
const AT_ONCE: usize = 4096;
/// Longest text that is copied, in bytes: terminals drop what is much longer.
const MAX_COPIED: usize = 8192;

/// Why nothing more is shown.
enum End {
    /// Somebody quit.
    Quit,
    /// There was nothing to see.
    Nothing,
}

/// Shows what there is until somebody quits.
///
/// The terminal is as it was afterwards, however this ends; a panic puts it right before it says
/// anything.
///
/// # Errors
/// The source could not be read to its end, or the terminal not be used.
pub fn show(screen: Screen, news: &Receiver<News>, styles: &Styles) -> Result<(), Error> {
    let terminal = ratatui::try_init().map_err(Error::Write)?;
    let mut watcher = Watcher { screen, news, failure: None, is_empty: true };
    let outcome = watcher.go_on(terminal, styles);
    let restored = ratatui::try_restore();
    outcome.and(restored).map_err(Error::Write)?;
    watcher.failure.map_or(Ok(()), Err)
}

struct Watcher<'a> {
    screen: Screen,
    news: &'a Receiver<News>,
    /// Why the source could not be read to its end.
    failure: Option<Error>,
    /// Whether nothing has come yet.
    is_empty: bool,
}

impl Watcher<'_> {
    fn go_on(&mut self, mut terminal: DefaultTerminal, styles: &Styles) -> io::Result<()> {
        loop {
            if self.take_in().is_some() {
                return Ok(());
            }
            let mut reach = None;
            terminal.draw(|frame| reach = Some(draw(&self.screen, styles, frame)))?;
            self.screen.drawn(reach.unwrap_or_default());
            if self.keys()?.is_some() {
                return Ok(());
            }
        }
    }

    /// Takes in what is new.
    fn take_in(&mut self) -> Option<End> {
        if self.screen.origin == Origin::Cluster {
            self.screen.tick(clock::now());
        }
        for _ in 0..AT_ONCE {
            match self.news.try_recv() {
                Ok(News::ToldToEnd) => return Some(End::Quit),
                Ok(News::Over(Err(error))) => {
                    let is_empty = self.is_empty;
                    self.screen.ended = Some(crate::text::escape::visible(&error.to_string()));
                    self.failure = Some(error);
                    if is_empty {
                        return Some(End::Nothing);
                    }
                }
                Ok(news) => {
                    self.is_empty &= matches!(news, News::Unusable(_) | News::Source(_));
                    self.screen.apply(news);
                }
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        None
    }

    /// Waits for a key, and does what all that were pressed say.
    fn keys(&mut self) -> io::Result<Option<End>> {
        let mut wait = BETWEEN;
        while event::poll(wait)? {
            wait = Duration::ZERO;
            let Event::Key(pressed) = event::read()? else { continue };
            match key(pressed).map_or(Action::None, |key| self.screen.key(key)) {
                Action::None => {}
                Action::Quit => return Ok(Some(End::Quit)),
                Action::Copy(text) => self.copy(&text)?,
            }
        }
        Ok(None)
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        let Some(sequence) = osc_52(text) else {
            self.screen.note = Some("it is too long to be copied".to_owned());
            return Ok(());
        };
        let mut out = io::stdout().lock();
        out.write_all(sequence.as_bytes())?;
        out.flush()?;
        // A terminal does not say whether it took it.
        self.screen.note = Some(format!("copied, where the terminal allows it: {text}"));
        Ok(())
    }
}

/// What has a terminal put a text into the clipboard; `None` for one that is too long.
fn osc_52(text: &str) -> Option<String> {
    (text.len() <= MAX_COPIED).then(|| format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(text)))
}

/// A key that means something.
fn key(pressed: KeyEvent) -> Option<Key> {
    if pressed.kind == KeyEventKind::Release {
        return None;
    }
    let control = pressed.modifiers.contains(KeyModifiers::CONTROL);
    Some(match pressed.code {
        KeyCode::Char('c') if control => Key::Interrupt,
        KeyCode::Char('d' | 'f') if control => Key::PageDown,
        KeyCode::Char('u' | 'b') if control => Key::PageUp,
        KeyCode::Char(_) if control => return None,
        KeyCode::Char(character) => Key::Char(character),
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_reaches_the_terminal_as_base64_and_no_longer_than_it_takes() {
        let sequence = osc_52("kubectl get pods").expect("it is short");
        assert_eq!(sequence, "\u{1b}]52;c;a3ViZWN0bCBnZXQgcG9kcw==\u{7}");
        assert_eq!(osc_52(&"a".repeat(MAX_COPIED + 1)), None);
    }

    #[test]
    fn control_c_quits_and_other_controls_type_nothing() {
        let pressed = |code, modifiers| key(KeyEvent::new(KeyCode::Char(code), modifiers));
        assert_eq!(pressed('c', KeyModifiers::CONTROL), Some(Key::Interrupt));
        assert_eq!(pressed('c', KeyModifiers::NONE), Some(Key::Char('c')));
        assert_eq!(pressed('x', KeyModifiers::CONTROL), None);
    }
}
