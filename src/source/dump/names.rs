//! File names in a dump.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

/// Maximum depth of nested folders.
pub const MAX_DEPTH: usize = 32;

/// A path with slashes, on any system.
pub fn path(path: &Path) -> String {
    let parts = path.components().map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// Whether a file or folder contains the output of containers and nodes, which may be anything.
pub fn is_left_out(path: &str) -> bool {
    let mut parts = path.split('/');
    let last = parts.next_back().unwrap_or_default();
    let is_log = |name: &str| name == "logs.txt" || name.split('.').skip(1).any(|part| part == "log");
    is_log(last) || last == "logs" || last == "audit_logs" || parts.any(|part| part == "logs" || part == "audit_logs")
}

/// The entries of a folder, ordered by name.
///
/// # Errors
/// It cannot be listed.
pub fn sorted(folder: &Path) -> io::Result<Vec<DirEntry>> {
    let mut entries: Vec<DirEntry> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}
