//! The forms of what is written.

use clap::ValueEnum;

/// The forms of an answer.
#[derive(Copy, Clone, PartialEq, Eq, ValueEnum, Debug, Default)]
pub enum Output {
    /// The story as it unfolded, the findings, and what to type
    #[default]
    Text,
    /// One JSON document per file
    Json,
    /// One JSON line for each change: when, what happened, and the finding after it
    Changes,
    /// The draft of a postmortem
    Markdown,
}

/// When to use colour.
#[derive(Copy, Clone, PartialEq, Eq, ValueEnum, Debug, Default)]
pub enum Color {
    /// On a terminal that can, unless the variable `NO_COLOR` is set
    #[default]
    Auto,
    /// Even into a pipe or a file
    Always,
    /// Not at all
    Never,
}
