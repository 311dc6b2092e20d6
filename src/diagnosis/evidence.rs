//! The input of a rule: one container of one template, and one of its probes.

use std::sync::Arc;
use std::time::Duration;

use super::candidate::{Point, Strength};
use super::facts::{BadNode, Blocked, CameUp, Earlier, OwnEnds, Passes, Population, ProbeRecord};
use crate::finding::field::{Field, ProbeField};
use crate::finding::{Effect, Value};
use crate::kubelet::{ProbeKind, ProbeSpec};
use crate::template::{ContainerSpec, PodTemplate};
use crate::time::Time;

/// The first pods of a revision are created within this time.
const FIRST_PODS: Duration = Duration::from_mins(1);

/// Maximum delay of each of its probes on a node.
const BUSY: Duration = Duration::from_secs(5);

/// The facts about one container under one template, over all pods of the workload.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// The effect.
    pub effect: Effect,
    /// The specification as written by people: from the workload's own template, if known.
    pub container: &'a ContainerSpec,
    /// The specification in its pods: another one if an injector rewrote it.
    pub actual: &'a ContainerSpec,
    /// The pods' template.
    pub template: &'a PodTemplate,
    /// The probe in question; `None` if there is none.
    pub probe: Option<ProbeKind>,
    /// The results and kills of that probe.
    pub record: ProbeRecord,
    /// Terminations of its own.
    pub own: OwnEnds,
    /// Number of unexplained terminations.
    pub unexplained: u32,
    /// Probes that were seen to pass under this template.
    pub passed: Passes,
    /// How long incarnations took until they first passed their startup or readiness probe.
    pub came_up: Option<CameUp>,
    /// The container under earlier templates of which something is known, latest first.
    pub earlier: Vec<Earlier<'a>>,
    /// The container in the revisions before this one, latest first.
    pub revisions: Vec<(u64, &'a ContainerSpec)>,
    /// When the template became the workload's desired one.
    pub rolled_out: Option<Time>,
    /// The pods of this template, by the state of the probe.
    pub population: Population,
    /// Other workloads whose probes began to fail within 10 s of this one's.
    pub fell_together: Vec<Arc<str>>,
    /// The node on which alone it fails, if other workloads fail there too.
    pub bad_node: Option<BadNode>,
    /// Why it cannot start.
    pub blocked: Option<Blocked>,
}

