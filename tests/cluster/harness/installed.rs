//! Programs that are installed rather than built here.

use std::path::PathBuf;

/// The first program of these names that is installed. `None` if there is none, in which case the check is
/// skipped.
///
/// # Panics
/// There is none, and this is CI.
pub fn installed(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/bin:/usr/sbin";
    let files = names.iter().flat_map(|name| path.split(':').map(move |folder| PathBuf::from(folder).join(name)));
    let found = files.into_iter().find(|file| file.is_file());
    if found.is_none() {
        println!("skipped: {names:?} is not installed (tests/cluster/packages does it)");
        assert!(std::env::var_os("CI").is_none(), "{names:?} is missing");
    }
    found
}
