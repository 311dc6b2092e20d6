//! A stream of bytes, unpacked, and what it holds by its first bytes.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::utf16::Utf16;
use super::Input;

/// Bytes that are read, and unpacked, at once.
const BUFFER: usize = 64 * 1024;

/// Bytes by which a stream is recognised: one block of a tar.
const HEAD: usize = 512;

/// Packings around one another that are undone.
const MAX_PACKINGS: usize = 3;

/// The most that zstd may look back, in bytes; beyond it only `zstd --ultra` and `--long` go.
const WINDOW: u64 = 16 << 20;

/// A stream of bytes that are no longer packed.
pub struct Opened<'a> {
    /// The bytes, from the beginning.
    pub reader: Input<'a>,
    /// What they are.
    pub form: Form,
}

/// What a stream holds.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Form {
    /// A recording.
    Recording,
    /// Files in a tar.
    Tar,
    /// Text, or whatever is neither of the others.
    Text,
    /// An archive or a packing that is not read.
    Packed(&'static str),
}

impl<'a> Opened<'a> {
    /// Undoes gzip and zstd, and looks at what is in them.
    ///
    /// # Errors
    /// The first bytes cannot be read or unpacked.
    pub fn of(input: impl Read + 'a) -> io::Result<Self> {
        let mut reader: Input<'a> = Box::new(BufReader::with_capacity(BUFFER, input));
        for _ in 0..MAX_PACKINGS {
            let (head, whole) = peek(reader)?;
            reader = match &head[..] {
                [0x1f, 0x8b, ..] => buffered(MultiGzDecoder::new(whole)),
                [0x28, 0xb5, 0x2f, 0xfd, ..] => buffered(Zstd::new(whole)),
                [0xff, 0xfe, ..] => buffered(Utf16::new(whole)),
                _ => return Ok(Self { form: form(&head), reader: whole }),
            };
        }
        Ok(Self { reader, form: Form::Packed("packed too often") })
    }
}

/// The first bytes, and a stream that begins with them.
fn peek(mut reader: Input<'_>) -> io::Result<(Vec<u8>, Input<'_>)> {
    let mut head = Vec::new();
    reader.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let whole = Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(whole)))
}

fn buffered<'a>(reader: impl Read + 'a) -> Input<'a> {
    Box::new(BufReader::with_capacity(BUFFER, reader))
}

fn form(head: &[u8]) -> Form {
    match head {
        [b'P', b'K', 3 | 5, ..] => return Form::Packed("a zip archive"),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => return Form::Packed("packed with xz"),
        [b'B', b'Z', b'h', ..] => return Form::Packed("packed with bzip2"),
        _ if head.get(257..262) == Some(b"ustar") => return Form::Tar,
        _ => {}
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let has = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
    let is_recording = text.starts_with(b"{") && has(b"\"ts\"") && has(b"\"resource\"") && has(b"\"type\"");
    if is_recording { Form::Recording } else { Form::Text }
}

/// The frames of a zstd stream, one after another.
struct Zstd<'a> {
    state: State<'a>,
}

enum State<'a> {
    Between(Input<'a>),
    Frame(Box<FrameDecoder>, Input<'a>),
    Over,
}

impl<'a> Zstd<'a> {
    const fn new(input: Input<'a>) -> Self {
        Self { state: State::Between(input) }
    }
}

impl Read for Zstd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.state = match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Ok(0),
                State::Between(input) => next_frame(input)?,
                State::Frame(frame, input) if frame.is_finished() && frame.can_collect() == 0 => State::Between(input),
                State::Frame(mut frame, mut input) => {
                    while frame.can_collect() == 0 && !frame.is_finished() {
                        let decoded = frame.decode_blocks(&mut input, BlockDecodingStrategy::UptoBlocks(1));
                        decoded.map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
                    }
                    let read = frame.read(buffer)?;
                    self.state = State::Frame(frame, input);
                    if read > 0 || buffer.is_empty() {
                        return Ok(read);
                    }
                    continue;
                }
            };
        }
    }
}

fn next_frame(mut input: Input<'_>) -> io::Result<State<'_>> {
    if input.fill_buf()?.is_empty() {
        return Ok(State::Over);
    }
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(WINDOW);
    match decoder.init(&mut input) {
        Ok(()) => Ok(State::Frame(Box::new(decoder), input)),
        Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
            io::copy(&mut input.by_ref().take(u64::from(length)), &mut io::sink())?;
            Ok(State::Between(input))
        }
        Err(FrameDecoderError::WindowSizeTooBig { .. }) => {
            let limit = WINDOW >> 20;
            Err(io::Error::other(format!("zstd would need more than {limit} MiB to unpack it; unpack it with zstd -d")))
        }
        Err(_) => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
    }
}