impl<'a> Evidence<'a> {
    /// The probe in question, as written by people.
    pub fn spec(&self) -> Option<&'a ProbeSpec> {
        self.container.probe(self.probe?)
    }

    /// A field of the probe in question; `None` if there is none.
    pub fn field(&self, field: ProbeField) -> Option<Field> {
        self.probe.map(|kind| Field::OfProbe(kind, field))
    }

    /// The port field of the probe; `None` if it has no port.
    pub fn port_field(&self) -> Option<Field> {
        self.field(ProbeField::port_of(&self.spec()?.handler)?)
    }

    /// The host field of the probe; `None` if it cannot have one.
    pub fn host_field(&self) -> Option<Field> {
        self.field(ProbeField::host_of(&self.spec()?.handler)?)
    }

    /// Whether the probe in the pods differs from that in the workload's template.
    pub fn is_rewritten(&self) -> bool {
        let handler = |container: &'a ContainerSpec| Some(&container.probe(self.probe?)?.handler);
        handler(self.container) != handler(self.actual) || self.asks_an_agent()
    }

    /// Whether it goes to a mesh's agent, which probes the app in its stead: Istio's injector writes the
    /// path `/app-health/CONTAINER/PROBE` into a pod's probes.
    fn asks_an_agent(&self) -> bool {
        let get = self.probe.and_then(|kind| self.actual.probe(kind)).and_then(|spec| spec.handler.http());
        let path = get.and_then(|get| get.path.strip_prefix("/app-health/"));
        path.and_then(|path| path.split_once('/')).is_some_and(|(container, _)| *container == *self.container.name)
    }

    /// How certain it is that the probe, or another one with the same request, passed under this template;
    /// `None` if it did not.
    pub fn passed_here(&self) -> Option<Strength> {
        let own = self.passed.strength(self.probe?);
        let twins = self.twins().filter_map(|kind| self.passed.strength(kind));
        let later = self.always_failed_later().then_some(Strength::Inferred);
        // The same template is healthy in other pods.
        let elsewhere = (self.population.well > 0).then_some(Strength::Seen);
        own.into_iter().chain(twins).chain(later).chain(elsewhere).max()
    }

    /// Whether each of several incarnations was first reported to fail only after its first results must
    /// have been there: a busy node may be late once, but not each time.
    pub fn always_failed_later(&self) -> bool {
        let Some(spec) = self.spec() else { return false };
        let by = spec.first_result_by().saturating_add(BUSY);
        self.record.kills() >= 3 && self.record.from_start == 0 && self.record.earliest.is_some_and(|first| first > by)
    }

    /// Other probes of the container with the same request.
    pub fn twins(&self) -> impl Iterator<Item = ProbeKind> + '_ {
        let asking = self.spec().into_iter().flat_map(|spec| self.container.asking(&spec.handler));
        asking.filter(|kind| Some(*kind) != self.probe)
    }

    /// Other probes of the container that were seen to pass under this template.
    pub fn siblings(&self) -> impl Iterator<Item = (ProbeKind, &'a ProbeSpec)> + '_ {
        ProbeKind::ALL
            .into_iter()
            .filter(|kind| Some(*kind) != self.probe && self.passed.has(*kind))
            .filter_map(|kind| Some((kind, self.container.probe(kind)?)))
    }

    /// Earlier templates under which this probe's request was answered, to it or to another probe, latest
    /// first.
    pub fn worked(&self) -> impl Iterator<Item = (&Earlier<'a>, &'a ProbeSpec)> + '_ {
        self.earlier.iter().filter_map(|earlier| {
            let spec = earlier.container.probe(self.probe?)?;
            earlier.answered(&spec.handler).then_some((earlier, spec))
        })
    }

    /// Whether an earlier template has the same app.
    pub fn is_same_app(&self, earlier: &Earlier) -> bool {
        earlier.container.same_app(self.container) || earlier.actual.same_app(self.actual)
    }

    /// Earlier templates of the same app under which this probe was seen to pass.
    pub fn worked_for_this_app(&self) -> impl Iterator<Item = (&Earlier<'a>, &'a ProbeSpec)> + '_ {
        self.worked().filter(|(earlier, _)| self.is_same_app(earlier))
    }

    /// The value that the probe had when it last passed with this image, if it differs.
    ///
    /// Never a masked value and never the one that fails now.
    pub fn value_that_worked(&self, value: impl Fn(&ProbeSpec) -> Option<Value>) -> Option<Value> {
        let now = value(self.spec()?);
        self.worked()
            .filter(|(earlier, _)| earlier.container.image == self.container.image)
            .find_map(|(_, spec)| value(spec))
            .filter(|worked| Some(worked) != now.as_ref() && !is_masked(worked))
    }

    /// The latest earlier template under which the same request was made, by any probe, and answered.
    fn answered_before(&self, is_of: impl Fn(&Earlier<'a>) -> bool) -> Option<&Earlier<'a>> {
        let handler = &self.spec()?.handler;
        self.earlier.iter().filter(|earlier| is_of(earlier)).find(|earlier| earlier.answered(handler))
    }

    /// The latest earlier template of the same app that answered the current request.
    pub fn answered_this_before(&self) -> Option<&Earlier<'a>> {
        self.answered_before(|earlier| self.is_same_app(earlier))
    }

    /// The latest earlier template of another image, command or environment that answered the current
    /// request: then what changed is the suspect, not the probe.
    pub fn another_app_answered_this(&self) -> Option<&Earlier<'a>> {
        self.answered_before(|earlier| !self.is_same_app(earlier))
    }

    /// The container in the revision before this one.
    pub fn before(&self) -> Option<&'a ContainerSpec> {
        self.revisions.first().map(|(_, container)| *container)
    }

    /// Whether an earlier revision made the same request to another app, and was not seen to loop: it may
    /// have answered, though it was not observed.
    pub fn another_app_may_have_answered_this(&self) -> bool {
        let Some((spec, kind)) = self.spec().zip(self.probe) else { return false };
        let looped = |number| self.earlier.iter().any(|earlier| earlier.revision == Some(number) && earlier.looped);
        self.revisions.iter().any(|(number, before)| {
            let asks_this = before.probe(kind).is_some_and(|earlier| earlier.handler == spec.handler);
            asks_this && !before.same_app(self.container) && !looped(*number)
        })
    }

    /// Whether this revision changed neither the request nor the app, but gave it less time.
    ///
    /// It may not have been observed whether it worked before; but the request was not changed.
    pub fn only_budget_was_cut(&self) -> bool {
        let (Some(before), Some(spec)) = (self.before(), self.spec()) else { return false };
        let Some(earlier) = self.probe.and_then(|kind| before.probe(kind)) else { return false };
        let least = |spec: &ProbeSpec| spec.shortest_kill().saturating_add(spec.period);
        // The liveness probe begins when the container has started.
        let first = |container: &ContainerSpec| match (self.probe, &container.startup) {
            (Some(ProbeKind::Liveness), Some(startup)) => least(startup),
            _ => Duration::ZERO,
        };
        let budget = |spec: &ProbeSpec, container: &ContainerSpec| least(spec).saturating_add(first(container));
        let cut = budget(earlier, before) > budget(spec, self.container);
        cut && before.same_app(self.container) && earlier.handler == spec.handler
    }

    /// That the same request was answered under this template.
    pub fn passed(&self) -> Option<Point> {
        let kind = self.probe?;
        let strength = self.passed_here()?;
        let pods = self.population.passing;
        let what = if pods > 0 {
            format!("the same {kind} probe passes in {pods} pods of this template")
        } else {
            format!("the same {kind} probe passed under this template")
        };
        Some(Point::new(strength, what))
    }

    /// That this app answered the same request, under this template or an earlier one.
    pub fn this_app_answered(&self) -> Option<Point> {
        self.passed().or_else(|| {
            let earlier = self.answered_this_before()?;
            Some(Point::seen(format!("{} of the same app answered the same request", of_revision(earlier))))
        })
    }

    /// That this revision makes another request to the same app that answered the previous one.
    pub fn request_is_new(&self) -> Option<Point> {
        let now = &self.spec()?.handler;
        let mut worked = self.worked_for_this_app();
        let (earlier, _) = worked.find(|(_, spec)| spec.handler != *now)?;
        let what = format!(
            "this revision asks something else; {} of the same app answered what it asked",
            of_revision(earlier)
        );
        Some(Point::seen(what))
    }

    /// That this revision makes a request that the previous one did not make, and that it was never
    /// answered since its very first pods.
    pub fn never_answered(&self) -> Option<Point> {
        let handler = &self.spec()?.handler;
        let first = self.record.first_pod?.since(self.rolled_out?) <= FIRST_PODS;
        let is_new = self.before().is_none_or(|before| before.asking(handler).next().is_none());
        let answered = self.population.spared > 0
            || self.passed_here() == Some(Strength::Seen)
            || self.answered_before(|_| true).is_some();
        (first && is_new && !answered).then(|| Point::seen("no other answer since the first pod that asked it"))
    }

    /// Evidence that the request itself is right, if there is any.
    pub fn request_is_right(&self) -> Option<Point> {
        if let Some(answered) = self.this_app_answered() {
            return Some(answered);
        }
        if let Some(earlier) = self.another_app_answered_this() {
            let what =
                format!("{} answered the same request; what runs in the container changed", of_revision(earlier));
            return Some(Point::seen(what));
        }
        if self.only_budget_was_cut() {
            return Some(Point::seen("this revision left the request and the app as they were and gave it less time"));
        }
        self.another_app_may_have_answered_this().then(|| {
            Point::new(Strength::Assumed, "the revision before asked the same of another image or environment")
        })
    }

    /// The port number that the probe connects to, if it has one.
    pub fn asked_port(&self) -> Option<i32> {
        self.container.port_number(self.spec()?.handler.port()?)
    }

    /// Another container of the pod that declares a port of that number.
    pub fn neighbour_at(&self, port: i32) -> Option<&'a ContainerSpec> {
        let others = self.template.containers.iter().filter(|other| other.name != self.container.name);
        others.into_iter().find(|other| other.ports.iter().any(|(_, number)| *number == port))
    }
}

/// "revision 3", or another description of an earlier template.
pub fn of_revision(earlier: &Earlier) -> String {
    earlier.revision.map_or_else(|| "an earlier revision".to_owned(), |number| format!("revision {number}"))
}

/// Whether a value was masked on entry, and so must not be suggested.
pub fn is_masked(value: &Value) -> bool {
    matches!(value, Value::Text(text) if crate::text::is_masked(text))
}
