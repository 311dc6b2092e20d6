//! Values as written in the file.

use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

/// A text with its position.
pub type Text = Spanned<String>;

/// Treats a key without a value like an absent one.
///
/// # Errors
/// Those of the value.
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
