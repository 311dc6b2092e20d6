//! Size limits for the contents of an object.

use schemars::{Schema, SchemaGenerator, json_schema};

/// Maximum length of the name of a kind, a workload, a container or a Service: what the API allows, and
/// what the edge cuts to.
pub const NAME: usize = 253;
/// Maximum length of a text, in bytes when written and in characters when validated: a long command line is
/// the longest that a regular manifest contains.
pub const TEXT: usize = 4096;
/// Maximum number of entries of a list.
pub const ENTRIES: usize = 32;

/// Schema of a number or a text of bounded length.
pub fn number_or_text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-int-or-string": true, "maxLength": TEXT })
}
