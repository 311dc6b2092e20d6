//! What can be typed.

mod forms;
mod lint;
#[cfg(feature = "operator")]
mod log;
#[cfg(feature = "operator")]
mod notify;
#[cfg(feature = "operator")]
mod record;
mod replay;
#[cfg(feature = "operator")]
mod run;
#[cfg(feature = "operator")]
mod scan;
#[cfg(feature = "operator")]
mod scope;
#[cfg(feature = "operator")]
mod self_test;
#[cfg(feature = "operator")]
mod watch;

use std::path::PathBuf;

use clap::Parser;

use super::pace::Speed;
#[cfg(feature = "operator")]
use crate::config::Refusal;

pub use forms::{Color, Output};
pub use lint::{Lint, Linted};
#[cfg(feature = "operator")]
pub use log::{LogFormat, LogLevel};
#[cfg(feature = "operator")]
pub use notify::Notify;
#[cfg(feature = "operator")]
pub use record::Record;
pub use replay::Replay;
#[cfg(feature = "operator")]
pub use run::Run;
#[cfg(feature = "operator")]
pub use scan::{Least, Scan, Shown};
#[cfg(feature = "operator")]
pub use scope::Scope;
#[cfg(feature = "operator")]
pub use self_test::{SelfTest, Wait};
#[cfg(feature = "operator")]
pub use watch::Watch;

/// Finds out why containers restart in a loop, and names the probe field that is wrong.
#[derive(Parser, Debug)]
#[command(
    name = "probehound",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "\
Examples:
  # A recorded outage, and what probehound makes of it; no cluster needed
  probehound demo

  # What loops now in the cluster of the current context, and why; nothing is installed
  probehound scan

  # The same of what somebody sent: kubectl's JSON or YAML, a must-gather, a support bundle
  probehound scan -f dump.json

  # What happened in a recording, and what to type
  probehound replay incident.jsonl.gz

  # Watch the cluster of the current context, and say what loops and why
  probehound run

  # More about a command
  probehound replay --help

Exit codes:
  0  what was asked for is done
  1  it is not; standard error says why
  2  the command line is wrong"
)]
pub struct Cli {
    /// When to colour the output
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN")]
    pub color: Color,

    /// What to do.
    #[command(subcommand)]
    pub command: Subcommand,
}

/// The commands.
#[derive(clap::Subcommand, Debug)]
pub enum Subcommand {
    /// Play a recorded outage that is built in, and see what is said about it and when
    #[command(after_help = "\
The recording goes through the same engine as a live cluster would; all that is shown is computed \
from it. No cluster and no network are needed.

Examples:
  # The story in a quarter of a minute
  probehound demo

  # All of it at once
  probehound demo --speed max

  # Into a file, without colour
  probehound demo --speed max > demo.txt

  # As a report with a picture of the outage
  probehound demo --html demo.html

Exit codes:
  0  the story was notified to its end
  1  it could not be written; standard error says why
  2  the command line is wrong")]
    Demo {
        /// How fast to play: max, or a number of times real time (no pause lasts over 10 seconds)
        #[arg(long, default_value = "40", value_name = "SPEED")]
        speed: Speed,

        /// Write its report to this file instead, to be opened in a browser; - is standard output
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },

    /// Say what loops now and why, once: in a cluster, or in what somebody sent
    #[cfg(feature = "operator")]
    #[command(after_help = "\
Live it reads lists only, with the rights of whoever types it, and needs nothing installed. What it \
cannot tell yet, and what it may not read, it says. The time of a dump is the newest stamp in it.

A FILE is recognised by its content: what kubectl get prints with -o json or -o yaml (everything, or \
single objects, or events), a must-gather, oc adm inspect, a support bundle, kubectl cluster-info \
dump, as a folder or a tar, packed with gzip or zstd or not; or a recording. Several are one look.

Examples:
  # All that loops in the cluster of the current context, worst first
  probehound scan

  # One workload, with all evidence, and what speaks for and against each cause
  probehound scan -n shop deployment/web

  # What somebody sent
  probehound scan -f must-gather.tar.gz
  kubectl get pods,events,rs,deploy,svc,endpointslices -A -o json | probehound scan -f -

  # In a script: exit code 3 where something is wrong
  probehound scan --exit-code -o name

Exit codes:
  0  it was looked, whatever was found
  1  it could not be, or a part of the input could not be read; standard error says why
  2  the command line is wrong
  3  with --exit-code: there are findings")]
    Scan(Box<Scan>),

    /// Say what of a manifest will loop or protect nothing, before it is rolled out
    #[command(after_help = "\
A FILE holds what kubectl apply takes, as YAML or JSON, in several documents or lists; of a folder all \
that is called .yaml, .yml or .json is read. What is said follows from the specification alone, each \
with its arithmetic; docs/lint.md lists the rules. Patches and templates are passed over.

A finding that is looked at and may stand is ignored by an annotation of the object or its pods' \
template, with its reason; RULE/CONTAINER is for one container, a semicolon comes between several:
  probehound.dev/lint-ignore: \"kill-budget: starts in 200 ms, measured\"

Examples:
  # Manifests in a folder
  probehound lint deploy/

  # What a chart or a kustomization renders
  helm template web ./chart | probehound lint -
  kustomize build overlays/prod | probehound lint -

  # What this changes, compared with what passes in the cluster now
  probehound lint --against cluster deploy/web.yaml

  # In a pipeline
  probehound lint -o sarif deploy/ > lint.sarif

Exit codes:
  0  there is no error and no warning
  1  there is one, or a part of the input could not be read; standard error says which
  2  the command line is wrong")]
    Lint(Box<Lint>),

