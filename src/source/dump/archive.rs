//! Archives: the files in a tar, one after another.

use std::io::{self, Read};

use super::names::{is_left_out, path};
use super::stream::{Form, Opened};
use super::{Found, Place, Sink, Trouble, text};

/// Maximum depth of nested archives that are opened.
const MAX_DEPTH: usize = 2;

/// Reads a stream, whatever it contains; `depth` is the number of archives around it.
pub fn read(name: &str, opened: Opened<'_>, depth: usize, sink: &mut dyn Sink) {
    let tell = |sink: &mut dyn Sink, what| sink.take(&Place { file: name.to_owned(), line: 0 }, Found::Trouble(what));
    match opened.form {
        Form::Text | Form::Objects => text::read(name, opened.reader, sink),
        Form::Tar if depth < MAX_DEPTH => {
            if let Err(error) = tar(name, opened.reader, depth, sink) {
                tell(sink, of_tar(&error));
            }
        }
        Form::Tar => tell(sink, Trouble::Packed("an archive in too many others")),
        Form::Recording => tell(sink, Trouble::Recording(name.to_owned())),
        Form::Packed(how) => tell(sink, Trouble::Packed(how)),
    }
}

fn tar(name: &str, input: impl Read, depth: usize, sink: &mut dyn Sink) -> io::Result<()> {
    let mut archive = tar::Archive::new(Ending { input, zeros: 0 });
    for entry in archive.entries()? {
        let entry = entry?;
        let file = path(&entry.path()?);
        if !entry.header().entry_type().is_file() || is_left_out(&file) {
            continue;
        }
        read(&file, Opened::new(entry), depth + 1, sink);
    }
    let Ending { zeros, .. } = archive.into_inner();
    if zeros < BLOCK {
        sink.take(
            &Place { file: name.to_owned(), line: 0 },
            Found::Trouble(Trouble::Cut("the archive has no end".to_owned())),
        );
    }
    Ok(())
}

/// A block of a tar; its end is one or two of zeros.
const BLOCK: usize = 512;

/// An input that counts the zeros at its end.
struct Ending<R> {
    input: R,
    zeros: usize,
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        let trailing = buffer[..read].iter().rev().take_while(|byte| **byte == 0).count();
        self.zeros = if trailing == read { self.zeros.saturating_add(read) } else { trailing };
        Ok(read)
    }
}

/// The library's message if it is more specific than an unexpected end.
fn of_tar(error: &io::Error) -> Trouble {
    let text = error.to_string();
    if error.kind() == io::ErrorKind::UnexpectedEof || text.contains("unexpected EOF") {
        return Trouble::Cut("the archive ends before its end".to_owned());
    }
    Trouble::Unreadable("the archive is broken".to_owned())
}
