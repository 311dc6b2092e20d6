//! What a value may be that is no value yet.

/// Whether something is put there before the manifest is applied.
pub fn is_placeholder(text: &str) -> bool {
    ["{{", "${", "$(", "<", "@@", "%"].iter().any(|mark| text.contains(mark)) || text.starts_with('$')
}
