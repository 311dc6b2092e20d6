//! How much time a container has before a probe kills it.

use super::pod::{Container, Probe};
use super::{Finding, Rule, Severity};
use crate::kubelet::{ProbeKind, Timing};

/// Below this number of seconds a start on a busy node may be too slow: info.
const SHORT: u64 = 30;

/// Up to this number of seconds it is a warning.
const VERY_SHORT: u64 = 10;

/// Problems with the numbers of one probe.
pub fn probe(probe: &Probe<'_>, container: &Container<'_>, all: &mut Vec<Finding>) {
    let Some(timing) = probe.timing().filter(|_| probe.kind.kills() && probe.handler().is_some()) else { return };
    kill_budget(probe, timing, container, all);
    single_failure(probe, timing, all);
    timeout_over_period(probe, timing, all);
}

/// Problems with the numbers of several probes.
pub fn container(container: &Container<'_>, all: &mut Vec<Finding>) {
    let timing = |kind| container.probe(kind).and_then(|probe| Some((probe, probe.timing()?)));
    let Some((liveness, its)) = timing(ProbeKind::Liveness) else { return };
    if let Some((startup, timing)) = timing(ProbeKind::Startup) {
        startup_before_delay(startup, timing, its, all);
    }
    if let Some((readiness, timing)) = timing(ProbeKind::Readiness) {
        liveness_first((liveness, its), (readiness, timing), container, all);
    }
}

fn kill_budget(probe: &Probe<'_>, timing: Timing, container: &Container<'_>, all: &mut Vec<Finding>) {
    let has_startup = container.probe(ProbeKind::Startup).is_some();
    let budget = timing.budget();
    if budget >= SHORT || probe.kind == ProbeKind::Liveness && has_startup {
        return;
    }
    let severity = if budget <= VERY_SHORT { Severity::Warning } else { Severity::Info };
    let (key, other) = match probe.kind {
        ProbeKind::Startup => ("failureThreshold", String::new()),
        _ => ("failureThreshold", ", and there is no startupProbe that waits for it".to_owned()),
    };
    let why = format!(
        "a container that does not answer within {budget} s of its start is ended, at the earliest after {} s{other}",
        timing.earliest()
    );
    let at = if probe.node.entry(key).is_some() { probe.place(&[key]) } else { probe.at };
    let finding = Finding::new(Rule::KillBudget, at, probe.field(key), why).severity(severity).current(timing.failures);
    let suggestion = match probe.kind {
        ProbeKind::Startup => format!(
            "failureThreshold x periodSeconds above the slowest start: 60 s are failureThreshold: {}",
            enough(60, timing)
        ),
        _ => "a startupProbe that asks the same, with failureThreshold x periodSeconds above the slowest start"
            .to_owned(),
    };
    all.push(finding.sum(timing.budget_in_words()).suggest(suggestion));
}

fn single_failure(probe: &Probe<'_>, timing: Timing, all: &mut Vec<Finding>) {
    if timing.failures != 1 || probe.kind != ProbeKind::Liveness {
        return;
    }
    let why = format!("one answer that takes longer than {} s ends the container", timing.timeout);
    let finding =
        Finding::new(Rule::SingleFailure, probe.place(&["failureThreshold"]), probe.field("failureThreshold"), why);
    all.push(finding.current(1).sum("failureThreshold 1 x one failed probe = the end").suggest("failureThreshold: 3"));
}

fn timeout_over_period(probe: &Probe<'_>, timing: Timing, all: &mut Vec<Finding>) {
    let Timing { period, timeout, failures, .. } = timing;
    if timeout <= period {
        return;
    }
    let why = format!(
        "one probe waits for the one before: an app that hangs is ended after {} s, not after {} s",
        failures * timeout,
        failures * period
    );
    let finding =
        Finding::new(Rule::TimeoutOverPeriod, probe.place(&["timeoutSeconds"]), probe.field("timeoutSeconds"), why);
    let sum = format!("failureThreshold {failures} x timeoutSeconds {timeout} = {} s", failures * timeout);
    all.push(finding.current(timeout).sum(sum).suggest(format!("a timeout of no more than periodSeconds {period}")));
}

fn startup_before_delay(startup: &Probe<'_>, timing: Timing, liveness: Timing, all: &mut Vec<Finding>) {
    if startup.handler().is_none() || timing.budget() >= liveness.delay {
        return;
    }
    let why = format!(
        "it ends a container that does not answer within {} s, and the liveness probe leaves it {} s to start",
        timing.budget(),
        liveness.delay
    );
    let finding = Finding::new(
        Rule::StartupBeforeDelay,
        startup.place(&["failureThreshold"]),
        startup.field("failureThreshold"),
        why,
    );
    let enough = enough(liveness.delay - timing.delay, timing);
    let sum = format!("{} < initialDelaySeconds {}", timing.budget_in_words(), liveness.delay);
    all.push(finding.current(timing.failures).sum(sum).suggest(format!("failureThreshold: {enough}")));
}

