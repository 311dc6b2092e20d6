//! The output of a recording.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Minimum interval between flushes of compressed data: each one costs some compression.
const SAFE_EVERY: Duration = Duration::from_secs(10);

/// A file, compressed if its name ends in `.gz`; `-` is standard output.
pub enum Output {
    Plain(Counted),
    Gzip { encoder: Box<GzEncoder<Counted>>, safe: Instant },
}

/// Counts the bytes that reach the file.
pub struct Counted {
    inner: BufWriter<Box<dyn Write>>,
    bytes: u64,
}

impl Output {
    /// A new file; an existing one is not touched.
    ///
    /// # Errors
    /// It exists already, or cannot be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        let inner: Box<dyn Write> =
            if path == Path::new("-") { Box::new(io::stdout()) } else { Box::new(File::create_new(path)?) };
        let counted = Counted { inner: BufWriter::new(inner), bytes: 0 };
        let is_gzip = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        Ok(if is_gzip {
            Self::Gzip { encoder: Box::new(GzEncoder::new(counted, Compression::default())), safe: now() }
        } else {
            Self::Plain(counted)
        })
    }

    /// Number of bytes written to the file.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Plain(counted) => counted.bytes,
            Self::Gzip { encoder, .. } => encoder.get_ref().bytes,
        }
    }

    /// Writes the rest.
    ///
    /// # Errors
    /// Those of the file.
    pub fn close(self) -> io::Result<()> {
        match self {
            Self::Plain(mut counted) => counted.flush(),
            Self::Gzip { encoder, .. } => encoder.finish()?.flush(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(counted) => counted.write(buffer),
            Self::Gzip { encoder, .. } => encoder.write(buffer),
        }
    }

    /// Flushes, so that everything written can be read if this is the end.
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(counted) => counted.flush(),
            Self::Gzip { encoder, safe } if now().duration_since(*safe) >= SAFE_EVERY => {
                *safe = now();
                encoder.flush()
            }
            Self::Gzip { .. } => Ok(()),
        }
    }
}

impl Write for Counted {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[expect(clippy::disallowed_methods, reason = "an edge: how often a file is flushed decides nothing")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn what_ends_in_gz_is_compressed_and_nothing_is_overwritten() {
        let path = std::env::temp_dir().join(format!("probehound-output-{}.jsonl.gz", std::process::id()));
        let mut output = Output::create(&path).expect("a new file");
        output.write_all(b"{}\n").expect("written");
        output.close().expect("closed");

        let again = Output::create(&path).map(|_| ()).map_err(|error| error.kind());
        let mut text = String::new();
        let file = File::open(&path).expect("the file is there");
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("it is compressed");
        std::fs::remove_file(&path).expect("it can be removed");

        assert_eq!(again, Err(io::ErrorKind::AlreadyExists));
        assert_eq!(text, "{}\n");
    }
}
