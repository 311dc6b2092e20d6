//! What to type or do: the engine's remedies, and what there is to do where it knows none.

use super::headline::kind_and_name;
use crate::engine::{Cause, Finding};

/// What to type or do, best first.
pub fn of(finding: &Finding) -> Vec<String> {
    match finding.remedy.as_slice() {
        [] => without_a_value(finding).into_iter().collect(),
        known => known.iter().map(|remedy| offered(remedy)).collect(),
    }
}

/// A remedy as it is offered: what looks like a command and must not be pasted says so.
fn offered(remedy: &str) -> String {
    if remedy.starts_with("kubectl ") && !is_command(remedy) {
        format!("not to be pasted, since a name in it would be read as something else: {remedy}")
    } else {
        remedy.to_owned()
    }
}

/// `Fix` before what ends the trouble, `Next` before what finds out more.
pub fn label(remedy: &str) -> &'static str {
    const LOOKS: [&str; 3] = [" logs ", " describe ", " get "];
    let looks = remedy.starts_with("look ") || is_command(remedy) && LOOKS.iter().any(|verb| remedy.contains(verb));
    if looks { "Next" } else { "Fix" }
}

/// What to do about a field for which no value is known that works.
fn without_a_value(finding: &Finding) -> Option<String> {
    let field = finding.field.as_deref()?;
    Some(match finding.cause {
        Cause::WrongPath | Cause::RedirectLoop | Cause::RedirectsElsewhere => {
            format!("set {field} to a path that the app itself answers with 200; none was seen")
        }
        Cause::WrongPort => format!("set {field} to the port on which the app listens; none was seen"),
        Cause::WrongHost => format!("leave out {field}: without it the probe asks the pod itself"),
        Cause::AuthRequired => {
            format!("probe an endpoint that needs no credentials, or send them with {field}; none was seen")
        }
        Cause::WrongHandler => "probe the port in the protocol that it serves, or the port that serves this one".into(),
        Cause::WrongGrpcService => {
            format!("set {field} to a service that the app's health server knows; none was seen")
        }
        Cause::WrongCommand => format!("set {field} to a command that the image contains, or put this one into it"),
        Cause::ProbeCannotRun if field.ends_with(".command") => {
            format!("set {field} to a command that the image contains, or put this one into it")
        }
        Cause::ProbeCannotRun => format!("set {field} to a port that the container declares"),
        Cause::TimeoutTooShort => format!("raise {field}; how long an answer takes was not seen"),
        _ => return None,
    })
}

/// Whether a remedy is one of the commands that are offered, with all its words as they are meant.
///
/// The names in it come from a cluster. What means something to a shell, what `kubectl` would take
/// for an option, and what no name of Kubernetes can hold makes the line a text to read instead of
/// one to paste.
pub fn is_command(remedy: &str) -> bool {
    words(remedy).is_some_and(|words| matches_a_form(&words))
}

/// Whether a remedy is a command on what that finding is about.
pub fn is_of(remedy: &str, finding: &Finding) -> bool {
    let Some(words) = words(remedy).filter(|words| matches_a_form(words)) else { return false };
    let [_, n, namespace, rest @ ..] = words.as_slice() else { return false };
    let (_, name) = kind_and_name(&finding.workload);
    n == "-n"
        && **namespace == *finding.namespace
        && rest.iter().any(|word| word.split_once('/').is_some_and(|(_, target)| target == name))
}

/// The words of a line, as a shell gives them to a program; `None` where it would do more than that.
///
/// A word is plain, or one single-quoted string, without what `cmd` of Windows would act upon: to it
/// a single quote is a letter like others.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'')?,
            None => rest.split_at(rest.find(' ').unwrap_or(rest.len())),
        };
        let is_quoted = rest.starts_with('\'');
        let fits = |character: char| if is_quoted { is_quotable(character) } else { is_plain(character) };
        if word.is_empty() || !word.chars().all(fits) {
            return None;
        }
        words.push(word.to_owned());
        rest = match after.strip_prefix(' ') {
            Some(next) if !next.is_empty() => next,
            None if after.is_empty() => after,
            _ => return None,
        };
    }
    Some(words)
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_./:=".contains(character)
}