/// Number of failures needed to wait for that many seconds.
const fn enough(seconds: u64, timing: Timing) -> u64 {
    seconds.div_ceil(timing.period)
}

/// With the same request, the slower probe never gets to act.
fn liveness_first(
    (liveness, its): (&Probe<'_>, Timing),
    (readiness, timing): (&Probe<'_>, Timing),
    container: &Container<'_>,
    all: &mut Vec<Finding>,
) {
    let same = liveness.question(container).is_some_and(|asked| Some(asked) == readiness.question(container));
    let (ends, leaves) = (its.failures * its.step(), (timing.failures - 1) * timing.period);
    if !same || ends > leaves || its.timeout > timing.timeout {
        return;
    }
    let why = format!(
        "both ask the same, and it ends the container within {ends} s; the readiness probe takes the pod out of its \
         Services after {leaves} s at the earliest, which it never comes to"
    );
    let finding = Finding::new(
        Rule::LivenessFirst,
        liveness.place(&["failureThreshold"]),
        liveness.field("failureThreshold"),
        why,
    );
    let sum = format!(
        "{} x {} s = {ends} s, ({} - 1) x {} s = {leaves} s",
        its.failures,
        its.step(),
        timing.failures,
        timing.period
    );
    all.push(finding.current(its.failures).sum(sum).suggest("let liveness give up later than readiness"));
}

#[cfg(test)]
mod tests {
    use crate::lint::Severity;
    use crate::lint::testing::{ids, of_probe};

    #[test]
    fn the_defaults_are_not_flagged() {
        for probe in [
            "livenessProbe: {tcpSocket: {port: 80}}",
            "livenessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 21, periodSeconds: 3}",
            "livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}, startupProbe: {tcpSocket: {port: 80}}",
            "readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 5}",
            "livenessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 30}, startupProbe: {tcpSocket: {port: 80}}",
        ] {
            assert_eq!(ids(&of_probe(probe)), Vec::<&str>::new(), "{probe}");
        }
    }

    #[test]
    fn a_short_budget_is_told_with_its_arithmetic() {
        let said = of_probe("livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 3}");
        assert_eq!(ids(&said), ["kill-budget"]);
        assert_eq!(said[0].severity, Severity::Warning);
        assert_eq!(said[0].sum.as_deref(), Some("failureThreshold 3 x periodSeconds 3 = 9 s"));
        assert!(said[0].why.contains("within 9 s of its start is ended, at the earliest after 6 s"), "{}", said[0].why);
        let said = of_probe("livenessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 5, periodSeconds: 5}");
        assert_eq!((ids(&said), said[0].severity), (vec!["kill-budget"], Severity::Info));
        assert_eq!(ids(&of_probe("startupProbe: {tcpSocket: {port: 80}, periodSeconds: 2}")), ["kill-budget"]);
    }

    #[test]
    fn what_the_probes_come_to_together_is_told() {
        let startup =
            "startupProbe: {tcpSocket: {port: 80}}, livenessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 60}";
        let said = of_probe(startup);
        assert_eq!(ids(&said), ["startup-before-delay"]);
        assert_eq!(said[0].suggestion.as_deref(), Some("failureThreshold: 6"));
        let both =
            "readinessProbe: {tcpSocket: {port: 80}, failureThreshold: 4}, livenessProbe: {tcpSocket: {port: http}}";
        assert_eq!(ids(&of_probe(both)), ["liveness-first"]);
        let same = "readinessProbe: {tcpSocket: {port: 80}}, livenessProbe: {tcpSocket: {port: 80}}";
        assert_eq!(ids(&of_probe(same)), Vec::<&str>::new());
    }

    #[test]
    fn a_timeout_beyond_the_period_and_a_single_failure_are_told() {
        let slow = "livenessProbe: {tcpSocket: {port: 80}, timeoutSeconds: 30}";
        assert_eq!(ids(&of_probe(slow)), ["timeout-over-period"]);
        assert_eq!(ids(&of_probe("livenessProbe: {tcpSocket: {port: 80}, timeoutSeconds: 10}")), Vec::<&str>::new());
        let single = "livenessProbe: {tcpSocket: {port: 80}, failureThreshold: 1, periodSeconds: 30}";
        assert_eq!(ids(&of_probe(single)), ["single-failure"]);
    }
}
