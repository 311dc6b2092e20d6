//! The kinds of fault, each a way to draw a workload, a fault, and its truth.

mod apps;
mod around;
mod neighbours;
mod probes;
mod quiet;

use crate::kubelet::Step;
use crate::kubelet::manifest::Workload;
use crate::worlds::draw::Draw;
use crate::worlds::truth::Expect;

/// A random instance of a kind.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Before the fault; `None`: the workload was never healthy.
    pub well: Option<Workload>,
    pub ill: Vec<Workload>,
    /// The cure.
    pub cure: Option<Workload>,
    pub truth: Vec<Expect>,
    /// Seconds from the beginning until it is visible.
    pub lasts: i64,
    /// Its own steps, at seconds of the world.
    pub steps: Vec<(i64, Step)>,
    /// Whether other things may happen meanwhile.
    pub calm: bool,
}

impl Plan {
    /// A rollout of `ill` breaks what was healthy, and rolling back cures it.
    pub fn rollout(well: Workload, ill: Workload, truth: Expect, lasts: i64) -> Self {
        let cure = Some(well.clone());
        Self { well: Some(well), ill: vec![ill], cure, truth: vec![truth], lasts, steps: Vec::new(), calm: false }
    }

    /// It was never healthy; `cure` would be.
    pub fn first(ill: Workload, cure: Workload, truth: Expect, lasts: i64) -> Self {
        Self { well: None, ..Self::rollout(cure, ill, truth, lasts) }
    }

    /// A rollout, or sometimes the first revision.
    pub fn either(draw: &mut Draw, well: Workload, ill: Workload, truth: Expect, lasts: i64) -> Self {
        let first = draw.chance.happens(1, 4);
        let plan = Self::rollout(well, ill, truth, lasts);
        if first { Self { well: None, ..plan } } else { plan }
    }
}

type Kind = (&'static str, u64, fn(&mut Draw) -> Plan);

/// All kinds: the name, the weight, and the function that draws it.
pub const KINDS: &[Kind] = &[
    ("wrong path", 8, probes::wrong_path),
    ("wrong path added", 3, probes::wrong_path_added),
    ("wrong startup path", 2, probes::wrong_startup_path),
    ("wrong readiness path", 3, probes::wrong_readiness_path),
    ("wrong port", 4, probes::wrong_port),
    ("wrong scheme", 3, probes::wrong_scheme),
    ("unknown grpc service", 2, probes::wrong_grpc_service),
    ("missing command", 2, probes::missing_command),
    ("probe cannot run", 3, probes::cannot_run),
    ("credentials wanted", 2, probes::credentials_wanted),
    ("http to grpc", 2, probes::wrong_handler),
    ("timeout cut", 3, probes::timeout_cut),
    ("budget cut", 5, probes::budget_cut),
    ("startup budget cut", 2, probes::startup_budget_cut),
    ("slow start", 3, probes::slow_start),
    ("image without routes", 5, apps::image_without_routes),
    ("image that is refused", 4, apps::image_refused),
    ("image that starts slower", 3, apps::image_slower),
    ("image that speaks TLS", 2, apps::image_tls),
    ("environment breaks it", 3, apps::env_breaks),
    ("deadlock", 5, apps::deadlock),
    ("sick later", 4, apps::sick_later),
    ("route dropped later", 4, apps::route_dropped),
    ("crash", 6, apps::crash),
    ("crash at random times", 3, apps::crash_at_random),
    ("exits with 0", 3, apps::exits),
    ("out of memory", 4, apps::out_of_memory),
    ("out of memory hourly", 1, apps::out_of_memory_hourly),
    ("sick every half hour", 1, apps::sick_every_half_hour),
    ("crash beside a wrong path", 4, apps::crash_beside_path),
    ("slow now and then", 3, apps::slow_now_and_then),
    ("start blocked", 3, apps::start_blocked),
    ("redirected", 2, apps::redirected),
    ("dependency down", 5, around::dependency_down),
    ("node overloaded", 4, around::node_overloaded),
    ("node strikes", 2, around::node_strikes),
    ("one bad node", 3, around::one_bad_node),
    ("second container", 3, neighbours::second_container),
    ("port of a neighbour", 3, neighbours::port_of_a_neighbour),
    ("job", 3, neighbours::job),
    ("own restart policy", 3, neighbours::own_policy),
    ("bare pod", 2, neighbours::bare_pod),
    ("rollouts of what is well", 4, quiet::rollouts),
    ("one hang", 2, quiet::one_hang),
    ("one reboot", 2, quiet::one_reboot),
    ("slow within the budget", 3, quiet::slow_within_the_budget),
    ("one-shot container", 2, quiet::one_shot),
];
