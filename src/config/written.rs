//! How values stand in the file.

use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

/// A text with its place.
pub type Text = Spanned<String>;

/// Reads a key that has no value like one that is not there.
///
/// # Errors
/// Those of the value.
pub fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
