//! From raw settings to usable ones: all problems are found, not only the first.

use std::collections::BTreeSet;

use serde_saphyr::{Location, Spanned};

use super::raw::{self, Raw};
use super::selector::selector;
use super::silence::{Matcher, Silence, Silences};
use super::value::{Refusal, cluster_name, duration, listen, namespace, object_name, quoted, time, web_address};
use super::written::Text;
use super::{Config, Findings, Http, LeaderElection, Page, Problem, Watch};
use super::{annotations, notifications};
use crate::engine::Settings;
use crate::guard::{self, MAX_PER_HOUR, Mode};
use crate::text::glob::Glob;

/// Maximum number of namespaces: each takes two watches of its own.
pub const MAX_NAMESPACES: usize = 100;
/// Maximum number of silences: each finding is checked against each of them.
pub const MAX_SILENCES: usize = 500;
/// Maximum detection window in hours: less than one restart in this time is no loop.
const WINDOW_HOURS: u64 = 24;
/// Maximum length of a silence's name, in characters: it is a label value.
const SILENCE_NAME: usize = 100;
/// Maximum length of a reason, in characters.
const REASON: usize = 500;

/// Checks the raw settings, and fills in defaults.
///
/// # Errors
/// All problems, in the order of the lines.
pub fn check(raw: &Raw) -> Result<Config, Vec<Problem>> {
    let mut checker = Checker::default();
    let notifications = notifications::check(&raw.notifications, &raw.annotations, &mut checker);
    let config = Config {
        cluster_name: checker.read("clusterName", raw.cluster_name.as_ref(), cluster_name),
        runbook_url: checker.read("runbookUrl", raw.runbook_url.as_ref(), web_address),
        watch: watch(&raw.watch, &mut checker),
        detection: detection(&raw.detection, &mut checker),
        silences: silences(&raw.silences, &mut checker),
        annotations: annotations::check(&raw.annotations, &notifications.receivers, &mut checker),
        findings: findings(&raw.findings, &mut checker),
        guard: guard(&raw.guard, &mut checker),
        leader_election: leader_election(&raw.leader_election, &mut checker),
        http: Http {
            listen: checker.read("http.listen", raw.http.listen.as_ref(), listen).unwrap_or_default(),
            metrics_authentication: raw.http.metrics_authentication.unwrap_or_default(),
        },
        page: Page {
            enabled: raw.page.enabled.unwrap_or_default(),
            listen: checker.read("page.listen", raw.page.listen.as_ref(), listen),
            authentication: raw.page.authentication.unwrap_or_default(),
        },
        notifications,
    };
    checker.finish(config)
}

/// Collects the problems.
#[derive(Default)]
pub struct Checker {
    problems: Vec<Problem>,
}

impl Checker {
    /// The value of a key, if it is present and valid.
    pub fn read<T>(&mut self, key: &str, raw: Option<&Text>, parse: fn(&str) -> Result<T, Refusal>) -> Option<T> {
        let raw = raw?;
        match parse(&raw.value) {
            Ok(value) => Some(value),
            Err(refusal) => {
                self.problems.push(Problem::refused(raw.referenced, key, refusal));
                None
            }
        }
    }

    /// Notes an invalid value.
    pub fn refuse(&mut self, at: Location, key: &str, what: impl Into<String>, hint: &str) {
        self.problems.push(Problem::refused(at, key, Refusal { what: what.into(), hint: Some(hint.to_owned()) }));
    }

    fn finish(mut self, config: Config) -> Result<Config, Vec<Problem>> {
        if self.problems.is_empty() {
            return Ok(config);
        }
        self.problems.sort_by_key(|problem| problem.at);
        Err(self.problems)
    }
}

fn watch(raw: &raw::Watch, checker: &mut Checker) -> Watch {
    const KEY: &str = "watch.namespaces";
    let mut namespaces = BTreeSet::new();
    for text in &raw.namespaces {
        let Some(name) = checker.read(KEY, Some(text), namespace) else { continue };
        if !namespaces.insert(name) {
            let what = format!("{} stands here twice", quoted(&text.value));
            checker.refuse(text.referenced, KEY, what, "name each namespace once");
        }
    }
    if let Some(over) = raw.namespaces.get(MAX_NAMESPACES) {
        let what = format!("more than {MAX_NAMESPACES} namespaces");
        checker.refuse(over.referenced, KEY, what, "watch all namespaces ([]), and select pods by podSelector");
    }
    Watch {
        namespaces: namespaces.into_iter().collect(),
        exclude_namespaces: excluded(raw, checker),
        pod_selector: checker.read("watch.podSelector", raw.pod_selector.as_ref(), selector),
        initial_list: raw.initial_list.unwrap_or_default(),
    }
}

