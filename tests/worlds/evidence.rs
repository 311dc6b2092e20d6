//! Whether a finding contradicts itself, as far as its text can be checked.

use crate::kubelet::manifest::{Container, Handler, Kind, Port, Probe, Workload};
use crate::worlds::told::Finding;
use crate::worlds::truth::word;

/// Contradictions within a finding, or between it and the manifests that were applied.
pub fn contradictions<'a>(it: &Finding, manifests: impl Iterator<Item = &'a Workload>) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    let mut check = |bad: bool, what: &'static str| wrong.extend(bad.then_some(what));
    let evidence = it.lines("evidence");
    let says = |words: &str| evidence.iter().any(|line| line.contains(words));
    let cause = it.word("cause");
    check(cause == "KilledWhileStarting" && came_up_in_time(&evidence), "it came up faster than the probe kills");
    let never = says("never a success") || says("never passed") || says("has never succeeded");
    let passed = says("it had passed before") || says("it had answered in time before");
    check(never && passed, "never a success, and it had passed");
    check(cause == "WrongPath" && evidence.iter().any(|line| is_sick(line)), "WrongPath beside an app's own word");
    check(
        cause == "Hung" && says("connection refused") && !says("deadline") && !says("timed out"),
        "Hung when refused",
    );
    check(
        it.value("suggested").is_some() && it.value("suggested") == it.value("current"),
        "the broken value suggested",
    );
    let (sure, hypotheses) = (it.word("confidence") == "high", it.lines("hypotheses"));
    check(sure && !hypotheses.is_empty(), "high with hypotheses");
    check(hypotheses.iter().any(|line| line.starts_with(&format!("{cause}:"))), "its own cause among the hypotheses");
    let (opened, confirmed, resolved) = (it.time("opened_at"), it.time("confirmed_at"), it.time("resolved_at"));
    check(confirmed.is_some_and(|at| opened.is_some_and(|opened| at < opened)), "confirmed before it began");
    check(resolved.is_some_and(|at| confirmed.is_some_and(|confirmed| at < confirmed)), "over before it was confirmed");
    let field = it.word("field");
    let of_a_probe = ["liveness", "readiness", "startup"].into_iter().find(|kind| field.starts_with(kind));
    let other = of_a_probe.is_some_and(|kind| it.text("probe").is_some_and(|probe| probe != kind));
    check(other && field != "startupProbe", "a field of another probe");
    if let Some(current) = it.value("current") {
        let of_it = manifests.filter(|workload| it.word("workload").ends_with(&format!("/{}", workload.name)));
        let container =
            |workload: &'a Workload| workload.containers.iter().find(|one| one.name == it.word("container"));
        let values: Vec<_> = of_it.filter_map(container).filter_map(|one| value_of(one, field)).collect();
        check(!values.is_empty() && !values.contains(&current), "a current value that no manifest had");
    }
    wrong
}

/// `it came up within 3 s when it did; the probe may kill after 19 s`.
fn came_up_in_time(evidence: &[String]) -> bool {
    evidence.iter().any(|line| {
        let after = |words: &str| {
            let tail = line.split_once(words)?.1.trim_start();
            tail.split(|letter: char| !letter.is_ascii_digit()).next()?.parse::<i64>().ok()
        };
        matches!((after("came up within"), after("may kill after")), (Some(came), Some(kills)) if came < kills)
    })
}

fn is_sick(line: &str) -> bool {
    line.contains("NOT_SERVING") || line.contains("statuscode: 5")
}

/// The value of a probe's field in a manifest; `None` if it has none.
fn value_of(container: &Container, field: &str) -> Option<String> {
    let (probe, rest) = field.split_once("Probe.")?;
    let kind = Kind::ALL.into_iter().find(|kind| word(*kind) == probe)?;
    let it = container.probed(kind)?;
    handler_value(it, rest).or_else(|| {
        Some(match rest {
            "timeoutSeconds" => it.timeout.to_string(),
            "periodSeconds" => it.period.to_string(),
            "initialDelaySeconds" => it.delay.to_string(),
            "failureThreshold" => it.failures.to_string(),
            "terminationGracePeriodSeconds" => it.grace?.to_string(),
            _ => return None,
        })
    })
}

fn handler_value(it: &Probe, rest: &str) -> Option<String> {
    let number = |port: &Port| match port {
        Port::Number(number) => number.to_string(),
        Port::Name(name) => (*name).to_owned(),
    };
    Some(match (&it.handler, rest) {
        (Handler::Http { path, .. }, "httpGet.path") => (*path).to_owned(),
        (Handler::Http { scheme, .. }, "httpGet.scheme") => (*scheme).to_owned(),
        (Handler::Http { port, .. }, "httpGet.port") | (Handler::Tcp(port), "tcpSocket.port") => number(port),
        (Handler::Grpc { port, .. }, "grpc.port") => port.to_string(),
        (Handler::Grpc { service, .. }, "grpc.service") => (*service).to_owned(),
        (Handler::Exec(command), "exec.command") => command.join(" "),
        _ => return None,
    })
}
