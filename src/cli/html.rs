//! Reports as files.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::print;
use crate::report::html::Report;
use crate::text::escape::visible;

/// What a report says of where it comes from: the files, or how many, since their names may name somebody.
pub fn source(files: &[PathBuf], is_anonymous: bool) -> String {
    match files.len() {
        1 if is_anonymous => "a file".to_owned(),
        many if is_anonymous => format!("{many} files"),
        _ => files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", "),
    }
}

/// Writes a report to a file, which it replaces; `-` is standard output.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, report: &Report) -> Result<(), Error> {
    let cannot = |cause| Error::Report { file: path.display().to_string(), cause };
    let text = report.render().map_err(|error| cannot(io::Error::other(error)))?;
    if path == Path::new("-") {
        return print(text.as_bytes());
    }
    File::create(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(cannot)?;
    let findings = match report.cases.len() {
        1 => "1 finding".to_owned(),
        many => format!("{many} findings"),
    };
    // If standard error is closed there is nobody to inform.
    let _ = writeln!(io::stderr(), "wrote {}, {findings}: open it in a browser", visible(&path.display().to_string()));
    Ok(())
}
