//! Errors, in one line each, and what to do about them.

use std::borrow::Cow;
use std::io::{self, Write};

#[cfg(feature = "operator")]
use crate::config::{LoadError, Problems};
#[cfg(feature = "operator")]
use crate::operator::Failure;
#[cfg(feature = "operator")]
use crate::source::cluster::AccessError;
use crate::source::recording::ReadError;
use crate::text::escape::{terminal, visible};

/// The exit code of a wrong command line.
pub const USAGE: u8 = 2;
/// The hint if something cannot be written.
const ROOM: &str = "see whether there is room left, and whether you may write there";
/// Maximum length of an error, in columns.
const LINE: usize = 500;

/// Why a command failed.
#[derive(thiserror::Error, Debug)]
pub enum Error {
    /// The command line is invalid.
    #[error("{what}")]
    Usage {
        /// What is wrong with it.
        what: String,
        /// What to type instead.
        hint: String,
    },
    /// There is no such man page.
    #[error("there is no command {0:?}")]
    NoSuchCommand(String),
    /// A recording cannot be opened.
    #[error("cannot open {file}: {}", of_system(cause))]
    Open {
        /// As given by the user.
        file: String,
        /// The system's error.
        cause: io::Error,
    },
    /// A recording could not be read completely.
    #[error("cannot read {file} to its end: {cause}")]
    Read {
        /// As given by the user.
        file: String,
        /// The error of the system or the decoder.
        cause: ReadError,
    },
    /// Standard output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Write(io::Error),
    /// A report cannot be written.
    #[error("cannot write {file}: {}", of_system(cause))]
    Report {
        /// As given by the user.
        file: String,
        /// The system's error.
        cause: io::Error,
    },
    /// The settings are invalid.
    #[cfg(feature = "operator")]
    #[error(transparent)]
    Config(#[from] LoadError),
    /// There is no access to a cluster.
    #[cfg(feature = "operator")]
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A recording cannot be created.
    #[cfg(feature = "operator")]
    #[error("cannot make {file}: {}", of_system(cause))]
    Create {
        /// As given by the user.
        file: String,
        /// The system's error.
        cause: io::Error,
    },
    /// A recording cannot be continued.
    #[cfg(feature = "operator")]
    #[error("cannot write {file} to its end: {}", of_system(cause))]
    Record {
        /// As given by the user.
        file: String,
        /// The system's error.
        cause: io::Error,
    },
    /// A recording contains no pod.
    #[cfg(feature = "operator")]
    #[error("no pods could be recorded ({0}): {1} holds nothing that can be replayed")]
    NoPods(&'static str, String),
    /// The settings have no such receiver.
    #[cfg(feature = "operator")]
    #[error("there is no receiver {name:?} in the settings")]
    NoReceiver {
        /// As given by the user.
        name: String,
        /// The existing ones.
        known: Vec<String>,
    },
    /// A receiver did not accept a sample.
    #[cfg(feature = "operator")]
    #[error("the receiver {receiver} did not take the sample: {why}")]
    NotTaken {
        /// Its name.
        receiver: String,
        /// Its answer, or the network error.
        why: String,
    },
    /// The operator cannot start, or cannot continue.
    #[cfg(feature = "operator")]
    #[error(transparent)]
    Operator(#[from] Failure),
    /// The process cannot be set up.
    #[cfg(feature = "operator")]
    #[error("cannot start: {0}")]
    Start(String),
    /// No line of a recording could be used.
    #[error("no line of {0} could be used")]
    NoLines(String),
    /// It is not a recording, but an input for `scan`.
    #[error("{0} is no recording but a dump of objects")]
    IsDump(String),
    /// An input contains nothing to look at.
    #[cfg(feature = "operator")]
    #[error("there are no pods to look at in {0}")]
    NothingToScan(String),
    /// An input contains no manifest.
    #[error("there are no manifests in {0}")]
    NothingToLint(String),
    /// A part of an input could not be read.
    #[error("not all of the input could be read: what is said above is of the rest")]
    Incomplete,
    /// Pods cannot be listed.
    #[cfg(feature = "operator")]
    #[error("cannot list pods{0}: {1}")]
    NoList(String, String),
    /// Nothing of that name was seen.
    #[cfg(feature = "operator")]
    #[error("there is no {0} in what was looked at")]
    NoTarget(String),
    /// The operator did not confirm what was waited for.
    #[cfg(feature = "operator")]
    #[error("the operator has not confirmed that the probe of {target} asks for a wrong path; seen last: {last}")]
    NotSeen {
        /// `KIND/NAME`.
        target: String,
        /// What there was instead.
        last: String,
    },
    /// Some of the files failed, and each failure was reported.
    #[error("{failed} of {total} files could not be read to their end")]
    Files {
        /// Number of failed files.
        failed: usize,
        /// Total number of files.
        total: usize,
    },
}

/// The system's error, in plain words if it is a common one.
fn of_system(error: &io::Error) -> Cow<'static, str> {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::PermissionDenied => "you may not".into(),
        io::ErrorKind::IsADirectory => "it is a directory".into(),
        io::ErrorKind::AlreadyExists => "it is there already".into(),
        io::ErrorKind::StorageFull => "the disk is full".into(),
        _ => error.to_string().into(),
    }
}

impl Error {
    /// The parser's message: its first paragraph in one line, its tips as the hint.
    pub fn usage(error: &clap::Error, topic: &str) -> Self {
        let text = error.to_string();
        let paragraph = text.lines().take_while(|line| !line.is_empty());
        let what: Vec<&str> = paragraph.map(str::trim).collect();
        let what = what.join(" ");
        let tips: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("tip: ")).collect();
        let hint = if tips.is_empty() { format!("see {topic} --help") } else { tips.join("; ") };
        Self::Usage { what: what.trim_start_matches("error: ").to_owned(), hint }
    }

