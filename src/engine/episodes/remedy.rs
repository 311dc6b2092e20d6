//! Which remedies there are: decided here, put into words by `report`.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::engine::observation::{Owner, WorkloadFacts};
use crate::engine::view::container::{FileOf, KnownPod};
use crate::finding::field::{Field, ProbeField};
use crate::finding::remedy::{Correction, Kind, List, Place, Remedy, Target};
use crate::finding::{Cause, Effect, Fault, Finding};
use crate::kubelet::ProbeKind;
use crate::template::{ContainerSpec, PodTemplate, Role};

/// Maximum number of pods that are named to be deleted.
const MAX_DELETED: usize = 10;

/// What the remedies of a finding are decided from.
pub struct Situation<'a> {
    /// The finding, all but its remedies.
    pub finding: &'a Finding,
    /// The workload.
    pub top: &'a Owner,
    /// The answer to its look-up, once there is one.
    pub facts: Option<&'a WorkloadFacts>,
    /// The latest earlier revision in which the container was observed to work.
    pub good_revision: Option<u64>,
    /// The previous revision, if it has the same app, a different probe, and no observations.
    pub untried_revision: Option<u64>,
    /// Whether the newest revision is right already: nothing but old pods is left to mend.
    pub is_mended: bool,
    /// The container's position in the template.
    pub position: Position,
    /// Its pods that can be named, the one to look at first.
    pub pods: Vec<KnownPod>,
    /// The location of its manifest file, for a static pod.
    pub file: Option<FileOf>,
    /// The workloads that became unhealthy together with it.
    pub fell_together: Vec<Arc<str>>,
}

/// A container's position in its template.
#[derive(Copy, Clone, Default)]
pub struct Position {
    /// The list.
    pub list: List,
    /// Its index in that list.
    pub index: usize,
}

impl Position {
    /// The position of the container of that name.
    pub fn find(name: &str, template: &PodTemplate) -> Self {
        let list = |spec: &ContainerSpec| match spec.role {
            Role::App => List::Containers,
            Role::Init | Role::Sidecar => List::InitContainers,
        };
        let spec = template.containers.iter().find(|spec| &*spec.name == name);
        let among = spec.map(list).unwrap_or_default();
        let mut beside = template.containers.iter().filter(|spec| list(spec) == among);
        Self { list: among, index: beside.position(|spec| &*spec.name == name).unwrap_or_default() }
    }
}

