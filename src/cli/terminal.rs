//! What standard output can show.

use std::io;

use super::args::Color;
use crate::report::text::{Look, Palette};

/// Columns where standard output is no terminal and `COLUMNS` does not say otherwise.
const WIDTH: usize = 80;

/// How wide, and whether coloured, standard output is.
pub fn look(stdout: &io::Stdout, color: Color) -> Look {
    let coloured = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => anstream::AutoStream::choice(stdout) != anstream::ColorChoice::Never,
    };
    let terminal = terminal_size::terminal_size_of(stdout).map(|(width, _)| usize::from(width.0));
    let asked = || std::env::var("COLUMNS").ok()?.parse().ok();
    Look {
        width: terminal.or_else(asked).unwrap_or(WIDTH).clamp(40, 1000),
        palette: if coloured { Palette::COLOURED } else { Palette::PLAIN },
    }
}
