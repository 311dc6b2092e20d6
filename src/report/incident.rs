//! What the services that page people are told alike: one incident for each episode of a finding.

use std::collections::BTreeMap;

use ring::digest::{SHA256, digest};

use super::alertmanager;
use super::metrics::text::without_markup;
use super::plain;
use super::update::{FindingUpdate, Kind};
use crate::finding::Finding;
use crate::text::escape::visible;
use crate::text::hex;
use crate::time::Time;

/// What a message says besides its finding.
#[derive(Copy, Clone, Debug)]
pub struct About<'a> {
    /// The name of the cluster.
    pub cluster: Option<&'a str>,
    /// The URL of the runbook.
    pub runbook: &'a str,
    /// The time of the message.
    pub now: Time,
}

/// What to do with incidents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Steps {
    /// The incident of an earlier episode that nobody closed: it ended while nothing could be sent.
    pub close_earlier: Option<String>,
    /// The incident of this episode.
    pub key: String,
    /// What happens to it.
    pub step: Step,
}

/// What happens to an incident.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// It opens.
    Open,
    /// It changed, or is reminded of.
    Update,
    /// It is over.
    Close,
}

impl Steps {
    /// The steps for an update of a finding.
    pub fn new(news: &FindingUpdate, cluster: Option<&str>) -> Self {
        let finding = &news.finding;
        let step = match news.kind {
            Kind::Opened => Step::Open,
            Kind::Changed | Kind::GoesOn => Step::Update,
            Kind::Resolved | Kind::Withdrawn | Kind::Missed => Step::Close,
        };
        let open = news.before.as_ref().filter(|before| before.is_open()).map(|before| before.episode);
        let key = |episode| key(finding, episode, cluster);
        if step == Step::Close {
            // Of later episodes nobody was paged.
            return Self { close_earlier: None, key: key(open.unwrap_or(finding.episodes)), step };
        }
        let earlier = open.filter(|episode| *episode != finding.episodes);
        Self { close_earlier: earlier.map(key), key: key(finding.episodes), step }
    }
}

/// The same for all messages about one episode of a finding of one cluster: 47 letters, digits and hyphens
/// at most.
fn key(finding: &Finding, episode: u32, cluster: Option<&str>) -> String {
    let probe = finding.probe.map(|probe| probe.to_string()).unwrap_or_default();
    let effect = finding.effect.to_string();
    let parts =
        [cluster.unwrap_or_default(), &finding.namespace, &finding.workload, &finding.container, &effect, &probe];
    let digest = digest(&SHA256, parts.join("\0").as_bytes());
    format!("probehound-{}-{episode}", hex(&digest.as_ref()[..12]))
}

/// Who and what, in one line of at most `max` characters: `[prod-eu] auth-service (Deployment, …): …`.
pub fn summary(news: &FindingUpdate, about: About, max: usize) -> String {
    let cluster = about.cluster.map(|cluster| format!("[{}] ", visible(cluster))).unwrap_or_default();
    fit(&without_markup(&format!("{cluster}{}", plain::line(news, about.now))), max)
}

/// All content of the message, in lines.
pub fn lines(news: &FindingUpdate, about: About) -> Vec<String> {
    plain::lines(news, about.now).iter().map(|line| without_markup(line)).collect()
}

/// `KIND/NAME` of the workload in its namespace and cluster: `prod-eu/prod/Deployment/web`.
pub fn source(finding: &Finding, about: About) -> String {
    let cluster = about.cluster.map(|cluster| format!("{cluster}/")).unwrap_or_default();
    shown(&format!("{cluster}{}/{}", finding.namespace, finding.workload))
}

/// The section of the runbook.
pub fn runbook(finding: &Finding, about: About) -> String {
    format!("{}#{}", about.runbook, alertmanager::name(finding).to_lowercase())
}

/// What is known of a finding, by the names of the JSON documents.
pub fn fields(finding: &Finding, about: About) -> BTreeMap<&'static str, String> {
    let mut fields = BTreeMap::from([
        ("namespace", shown(&finding.namespace)),
        ("workload", shown(&finding.workload)),
        ("container", shown(&finding.container)),
        ("effect", finding.effect.to_string()),
        ("cause", finding.cause.to_string()),
        ("confidence", finding.confidence.to_string()),
        ("pods", format!("{} of {}", finding.pods.affected, finding.pods.total)),
    ]);
    fields.extend(about.cluster.map(|cluster| ("cluster", shown(cluster))));
    fields.extend(finding.probe.map(|probe| ("probe", probe.to_string())));
    fields.extend(finding.field.as_ref().map(|field| ("field", shown(&field.to_string()))));
    fields.extend(finding.current.as_ref().map(|value| ("current", shown(&value.to_string()))));
    fields.extend(finding.suggested.as_ref().map(|value| ("suggested", shown(&value.to_string()))));
    fields
}

/// A name or value from a cluster, in at most 255 characters.
pub fn shown(text: &str) -> String {
    const LONGEST: usize = 255;
    let head: String = text.chars().take(LONGEST).collect();
    fit(&without_markup(&visible(&head)), LONGEST)
}

/// The beginning of a text in that many UTF-16 units, by which these services count; an ellipsis marks the cut.
pub fn fit(text: &str, max: usize) -> String {
    let length: usize = text.chars().map(char::len_utf16).sum();
    if length <= max {
        return text.to_owned();
    }
    let mut left = max.saturating_sub(1);
    let fits = |character: &char| {
        let room = left.checked_sub(character.len_utf16());
        left = room.unwrap_or_default();
        room.is_some()
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_by_utf_16_units() {
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abcd", 3), "ab…");
        assert_eq!(fit("😀😀", 4), "😀😀");
        assert_eq!(fit("😀😀😀", 4), "😀…");
    }
}
