//! Terminal output: the story as it unfolds, a block for each finding, and what to type. Understandable
//! without colour; harmless whatever the cluster's names contain.

pub mod advice;
pub mod block;
pub mod chat;
pub mod demo;
mod layout;
pub mod listing;
mod palette;
pub mod preview;
#[cfg(feature = "operator")]
pub mod scan;
pub mod story;

pub use palette::Palette;

/// The layout of text.
#[derive(Copy, Clone, Debug)]
pub struct Look {
    /// The width in columns; commands to copy may be longer.
    pub width: usize,
    /// The colours, or none.
    pub palette: Palette,
}

impl Look {
    /// Without colour.
    pub const fn plain(width: usize) -> Self {
        Self { width, palette: Palette::PLAIN }
    }
}

/// The text in lines of at most that many columns, broken at spaces where possible.
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    layout::wrap(text, columns).iter().flat_map(|line| layout::fold(line, columns)).collect()
}
