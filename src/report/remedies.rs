//! What to type or do: the engine's remedies, and what there is to do where it knows none.

use crate::engine::{Cause, Finding};

/// What to type or do, best first.
pub fn of(finding: &Finding) -> Vec<String> {
    match finding.remedy.as_slice() {
        [] => without_a_value(finding).into_iter().collect(),
        known => known.to_vec(),
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

/// Whether a remedy is a `kubectl` command of plain words and single-quoted strings only.
///
/// The names in it come from a cluster. A character that means something to a shell, or that a
/// terminal would act upon, makes the line a text to read instead of a command to paste.
pub fn is_command(remedy: &str) -> bool {
    let mut quoted = false;
    let plain = remedy.chars().all(|character| match character {
        '\'' => {
            quoted = !quoted;
            true
        }
        ' '..='~' if quoted => true,
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        _ => " -_./=:,@%+".contains(character),
    });
    remedy.starts_with("kubectl ") && plain && !quoted
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
        assert!(is_command(r#"kubectl -n prod patch deploy/web --type=json -p '[{"op":"replace"}]'"#));
        assert!(!is_command("set livenessProbe.httpGet.path back to /health"));
        assert!(!is_command("kubectl delete pod $(reboot)"));
        assert!(!is_command("kubectl get pod; reboot"));
        assert!(!is_command("kubectl get pod 'web"));
        assert!(!is_command("kubectl get pod 'a\u{1b}[2J'"));
        assert!(!is_command("kubectl get pod a\nreboot"));
    }
}