    /// Play recordings of a cluster through the engine, and say what it finds
    #[command(after_help = "\
A recording is JSON lines in time order, gzipped or not:
  {\"ts\": \"2026-01-01T14:00:02Z\", \"resource\": \"pods\", \"type\": \"MODIFIED\", \"object\": {…}}
A line that cannot be used is reported on standard error as FILE:LINE: and left out.

Examples:
  # The story, the findings and what to type
  probehound replay incident.jsonl.gz

  # One JSON document per file, one after another
  probehound replay -o json monday.jsonl tuesday.jsonl.gz | jq '.findings[] | .cause'

  # From standard input
  zcat incident.jsonl.gz | probehound replay -

  # For a postmortem: a report with a picture, and a draft in Markdown
  probehound replay --html incident.html -o markdown incident.jsonl.gz

  # As it happened, sixty times faster
  probehound replay --speed 60 incident.jsonl.gz

Exit codes:
  0  every file could be read to its end, whatever was found
  1  one could not; standard error says why
  2  the command line is wrong")]
    Replay(Replay),

    /// Watch a cluster, and say what loops and why: in Finding objects, in metrics, in the log
    #[command(after_help = "\
A setting comes from its flag, else from its environment variable, else from the file, else it has \
its default. The file is read again when it changes; docs/configuration.md lists its keys. The \
cluster is that of the ServiceAccount inside a pod, else that of the kubeconfig (KUBECONFIG, else \
~/.kube/config). RUST_LOG filters the log in detail where there is no --log-level.

Examples:
  # The cluster of the current context, as whoever you are there
  probehound run

  # Two namespaces of another context
  probehound run --context staging -n shop -n pay

  # With settings from a file
  probehound run --config probehound.yaml

  # Only look whether the settings are right; no cluster needed
  probehound run --check-config --config probehound.yaml

Exit codes:
  0  it was notified to end (SIGTERM, Ctrl-C), or the settings are right
  1  it cannot run, or the settings are wrong; standard error says why
  2  the command line is wrong")]
    #[cfg(feature = "operator")]
    Run(Box<Run>),

    /// Watch the findings live, in a terminal: of a cluster, or of a recording
    #[command(after_help = watch::HELP)]
    #[cfg(feature = "operator")]
    Watch(Box<Watch>),

    /// Record what happens in a cluster, without secrets, for replay or to send to somebody
    #[command(after_help = "\
What is recorded: pods, the kubelets' events on them, and what goes with them (Deployments and the \
like, their revisions, Services and endpoints), as replay reads it. Values of variables and headers, \
annotations and whatever probehound does not need are left out; what looks like a secret in commands, \
paths and messages is masked. Rights to list and watch these are enough.

Examples:
  # Ten minutes of the cluster of the current context
  probehound record --for 10m incident.jsonl.gz

  # One namespace, until Ctrl-C, with every name replaced by another
  probehound record -n shop --anonymize incident.jsonl.gz

  # What it found, at once
  probehound record --for 5m - | probehound replay -

Exit codes:
  0  it was recorded until the time was over or somebody ended it (Ctrl-C, SIGTERM)
  1  it could not be; standard error says why
  2  the command line is wrong")]
    #[cfg(feature = "operator")]
    Record(Record),

    /// Send a sample to a receiver of the settings, to see whether it is set up right
    #[command(after_help = "\
The sample is a message like those of an outage, and says that it is a test. Receivers are the list \
notifications.receivers of the settings; docs/notifications.md describes them.

Examples:
  # To Slack, as the operator would send it
  probehound notify --test oncall --config probehound.yaml

  # With the settings and secrets of the operator in the cluster
  kubectl -n probehound exec deploy/probehound -- probehound notify --test oncall

Exit codes:
  0  the receiver took it
  1  it did not, or there is no such receiver; standard error says why
  2  the command line is wrong")]
    #[cfg(feature = "operator")]
    Notify(Notify),

    /// Print the version
    #[command(after_help = "\
Examples:
  # As --version does
  probehound version

Exit codes:
  0  the version was printed
  1  it could not be written; standard error says why
  2  the command line is wrong")]
    Version,

    /// Print the definition of the Finding objects, for kubectl apply
    #[command(after_help = "\
Examples:
  # Define findings in the cluster of the current context
  probehound crd | kubectl apply -f -

Exit codes:
  0  the definition was printed
  1  it could not be written; standard error says why
  2  the command line is wrong")]
    #[cfg(feature = "operator")]
    Crd,

    /// Print a completion script for a shell
    #[command(after_help = "\
Examples:
  # For this bash session
  source <(probehound completions bash)

  # For every zsh session, in a folder of $fpath
  probehound completions zsh > ~/.zfunc/_probehound

Exit codes:
  0  the script was printed
  1  it could not be written; standard error says why
  2  the command line is wrong")]
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },

    /// Print a manual page
    #[command(after_help = "\
Examples:
  # The page of probehound itself
  probehound man | man -l -

  # The page of a command
  probehound man replay > probehound-replay.1

Exit codes:
  0  the page was printed
  1  it could not be written; standard error says why
  2  the command line is wrong, or there is no such command")]
    Man {
        /// The command that the page is about; probehound itself by default
        #[arg(value_name = "COMMAND")]
        command: Option<String>,
    },

    /// What the pods of `helm test` run
    #[cfg(feature = "operator")]
    #[command(subcommand, hide = true)]
    SelfTest(SelfTest),
}

/// A parser that says what to write instead.
#[cfg(feature = "operator")]
fn of<T>(parse: fn(&str) -> Result<T, Refusal>) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        parse(text).map_err(|refusal| match refusal.hint {
            Some(hint) => format!("{}; {hint}", refusal.what),
            None => refusal.what,
        })
    }
}
