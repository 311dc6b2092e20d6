//! Prometheus' text format 0.0.4, line by line.

use std::fmt::{self, Display, Write};

use crate::text::escape::{cut, visible};

/// Maximum length of a label value, in columns.
const VALUE: usize = 128;

/// The type of a metric.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// The header of a metric.
#[derive(Copy, Clone, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it means, in one sentence.
    pub help: &'static str,
    /// Its type.
    pub kind: Kind,
}

impl Metric {
    /// A metric that goes up and down.
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Kind::Gauge }
    }

    /// A metric that only grows.
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: Kind::Counter }
    }

    /// Writes the header, before the samples.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn head(&self, out: &mut impl Write) -> fmt::Result {
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        writeln!(out, "# HELP {} {}\n# TYPE {} {kind}", self.name, self.help, self.name)
    }

    /// Writes one sample. The values of its labels are escaped for the format; values from a cluster must
    /// be [`clean`]ed before, so that two that become equal are one series.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn sample<V: AsRef<str>>(
        &self,
        labels: &[(&'static str, V)],
        value: impl Display,
        out: &mut impl Write,
    ) -> fmt::Result {
        out.write_str(self.name)?;
        for (place, (name, value)) in labels.iter().enumerate() {
            let before = if place == 0 { '{' } else { ',' };
            let value = value.as_ref().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            write!(out, "{before}{name}=\"{value}\"")?;
        }
        let end = if labels.is_empty() { "" } else { "}" };
        writeln!(out, "{end} {value}")
    }

    /// Writes a metric with one sample without labels.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn single(&self, value: impl Display, out: &mut impl Write) -> fmt::Result {
        self.head(out)?;
        self.sample::<&str>(&[], value, out)
    }
}

/// A label value, cut and without invisible characters; not yet escaped for the format.
///
/// An Alertmanager passes labels on to Slack as they are: nothing in them may start a mention or a link.
pub fn clean(value: &str) -> String {
    // Anything beyond a few bytes per column is cut anyway.
    let head: String = value.chars().take(4 * VALUE).collect();
    without_markup(&cut(&visible(&head), VALUE))
}

/// A text in which Slack recognises no mention and no link: `<!channel>` becomes `‹!channel>`.
pub fn without_markup(text: &str) -> String {
    text.replace('<', "‹")
}