fn is_quotable(character: char) -> bool {
    matches!(character, ' '..='~') && !"%!^&|<>\\`".contains(character)
}

/// The commands that are offered, word by word.
fn matches_a_form(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["kubectl", "get", "nodes"] => true,
        ["kubectl", "-n", namespace, rest @ ..] if is_name(namespace) => match rest {
            ["rollout", "undo", target, revision] => {
                is_target(target) && revision.strip_prefix("--to-revision=").is_some_and(is_number)
            }
            ["patch", target, "-p", patch] => is_target(target) && patch.starts_with('{'),
            ["logs", target, "-c", container] | ["logs", target, "-c", container, "--previous"] => {
                is_target(target) && is_name(container)
            }
            ["describe" | "get", target] => is_target(target),
            _ => false,
        },
        _ => false,
    }
}

/// `deployment/web`
fn is_target(word: &str) -> bool {
    word.split_once('/').is_some_and(|(kind, name)| is_name(kind) && is_name(name))
}

/// Whether it can be the name of an object, a kind or a container: letters, digits, `-` and `.`,
/// beginning and ending with a letter or digit.
fn is_name(word: &str) -> bool {
    let ends_well = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = word.as_bytes();
    bytes.len() <= 253
        && ends_well(bytes.first())
        && ends_well(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.len() <= 19 && word.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_looks_is_no_fix() {
        assert_eq!(label("kubectl -n prod rollout undo deployment/web --to-revision=7"), "Fix");
        assert_eq!(label("kubectl -n prod logs deployment/web -c app --previous"), "Next");
        assert_eq!(label("look at what the workloads that fell together depend on"), "Next");
        assert_eq!(label("raise resources.limits.memory of container app above 32Mi"), "Fix");
    }

    #[test]
    fn only_plain_kubectl_lines_are_commands() {
        assert!(is_command("kubectl -n prod rollout undo deployment/web --to-revision=7"));
        assert!(is_command(r#"kubectl -n prod patch deployment/web -p '{"spec":{"a b":1}}'"#));
        assert!(is_command("kubectl -n prod logs deployment/web -c app --previous"));
        assert!(is_command("kubectl get nodes"));
        assert!(!is_command("set livenessProbe.httpGet.path back to /health"));
        assert!(!is_command("kubectl delete pod web"));
        assert!(!is_command("kubectl -n prod delete pod/web"));
        assert!(!is_command("kubectl -n prod logs deployment/$(reboot) -c app"));
        assert!(!is_command("kubectl get nodes; reboot"));
        assert!(!is_command("kubectl -n prod describe 'pod/web"));
        assert!(!is_command("kubectl -n prod describe 'pod/a\u{1b}[2J'"));
        assert!(!is_command("kubectl get nodes\nreboot"));
        assert!(!is_command(r"kubectl -n prod patch deployment/web -p '{}'\''{}'"));
        for acts in ["%PATH%", "a&calc", "a|calc", "a>x", "^", "!x!", r#"\"&calc&\""#] {
            let line = format!(r#"kubectl -n prod patch deployment/web -p '{{"a":"{acts}"}}'"#);
            assert!(!is_command(&line), "cmd would act upon {line}");
        }
    }

    #[test]
    fn what_looks_like_a_command_and_is_none_says_so() {
        let command = "kubectl -n prod logs deployment/web -c app --previous";
        assert_eq!(offered(command), command);
        let hostile = "kubectl -n prod logs deployment/$(reboot) -c app --previous";
        assert!(offered(hostile).starts_with("not to be pasted"), "{}", offered(hostile));
    }

    #[test]
    fn no_name_is_taken_for_an_option() {
        for target in
            ["--filename=http://evil/x", "-f/x", "--filename=http://evil/x/web", "pod/-web", "pod/--all", "/web"]
        {
            assert!(!is_command(&format!("kubectl -n prod logs {target} -c app --previous")), "{target}");
            assert!(!is_command(&format!("kubectl -n prod describe '{target}'")), "{target}");
        }
        assert!(!is_command("kubectl -n --kubeconfig=x describe pod/web"));
        assert!(!is_command("kubectl -n prod logs pod/web -c --all-containers"));
    }
}