impl Situation<'_> {
    /// The remedies, best first.
    pub fn remedies(&self) -> Vec<Remedy> {
        let blocking = self.delete();
        if self.is_mended && !blocking.is_empty() {
            return blocking;
        }
        let managed_by = self.facts.and_then(|facts| facts.managed_by.clone());
        let mut remedies: Vec<Remedy> = managed_by.map(|tool| Remedy::ChangeInGit { tool }).into_iter().collect();
        let (rollback, set) = (self.roll_back(), self.set());
        let (has_way_back, has_value) = (!rollback.is_empty(), set.is_some());
        if self.is_paused() {
            // A patch both fixes and resumes; an undo has to be preceded by a resume.
            remedies.extend(set);
            remedies.extend(rollback);
        } else {
            remedies.extend(rollback);
            remedies.extend(set);
        }
        let go_back = self.go_back().filter(|_| !has_way_back);
        if has_way_back || has_value {
            remedies.extend(blocking);
            remedies.extend(go_back);
        } else {
            // What can be typed at once comes before what has to be found out first.
            remedies.extend(go_back);
            remedies.extend(self.correct());
        }
        remedies.extend(self.raise_memory());
        remedies.extend(self.look());
        if remedies.is_empty() {
            remedies.push(self.describe());
        }
        remedies
    }

    fn is_paused(&self) -> bool {
        self.facts.is_some_and(|facts| facts.paused) && self.target().is_some_and(|it| it.kind == Kind::Deployment)
    }

    /// The object whose template is edited: the workload, or the one whose template it runs.
    fn target(&self) -> Option<Target> {
        let owner = self.facts.and_then(|facts| facts.workload_ref.as_ref()).unwrap_or(self.top);
        Some(Target { kind: Kind::parse(&owner.kind)?, name: Arc::clone(&owner.name) })
    }

    fn roll_back(&self) -> Vec<Remedy> {
        let undoes = |target: &Target| target.kind.has_undo() || target.kind == Kind::Rollout;
        let target = self.target().filter(undoes);
        let Some((target, revision)) = target.zip(self.good_revision).filter(|_| self.is_own_fault()) else {
            return Vec::new();
        };
        let paused = self.is_paused().then(|| Remedy::Resume(target.clone()));
        // A Deployment that provides the template of a Rollout numbers revisions on its own.
        let has_own_count = self.facts.is_some_and(|facts| facts.workload_ref.is_some());
        let revision = (!has_own_count).then_some(revision);
        paused.into_iter().chain([Remedy::RollBack { target, revision }]).collect()
    }

    /// Whether the fault is in the workload itself, so that another revision would help.
    fn is_own_fault(&self) -> bool {
        self.finding.fault != Some(Fault::Environment)
    }

    fn go_back(&self) -> Option<Remedy> {
        let is_of_a_probe = self.finding.fault == Some(Fault::Probe);
        let target = self.target().filter(|target| target.kind.has_undo() && is_of_a_probe)?;
        let has_own_count = self.facts.is_some_and(|facts| facts.workload_ref.is_some());
        let revision = self.untried_revision.filter(|_| !has_own_count && !self.is_paused())?;
        Some(Remedy::GoBack { target, revision })
    }

    /// The probe's field, set to the value that works.
    fn set(&self) -> Option<Remedy> {
        let finding = self.finding;
        let field = finding.field.as_ref().filter(|field| field.is_of_a_probe())?;
        let value = finding.suggested.clone()?;
        Some(Remedy::SetField { place: self.place(), field: field.clone(), value })
    }

    /// The place where the container's specification is edited.
    fn place(&self) -> Place {
        if let Some(FileOf(node)) = &self.file {
            return Place::File { node: node.clone() };
        }
        let Position { list, index } = self.position;
        let Some(target) = self.target() else {
            return Place::Manifest { kind: Arc::clone(&self.top.kind), name: Arc::clone(&self.top.name) };
        };
        match target.kind {
            Kind::Job | Kind::Pod => Place::Anew(target),
            Kind::Rollout => Place::Indexed { target, list, index },
            Kind::Deployment
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::ReplicaSet
            | Kind::ReplicationController
            | Kind::CronJob => Place::Template { target, list, paused: self.is_paused() },
        }
    }

    /// Pods that stay as they are when the template is fixed: an ordered `StatefulSet` waits for the broken
    /// ones, a `ReplicaSet` replaces none. One at a time, the highest ordinal first, as the controller itself
    /// goes: a quorum stays.
    fn delete(&self) -> Vec<Remedy> {
        let stays = match self.target().map(|target| target.kind) {
            Some(Kind::StatefulSet) => self.facts.is_none_or(|facts| !facts.parallel),
            Some(Kind::ReplicaSet | Kind::ReplicationController) => true,
            _ => false,
        };
        if !stays || !self.is_own_fault() {
            return Vec::new();
        }
        let mut pods: Vec<&KnownPod> = self.pods.iter().collect();
        let is_other = |pod: &KnownPod| Some(&pod.name) != self.finding.example.as_ref();
        pods.sort_by(|one, other| {
            let ordinals = ordinal(&other.name).cmp(&ordinal(&one.name));
            ordinals.then_with(|| is_other(one).cmp(&is_other(other))).then_with(|| one.worst_first(other))
        });
        let more = pods.len().saturating_sub(MAX_DELETED);
        let named = pods.into_iter().take(MAX_DELETED).map(|pod| Remedy::DeletePod { pod: Arc::clone(&pod.name) });
        named.chain((more > 0).then_some(Remedy::DeleteOthers { more })).collect()
    }

    fn correct(&self) -> Option<Remedy> {
        let field = self.finding.field.clone()?;
        let needs = correction(self.finding.cause, &field)?;
        Some(Remedy::Correct { place: self.place(), field, needs })
    }

    fn raise_memory(&self) -> Option<Remedy> {
        let limit = || self.finding.current.clone();
        (self.finding.cause == Cause::OutOfMemory).then(|| Remedy::RaiseMemory { place: self.place(), limit: limit() })
    }

    /// Where to look, when there is nothing to set.
    fn look(&self) -> Vec<Remedy> {
        match self.finding.cause {
            Cause::DependencyDown => vec![Remedy::LookAtWhatIsShared { with: self.fell_together.clone() }],
            Cause::NodeTrouble => vec![Remedy::LookAtNodes],
            Cause::CannotPullImage | Cause::CannotStart => vec![self.describe()],
            // The container wrote no logs, and the events show the reason.
            _ if self.finding.effect == Effect::StartBlocked => vec![self.describe()],
            Cause::HookFailed => vec![self.describe(), self.logs()],
            Cause::Crash
            | Cause::Exits
            | Cause::KilledExternally
            | Cause::ReportsUnhealthy
            | Cause::Hung
            | Cause::Unknown
            | Cause::NothingListening
            | Cause::KilledWhileStarting => vec![self.logs()],
            _ => Vec::new(),
        }
    }

    fn describe(&self) -> Remedy {
        self.pods.first().map_or(Remedy::ListPods, |pod| Remedy::DescribePod { pod: Arc::clone(&pod.name) })
    }

    fn logs(&self) -> Remedy {
        // Without a termination there is no previous incarnation.
        let ends = matches!(self.finding.effect, Effect::RestartLoop | Effect::Recurring);
        if let Some(pod) = self.pods.first() {
            return Remedy::Logs { of: Target::pod(&pod.name), previous: ends && pod.has_previous };
        }
        let own = Kind::parse(&self.top.kind).filter(|kind| kind.has_logs());
        own.map_or(Remedy::ListPods, |kind| Remedy::Logs {
            of: Target { kind, name: Arc::clone(&self.top.name) },
            previous: false,
        })
    }
}

