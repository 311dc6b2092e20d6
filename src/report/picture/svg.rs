//! Writes SVG: text is escaped where it goes in.

use std::fmt::{self, Write};

use crate::text::escape::visible;

/// Maximum length of a text, in characters.
const TEXT: usize = 300;

/// A document that grows.
#[derive(Debug, Default)]
pub struct Svg(String);

/// A path that grows, in absolute positions.
#[derive(Debug, Default)]
pub struct Path(String);

impl Svg {
    /// Markup of ours.
    pub fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// A text from anywhere.
    pub fn text(&mut self, text: &str) -> &mut Self {
        let head: String = text.chars().take(TEXT).collect();
        for character in visible(&head).chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                _ => self.0.push(character),
            }
        }
        self
    }

    /// A line of text at a position.
    pub fn label(&mut self, class: &str, (x, y): (f64, f64), text: &str) {
        self.write(format_args!("<text class=\"{class}\" x=\"{}\" y=\"{}\">", Short(x), Short(y)));
        self.text(text).raw("</text>\n");
    }

    /// A rectangle.
    pub fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        self.write(format_args!(
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n",
            Short(x),
            Short(y),
            Short(width),
            Short(height)
        ));
    }

    /// A path, with a title that is shown for it; nothing if the path is empty.
    pub fn path(&mut self, class: &str, path: &Path, title: Option<&str>) {
        if path.0.is_empty() {
            return;
        }
        self.write(format_args!("<path class=\"{class}\" d=\"{}\"", path.0));
        match title {
            Some(title) => self.raw("><title>").text(title).raw("</title></path>\n"),
            None => self.raw("/>\n"),
        };
    }

    /// The document so far.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn write(&mut self, what: fmt::Arguments) {
        // Writing to a `String` cannot fail.
        let _ = self.0.write_fmt(what);
    }
}

impl From<Svg> for String {
    fn from(svg: Svg) -> Self {
        svg.0
    }
}

impl Path {
    /// Begins anew at a position.
    pub fn go(&mut self, x: f64, y: f64) -> &mut Self {
        self.write(format_args!("M{} {}", Short(x), Short(y)))
    }

    /// A horizontal line to a position.
    pub fn across(&mut self, x: f64) -> &mut Self {
        self.write(format_args!("H{}", Short(x)))
    }

    /// A vertical line to a position.
    pub fn along(&mut self, y: f64) -> &mut Self {
        self.write(format_args!("V{}", Short(y)))
    }

    /// A line by so much.
    pub fn by(&mut self, x: f64, y: f64) -> &mut Self {
        self.write(format_args!("l{} {}", Short(x), Short(y)))
    }

    /// A line back to where it began.
    pub fn close(&mut self) -> &mut Self {
        self.0.push('z');
        self
    }

    fn write(&mut self, what: fmt::Arguments) -> &mut Self {
        let _ = self.0.write_fmt(what);
        self
    }
}

/// A number with one decimal at most.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round() as i64;
        match tenths % 10 {
            0 => write!(f, "{}", tenths / 10),
            _ => write!(f, "{:.1}", tenths as f64 / 10.0),
        }
    }
}
