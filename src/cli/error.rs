//! What can go wrong, in one line each, and what to do about it.

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
/// What to look at where something cannot be written.
const ROOM: &str = "see whether there is room left, and whether you may write there";
/// Longest error in columns.
const LINE: usize = 500;

/// Why a command did not do what it was asked for.
#[derive(thiserror::Error, Debug)]
pub enum Error {
    /// The command line cannot be understood.
    #[error("{what}")]
    Usage {
        /// What is wrong with it.
        what: String,
        /// What to type instead.
        hint: String,
    },
    /// `man` was asked for a page that is not there.
    #[error("there is no command {0:?}")]
    NoSuchCommand(String),
    /// A recording cannot be opened.
    #[error("cannot open {file}: {}", of_system(cause))]
    Open {
        /// As the person named it.
        file: String,
        /// What the system says.
        cause: io::Error,
    },
    /// A recording ends before its end.
    #[error("cannot read {file} to its end: {cause}")]
    Read {
        /// As the person named it.
        file: String,
        /// What the system or the decoder says.
        cause: ReadError,
    },
    /// The answer cannot be delivered.
    #[error("cannot write to standard output: {0}")]
    Write(io::Error),
    /// The settings cannot be used.
    #[cfg(feature = "operator")]
    #[error(transparent)]
    Config(#[from] LoadError),
    /// There is no access to a cluster.
    #[cfg(feature = "operator")]
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A recording cannot be begun.
    #[cfg(feature = "operator")]
    #[error("cannot make {file}: {}", of_system(cause))]
    Create {
        /// As the person named it.
        file: String,
        /// What the system says.
        cause: io::Error,
    },
    /// A recording cannot be written on.
    #[cfg(feature = "operator")]
    #[error("cannot write {file} to its end: {}", of_system(cause))]
    Record {
        /// As the person named it.
        file: String,
        /// What the system says.
        cause: io::Error,
    },
    /// A recording without a pod is none.
    #[cfg(feature = "operator")]
    #[error("no pods could be recorded ({0}): {1} holds nothing that can be replayed")]
    NoPods(&'static str, String),
    /// The settings have no such receiver.
    #[cfg(feature = "operator")]
    #[error("there is no receiver {name:?} in the settings")]
    NoReceiver {
        /// As the person named it.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A receiver did not take a sample.
    #[cfg(feature = "operator")]
    #[error("the receiver {receiver} did not take the sample: {why}")]
    NotTaken {
        /// Its name.
        receiver: String,
        /// What it or the network says.
        why: String,
    },
    /// The operator cannot run, or not on.
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
    /// It is no recording, but what `scan` reads.
    #[error("{0} is no recording but a dump of objects")]
    IsDump(String),
    /// There was nothing in an input that could be looked at.
    #[cfg(feature = "operator")]
    #[error("there are no pods to look at in {0}")]
    NothingToScan(String),
    /// There is no manifest in an input.
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
    /// Some of the files failed, and each was reported.
    #[error("{failed} of {total} files could not be read to their end")]
    Files {
        /// How many.
        failed: usize,
        /// Of how many.
        total: usize,
    },
}

/// What the system says, in plain words where it is one of the usual things.
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

    /// What the process ends with.
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
                "check the path; - reads a recording from standard input"
            }
            Self::Open { cause, .. } if cause.kind() == io::ErrorKind::PermissionDenied => {
                "check who may read the file; - reads a recording from standard input"
            }
            Self::Open { cause, .. } if cause.kind() == io::ErrorKind::IsADirectory => {
                "name the files in it: FOLDER/*.jsonl.gz"
            }
            Self::Read { .. } => "a recording is JSON lines, gzipped or not; what could be read of it has been used",
            Self::Write(_) => ROOM,
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
        // Nobody is left to tell that standard error is closed.
        let _ = match self {
            #[cfg(feature = "operator")]
            Self::Config(LoadError::Wrong(problems)) => each(problems, &mut err),
            _ => one(&self.to_string(), self.hint().as_deref(), &mut err),
        };
    }
}

fn one(what: &str, hint: Option<&str>, err: &mut impl Write) -> io::Result<()> {
    writeln!(err, "error: {}", terminal(what, LINE))?;
    hint.map_or(Ok(()), |hint| writeln!(err, "hint: {}", visible(hint)))
}

/// A file of settings is mended faster by who hears everything at once.
#[cfg(feature = "operator")]
fn each(problems: &Problems, err: &mut impl Write) -> io::Result<()> {
    problems.all.iter().try_for_each(|problem| one(&problems.line(problem), problem.hint.as_deref(), err))
}
