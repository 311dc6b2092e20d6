//! The section as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::config::written::{Text, or_default};
use crate::delivery::mute::Day;
use crate::finding::{Cause, Confidence, Effect, Fault, Severity};

/// Who is told, and of what.
#[derive(Deserialize, JsonSchema, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Notifications {
    /// The receivers.
    #[serde(deserialize_with = "or_default")]
    #[schemars(with = "Vec<Receiver>")]
    pub receivers: Vec<Spanned<Receiver>>,
    /// The routes.
    #[serde(deserialize_with = "or_default")]
    #[schemars(with = "Vec<Route>")]
    pub routes: Vec<Spanned<Route>>,
    /// A duration.
    #[schemars(with = "String")]
    pub changes_every: Option<Text>,
    /// A duration.
    #[schemars(with = "String")]
    pub remind_every: Option<Text>,
    /// How many findings.
    #[schemars(with = "i64")]
    pub digest_above: Option<Spanned<i64>>,
}

/// Who is told.
#[derive(Deserialize, JsonSchema, Clone, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Receiver {
    /// Its name.
    #[schemars(with = "String")]
    pub name: Option<Text>,
    /// A Slack incoming webhook.
    pub slack: Option<Slack>,
    /// A webhook that takes JSON.
    pub webhook: Option<Webhook>,
    /// Kubernetes Events; it has no settings.
    pub events: Option<Events>,
    /// Alertmanagers.
    pub alertmanager: Option<Alertmanager>,
}

/// A Slack incoming webhook.
#[derive(Deserialize, JsonSchema, Clone, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Slack {
    /// A file that holds its URL.
    #[schemars(with = "String")]
    pub url_file: Option<Text>,
    /// An environment variable that holds it.
    #[schemars(with = "String")]
    pub url_env: Option<Text>,
    /// A file of certificates.
    #[schemars(with = "String")]
    pub ca_file: Option<Text>,
}

/// A webhook that takes JSON.
#[derive(Deserialize, JsonSchema, Clone, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Webhook {
    /// A file that holds its URL.
    #[schemars(with = "String")]
    pub url_file: Option<Text>,
    /// An environment variable that holds it.
    #[schemars(with = "String")]
    pub url_env: Option<Text>,
    /// A file that holds the key.
    #[schemars(with = "String")]
    pub signing_key_file: Option<Text>,
    /// An environment variable that holds it.
    #[schemars(with = "String")]
    pub signing_key_env: Option<Text>,
    /// A file of certificates.
    #[schemars(with = "String")]
    pub ca_file: Option<Text>,
}

/// Kubernetes Events.
#[derive(Deserialize, JsonSchema, Clone, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Events {}

/// Alertmanagers.
#[derive(Deserialize, JsonSchema, Clone, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Alertmanager {
    /// Where they are.
    #[serde(deserialize_with = "or_default")]
    #[schemars(with = "Vec<String>")]
    pub urls: Vec<Text>,
    /// A user's name.
    #[schemars(with = "String")]
    pub username: Option<Text>,
    /// A file that holds the password.
    #[schemars(with = "String")]
    pub password_file: Option<Text>,
    /// An environment variable that holds it.
    #[schemars(with = "String")]
    pub password_env: Option<Text>,
    /// A file that holds a token.
    #[schemars(with = "String")]
    pub token_file: Option<Text>,
    /// An environment variable that holds it.
    #[schemars(with = "String")]
    pub token_env: Option<Text>,
    /// A duration.
    #[schemars(with = "String")]
    pub resend_every: Option<Text>,
    /// A file of certificates.
    #[schemars(with = "String")]
    pub ca_file: Option<Text>,
}

/// A way to a receiver.
#[derive(Deserialize, JsonSchema, Clone, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Route {
    /// The receiver's name.
    #[schemars(with = "String")]
    pub receiver: Option<Text>,
    /// Patterns of namespaces.
    #[serde(deserialize_with = "or_default")]
    #[schemars(with = "Vec<String>")]
    pub namespaces: Vec<Text>,
    /// Kinds of workloads.
    #[serde(deserialize_with = "or_default")]
    #[schemars(with = "Vec<String>")]
    pub workload_kinds: Vec<Text>,
    /// Causes.
    #[serde(deserialize_with = "or_default")]
    pub causes: Vec<Cause>,
    /// Whose fault.
    #[serde(deserialize_with = "or_default")]
    pub faults: Vec<Fault>,
    /// Effects.
    #[serde(deserialize_with = "or_default")]
    pub effects: Vec<Effect>,
    /// How bad at least.
    pub severity: Option<Severity>,
    /// How sure at least.
    pub confidence: Option<Confidence>,
    /// Labels of the pods, with patterns of their values.
    #[serde(deserialize_with = "or_default")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub labels: BTreeMap<String, Text>,
    /// When nothing goes this way.
    #[serde(deserialize_with = "or_default")]
    pub mute: Vec<Mute>,
}

/// A time of the week.
#[derive(Deserialize, JsonSchema, Clone, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Mute {
    /// The days on which it begins.
    #[serde(deserialize_with = "or_default")]
    pub days: Vec<Day>,
    /// `22:00-07:00`
    #[schemars(with = "String")]
    pub hours: Option<Text>,
    /// `Europe/Berlin`
    #[schemars(with = "String")]
    pub time_zone: Option<Text>,
}
