//! Which findings are routed to a receiver: pure.

use std::collections::BTreeMap;

use super::mute::{self, Mute};
use super::policy::Admission;
use crate::finding::{Cause, Confidence, Effect, Fault, Finding, Severity};
use crate::report::headline::kind_and_name;
use crate::text::glob::Glob;
use crate::time::Time;

/// A route to a receiver, for the findings that match all its conditions.
#[derive(Clone, PartialEq, Debug)]
pub struct Route {
    /// The receiver's name.
    pub receiver: String,
    /// The namespaces, one of which must match.
    pub namespaces: Vec<Glob>,
    /// The kinds of workloads; empty: all.
    pub workload_kinds: Vec<String>,
    /// The causes; empty: all.
    pub causes: Vec<Cause>,
    /// The faults; empty: all.
    pub faults: Vec<Fault>,
    /// The effects; empty: all but `Flapping` and `Recurring`.
    pub effects: Vec<Effect>,
    /// Minimum severity.
    pub severity: Severity,
    /// Minimum confidence.
    pub confidence: Confidence,
    /// Labels of the pod template, all of which must match.
    pub labels: BTreeMap<String, Glob>,
    /// When the route is muted.
    pub mutes: Vec<Mute>,
}

/// All routes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Routes(pub Vec<Route>);

impl Route {
    /// Everything confirmed, of severity warning and above.
    pub fn default_to(receiver: &str) -> Self {
        Self {
            receiver: receiver.to_owned(),
            namespaces: vec![Glob::everything()],
            workload_kinds: Vec::new(),
            causes: Vec::new(),
            faults: Vec::new(),
            effects: Vec::new(),
            severity: Severity::Warning,
            confidence: Confidence::Low,
            labels: BTreeMap::new(),
            mutes: Vec::new(),
        }
    }

    fn names(&self, namespace: &str) -> bool {
        self.namespaces.iter().any(|glob| glob.matches(namespace))
    }

    pub(super) fn matches(&self, finding: &Finding) -> bool {
        let (kind, _) = kind_and_name(&finding.workload);
        let fault = finding.fault.unwrap_or(Fault::Unknown);
        let effect = match self.effects.as_slice() {
            [] => !matches!(finding.effect, Effect::Flapping | Effect::Recurring),
            some => some.contains(&finding.effect),
        };
        self.names(&finding.namespace)
            && any(&self.workload_kinds, |wanted| wanted == kind)
            && any(&self.causes, |cause| *cause == finding.cause)
            && any(&self.faults, |wanted| *wanted == fault)
            && effect
            && finding.severity >= self.severity
            && finding.confidence >= self.confidence
            && self.labels.iter().all(|(key, glob)| has_label(finding, key, glob))
    }
}

impl Routes {
    /// How a finding is routed to a receiver at `now`.
    pub fn admission(&self, receiver: &str, finding: &Finding, now: Time) -> Admission {
        let routes: Vec<&Route> = self.0.iter().filter(|route| route.receiver == receiver).collect();
        if !routes.iter().any(|route| route.names(&finding.namespace)) {
            return Admission::Barred;
        }
        let ways = routes.iter().filter(|route| route.matches(finding));
        // Muted until the first of the routes opens again; routed if one is open.
        ways.map(|route| mute::until(&route.mutes, now).map_or(Admission::Routed, Admission::Muted))
            .min_by_key(|admission| match admission {
                Admission::Muted(until) => Some(*until),
                _ => None,
            })
            .unwrap_or(Admission::ToItsEnd)
    }
}

/// Whether one of them matches, or the list is empty.
fn any<T>(wanted: &[T], is_right: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(is_right)
}

fn has_label(finding: &Finding, key: &str, glob: &Glob) -> bool {
    finding.labels.iter().any(|(name, value)| &**name == key && glob.matches(value))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::operator::testing::{at, finding};

    #[test]
    fn by_default_everything_at_warning_and_above_is_told() {
        let routes = Routes(vec![Route::default_to("slack")]);
        let mut finding = finding("web");
        assert_eq!(routes.admission("slack", &finding, at(0)), Admission::Routed);
        assert_eq!(routes.admission("other", &finding, at(0)), Admission::Barred);
        finding.severity = Severity::Info;
        assert_eq!(routes.admission("slack", &finding, at(0)), Admission::ToItsEnd);
        finding.severity = Severity::Critical;
        finding.effect = Effect::Flapping;
        assert_eq!(routes.admission("slack", &finding, at(0)), Admission::ToItsEnd);
    }

    #[test]
    fn all_that_a_route_names_has_to_match() {
        let wanted = finding("web");
        let mut route = Route::default_to("slack");
        route.namespaces = vec![glob("prod"), glob("shop-*")];
        route.workload_kinds = vec!["Deployment".into()];
        route.causes = vec![Cause::WrongPath, Cause::WrongPort];
        route.faults = vec![Fault::Probe];
        route.confidence = Confidence::High;
        let notified = |finding: &Finding| Routes(vec![route.clone()]).admission("slack", finding, at(0));
        assert_eq!(notified(&wanted), Admission::Routed);
        let but = |change: &dyn Fn(&mut Finding)| {
            let mut other = wanted.clone();
            change(&mut other);
            notified(&other)
        };
        assert_eq!(but(&|finding| finding.namespace = "dev".into()), Admission::Barred);
        assert_eq!(but(&|finding| finding.namespace = "shop-eu".into()), Admission::Routed);
        assert_eq!(but(&|finding| finding.workload = "Job/web".into()), Admission::ToItsEnd);
        assert_eq!(but(&|finding| finding.cause = Cause::Crash), Admission::ToItsEnd);
        assert_eq!(but(&|finding| finding.fault = None), Admission::ToItsEnd);
        assert_eq!(but(&|finding| finding.confidence = Confidence::Medium), Admission::ToItsEnd);
    }

    #[test]
    fn labels_are_those_of_the_pods() {
        let mut route = Route::default_to("slack");
        route.labels = BTreeMap::from([("team".to_owned(), glob("checkout*"))]);
        let routes = Routes(vec![route]);
        let mut finding = finding("web");
        assert_eq!(routes.admission("slack", &finding, at(0)), Admission::ToItsEnd);
        finding.labels = Arc::from([("team".into(), "checkout-eu".into())]);
        assert_eq!(routes.admission("slack", &finding, at(0)), Admission::Routed);
    }

    #[test]
    fn one_open_way_is_enough_and_of_muted_ones_the_first_to_open_counts() {
        let (mut night, mut week) = (Route::default_to("slack"), Route::default_to("slack"));
        let mute = |from, to| Mute { days: [].into(), from, to, zone: jiff::tz::TimeZone::UTC };
        night.mutes = vec![mute(0, 12 * 60)];
        week.mutes = vec![mute(0, 20 * 60)];
        let now = Time::parse("2027-01-15T09:00:00Z").expect("valid");
        let of = |routes: Vec<Route>| Routes(routes).admission("slack", &finding("web"), now);
        let noon = Time::parse("2027-01-15T12:00:00Z").expect("valid");
        assert_eq!(of(vec![night.clone(), week.clone()]), Admission::Muted(noon));
        assert_eq!(of(vec![night, Route::default_to("slack")]), Admission::Routed);
    }

    fn glob(text: &str) -> Glob {
        Glob::new(text).expect("a pattern")
    }
}
