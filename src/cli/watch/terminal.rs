//! The terminal: keys and time in, the screen out, and its state restored at the end.

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

/// Maximum wait for keys before updates are taken in: ten frames a second are enough for reading.
const BETWEEN: Duration = Duration::from_millis(100);
/// Maximum number of updates taken in before keys are checked again.
const AT_ONCE: usize = 4096;
/// Maximum length of a copied text, in bytes: terminals drop much longer ones.
const MAX_COPIED: usize = 8192;

/// Why it ends.
enum End {
    /// The user quit.
    Quit,
    /// There was nothing to show.
    Nothing,
}

/// Shows updates until the user quits.
///
/// The terminal is restored afterwards, however this ends; a panic restores it before printing anything.
///
/// # Errors
/// The source could not be read completely, or the terminal could not be used.
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
    /// Why the source could not be read completely.
    failure: Option<Error>,
    /// Whether nothing has arrived yet.
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

    /// Takes in updates.
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

    /// Waits for a key, and handles all that were pressed.
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
        // A terminal does not report whether it accepted it.
        self.screen.note = Some(format!("copied, where the terminal allows it: {text}"));
        Ok(())
    }
}

/// The escape sequence that makes a terminal put a text into the clipboard; `None` if it is too long.
fn osc_52(text: &str) -> Option<String> {
    (text.len() <= MAX_COPIED).then(|| format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(text)))
}

/// The supported key, if it is one.
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
