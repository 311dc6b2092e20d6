//! A template for the body that a webhook is sent, in Jinja: its context is the webhook's [`Document`], so that
//! `docs/webhook.schema.json` says what can be used in it.
//!
//! Where the body is JSON, each value is written as JSON: `{"text": {{ summary }}}` is a body whatever the
//! summary contains. Elsewhere values are written as they are.
//!
//! Bounded: the length of the source, the work and memory of a rendering (fuel), and the length of its output.
//! It reads no files and includes nothing.

use std::sync::Arc;

use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};

use super::webhook::Document;
use crate::text::escape::{cut, terminal};

/// Maximum length of a template, in bytes.
pub const MAX_OF_SOURCE: usize = 64 * 1024;
/// Maximum length of what it renders, in bytes.
pub const MAX_OF_OUTPUT: usize = 256 * 1024;
/// The fuel of a rendering: that many instructions, or 64 times as many bytes. A template that writes every
/// line of 100 findings takes a tenth of it.
const FUEL: u64 = 200_000;
/// Maximum length of what the engine says of an error, in columns.
const DETAIL: usize = 200;
/// Its name in the engine.
const NAME: &str = "template";

/// A template that can be rendered. Two are equal if they were parsed from the same.
#[derive(Clone, Debug)]
pub struct MessageTemplate {
    source: Arc<str>,
    environment: Arc<Environment<'static>>,
    is_json: bool,
}

impl PartialEq for MessageTemplate {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, self.is_json) == (&other.source, other.is_json)
    }
}

impl Eq for MessageTemplate {}

/// What is wrong with a template.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TemplateError {
    /// It is too long.
    #[error("a template has at most 64 KiB")]
    Source,
    /// It is no Jinja, or it cannot be rendered with this document.
    #[error("line {line}: {what}")]
    Line {
        /// The line in the template, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// What it renders is too long.
    #[error("what it renders has at most 256 KiB")]
    Output,
    /// What it renders is no JSON, although its content type says so.
    #[error("what it renders is no JSON: {what} in line {line} of it")]
    Json {
        /// The line in the output, from 1.
        line: usize,
        /// What is wrong there.
        what: String,
    },
}

impl MessageTemplate {
    /// Parses a template for bodies of that content type, such as `application/json` or `text/plain`.
    ///
    /// # Errors
    /// It is too long, or no Jinja.
    pub fn parse(source: &str, content_type: &str) -> Result<Self, TemplateError> {
        if source.len() > MAX_OF_SOURCE {
            return Err(TemplateError::Source);
        }
        let is_json = is_json(content_type);
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(move |_| if is_json { AutoEscape::Json } else { AutoEscape::None });
        environment.add_filter("truncate", truncate);
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| wrong(&error))?;
        Ok(Self { source: source.into(), environment: Arc::new(environment), is_json })
    }

    /// The body for a document.
    ///
    /// # Errors
    /// It uses what the document does not have, does too much, or renders too much or no JSON.
    pub fn render(&self, document: &Document) -> Result<String, TemplateError> {
        let template = self.environment.get_template(NAME).map_err(|error| wrong(&error))?;
        let body = template.render(Value::from(Serde(document))).map_err(|error| wrong(&error))?;
        if body.len() > MAX_OF_OUTPUT {
            return Err(TemplateError::Output);
        }
        if self.is_json {
            let parsed: Result<serde::de::IgnoredAny, _> = serde_json::from_str(&body);
            parsed.map_err(|error| TemplateError::Json { line: error.line(), what: kind(&error).to_owned() })?;
        }
        Ok(body)
    }
}

/// `application/json`, `application/vnd.x+json; charset=utf-8`
fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.ends_with("+json")
}

/// `{{ summary | truncate(200) }}`: at most that many columns, with an ellipsis in the place of the rest.
fn truncate(text: &str, columns: usize) -> String {
    cut(text, columns)
}

fn wrong(error: &Error) -> TemplateError {
    let what = match error.kind() {
        ErrorKind::OutOfFuel => "it takes too long, or too much memory".to_owned(),
        kind => match error.detail() {
            Some(detail) => format!("{kind}: {detail}"),
            None => kind.to_string(),
        },
    };
    TemplateError::Line { line: error.line().unwrap_or(1), what: terminal(&what, DETAIL) }
}

/// What is wrong with a JSON document, without anything of it.
fn kind(error: &serde_json::Error) -> &'static str {
    if error.is_eof() { "it ends too soon" } else { "something stands where it must not" }
}
