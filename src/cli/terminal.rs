//! The capabilities of standard output.

use std::io;

use super::args::Color;
use crate::report::text::{Look, Palette};

/// Width if standard output is not a terminal and `COLUMNS` is not set.
const WIDTH: usize = 80;

/// The width and colours of standard output.
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
