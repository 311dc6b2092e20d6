//! The section as it is written.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::config::written::{Text, or_default};
use crate::findings::asked::Annotation;

/// What teams may ask for by annotations.
#[derive(Deserialize, JsonSchema, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Annotations {
    /// A duration.
    #[schemars(with = "String")]
    pub max_silence: Option<Text>,
    /// Whether those of Namespace objects count.
    pub namespaces: Option<bool>,
    /// Which receivers heed what, of whom.
    #[serde(deserialize_with = "or_default")]
    #[schemars(with = "Vec<Grant>")]
    pub grants: Vec<Spanned<Grant>>,
}

/// What a receiver heeds.
#[derive(Deserialize, JsonSchema, Clone, Debug, Default)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Grant {
    /// The receiver's name.
    #[schemars(with = "String")]
    pub receiver: Option<Text>,
    /// Patterns of namespaces.
    #[serde(deserialize_with = "or_default")]
    #[schemars(with = "Vec<String>")]
    pub namespaces: Vec<Text>,
    /// The annotations.
    #[serde(deserialize_with = "or_default")]
    pub allow: Vec<Allowed>,
}

/// An annotation that a receiver can heed.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Allowed {
    /// `probehound.dev/silence`
    Silence,
    /// `probehound.dev/receiver`
    Receiver,
    /// `probehound.dev/window`
    Window,
}

impl From<Allowed> for Annotation {
    fn from(allowed: Allowed) -> Self {
        match allowed {
            Allowed::Silence => Self::Silence,
            Allowed::Receiver => Self::Receiver,
            Allowed::Window => Self::Window,
        }
    }
}
