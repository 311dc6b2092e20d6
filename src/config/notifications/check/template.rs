//! Templates of webhooks' bodies: tried on samples, so that none fails only when there is news.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::Key;
use super::values::{content_type, path};
use crate::config::check::Checker;
use crate::config::notifications::{Template, raw};
use crate::config::written::Text;
use crate::delivery::trial;
use crate::report::message_template::{MAX_OF_SOURCE, MessageTemplate, TemplateError};
use crate::report::webhook::Document;
use crate::runtime::clock;

/// The type of a body whose template does not say otherwise.
const JSON: &str = "application/json";

/// The template of a webhook, if it has one.
pub(super) fn template(key: &Key, raw: &raw::Webhook, checker: &mut Checker) -> Option<Template> {
    let kind = checker.read(&key.of("contentType"), raw.content_type.as_ref(), content_type);
    let (at, name, source) = match (&raw.template, &raw.template_file) {
        (Some(_), Some(file)) => {
            checker.refuse(file.referenced, &key.path, "both template and templateFile", "write one of them");
            return None;
        }
        (Some(written), None) => (written, "template", written.value.clone()),
        (None, Some(file)) => (file, "templateFile", read(key, file, checker)?),
        (None, None) => {
            if let Some(kind) = &raw.content_type {
                const HINT: &str = "without template or templateFile the body is JSON";
                checker.refuse(kind.referenced, &key.path, "contentType, and no template", HINT);
            }
            return None;
        }
    };
    let content_type = kind.unwrap_or_else(|| JSON.to_owned());
    match parsed(&source, &content_type) {
        Ok(body) => Some(Template { body: Arc::new(body), content_type }),
        Err(error) => {
            const HINT: &str =
                "docs/notifications.md has templates, and docs/webhook.schema.json what can be used in them";
            checker.refuse(at.referenced, &key.of(name), error.to_string(), HINT);
            None
        }
    }
}

/// The template, if it renders what a receiver may be sent.
fn parsed(source: &str, content_type: &str) -> Result<MessageTemplate, TemplateError> {
    let template = MessageTemplate::parse(source, content_type)?;
    let now = clock::now();
    for dispatch in trial::dispatches(now) {
        for cluster in [None, Some("prod-eu")] {
            template.render(&Document::new(&dispatch, "sample", cluster, now))?;
        }
    }
    Ok(template)
}

fn read(key: &Key, file: &Text, checker: &mut Checker) -> Option<String> {
    let name = key.of("templateFile");
    let source = checker.read(&name, Some(file), path)?;
    match read_file(&source) {
        Ok(text) => Some(text),
        Err(what) => {
            checker.refuse(file.referenced, &name, format!("cannot read it: {what}"), "a file of text, 64 KiB at most");
            None
        }
    }
}

fn read_file(file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = File::open(file).map_err(|error| error.kind().to_string())?;
    // One byte more shows that it is too long.
    file.take(MAX_OF_SOURCE as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.kind().to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
