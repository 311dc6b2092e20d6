//! Every command that is offered, whatever the names in it, consists of exactly the intended words: for
//! shells, for `cmd`, and for kubectl's own flags.

use std::sync::Arc;

use probehound::engine::{Finding, Value};
use probehound::finding::remedy::{Kind, List, Place, Remedy, Target};
use probehound::report::remedies::lines;
use serde_json::Value as Json;

use super::shells::{read_by, read_by_cmd};
use crate::delivery::samples::finding;
use crate::support::random::Random;

/// Each of them has a special meaning somewhere.
const HOSTILE: &[&str] = &[
    "--filename=http://evil.example/x",
    "--kubeconfig=/tmp/x",
    "-f",
    "--all",
    "-",
    "--",
    "$(reboot)",
    "`reboot`",
    "a;reboot",
    "a&calc",
    "a|sh",
    "a>b",
    "a\nreboot",
    "a\r\nreboot",
    "a b",
    "a'b",
    "a\"b",
    "a\\",
    "%PATH%",
    "!x!",
    "^",
    "~root",
    "*",
    "?",
    "[a]",
    "{a,b}",
    "#x",
    "a=b",
    "",
    "ä",
    "\u{202e}a",
    "a\u{1b}[2J",
    "\0",
    "a\u{a0}b",
    "'; reboot; '",
    "\"&calc&\"",
    "web/../../x",
    "@SECRET",
];

const HARMLESS: &[&str] = &["web", "auth-service", "web.v2-a", "prod", "app", "7", "web-7d4b9-x2x4q", "x1"];

/// Single characters, any of which may be anywhere.
const LETTERS: &str = "ab1-./_ '\"\\$`;&|<>(){}[]*?~!#%^=@,:\t\n\u{e9}\u{202e}";

const KINDS: [Kind; 9] = [
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::ReplicaSet,
    Kind::ReplicationController,
    Kind::Job,
    Kind::CronJob,
    Kind::Pod,
    Kind::Rollout,
];

/// An offered command, and its intended words.
struct Offered {
    line: String,
    words: Vec<String>,
    patch: Option<Json>,
}

#[test]
fn every_command_that_is_offered_has_exactly_the_words_that_are_meant() {
    let offered = offered(20_000);
    assert!(offered.len() > 1_000, "{} of 20,000", offered.len());
    assert!(offered.iter().filter(|one| one.patch.is_some()).count() > 100, "patches too");
    let lines: Vec<String> = offered.iter().map(|one| one.line.clone()).collect();
    let mut shells = 0;
    for shell in ["sh", "dash", "bash", "zsh"] {
        let Some(read) = read_by(shell, &lines) else { continue };
        shells += 1;
        for (one, words) in offered.iter().zip(read) {
            one.is_read_as(&words, shell);
        }
    }
    assert!(shells > 0, "there is a shell");
}

#[test]
fn cmd_of_windows_acts_upon_nothing_in_a_command_that_is_offered() {
    for one in offered(20_000) {
        let words = read_by_cmd(&one.line).unwrap_or_else(|acts| panic!("{acts:?} acts in {}", one.line));
        let meant = one.words.len() - usize::from(one.patch.is_some());
        assert_eq!(words[..meant], one.words[..meant], "{}", one.line);
        // Single quotes are literal there: a patch is invalid, and rejected by kubectl; but it is not an
        // option either.
        assert!(words[meant..].iter().all(|word| !word.starts_with('-')), "{}", one.line);
    }
}

#[test]
fn kubectl_finds_no_option_in_a_command_but_those_of_ours() {
    for one in offered(20_000) {
        let mut words = one.words.iter().map(String::as_str).peekable();
        while let Some(word) = words.next() {
            match word {
                "-n" | "-c" => assert!(words.next().is_some_and(|name| !name.starts_with('-')), "{}", one.line),
                "-p" => assert!(words.next().is_some_and(|patch| patch.starts_with(['{', '['])), "{}", one.line),
                "--previous" | "--type=json" => {}
                word if word.starts_with("--to-revision=") => {}
                word => assert!(!word.starts_with('-') && !word.contains('='), "{word} in {}", one.line),
            }
        }
    }
}

#[test]
fn what_looks_like_a_command_and_is_not_offered_as_one_says_so() {
    let mut random = Random::new(3);
    for _ in 0..20_000 {
        let finding = any(&mut random);
        for line in lines(&finding).iter().filter(|line| !line.is_command) {
            let Some((_, command)) = line.text.split_once("kubectl ") else { continue };
            assert!(!line.text.starts_with("kubectl "), "{line:?}");
            // Our own words name a command only if it could be offered as one.
            let is_one = command.split(' ').all(is_harmless);
            assert!(is_one || line.text.contains("not to be pasted"), "{line:?}");
        }
    }
}

impl Offered {
    fn is_read_as(&self, words: &[String], shell: &str) {
        assert_eq!(words.len(), self.words.len(), "{shell}: {}", self.line);
        let Some(patch) = &self.patch else { return assert_eq!(words, self.words, "{shell}: {}", self.line) };
        let (last, others) = words.split_last().expect("there are words");
        assert_eq!(others, &self.words[..others.len()], "{shell}: {}", self.line);
        let read: Json = serde_json::from_str(last).unwrap_or_else(|error| panic!("{shell}: {error}: {last}"));
        assert_eq!(read, *patch, "{shell}: {}", self.line);
    }
}

/// The commands offered for that many random findings.
fn offered(count: usize) -> Vec<Offered> {
    let mut random = Random::new(1);
    let mut all = Vec::new();
    for _ in 0..count {
        let finding = any(&mut random);
        let shown = lines(&finding);
        assert_eq!(shown.len(), finding.remedy.len());
        for (remedy, line) in finding.remedy.iter().zip(shown).filter(|(_, line)| line.is_command) {
            let (words, patch) = meant(remedy, &finding);
            all.push(Offered { line: line.text, words, patch });
        }
    }
    all
}

