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
    pub slack: Option<Chat>,
    /// A webhook of a workflow of Microsoft Teams.
    pub teams: Option<Chat>,
    /// A Discord webhook.
    pub discord: Option<Chat>,
    /// A webhook of a space of Google Chat.
    pub google_chat: Option<Chat>,
    /// PagerDuty, by its Events API v2.
    pub pager_duty: Option<PagerDuty>,
    /// Opsgenie, or what accepts its Alert API.
    pub opsgenie: Option<Opsgenie>,
    /// A webhook that takes JSON.
    pub webhook: Option<Webhook>,
    /// Mail, by way of a relay.
    pub email: Option<Email>,
    /// Kubernetes Events; it has no settings.
    pub events: Option<Events>,
    /// Alertmanagers.
    pub alertmanager: Option<Alertmanager>,
}

/// How a receiver is connected to.
#[derive(Copy, Clone)]
pub struct Network<'a> {
    /// A file of certificates.
    pub ca_file: Option<&'a Text>,
    /// A file of the client's certificate.
    pub client_certificate_file: Option<&'a Text>,
    /// A file of its key.
    pub client_key_file: Option<&'a Text>,
    /// The proxy's address.
    pub proxy_url: Option<&'a Text>,
    /// A file that holds it.
    pub proxy_url_file: Option<&'a Text>,
    /// An environment variable that holds it.
    pub proxy_url_env: Option<&'a Text>,
}

/// A type of receiver that is reached over HTTP: its own keys, and those of the connection.
macro_rules! over_http {
    ($(#[$meta:meta])* $name:ident { $($(#[$of_field:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Deserialize, JsonSchema, Clone, Debug, Default)]
        #[serde(deny_unknown_fields, default, rename_all = "camelCase")]
        pub struct $name {
            $($(#[$of_field])* pub $field: $type,)*
            /// A file of certificates.
            #[schemars(with = "String")]
            pub ca_file: Option<Text>,
            /// A file of the client's certificate.
            #[schemars(with = "String")]
            pub client_certificate_file: Option<Text>,
            /// A file of its key.
            #[schemars(with = "String")]
            pub client_key_file: Option<Text>,
            /// The address of a proxy without a password, or `none`.
            #[schemars(with = "String")]
            pub proxy_url: Option<Text>,
            /// A file that holds the address of a proxy.
            #[schemars(with = "String")]
            pub proxy_url_file: Option<Text>,
            /// An environment variable that holds it.
            #[schemars(with = "String")]
            pub proxy_url_env: Option<Text>,
        }

        impl $name {
            /// How it is connected to.
            pub const fn network(&self) -> Network<'_> {
                Network {
                    ca_file: self.ca_file.as_ref(),
                    client_certificate_file: self.client_certificate_file.as_ref(),
                    client_key_file: self.client_key_file.as_ref(),
                    proxy_url: self.proxy_url.as_ref(),
                    proxy_url_file: self.proxy_url_file.as_ref(),
                    proxy_url_env: self.proxy_url_env.as_ref(),
                }
            }
        }
    };
}

over_http! {
    /// The webhook of a chat.
    Chat {
        /// A file that holds its URL.
        #[schemars(with = "String")]
        url_file: Option<Text>,
        /// An environment variable that holds it.
        #[schemars(with = "String")]
        url_env: Option<Text>,
    }
}

over_http! {
    /// PagerDuty.
    PagerDuty {
        /// A file that holds the integration's key.
        #[schemars(with = "String")]
        routing_key_file: Option<Text>,
        /// An environment variable that holds it.
        #[schemars(with = "String")]
        routing_key_env: Option<Text>,
        /// Where the account is.
        region: Option<Region>,
        /// The address of its API.
        #[schemars(with = "String")]
        url: Option<Text>,
    }
}

over_http! {
    /// Opsgenie.
    Opsgenie {
        /// A file that holds the integration's key.
        #[schemars(with = "String")]
        api_key_file: Option<Text>,
        /// An environment variable that holds it.
        #[schemars(with = "String")]
        api_key_env: Option<Text>,
        /// Where the account is.
        region: Option<Region>,
        /// The address of its API.
        #[schemars(with = "String")]
        url: Option<Text>,
    }
}

over_http! {
    /// A webhook that takes JSON.
    Webhook {
        /// A file that holds its URL.
        #[schemars(with = "String")]
        url_file: Option<Text>,
        /// An environment variable that holds it.
        #[schemars(with = "String")]
        url_env: Option<Text>,
        /// A file that holds the key.
        #[schemars(with = "String")]
        signing_key_file: Option<Text>,
        /// An environment variable that holds it.
        #[schemars(with = "String")]
        signing_key_env: Option<Text>,
        /// The template of the body.
        #[schemars(with = "String")]
        template: Option<Text>,
        /// A file that holds it.
        #[schemars(with = "String")]
        template_file: Option<Text>,
        /// The type of what it renders.
        #[schemars(with = "String")]
        content_type: Option<Text>,
    }
}

over_http! {
    /// Alertmanagers.
    Alertmanager {
        /// Where they are.
        #[serde(deserialize_with = "or_default")]
        #[schemars(with = "Vec<String>")]
        urls: Vec<Text>,
        /// A user's name.
        #[schemars(with = "String")]
        username: Option<Text>,
        /// A file that holds the password.
        #[schemars(with = "String")]
        password_file: Option<Text>,
        /// An environment variable that holds it.
        #[schemars(with = "String")]
        password_env: Option<Text>,
        /// A file that holds a token.
        #[schemars(with = "String")]
        token_file: Option<Text>,
        /// An environment variable that holds it.
        #[schemars(with = "String")]
        token_env: Option<Text>,
        /// A duration.
        #[schemars(with = "String")]
        resend_every: Option<Text>,
    }
}

/// Mail, by way of a relay.
#[derive(Deserialize, JsonSchema, Clone, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Email {
    /// The relay's host.
    #[schemars(with = "String")]
    pub host: Option<Text>,
    /// Its port.
    #[schemars(with = "i64")]
    pub port: Option<Spanned<i64>>,
    /// How the connection is encrypted.
    pub encryption: Option<Encryption>,
    /// A file of certificates.
    #[schemars(with = "String")]
    pub ca_file: Option<Text>,
    /// A user's name.
    #[schemars(with = "String")]
    pub username: Option<Text>,
    /// A file that holds the password.
    #[schemars(with = "String")]
    pub password_file: Option<Text>,
    /// An environment variable that holds it.
    #[schemars(with = "String")]
    pub password_env: Option<Text>,
    /// The name by which probehound introduces itself.
    #[schemars(with = "String")]
    pub hello: Option<Text>,
    /// The sender.
    #[schemars(with = "String")]
    pub from: Option<Text>,
    /// The recipients.
    #[serde(deserialize_with = "or_default")]
    #[schemars(with = "Vec<String>")]
    pub to: Vec<Text>,
}

/// How a connection is encrypted.
#[derive(Deserialize, JsonSchema, Copy, Clone, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "camelCase")]
pub enum Encryption {
    /// By STARTTLS.
    #[default]
    StartTls,
    /// From the first byte on.
    Tls,
    /// Not at all.
    None,
}

/// Where the servers of a service are.
#[derive(Deserialize, JsonSchema, Copy, Clone, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// In the United States.
    #[default]
    Us,
    /// In the European Union.
    Eu,
}

/// Kubernetes Events.
#[derive(Deserialize, JsonSchema, Clone, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Events {}

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
