//! Values that must never be shown: addresses that act as passwords, keys, passwords.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::text::hash::mark;

/// Maximum length of a secret, in bytes: no address and no key is longer.
const LONGEST: u64 = 8192;

/// A text that does not appear in any log, error, metric, object or panic.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The text, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A hash that distinguishes it from others.
    pub fn mark(&self) -> u64 {
        mark(self.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a secret comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SecretSource {
    /// A file, read again before each use.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

/// Why a secret is not available.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("cannot read the file {}: {what}", file.display())]
    File {
        /// Its path.
        file: PathBuf,
        /// The system's error.
        what: std::io::ErrorKind,
    },
    /// The file or variable is empty, too long or not text.
    #[error("{0} holds no secret: one line of text of at most 8 KiB is wanted")]
    Content(String),
    /// The variable is not set.
    #[error("the environment variable {0} is not set")]
    Variable(String),
}

impl SecretSource {
    /// The current secret, without surrounding white space.
    ///
    /// # Errors
    /// It is not there, or it is not one line of text. The error shows where it was looked for, and nothing
    /// of its content.
    pub fn read(&self) -> Result<Secret, SecretError> {
        let text = match self {
            Self::File(file) => read(file)?,
            Self::Variable(name) => match std::env::var(name) {
                Ok(text) => text,
                Err(std::env::VarError::NotPresent) => return Err(SecretError::Variable(name.clone())),
                Err(std::env::VarError::NotUnicode(_)) => return Err(SecretError::Content(self.to_string())),
            },
        };
        let text = text.trim();
        let is_one_line = !text.is_empty() && !text.contains(char::is_control) && text.len() as u64 <= LONGEST;
        if is_one_line { Ok(Secret::new(text)) } else { Err(SecretError::Content(self.to_string())) }
    }
}

/// `the file /etc/probehound/slack`, `the environment variable SLACK_URL`
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "the file {}", file.display()),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
        }
    }
}

fn read(file: &Path) -> Result<String, SecretError> {
    let failed = |error: std::io::Error| SecretError::File { file: file.to_owned(), what: error.kind() };
    let mut bytes = Vec::new();
    File::open(file).map_err(failed)?.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    String::from_utf8(bytes).map_err(|_| SecretError::Content(format!("the file {}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("https://hooks.example/hunter2");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "Secret(…) Some(Secret(…))");
        assert_eq!(secret.reveal(), "https://hooks.example/hunter2");
    }

    #[test]
    fn what_is_missing_is_named_without_what_is_there() {
        let missing = SecretSource::File("/nowhere/slack".into()).read().expect_err("it is not there");
        assert_eq!(missing.to_string(), "cannot read the file /nowhere/slack: entity not found");
        let unset = SecretSource::Variable("PROBEHOUND_NO_SUCH".into()).read().expect_err("it is not set");
        assert_eq!(unset.to_string(), "the environment variable PROBEHOUND_NO_SUCH is not set");
    }

    #[test]
    fn a_file_is_one_line_with_a_line_break_at_most() {
        let file = std::env::temp_dir().join(format!("probehound-secret-{}", std::process::id()));
        let read = |content: &[u8]| {
            std::fs::write(&file, content).expect("a temporary file can be written");
            SecretSource::File(file.clone()).read()
        };
        assert_eq!(read(b" https://a/b\n"), Ok(Secret::new("https://a/b")));
        for wrong in [&b""[..], b"\n", b"a\nb", b"a\0b", b"\xff\xfe", &[b'a'; 9000]] {
            let error = read(wrong).expect_err("that is none");
            assert!(error.to_string().contains("holds no secret"), "{error}");
        }
        std::fs::remove_file(&file).expect("it is there");
    }
}
