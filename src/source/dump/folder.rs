//! Folders: their files, ordered by name.

use std::fs::File;
use std::io;
use std::path::Path;

use super::names::{MAX_DEPTH, is_left_out, path, sorted};
use super::stream::Opened;
use super::{Found, Place, Sink, Trouble, archive, trouble};

/// Reads the files of a folder and its subfolders; links are not followed.
///
/// # Errors
/// The folder itself cannot be listed.
pub fn read(folder: &Path, sink: &mut dyn Sink) -> io::Result<()> {
    walk(folder, folder, 0, sink)
}

fn walk(root: &Path, folder: &Path, depth: usize, sink: &mut dyn Sink) -> io::Result<()> {
    for entry in sorted(folder)? {
        let full = entry.path();
        let name = path(full.strip_prefix(root).unwrap_or(&full));
        let outcome = match entry.file_type() {
            _ if is_left_out(&name) => continue,
            Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => walk(root, &full, depth + 1, sink),
            Ok(kind) if kind.is_file() => file(&name, &full, sink),
            // A link, a socket, a pipe.
            Ok(_) => continue,
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            sink.take(&Place { file: name, line: 0 }, Found::Trouble(trouble(&error)));
        }
    }
    Ok(())
}

fn file(name: &str, path: &Path, sink: &mut dyn Sink) -> io::Result<()> {
    let file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        sink.take(&Place { file: name.to_owned(), line: 0 }, Found::Trouble(Trouble::NoObjects));
        return Ok(());
    }
    archive::read(name, Opened::new(file), 0, sink);
    Ok(())
}