/// The correction for a field, if no working value is known.
fn correction(cause: Cause, field: &Field) -> Option<Correction> {
    Some(match cause {
        Cause::WrongPath | Cause::RedirectLoop | Cause::RedirectsElsewhere => Correction::Path,
        Cause::WrongPort => Correction::Port,
        Cause::WrongScheme => Correction::Scheme,
        Cause::WrongHost => Correction::NoHost,
        Cause::AuthRequired => Correction::Credentials,
        Cause::WrongHandler => Correction::Handler,
        Cause::WrongGrpcService => Correction::GrpcService,
        Cause::WrongCommand => Correction::Command,
        Cause::ProbeCannotRun if field.probe_field() == Some(ProbeField::ExecCommand) => Correction::Command,
        Cause::ProbeCannotRun if is_a_host(field) => Correction::NoHost,
        Cause::ProbeCannotRun => Correction::DeclaredPort,
        Cause::TimeoutTooShort => Correction::Timeout,
        Cause::KilledWhileStarting if *field == Field::Probe(ProbeKind::Startup) => Correction::StartupProbe,
        Cause::KilledWhileStarting => Correction::StartTime,
        Cause::NothingListening
        | Cause::ReportsUnhealthy
        | Cause::Hung
        | Cause::DependencyDown
        | Cause::Crash
        | Cause::Exits
        | Cause::KilledExternally
        | Cause::OutOfMemory
        | Cause::HookFailed
        | Cause::CannotStart
        | Cause::CannotPullImage
        | Cause::NodeTrouble
        | Cause::Unknown => return None,
    })
}

/// The ordinal of a `StatefulSet`'s pod.
fn ordinal(name: &str) -> Option<u32> {
    name.rsplit_once('-')?.1.parse().ok()
}

const fn is_a_host(field: &Field) -> bool {
    matches!(field.probe_field(), Some(ProbeField::HttpHost | ProbeField::TcpHost))
}