fn excluded(raw: &raw::Watch, checker: &mut Checker) -> Vec<Glob> {
    const KEY: &str = "watch.excludeNamespaces";
    let Some(first) = raw.exclude_namespaces.first() else { return Vec::new() };
    if !raw.namespaces.is_empty() {
        checker.refuse(first.referenced, KEY, "watch.namespaces names what is watched", "leave one of both out");
    }
    if let Some(over) = raw.exclude_namespaces.get(MAX_NAMESPACES) {
        let what = format!("more than {MAX_NAMESPACES} patterns");
        checker.refuse(over.referenced, KEY, what, "a * in a pattern stands for any text: one can do for many");
    }
    let mut globs = Vec::new();
    for text in &raw.exclude_namespaces {
        let Some(glob) = checker.read(KEY, Some(text), Glob::new) else { continue };
        if glob.is_everything() {
            checker.refuse(text.referenced, KEY, "it would leave out every namespace", "write kube-* or a name");
        }
        globs.push(glob);
    }
    globs
}

fn detection(raw: &raw::Detection, checker: &mut Checker) -> Settings {
    let default = Settings::default();
    let window = raw.window.as_ref().and_then(|text| {
        let window = checker.read("detection.window", Some(text), duration)?;
        if (1..=WINDOW_HOURS * 3600).contains(&window.as_secs()) {
            return Some(window);
        }
        let what = format!("{} is not from 1s to {WINDOW_HOURS}h", quoted(&text.value));
        checker.refuse(text.referenced, "detection.window", what, "the default is 15m");
        None
    });
    Settings {
        window: window.unwrap_or(default.window),
        probe_kills: restarts("detection.probeKills", raw.probe_kills.as_ref(), default.probe_kills, checker),
        own_ends: restarts("detection.ownEnds", raw.own_ends.as_ref(), default.own_ends, checker),
        exec_output: raw.exec_output.unwrap_or(default.exec_output),
    }
}

fn restarts(key: &str, raw: Option<&Spanned<i64>>, default: u32, checker: &mut Checker) -> u32 {
    let Some(raw) = raw else { return default };
    let count = u32::try_from(raw.value).ok().filter(|count| (1..=Settings::MAX_ENDS).contains(count));
    if count.is_none() {
        let what = format!("{} is not from 1 to {}", raw.value, Settings::MAX_ENDS);
        checker.refuse(raw.referenced, key, what, &format!("the default is {default}"));
    }
    count.unwrap_or(default)
}

fn findings(raw: &raw::Findings, checker: &mut Checker) -> Findings {
    let keep = checker.read("findings.keepResolved", raw.keep_resolved.as_ref(), duration);
    keep.map_or_else(Findings::default, |keep_resolved| Findings { keep_resolved })
}

fn guard(raw: &raw::Guard, checker: &mut Checker) -> guard::Settings {
    const NAMESPACES: &str = "guard.namespaces";
    const PER_HOUR: &str = "guard.maxPerHour";
    let default = guard::Settings::default();
    if let Some(over) = raw.namespaces.get(MAX_NAMESPACES) {
        let what = format!("more than {MAX_NAMESPACES} patterns of namespaces");
        checker.refuse(over.referenced, NAMESPACES, what, "a * in a pattern stands for any text: one can do for many");
    }
    let namespaces = raw.namespaces.iter().filter_map(|text| checker.read(NAMESPACES, Some(text), Glob::new)).collect();
    let max_per_hour = raw.max_per_hour.as_ref().map_or(Some(default.max_per_hour), |raw| {
        let count = u32::try_from(raw.value).ok().filter(|count| (1..=MAX_PER_HOUR).contains(count));
        if count.is_none() {
            let what = format!("{} is not from 1 to {MAX_PER_HOUR}", raw.value);
            checker.refuse(raw.referenced, PER_HOUR, what, "the default is 3; for none, set guard.mode to \"off\"");
        }
        count
    });
    guard::Settings {
        mode: checker.read("guard.mode", raw.mode.as_ref(), guard_mode).unwrap_or(default.mode),
        namespaces,
        max_per_hour: max_per_hour.unwrap_or(default.max_per_hour),
        trust_events: raw.trust_events.unwrap_or(default.trust_events),
    }
}

