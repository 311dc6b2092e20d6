//! Values that are not final yet.

/// Whether it will be replaced before the manifest is applied.
pub fn is_placeholder(text: &str) -> bool {
    ["{{", "${", "$(", "<", "@@", "%"].iter().any(|mark| text.contains(mark)) || text.starts_with('$')
}
