//! A Kubernetes Event on the workload, shown by `kubectl describe`.

use ring::digest::{SHA256, digest};

use super::headline::{kind_and_name, what_is_wrong};
use super::object::{Content, object_name};
use super::remedies::lines;
use super::update::{FindingUpdate, Kind};
use super::wording::{capitalised, changed_by, extent, field_is, over};
use crate::text::escape::visible;
use crate::text::hex;
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
        Kind::Withdrawn => parts.push("Taken back: another finding of this container took its place.".to_owned()),
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
    let notified =
        format!("{:?}", (news.kind, finding.episodes, finding.confirmed_at, Content::from_finding(finding), when));
    let mark = hex(&digest(&SHA256, notified.as_bytes()).as_ref()[..8]);
    format!("{}.{mark}", object_name(&finding.identity()))
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
