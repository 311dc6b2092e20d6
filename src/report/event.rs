//! A Kubernetes Event on the workload, shown by `kubectl describe`.

use ring::digest::{SHA256, digest};

use super::headline::{kind_and_name, what_is_wrong};
use super::object::{Content, object_name};
use super::remedies::lines;
use super::update::{FindingUpdate, Kind};
use super::wording::{capitalised, changed_by, extent, field_is, guarded, over};
use crate::finding::Finding;
use crate::finding::guard::Outcome;
use crate::text::escape::visible;
use crate::text::hex;
use crate::text::refusal::Refusal;
use crate::time::Time;

/// The reporter: the Event's `reportingController`, a qualified name.
pub const CONTROLLER: &str = "probehound.dev/probehound";
/// Maximum length of the note, in bytes; the API server accepts 1,024 (pkg/apis/core/validation/events.go).
const NOTE: usize = 1000;

/// The content of the Event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// The same for the same update: creating it twice fails with a conflict.
    pub name: String,
    /// `Warning` or `Normal`
    pub kind: &'static str,
    /// The reason: the cause, or `Resolved`.
    pub reason: String,
    /// The text.
    pub text: String,
}

/// A workload as an Event refers to it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Regarding {
    /// `apps`; empty for the core API, and if it is unknown.
    pub group: &'static str,
    /// `deployments`; empty if it is unknown.
    pub plural: &'static str,
    /// `Deployment`
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl Note {
    /// The note for what the guard did about a finding, or why it did nothing; `None` if it did nothing yet.
    pub fn of_the_guard(finding: &Finding) -> Option<Self> {
        let guard = finding.guard.as_deref()?;
        let reason = match guard.outcome {
            Outcome::Undoing => return None,
            Outcome::Undone => "GuardUndid",
            Outcome::WouldUndo => "GuardWouldUndo",
            Outcome::Refused => "GuardRefused",
        };
        let kind = if guard.outcome == Outcome::Refused { "Normal" } else { "Warning" };
        let text = format!("{} {}.", guarded(finding)?, capitalised(&what_is_wrong(finding)));
        let mark = mark(&(finding.episodes, finding.confirmed_at, guard));
        let name = format!("{}.{mark}", object_name(&finding.identity()));
        Some(Self { name, kind, reason: reason.to_owned(), text: cut(&visible(&text)) })
    }

    /// The note for an update of a finding.
    pub fn new(news: &FindingUpdate, now: Time) -> Self {
        let finding = &news.finding;
        let (kind, reason) = match news.kind {
            Kind::Opened | Kind::Changed | Kind::GoesOn => ("Warning", finding.cause.to_string()),
            Kind::Resolved | Kind::Missed => ("Normal", "Resolved".to_owned()),
            Kind::Withdrawn => ("Normal", "Withdrawn".to_owned()),
        };
        Self { name: name(news, now), kind, reason, text: cut(&visible(&text(news, now))) }
    }
}

impl Note {
    /// The note for an annotation that has no effect; `source` is what has it, in words.
    pub fn of_refused(source: &str, annotation: &str, value: &str, why: &Refusal) -> Self {
        const PREFIX: &str = "probehound-annotation";
        let mark = hex(&digest(&SHA256, format!("{:?}", (source, annotation, value)).as_bytes()).as_ref()[..8]);
        let hint = why.hint.as_ref().map(|hint| format!(": {hint}")).unwrap_or_default();
        let text = format!("{annotation} of {source} has no effect: {}{hint}.", why.what);
        let (kind, reason) = ("Warning", "AnnotationRefused".to_owned());
        Self { name: format!("{PREFIX}.{mark}"), kind, reason, text: cut(&visible(&text)) }
    }
}

impl Regarding {
    /// The workload of `KIND/NAME`.
    pub fn parse(workload: &str) -> Self {
        let (kind, name) = kind_and_name(workload);
        let (group, plural) = match kind {
            "Deployment" => ("apps", "deployments"),
            "StatefulSet" => ("apps", "statefulsets"),
            "DaemonSet" => ("apps", "daemonsets"),
            "ReplicaSet" => ("apps", "replicasets"),
            "Job" => ("batch", "jobs"),
            "CronJob" => ("batch", "cronjobs"),
            "Pod" => ("", "pods"),
            _ => ("", ""),
        };
        Self { group, plural, kind: kind.to_owned(), name: name.to_owned() }
    }
}

