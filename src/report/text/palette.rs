//! Colours by meaning. They repeat what the words say.

use anstyle::{AnsiColor, Style};

use crate::engine::Severity;

/// A style for each meaning; all empty without colour.
#[derive(Copy, Clone, Debug)]
pub struct Palette {
    /// What is wrong.
    pub headline: Style,
    /// Secondary text: times, labels, table headers.
    pub faint: Style,
    /// What is resolved.
    pub good: Style,
    /// A value or command to use.
    pub remedy: Style,
    critical: Style,
    warning: Style,
}

impl Palette {
    /// No colour: writes no escape sequence.
    pub const PLAIN: Self = Self {
        headline: Style::new(),
        faint: Style::new(),
        good: Style::new(),
        remedy: Style::new(),
        critical: Style::new(),
        warning: Style::new(),
    };

    /// The terminal's own sixteen colours, so that they fit its background.
    pub const COLOURED: Self = Self {
        headline: Style::new().bold(),
        faint: Style::new().dimmed(),
        good: AnsiColor::Green.on_default().bold(),
        remedy: AnsiColor::Cyan.on_default(),
        critical: AnsiColor::Red.on_default().bold(),
        warning: AnsiColor::Yellow.on_default().bold(),
    };

    /// The style of a severity.
    pub const fn severity(&self, severity: Severity) -> Style {
        match severity {
            Severity::Critical => self.critical,
            Severity::Warning => self.warning,
            Severity::Info => self.headline,
        }
    }
}
