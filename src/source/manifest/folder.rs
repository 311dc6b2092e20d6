//! Folders: their manifests, ordered by name.

use std::fs::{DirEntry, File};
use std::io;
use std::path::Path;

use super::{Found, Place, Sink, Trouble};
use crate::source::dump::{MAX_DEPTH, sorted};

/// File name extensions of manifests.
const ENDS: [&str; 3] = ["yaml", "yml", "json"];

/// Reads all files with these extensions.
///
/// # Errors
/// The folder itself cannot be listed.
pub fn read(folder: &Path, sink: &mut Sink<'_>) -> io::Result<()> {
    walk(folder, sorted(folder)?, 0, sink);
    Ok(())
}

fn walk(folder: &Path, entries: Vec<DirEntry>, depth: usize, sink: &mut Sink<'_>) {
    let is_chart = entries.iter().any(|entry| entry.file_name() == "Chart.yaml");
    for entry in entries {
        let path = entry.path();
        let name = path.display().to_string();
        let place = Place { file: name.clone(), line: 0 };
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let Ok(kind) = entry.file_type() else { continue };
        if is_chart && entry.file_name() == "templates" {
            let folder = folder.display();
            sink(
                &place,
                Found::Other(format!(
                    "these are templates of a chart; lint what they render: helm template {folder} | probehound lint -"
                )),
            );
        } else if kind.is_dir() && !hidden && depth < MAX_DEPTH {
            match sorted(&path) {
                Ok(below) => walk(&path, below, depth + 1, sink),
                Err(error) => sink(&place, Found::Trouble(Trouble::Unreadable(error.to_string()))),
            }
        } else if kind.is_file() && is_manifest(&path) {
            match File::open(&path) {
                Ok(file) => super::read(&name, file, sink),
                Err(error) => sink(&place, Found::Trouble(Trouble::Unreadable(error.to_string()))),
            }
        }
    }
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|end| ENDS.iter().any(|known| end.eq_ignore_ascii_case(known)))
}
