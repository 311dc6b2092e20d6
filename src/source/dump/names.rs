//! The names of what a dump holds.

use std::path::Path;

/// A path with slashes, whatever the system.
pub fn path(path: &Path) -> String {
    let parts = path.components().map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// Whether a file or folder holds what containers and nodes wrote: they write what they like.
pub fn is_left_out(path: &str) -> bool {
    let mut parts = path.split('/');
    let last = parts.next_back().unwrap_or_default();
    let is_log = |name: &str| name == "logs.txt" || name.split('.').skip(1).any(|part| part == "log");
    is_log(last) || last == "logs" || last == "audit_logs" || parts.any(|part| part == "logs" || part == "audit_logs")
}
