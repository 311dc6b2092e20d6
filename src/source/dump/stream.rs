//! A decompressed stream of bytes, and its format, recognised by the first bytes.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::Input;
use super::utf16::Utf16;
use super::yaml::Yaml;

/// Number of bytes read, and decompressed, at once.
const BUFFER: usize = 64 * 1024;

/// Number of bytes used to recognise a stream: one block of a tar.
const HEAD: usize = 512;

/// Maximum number of nested compressions that are undone.
const MAX_PACKINGS: usize = 3;

/// Maximum window size of zstd, in bytes; only `zstd --ultra` and `--long` exceed it.
const WINDOW: u64 = 16 << 20;

/// A decompressed stream of bytes.
pub struct Opened<'a> {
    /// The bytes, from the beginning.
    pub reader: Input<'a>,
    /// Their format.
    pub form: Form,
}

/// The content of a stream.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Form {
    /// A recording.
    Recording,
    /// Files in a tar.
    Tar,
    /// Kubernetes objects, as JSON or YAML.
    Objects,
    /// Text, or anything else.
    Text,
    /// An unsupported archive or compression format.
    Packed(&'static str),
}

impl<'a> Opened<'a> {
    /// Undoes gzip and zstd, and recognises the content. Read errors are returned when reading.
    pub fn new(input: impl Read + 'a) -> Self {
        let mut reader: Input<'a> = Box::new(BufReader::with_capacity(BUFFER, input));
        for _ in 0..MAX_PACKINGS {
            let (head, whole) = peek(reader);
            reader = match &head[..] {
                [0x1f, 0x8b, ..] => buffered(MultiGzDecoder::new(whole)),
                [0x28, 0xb5, 0x2f, 0xfd, ..] => buffered(Zstd::new(whole)),
                [0xff, 0xfe, ..] => buffered(Utf16::new(whole)),
                _ => return Self { form: form(&head), reader: whole },
            };
        }
        Self { reader, form: Form::Packed("packed too often") }
    }
}

/// The first bytes, and a stream that begins with them.
fn peek(mut reader: Input<'_>) -> (Vec<u8>, Input<'_>) {
    let mut head = Vec::new();
    match reader.by_ref().take(HEAD as u64).read_to_end(&mut head) {
        Ok(_) => {
            let whole = Cursor::new(head.clone()).chain(reader);
            (head, Box::new(whole))
        }
        Err(error) => {
            let whole = Cursor::new(head.clone()).chain(BufReader::new(Fails(Some(error))));
            (head, Box::new(whole))
        }
    }
}

/// The end of an input after a read error.
struct Fails(Option<io::Error>);

impl Read for Fails {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
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
    match first_key(text) {
        Some(b"ts" | b"resource" | b"object") => Form::Recording,
        Some(b"apiVersion" | b"kind" | b"items" | b"metadata") => Form::Objects,
        _ if text.starts_with(b"[") || Yaml::begins(text) => Form::Objects,
        _ => Form::Text,
    }
}

/// The first key of a JSON object, which distinguishes recordings from objects: in a recording with sorted
/// keys the object comes first.
fn first_key(text: &[u8]) -> Option<&[u8]> {
    let key = text.strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"")?;
    key.split(|byte| *byte == b'"').next()
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