fn guard_mode(text: &str) -> Result<Mode, Refusal> {
    match text {
        // YAML 1.1, in which Helm reads its values, takes an off without quotes for false.
        "off" | "false" => Ok(Mode::Off),
        "watch" => Ok(Mode::Watch),
        "undo" => Ok(Mode::Undo),
        _ => Err(Refusal::new(text, "is no mode of the guard", "write \"off\", watch or undo")),
    }
}

fn leader_election(raw: &raw::LeaderElection, checker: &mut Checker) -> LeaderElection {
    let default = LeaderElection::default();
    LeaderElection {
        enabled: raw.enabled.unwrap_or(default.enabled),
        namespace: checker.read("leaderElection.namespace", raw.namespace.as_ref(), namespace),
        name: checker.read("leaderElection.name", raw.name.as_ref(), object_name).unwrap_or(default.name),
    }
}

fn silences(raw: &[Spanned<raw::Silence>], checker: &mut Checker) -> Silences {
    if let Some(over) = raw.get(MAX_SILENCES) {
        let what = format!("more than {MAX_SILENCES} silences");
        checker.refuse(over.referenced, "silences", what, "a * in a pattern stands for any text: one can do for many");
    }
    let mut all: Vec<Silence> = Vec::new();
    for (place, raw) in raw.iter().take(MAX_SILENCES).enumerate() {
        let Some(silence) = silence(place, raw, checker) else { continue };
        if all.iter().any(|other| other.name == silence.name) {
            let what = format!("there is already a silence {}", quoted(&silence.name));
            checker.refuse(raw.referenced, &format!("silences[{place}]"), what, "take one of them out, or name them");
        }
        all.push(silence);
    }
    Silences(all)
}

fn silence(place: usize, raw: &Spanned<raw::Silence>, checker: &mut Checker) -> Option<Silence> {
    let key = |name: &str| format!("silences[{place}].{name}");
    let before = checker.problems.len();
    let value = &raw.value;
    let matcher = Matcher {
        namespace: checker.read(&key("namespace"), value.namespace.as_ref(), Glob::new),
        workload: checker.read(&key("workload"), value.workload.as_ref(), workload),
        container: checker.read(&key("container"), value.container.as_ref(), Glob::new),
        cause: value.cause,
    };
    let until = checker.read(&key("until"), value.until.as_ref(), time);
    let name = checker.read(&key("name"), value.name.as_ref(), silence_name);
    let reason = checker.read(&key("reason"), value.reason.as_ref(), reason);
    if checker.problems.len() > before {
        return None;
    }
    if matcher.is_everything() {
        const HINT: &str = "name a namespace, workload, container or cause; to hear of nothing, have no receiver";
        checker.refuse(raw.referenced, &format!("silences[{place}]"), "it would silence every finding", HINT);
        return None;
    }
    let name = name.unwrap_or_else(|| matcher.to_string().chars().take(SILENCE_NAME).collect());
    Some(Silence { name, matcher, until, reason })
}

/// A pattern of `KIND/NAME`.
fn workload(text: &str) -> Result<Glob, Refusal> {
    const HINT: &str = "write KIND/NAME as in Deployment/web, Deployment/web-* or */web";
    let parts: Vec<&str> = text.split('/').collect();
    match parts[..] {
        [kind, name] if kind.starts_with(|c: char| c.is_ascii_uppercase() || c == '*') && !name.is_empty() => {
            Glob::new(text)
        }
        _ => Err(Refusal::new(text, "is no pattern of a workload", HINT)),
    }
}

fn silence_name(text: &str) -> Result<String, Refusal> {
    line(text, SILENCE_NAME)
        .ok_or_else(|| Refusal::new(text, "is no name", "one line of at most 100 visible characters"))
}

fn reason(text: &str) -> Result<String, Refusal> {
    line(text.trim_end(), REASON)
        .ok_or_else(|| Refusal::new(text, "is no reason", "one line of at most 500 visible characters"))
}

/// A text that is a single line and not longer than that.
fn line(text: &str, longest: usize) -> Option<String> {
    let fits = (1..=longest).contains(&text.chars().count()) && text.chars().all(crate::text::escape::is_visible);
    fits.then(|| text.to_owned())
}
