//! A `kubectl` command for a shell, and whether it may be offered for pasting.
//!
//! The names in it come from a cluster. Anything that a shell or `cmd` of Windows would interpret, that
//! `kubectl` would take for an option, or that no Kubernetes name can contain, turns the line into a text
//! for reading instead of pasting.

use crate::finding::remedy::{Kind, Target};

/// Maximum length of an object's name, in bytes.
const NAME: usize = 253;

/// A command under construction.
#[derive(Debug)]
pub(super) struct Command {
    line: String,
    is_safe: bool,
}

impl Command {
    /// `kubectl`
    pub fn kubectl() -> Self {
        Self { line: "kubectl".to_owned(), is_safe: true }
    }

    /// `kubectl -n NAMESPACE`
    pub fn within(namespace: &str) -> Self {
        Self::kubectl().words("-n").name(namespace)
    }

    /// Fixed words.
    pub fn words(mut self, words: &str) -> Self {
        self.line.push(' ');
        self.line.push_str(words);
        self
    }

    /// The name of an object or a container.
    pub fn name(mut self, name: &str) -> Self {
        self.is_safe &= is_name(name);
        self.line.push(' ');
        self.line.push_str(&quoted_where_needed(name));
        self
    }

    /// `deployment/web`
    pub fn target(mut self, target: &Target) -> Self {
        self.is_safe &= is_name(&target.name);
        let word = format!("{}/{}", resource(target.kind), target.name);
        self.line.push(' ');
        self.line.push_str(&quoted_where_needed(&word));
        self
    }

    /// One word in single quotes.
    pub fn quoted(mut self, text: &str) -> Self {
        self.is_safe &= text.chars().all(is_quotable);
        self.line.push(' ');
        self.line.push_str(&quoted(text));
        self
    }

    /// The line, if it may be pasted; as an error if it is only for reading, which the line then states.
    pub fn finish(self) -> Result<String, String> {
        if self.is_safe { Ok(self.line) } else { Err(not_to_be_pasted(&self.line)) }
    }
}

/// A line that looks like a command and must not be one.
pub(super) fn not_to_be_pasted(line: &str) -> String {
    format!("not to be pasted, since a name in it would be read as something else: {line}")
}

/// The resource name for kubectl; with its group if other CRDs may have the same name.
pub(super) const fn resource(kind: Kind) -> &'static str {
    match kind {
        Kind::Deployment => "deployment",
        Kind::StatefulSet => "statefulset",
        Kind::DaemonSet => "daemonset",
        Kind::ReplicaSet => "replicaset",
        Kind::ReplicationController => "replicationcontroller",
        Kind::Job => "job",
        Kind::CronJob => "cronjob",
        Kind::Pod => "pod",
        Kind::Rollout => "rollouts.argoproj.io",
    }
}

/// A word of a shell command, quoted if necessary.
fn quoted_where_needed(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':');
    if !text.is_empty() && text.bytes().all(plain) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Whether neither a shell nor `cmd` interprets it within single quotes, which `cmd` takes for letters.
fn is_quotable(character: char) -> bool {
    matches!(character, ' '..='~') && !"%!^&|<>\\`'".contains(character)
}

/// Whether it can be the name of an object or a container: letters, digits, `-` and `.`, beginning and
/// ending with a letter or digit.
fn is_name(word: &str) -> bool {
    let ends_well = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = word.as_bytes();
    bytes.len() <= NAME
        && ends_well(bytes.first())
        && ends_well(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undo(namespace: &str, name: &str) -> Result<String, String> {
        let target = Target { kind: Kind::Deployment, name: name.into() };
        Command::within(namespace).words("rollout undo").target(&target).finish()
    }

    fn patch(json: &str) -> Result<String, String> {
        Command::within("prod").words("patch").name("web").words("-p").quoted(json).finish()
    }

    #[test]
    fn plain_names_make_a_command() {
        assert_eq!(undo("prod", "web.v2-a").unwrap(), "kubectl -n prod rollout undo deployment/web.v2-a");
        assert_eq!(patch(r#"{"a b":1}"#).unwrap(), r#"kubectl -n prod patch web -p '{"a b":1}'"#);
    }

    #[test]
    fn names_that_a_shell_acts_upon_make_a_text() {
        for name in ["$(reboot)", "a;reboot", "a b", "", "a\u{1b}[2J", "a\nreboot", "a'b", "%PATH%", "ä"] {
            assert!(undo("prod", name).is_err() && undo(name, "web").is_err(), "{name:?}");
        }
    }

    #[test]
    fn no_name_is_taken_for_an_option() {
        for name in ["--all", "-f", "--filename=http://evil/x", "--kubeconfig=x"] {
            assert!(undo("prod", name).is_err() && undo(name, "web").is_err(), "{name:?}");
        }
    }

    #[test]
    fn what_cmd_acts_upon_within_quotes_makes_a_text() {
        for acts in ["%PATH%", "a&calc", "a|calc", "a>x", "^", "!x!", r#"\"&calc&\""#, "'", "`reboot`", "\u{7}"] {
            assert!(patch(&format!(r#"{{"a":"{acts}"}}"#)).is_err(), "{acts:?}");
        }
    }
}