    /// The exit code of the process.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } | Self::NoSuchCommand(_) => USAGE,
            _ => 1,
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Usage { hint, .. } => hint,
            Self::NoSuchCommand(_) => "probehound --help lists the commands",
            Self::Open { cause, .. } if cause.kind() == io::ErrorKind::NotFound => {
                "check the path; - is standard input"
            }
            Self::Open { cause, .. } if cause.kind() == io::ErrorKind::PermissionDenied => {
                "check who may read the file; - is standard input"
            }
            Self::Open { cause, .. } if cause.kind() == io::ErrorKind::IsADirectory => {
                "name the files in it: FOLDER/*.jsonl.gz"
            }
            Self::Read { .. } => "a recording is JSON lines, gzipped or not; what could be read of it has been used",
            Self::Write(_) | Self::Report { .. } => ROOM,
            Self::IsDump(file) => return Some(format!("see what loops in it with: probehound scan -f {file}").into()),
            Self::NoLines(_) => {
                "a recording is JSON lines as `probehound record` writes them; `probehound scan -f` reads dumps of objects"
            }
            Self::NothingToLint(_) => {
                "it takes YAML and JSON as kubectl apply does; see whether what writes to it has failed"
            }
            Self::Open { .. } | Self::Files { .. } | Self::Incomplete => return None,
            #[cfg(feature = "operator")]
            _ => return self.hint_about_cluster(),
        };
        Some(Cow::Borrowed(hint))
    }

    #[cfg(feature = "operator")]
    fn hint_about_cluster(&self) -> Option<Cow<'_, str>> {
        let hint = match self {
            Self::Config(LoadError::Read { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {
                "check the path of --config or PROBEHOUND_CONFIG; without a file the defaults hold"
            }
            Self::Operator(Failure::Bind(error)) if error.cause.kind() == io::ErrorKind::AddrInUse => {
                "something listens there already; --listen takes another address, such as :9090"
            }
            Self::Create { cause, .. } if cause.kind() == io::ErrorKind::AlreadyExists => {
                "no recording is overwritten: name another file, or remove that one"
            }
            Self::NoPods(..) => "see whether `kubectl get pods -A -w` works; -n NAMESPACE records what you may watch",
            Self::NoReceiver { known, .. } if known.is_empty() => "add one under notifications.receivers",
            Self::NoReceiver { known, .. } => return Some(format!("receivers: {}", known.join(", ")).into()),
            Self::NotTaken { .. } => "docs/notifications.md says what each receiver needs, and what its answers mean",
            Self::Access(error) | Self::Operator(Failure::Access(error)) => return Some(error.hint().into()),
            Self::Record { .. } => ROOM,
            Self::NotSeen { .. } => {
                "see whether its pod is restarted by the kubelet, and what the operator logs: kubectl logs deployment/probehound"
            }
            Self::NothingToScan(_) => {
                "get them with: kubectl get pods,events,rs,deploy,sts,ds,controllerrevisions,jobs,cronjobs,svc,endpointslices -A -o json > dump.json"
            }
            Self::NoList(..) => {
                "name a namespace whose pods you may list with -n; `kubectl auth can-i list pods -n NAMESPACE` says whether you may"
            }
            Self::NoTarget(_) => {
                "write it as kubectl does: deployment/web, statefulset/db, pod/web-0; -n says in which namespace"
            }
            _ => return None,
        };
        Some(Cow::Borrowed(hint))
    }

    /// Prints `error: …` and, where there is one, `hint: …` to standard error.
    pub fn report(&self) {
        let mut err = io::stderr().lock();
        // If standard error is closed there is nobody to inform.
        let _ = match self {
            #[cfg(feature = "operator")]
            Self::Config(LoadError::Wrong(problems)) => each(problems, &mut err),
            _ => one(&self.to_string(), self.hint().as_deref(), &mut err),
        };
    }
}

/// The text without Rust's `(os error 2)` behind the system's own words.
fn without_codes(text: &str) -> Cow<'_, str> {
    const CODE: &str = " (os error ";
    let Some((before, rest)) = text.split_once(CODE) else { return text.into() };
    match rest.split_once(')') {
        Some((number, after)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{before}{}", without_codes(after)).into()
        }
        _ => text.into(),
    }
}

fn one(what: &str, hint: Option<&str>, err: &mut impl Write) -> io::Result<()> {
    writeln!(err, "error: {}", terminal(&without_codes(what), LINE))?;
    hint.map_or(Ok(()), |hint| writeln!(err, "hint: {}", visible(hint)))
}

/// A settings file is fixed faster if all problems are shown at once.
#[cfg(feature = "operator")]
fn each(problems: &Problems, err: &mut impl Write) -> io::Result<()> {
    problems.all.iter().try_for_each(|problem| one(&problems.line(problem), problem.hint.as_deref(), err))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_are_enough() {
        let codes = "cannot read /x: No such file or directory (os error 2); /y: Permission denied (os error 13)";
        assert_eq!(without_codes(codes), "cannot read /x: No such file or directory; /y: Permission denied");
        for text in ["nothing of it", "(os error 2", "a (os error two) b"] {
            assert_eq!(without_codes(text), text);
        }
    }
}
