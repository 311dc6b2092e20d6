//! Recordings named on the command line: opening, decompressing, and the outcome of reading.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;

use super::error::Error;
use crate::replay::Replayed;
use crate::source::dump::{Form, Opened};

/// Opens a path, and returns its length if known; `-` is standard input.
///
/// # Errors
/// It cannot be opened.
pub fn open(path: &Path) -> Result<(Box<dyn Read + Send>, Option<u64>), Error> {
    let opened = || -> io::Result<(Box<dyn Read + Send>, Option<u64>)> {
        if path == Path::new("-") {
            return Ok((Box::new(io::stdin()), None));
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok((Box::new(file), metadata.is_file().then_some(metadata.len())))
    };
    opened().map_err(|cause| Error::Open { file: path.display().to_string(), cause })
}

/// The lines of a recording, compressed or not.
///
/// # Errors
/// It is a dump of objects.
pub fn unpack<'a>(name: &str, input: impl Read + 'a) -> Result<Box<dyn BufRead + 'a>, Error> {
    let opened = Opened::new(input);
    match opened.form {
        Form::Objects | Form::Tar => Err(Error::IsDump(name.to_owned())),
        _ => Ok(opened.reader),
    }
}

/// The lines of a recording with every name replaced, each always by the same other one.
///
/// # Errors
/// The system has no random numbers.
#[cfg(feature = "operator")]
pub fn anonymous<'a>(lines: impl BufRead + 'a) -> Result<Box<dyn BufRead + 'a>, Error> {
    use crate::source::recorder::{Anonymous, Disclosure};

    let redactor = super::record::redactor(Disclosure::Anonymous)?;
    Ok(Box::new(io::BufReader::new(Anonymous::new(lines, redactor))))
}

/// Whether it was a recording, and could be read completely.
///
/// # Errors
/// It was not, or could not be.
pub fn verdict(name: &str, replayed: Replayed) -> Result<(), Error> {
    match replayed.error {
        None if replayed.observations == 0 && replayed.skipped > 0 => Err(Error::NoLines(name.to_owned())),
        None => Ok(()),
        Some(cause) => Err(Error::Read { file: name.to_owned(), cause }),
    }
}