/// The words of a remedy, and the patch that is the last of them.
fn meant(remedy: &Remedy, finding: &Finding) -> (Vec<String>, Option<Json>) {
    let mut patch = None;
    let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let mut words = match remedy {
        Remedy::LookAtNodes => return (text(&["get", "nodes"]), None),
        Remedy::ListPods => text(&["get", "pods"]),
        Remedy::Resume(target) => text(&["rollout", "resume", &named(target)]),
        Remedy::RollBack { target, revision } => {
            let mut words = text(&["rollout", "undo", &named(target)]);
            words.extend(revision.map(|revision| format!("--to-revision={revision}")));
            words
        }
        Remedy::DeletePod { pod } => text(&["delete", &format!("pod/{pod}")]),
        Remedy::DescribePod { pod } => text(&["describe", &format!("pod/{pod}")]),
        Remedy::Logs { of, previous } => {
            let mut words = text(&["logs", &named(of), "-c", &finding.container]);
            words.extend(previous.then(|| "--previous".to_owned()));
            words
        }
        Remedy::SetField { place, value, .. } => {
            let (target, json, is_json) = patched(place, value, &finding.container);
            let mut words = text(&["patch", &named(target)]);
            words.extend(is_json.then(|| "--type=json".to_owned()));
            words.extend(text(&["-p", "{}"]));
            patch = Some(json);
            words
        }
        other => panic!("{other:?} is offered as a command"),
    };
    words.splice(..0, text(&["-n", &finding.namespace]));
    (words, patch)
}

/// The patch of `livenessProbe.httpGet.path`, written out.
fn patched<'a>(place: &'a Place, value: &Value, container: &str) -> (&'a Target, Json, bool) {
    let value = serde_json::to_value(value).expect("plain data");
    match place {
        Place::Template { target, list, paused } => {
            let container = serde_json::json!({"name": container, "livenessProbe": {"httpGet": {"path": value}}});
            let mut spec = serde_json::json!({"template": {"spec": {list.field(): [container]}}});
            if *paused {
                spec["paused"] = false.into();
            }
            let spec =
                if target.kind == Kind::CronJob { serde_json::json!({"jobTemplate": {"spec": spec}}) } else { spec };
            (target, serde_json::json!({ "spec": spec }), false)
        }
        Place::Indexed { target, list, index } => {
            let at = format!("/spec/template/spec/{}/{index}", list.field());
            let steps = serde_json::json!([
                {"op": "test", "path": format!("{at}/name"), "value": container},
                {"op": "add", "path": format!("{at}/livenessProbe/httpGet/path"), "value": value},
            ]);
            (target, steps, true)
        }
        other => panic!("{other:?} is patched"),
    }
}

fn named(target: &Target) -> String {
    let kind = match target.kind {
        Kind::Rollout => "rollouts.argoproj.io".to_owned(),
        kind => kind.word().to_lowercase(),
    };
    format!("{kind}/{}", target.name)
}

fn is_harmless(word: &str) -> bool {
    let is_ours = word == "-n" || word.starts_with("--to-revision=");
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-./".contains(letter);
    is_ours || !word.is_empty() && !word.starts_with('-') && word.chars().all(plain)
}

/// A finding with some or all names chosen to do harm.
fn any(random: &mut Random) -> Finding {
    let target = |random: &mut Random| Target { kind: *pick(random, &KINDS), name: name(random) };
    let list = if random.percent(50) { List::Containers } else { List::InitContainers };
    let set = |place, random: &mut Random| Remedy::SetField {
        place,
        field: probehound::finding::field::Field::parse("livenessProbe.httpGet.path"),
        value: if random.percent(20) { Value::Number(8080) } else { Value::Text(format!("/{}", name(random))) },
    };
    let remedy = vec![
        Remedy::Resume(target(random)),
        Remedy::RollBack { target: target(random), revision: random.percent(70).then(|| random.below(1 << 40)) },
        Remedy::GoBack { target: target(random), revision: random.below(9) },
        {
            let place = Place::Template { target: target(random), list, paused: random.percent(20) };
            set(place, random)
        },
        {
            let place = Place::Indexed { target: target(random), list, index: random.below(5) as usize };
            set(place, random)
        },
        set(Place::Manifest { kind: name(random), name: name(random) }, random),
        Remedy::DeletePod { pod: name(random) },
        Remedy::Logs { of: target(random), previous: random.percent(50) },
        Remedy::DescribePod { pod: name(random) },
        Remedy::ListPods,
        Remedy::LookAtNodes,
        Remedy::ChangeInGit { tool: name(random) },
        Remedy::LookAtWhatIsShared { with: vec![name(random), name(random)] },
        Remedy::Words(format!("kubectl {}", name(random))),
    ];
    Finding {
        namespace: name(random),
        workload: format!("{}/{}", name(random), name(random)).into(),
        container: name(random),
        remedy,
        ..finding("web", 10)
    }
}

fn name(random: &mut Random) -> Arc<str> {
    match random.below(10) {
        0 | 1 => Arc::from(*pick(random, HOSTILE)),
        2 => {
            let letters: Vec<char> = LETTERS.chars().collect();
            (0..random.below(8)).map(|_| *pick(random, &letters)).collect::<String>().into()
        }
        3 => format!("{}{}", pick(random, HARMLESS), pick(random, HOSTILE)).into(),
        _ => Arc::from(*pick(random, HARMLESS)),
    }
}

fn pick<'a, T>(random: &mut Random, all: &'a [T]) -> &'a T {
    &all[random.below(all.len() as u64) as usize]
}
