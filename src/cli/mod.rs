//! The command line: data goes to standard output, messages about it to standard error.
//!
//! Exit codes: 0 success; 1 failure, and standard error explains it; 2 invalid command line. A reader that
//! closes the pipe has seen enough: that is not a failure.

mod args;
mod channel;
#[cfg(feature = "operator")]
mod crd;
mod demo;
mod error;
mod html;
mod incidents;
mod lint;
mod notes;
#[cfg(feature = "operator")]
mod notify;
mod pace;
mod plugin;
#[cfg(feature = "operator")]
mod record;
mod recording;
mod replay;
#[cfg(feature = "operator")]
mod run;
#[cfg(feature = "operator")]
mod scan;
#[cfg(feature = "operator")]
mod self_test;
mod terminal;
#[cfg(feature = "operator")]
mod watch;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Command, FromArgMatches};

use args::{Cli, Subcommand};
use error::Error;

/// Runs the command in `argv`, whose first item is the name of the program.
pub fn run(argv: Vec<OsString>) -> ExitCode {
    if let Some(completions) = plugin::completions(&argv) {
        return match print(completions.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => ExitCode::from(error.exit_code()),
        };
    }
    let mut command = plugin::command(argv.first());
    let argv = plugin::with_scan(&command, argv);
    let topic = topic(&command, &argv);
    let parsed = command.try_get_matches_from_mut(argv).and_then(|matches| Cli::from_arg_matches(&matches));
    let outcome = match parsed {
        Ok(cli) => dispatch(cli, command),
        Err(error) if is_answer(&error) => {
            let code = error.exit_code();
            // Nobody is left to inform that the help could not be written.
            let _ = error.print();
            return ExitCode::from(u8::try_from(code).unwrap_or(error::USAGE));
        }
        Err(error) => Err(Error::usage(&error, &topic)),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            error.report();
            ExitCode::from(error.exit_code())
        }
    }
}

/// The command whose help is relevant: `probehound replay`.
fn topic(command: &Command, argv: &[OsString]) -> String {
    let program = command.get_bin_name().unwrap_or("probehound");
    let named = argv.iter().skip(1).find_map(|word| command.find_subcommand(word));
    named.map_or_else(|| program.to_owned(), |named| format!("{program} {}", named.get_name()))
}

/// Help and version come out of the parser as errors.
fn is_answer(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

/// Runs a command; returns the exit code.
fn dispatch(cli: Cli, command: Command) -> Result<u8, Error> {
    let done = match cli.command {
        #[cfg(feature = "operator")]
        Subcommand::Scan(scan) => return scan::run(&scan, cli.color),
        Subcommand::Lint(lint) => return lint::run(&lint, cli.color),
        Subcommand::Demo { html: Some(file), .. } => demo::report(&file),
        Subcommand::Demo { speed, .. } => demo::run(speed, cli.color),
        Subcommand::Replay(replay) => replay::run(&replay, cli.color),
        #[cfg(feature = "operator")]
        Subcommand::Run(run) => run::run(&run, cli.color),
        #[cfg(feature = "operator")]
        Subcommand::Watch(watch) => watch::run(&watch, cli.color),
        #[cfg(feature = "operator")]
        Subcommand::Record(record) => record::run(&record),
        #[cfg(feature = "operator")]
        Subcommand::Notify(notify) => notify::run(&notify),
        #[cfg(feature = "operator")]
        Subcommand::Crd => crd::run(),
        Subcommand::Completions { shell } => {
            let mut script = Vec::new();
            let mut command = command;
            clap_complete::generate(shell, &mut command, "probehound", &mut script);
            print(&script)
        }
        Subcommand::Man { command: name } => print(&man_page(command, name.as_deref())?),
        #[cfg(feature = "operator")]
        Subcommand::SelfTest(part) => self_test::run(&part),
        Subcommand::Version => print(command.render_version().as_bytes()),
    };
    done.map(|()| 0)
}

fn man_page(mut command: Command, name: Option<&str>) -> Result<Vec<u8>, Error> {
    command.build();
    let page = match name {
        None => command,
        Some(name) => command.find_subcommand(name).cloned().ok_or_else(|| Error::NoSuchCommand(name.to_owned()))?,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text).map_err(Error::Write)?;
    Ok(text)
}

fn print(bytes: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    quiet_when_closed(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Maps the result of writing: a pipe closed by its reader is not an error.
fn quiet_when_closed(written: io::Result<()>) -> Result<(), Error> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Write(error)),
        _ => Ok(()),
    }
}
