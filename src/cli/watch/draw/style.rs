//! Colours by meaning: the same as in all output of probehound. They repeat what the words say.

use anstyle::{AnsiColor, Color as Ansi, Effects};
use ratatui::style::{Color, Modifier, Style};

use crate::engine::Finding;
use crate::report::text::Palette;

/// A style for each meaning.
#[derive(Copy, Clone, Debug)]
pub struct Styles {
    /// What is wrong, and titles.
    pub headline: Style,
    /// Secondary text.
    pub faint: Style,
    /// What is resolved or healthy.
    pub good: Style,
    /// A value or command to use.
    pub remedy: Style,
    /// What needs attention.
    pub warning: Style,
    /// The selected row; it has a mark, too.
    pub chosen: Style,
    palette: Palette,
}

impl Styles {
    /// The styles of a palette.
    pub fn for_palette(palette: Palette) -> Self {
        Self {
            headline: style(palette.headline),
            faint: style(palette.faint),
            good: style(palette.good),
            remedy: style(palette.remedy),
            warning: style(palette.severity(crate::engine::Severity::Warning)),
            // No colour, so that it is visible without colours.
            chosen: Style::new().add_modifier(Modifier::REVERSED),
            palette,
        }
    }

    /// The style for the state of a finding.
    pub fn state(&self, finding: &Finding) -> Style {
        match (finding.resolved_at, finding.confirmed_at) {
            (Some(_), _) => self.good,
            (None, None) => self.faint,
            (None, Some(_)) => style(self.palette.severity(finding.severity)),
        }
    }

    /// The style for what is out of order.
    pub fn critical(&self) -> Style {
        style(self.palette.severity(crate::engine::Severity::Critical))
    }
}

/// The same for ratatui.
fn style(from: anstyle::Style) -> Style {
    let effects = from.get_effects();
    let mut to = Style::new();
    if let Some(Ansi::Ansi(color)) = from.get_fg_color() {
        to = to.fg(named(color));
    }
    if effects.contains(Effects::BOLD) {
        to = to.add_modifier(Modifier::BOLD);
    }
    if effects.contains(Effects::DIMMED) {
        to = to.add_modifier(Modifier::DIM);
    }
    to
}

/// The terminal's own sixteen colours.
const fn named(color: AnsiColor) -> Color {
    match color {
        AnsiColor::Black => Color::Black,
        AnsiColor::Red => Color::Red,
        AnsiColor::Green => Color::Green,
        AnsiColor::Yellow => Color::Yellow,
        AnsiColor::Blue => Color::Blue,
        AnsiColor::Magenta => Color::Magenta,
        AnsiColor::Cyan => Color::Cyan,
        AnsiColor::White => Color::Gray,
        AnsiColor::BrightBlack => Color::DarkGray,
        AnsiColor::BrightRed => Color::LightRed,
        AnsiColor::BrightGreen => Color::LightGreen,
        AnsiColor::BrightYellow => Color::LightYellow,
        AnsiColor::BrightBlue => Color::LightBlue,
        AnsiColor::BrightMagenta => Color::LightMagenta,
        AnsiColor::BrightCyan => Color::LightCyan,
        AnsiColor::BrightWhite => Color::White,
    }
}
