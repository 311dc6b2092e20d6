//! Templates of webhooks' bodies: the examples of the documentation, and what a template may not do.

use std::sync::Arc;

use probehound::delivery::trial::sample;
use probehound::engine::Finding;
use probehound::report::message_template::{MessageTemplate, TemplateError};
use probehound::report::update::{Dispatch, FindingUpdate, Kind};
use probehound::report::webhook::Document;
use serde_json::{Value, json};

use super::hostile::{hostile, with};
use super::samples::at;
use crate::support::forms;

const JSON: &str = "application/json";

#[test]
fn the_examples_of_the_documentation_render() {
    let documentation = include_str!("../../docs/notifications.md");
    let rendered: Vec<(String, String)> = examples(documentation)
        .map(|(kind, source)| (kind.to_owned(), render(source, kind, &opened()).expect("an example renders")))
        .collect();
    let [(_, mattermost), (_, zulip), (_, ntfy)] = rendered.as_slice() else { panic!("{rendered:?}") };
    let mattermost: Value = serde_json::from_str(mattermost).expect("JSON");
    assert_eq!(mattermost["channel"], "oncall");
    assert_eq!(mattermost["attachments"][0]["color"], "#d92d20");
    let text = mattermost["attachments"][0]["text"].as_str().expect("a text");
    assert!(text.starts_with("```\nauth-service (Deployment, namespace prod): the liveness probe asks"), "{text}");
    assert!(text.contains("\nFix: kubectl -n prod rollout undo"), "{text}");
    let zulip: Value = serde_json::from_str(zulip).expect("JSON");
    let text = zulip["text"].as_str().expect("a text");
    assert!(
        text.starts_with("```text\nauth-service (Deployment, namespace prod): ") && text.ends_with("\n```"),
        "{text}"
    );
    assert!(ntfy.starts_with("auth-service (Deployment, namespace prod): "), "{ntfy}");
    assert!(ntfy.contains("\nFix: "), "{ntfy}");
}

#[test]
fn the_examples_are_bodies_whatever_the_names_are() {
    let documentation = include_str!("../../docs/notifications.md");
    for (kind, source) in examples(documentation) {
        let template = MessageTemplate::parse(source, kind).expect("an example");
        for text in hostile() {
            for dispatch in forms::dispatches(&with(&text)) {
                let document = Document::new(&dispatch, "ops", None, at(150));
                template.render(&document).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            }
        }
    }
}

#[test]
fn every_key_of_the_document_can_be_used() {
    let source = "{{ version }} {{ id | length }} {{ receiver }} {{ cluster }} {{ digest }} {{ items[0].event }} \
                  {{ items[0].finding.cause }} {{ items[0].finding.pods.total }} {{ omitted }} {{ waiting }}";
    let body = render(source, "text/plain", &opened()).expect("it renders");
    assert_eq!(body, "probehound.dev/v1 32 ops prod-eu None Opened WrongPath 50 0 0");
}

#[test]
fn a_value_is_json_where_the_body_is() {
    let quoted = Finding { namespace: "a\"b\\".into(), ..sample("prod", at(0)) };
    let dispatch = one(quoted);
    let of = |source| -> Value {
        let body = render(source, "application/vnd.x+json; charset=utf-8", &dispatch).expect("it renders");
        serde_json::from_str(&body).expect("JSON")
    };
    assert_eq!(of("{\"ns\": {{ items[0].finding.namespace }}}"), json!({ "ns": "a\"b\\" }));
    assert_eq!(of("{\"ns\": {{ items[0].finding.namespace | tojson }}}"), json!({ "ns": "a\"b\\" }));
    assert_eq!(of("{\"n\": {{ items | length }}, \"all\": {{ digest }}}"), json!({ "n": 1, "all": null }));
}

#[test]
fn what_is_too_long_is_cut_by_the_template() {
    assert_eq!(render("{{ (receiver * 9) | truncate(7) }}", "text/plain", &opened()), Ok("opsops…".to_owned()));
}

#[test]
fn an_error_names_its_line() {
    let parsed = MessageTemplate::parse("{\n  \"text\": {{ summary }\n}", JSON).expect_err("it does not end");
    assert!(matches!(parsed, TemplateError::Line { line: 2, .. }), "{parsed}");
    let unknown =
        MessageTemplate::parse("{{ summary | shout }}", JSON).map(|template| template.render(&document(&opened())));
    assert!(!matches!(unknown, Ok(Ok(_))), "{unknown:?}");
    let rendered = render("{\n\n\"text\": {{ summry }}}", JSON, &opened()).expect_err("there is no such key");
    assert!(matches!(rendered, TemplateError::Line { line: 3, .. }), "{rendered}");
}

#[test]
fn what_is_said_to_be_json_is() {
    let error = render("{\"text\": \"{{ summary }}\"}", JSON, &opened()).expect_err("quotes within quotes");
    assert_eq!(error.to_string(), "what it renders is no JSON: something stands where it must not in line 1 of it");
    assert!(render("not JSON", "text/plain", &opened()).is_ok());
}

#[test]
fn a_template_is_bounded() {
    let loops = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
    for endless in [loops, "{{ 'x' * 999999999 }}", "{{ range(99999999) | list | length }}"] {
        let error = render(endless, "text/plain", &opened()).expect_err(endless);
        assert!(matches!(error, TemplateError::Line { line: 1, .. }), "{error}");
    }
    let long = format!("{{% for a in range(300) %}}{}{{% endfor %}}", "x".repeat(1_000));
    assert_eq!(render(&long, "text/plain", &opened()), Err(TemplateError::Output));
    assert_eq!(MessageTemplate::parse(&"x".repeat(65_537), JSON).err(), Some(TemplateError::Source));
}

#[test]
fn a_template_includes_nothing() {
    for source in ["{% include '/etc/passwd' %}", "{% extends 'x' %}", "{% import 'x' as x %}"] {
        let parsed = MessageTemplate::parse(source, "text/plain");
        let rendered = parsed.and_then(|template| template.render(&document(&opened())));
        assert!(matches!(rendered, Err(TemplateError::Line { .. })), "{source}: {rendered:?}");
    }
}

/// The blocks after `<!-- template: CONTENT TYPE -->`.
fn examples(documentation: &str) -> impl Iterator<Item = (&str, &str)> {
    documentation.split("<!-- template: ").skip(1).map(|rest| {
        let (kind, rest) = rest.split_once(" -->\n```jinja\n").expect("a content type and a block");
        (kind, rest.split_once("\n```\n").expect("the block ends").0)
    })
}

fn render(source: &str, content_type: &str, dispatch: &Dispatch) -> Result<String, TemplateError> {
    MessageTemplate::parse(source, content_type)?.render(&document(dispatch))
}

fn document(dispatch: &Dispatch) -> Document<'_> {
    Document::new(dispatch, "ops", Some("prod-eu"), at(150))
}

fn opened() -> Dispatch {
    one(sample("prod", at(0)))
}

fn one(finding: Finding) -> Dispatch {
    Dispatch::One(FindingUpdate { kind: Kind::Opened, finding: Arc::new(finding), before: None })
}
