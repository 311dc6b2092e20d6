//! How large what an object holds may be.

use schemars::{Schema, SchemaGenerator, json_schema};

/// Longest name of a kind, a workload, a container, a Service: what the API allows, and what the
/// edge cuts to.
pub const NAME: usize = 253;
/// Longest text, in bytes when it is written and in characters when it is checked: a command line
/// of many words is the longest that an honest manifest gives.
pub const TEXT: usize = 4096;
/// Most entries of a list.
pub const ENTRIES: usize = 32;

/// Schema of a number or a text of bounded length.
pub fn number_or_text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-int-or-string": true, "maxLength": TEXT })
}
