//! The program under the name by which it was called: `probehound`, or `kubectl probehound`.
//!
//! `kubectl` runs a plugin as `kubectl-NAME`, and requests completions for it by running
//! `kubectl_complete-NAME`.

use std::ffi::OsString;
use std::path::Path;

use clap::{Arg, Command, CommandFactory};

use super::args::Cli;

/// The prefix of a plugin's program name.
const PLUGIN: &str = "kubectl-";
/// The prefix of the program that completes a plugin's arguments.
const COMPLETES: &str = "kubectl_complete-";
/// Ends completions: nothing else, such as file names, is to be offered.
const NO_FILES: &str = ":4\n";
/// Ends completions where file names may be offered.
const FILES: &str = ":0\n";

/// The parser, under the name by which the program was called.
pub fn command(program: Option<&OsString>) -> Command {
    let command = Cli::command();
    if !is_called(program, PLUGIN) {
        return command.bin_name("probehound");
    }
    let command = as_plugin(command).mut_subcommands(as_plugin);
    command.bin_name("kubectl probehound")
}

/// The arguments, with `scan` added if it was omitted as in `kubectl probehound deployment/web`.
pub fn with_scan(command: &Command, mut argv: Vec<OsString>) -> Vec<OsString> {
    if !is_called(argv.first(), PLUGIN) {
        return argv;
    }
    let is_object = |word: &str| word.contains('/') && !word.starts_with('-');
    let words: Vec<_> = argv.iter().skip(1).map(|word| word.to_string_lossy()).collect();
    let is_command = |word: &str| word == "help" || command.find_subcommand(word).is_some();
    let names_none = !words.iter().any(|word| is_command(word));
    if names_none && command.find_subcommand("scan").is_some() && words.iter().any(|word| is_object(word)) {
        argv.insert(1, "scan".into());
    }
    argv
}

/// The completions for the arguments, if `kubectl` requests them.
pub fn completions(argv: &[OsString]) -> Option<String> {
    if !is_called(argv.first(), COMPLETES) {
        return None;
    }
    let mut command = Cli::command();
    command.build();
    let words: Vec<String> = argv.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let (last, before) = words.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    Some(complete(&command, before, last))
}

fn complete(command: &Command, before: &[String], last: &str) -> String {
    let command = before.iter().fold(command, |command, word| command.find_subcommand(word).unwrap_or(command));
    let option = before.last().and_then(|word| option_of(command, word)).filter(|option| takes_a_value(option));
    let offers: Vec<(String, String)> = match option {
        Some(option) => values(option),
        None if last.starts_with('-') => command.get_arguments().filter_map(long).collect(),
        None => subcommands(command).chain(command.get_positionals().flat_map(values)).collect(),
    };
    let fits = offers.iter().filter(|(word, _)| word.starts_with(last));
    let lines: Vec<String> = fits.map(|(word, about)| format!("{word}\t{about}\n")).collect();
    lines.concat() + if lines.is_empty() { FILES } else { NO_FILES }
}

fn option_of<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let short = |arg: &Arg| arg.get_short().is_some_and(|short| word == format!("-{short}"));
    command
        .get_arguments()
        .find(|arg| arg.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long)) || short(arg))
}

fn takes_a_value(option: &Arg) -> bool {
    option.get_action().takes_values()
}

fn values(arg: &Arg) -> Vec<(String, String)> {
    let about = |value: &clap::builder::PossibleValue| value.get_help().map(ToString::to_string).unwrap_or_default();
    arg.get_possible_values().iter().map(|value| (value.get_name().to_owned(), about(value))).collect()
}

fn long(arg: &Arg) -> Option<(String, String)> {
    let long = arg.get_long().filter(|_| !arg.is_hide_set())?;
    Some((format!("--{long}"), arg.get_help().map(ToString::to_string).unwrap_or_default()))
}

fn subcommands(command: &Command) -> impl Iterator<Item = (String, String)> {
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|it| (it.get_name().to_owned(), it.get_about().map(ToString::to_string).unwrap_or_default()))
}

fn is_called(program: Option<&OsString>, prefix: &str) -> bool {
    let name = program.and_then(|program| Path::new(program).file_name());
    name.is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}

/// The examples in the form used with the plugin.
fn as_plugin(command: Command) -> Command {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let names: Vec<String> = Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let help = names
        .iter()
        .fold(help, |help, name| help.replace(&format!("probehound {name}"), &format!("kubectl probehound {name}")));
    command.after_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(words: &[&str]) -> String {
        let argv = ["/usr/local/bin/kubectl_complete-probehound"].iter().chain(words).map(OsString::from);
        completions(&argv.collect::<Vec<_>>()).expect("it is called to complete")
    }

    fn scans(program: &str, words: &[&str]) -> bool {
        let argv: Vec<OsString> = [program].iter().chain(words).map(OsString::from).collect();
        let command = command(argv.first());
        let typed = argv.len();
        let argv = with_scan(&command, argv);
        argv.get(1).is_some_and(|word| word == "scan") && argv.len() == typed + 1
    }

    #[test]
    fn commands_options_and_values_are_completed() {
        let commands = completed(&["re"]);
        assert!(commands.starts_with("replay\t") && commands.ends_with(":4\n"), "{commands}");
        assert!(completed(&["replay", "--sp"]).starts_with("--speed\t"));
        let forms = completed(&["replay", "-o", "j"]);
        assert!(forms.starts_with("json\t") && !forms.contains("text"), "{forms}");
        assert!(completed(&["completions", "z"]).starts_with("zsh\t"));
    }

    #[test]
    fn names_of_files_are_left_to_the_shell() {
        assert_eq!(completed(&["replay", "inc"]), ":0\n");
        assert_eq!(completed(&["replay", "--speed", ""]), ":0\n");
    }

    #[test]
    fn nobody_else_is_given_completions() {
        assert_eq!(completions(&["probehound".into(), "re".into()]), None);
        assert_eq!(completions(&[]), None);
    }

    #[test]
    #[cfg(feature = "operator")]
    fn an_object_alone_is_scanned_by_the_plugin() {
        assert!(scans("kubectl-probehound", &["deployment/web"]));
        assert!(scans("/opt/kubectl-probehound", &["-n", "shop", "deployment/web"]));
        assert!(!scans("probehound", &["deployment/web"]));
        assert!(!scans("kubectl-probehound", &["replay", "a/b.jsonl"]));
        assert!(!scans("kubectl-probehound", &["--color", "never", "scan", "deployment/web"]));
        assert!(!scans("kubectl-probehound", &["help"]));
    }
}