fn text(news: &FindingUpdate, now: Time) -> String {
    let finding = &news.finding;
    let mut parts = vec![format!("{}.", capitalised(&what_is_wrong(finding)))];
    match news.kind {
        Kind::Resolved | Kind::Missed => parts.push(over(finding, now).to_string()),
        Kind::Withdrawn => parts.push(
            "Taken back: another finding of this container took its place, or its namespace is watched no more."
                .to_owned(),
        ),
        Kind::Opened | Kind::Changed | Kind::GoesOn => {
            let sentences = [Some(extent(finding)), field_is(finding), changed_by(finding)];
            parts.extend(sentences.into_iter().flatten().map(|sentence| sentence.to_string()));
            parts.extend(lines(finding).first().map(|first| format!("{}: {}", first.label.word(), first.text)));
        }
    }
    parts.join(" ")
}

/// The finding's own name and a hash of the content, for a reminder also of the time.
fn name(news: &FindingUpdate, now: Time) -> String {
    let finding = &news.finding;
    let when = (news.kind == Kind::GoesOn).then_some(now);
    let mark = mark(&(news.kind, finding.episodes, finding.confirmed_at, Content::from_finding(finding), when));
    format!("{}.{mark}", object_name(&finding.identity()))
}

/// A hash of what is told.
fn mark(told: &impl std::fmt::Debug) -> String {
    hex(&digest(&SHA256, format!("{told:?}").as_bytes()).as_ref()[..8])
}

/// As many bytes as fit, cut at a character boundary.
fn cut(text: &str) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() <= NOTE {
        return text.to_owned();
    }
    format!("{}{ELLIPSIS}", crate::text::cut(text, NOTE - ELLIPSIS.len()))
}

#[cfg(all(test, feature = "operator"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::operator::testing::{at, finding};

    #[test]
    fn a_note_says_what_is_wrong_and_what_to_do() {
        let note = Note::new(&news(Kind::Opened, "web"), at(10));
        assert_eq!((note.kind, note.reason.as_str()), ("Warning", "WrongPath"));
        assert!(note.text.starts_with("The liveness probe asks for a path that the app does not serve. "), "{note:?}");
        let fix = "Fix: set livenessProbe.httpGet.path of container app to /health in the manifest of Deployment web";
        assert!(note.text.ends_with(fix), "{note:?}");
    }

    #[test]
    fn a_note_fits_whatever_the_names_are() {
        for name in ["x".repeat(5000), "ä".repeat(5000), "\u{1b}".repeat(5000), "😀".repeat(5000)] {
            let mut news = news(Kind::Opened, &name);
            Arc::make_mut(&mut news.finding).container = name.into();
            let note = Note::new(&news, at(10));
            assert!(note.text.len() <= NOTE && note.name.len() <= 253, "{note:?}");
            assert!(note.text.chars().all(|c| !c.is_control()), "{note:?}");
        }
    }

    #[test]
    fn what_the_guard_did_or_did_not_is_a_note_of_its_own() {
        use crate::finding::guard::{Guarded, Refusal};

        let of = |outcome, refusal| {
            let guard = Guarded { outcome, refusal, revision: Some(8), to_revision: Some(7), at: at(10) };
            Note::of_the_guard(&Finding { guard: Some(Arc::new(guard)), ..finding("web") })
        };
        let undone = of(Outcome::Undone, None).expect("a note");
        assert_eq!((undone.kind, undone.reason.as_str()), ("Warning", "GuardUndid"));
        assert!(
            undone.text.starts_with("The guard undid the rollout: back to revision 7. The liveness probe"),
            "{undone:?}"
        );
        let refused = of(Outcome::Refused, Some(Refusal::GitOps)).expect("a note");
        assert_eq!((refused.kind, refused.reason.as_str()), ("Normal", "GuardRefused"));
        assert!(refused.text.contains("kept elsewhere") && refused.name != undone.name, "{refused:?}");
        assert_eq!(of(Outcome::Undoing, None), None, "nothing is done yet");
        assert_eq!(Note::of_the_guard(&finding("web")), None);
    }

    #[test]
    fn the_same_news_has_the_same_name_and_other_news_another() {
        let name = |kind, now| Note::new(&news(kind, "web"), at(now)).name;
        assert_eq!(name(Kind::Opened, 10), name(Kind::Opened, 99));
        assert_ne!(name(Kind::Opened, 10), name(Kind::Resolved, 10));
        assert_ne!(name(Kind::GoesOn, 10), name(Kind::GoesOn, 99));
    }

    fn news(kind: Kind, workload: &str) -> FindingUpdate {
        FindingUpdate { kind, finding: Arc::new(finding(workload)), before: None }
    }
}
