//! What is true of a world, and what may be said of it.

use crate::kubelet::manifest::{Kind, Workload};

/// A way to put a finding: one of these effects, by this probe, for one of these causes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    pub effects: &'static [&'static str],
    pub probe: Option<&'static str>,
    pub causes: Vec<&'static str>,
}

const LOOPS: &[&str] = &["RestartLoop", "Recurring"];

impl Claim {
    /// Ended by that probe, again and again.
    pub fn by(probe: Kind, causes: &[&'static str]) -> Self {
        Self { effects: LOOPS, probe: Some(word(probe)), causes: causes.to_vec() }
    }

    /// Ended by itself, again and again.
    pub fn own(causes: &[&'static str]) -> Self {
        Self { effects: LOOPS, probe: None, causes: causes.to_vec() }
    }

    pub fn never_ready(causes: &[&'static str]) -> Self {
        Self { effects: &["NeverReady"], probe: Some("readiness"), causes: causes.to_vec() }
    }

    pub fn ineffective(probe: Kind, causes: &[&'static str]) -> Self {
        Self { effects: &["ProbeIneffective"], probe: Some(word(probe)), causes: causes.to_vec() }
    }

    pub fn killed(probe: Kind, causes: &[&'static str]) -> Self {
        Self { effects: &["Killed"], probe: Some(word(probe)), causes: causes.to_vec() }
    }
}

/// A probe as findings write it.
pub fn word(probe: Kind) -> &'static str {
    match probe {
        Kind::Liveness => "liveness",
        Kind::Readiness => "readiness",
        Kind::Startup => "startup",
    }
}

/// What has to have been seen before a fault has to be found.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Needs {
    /// Restarts of one container that a probe's failures explain.
    Kills(Kind),
    /// Restarts of one container that ended by itself.
    Ends,
    /// A readiness probe that fails for long.
    NotReady,
    /// A probe that cannot run, for several periods.
    Errors(Kind),
    /// One end, in a status.
    OneEnd(Kind),
    /// A container that does not begin, for minutes.
    Blocked,
    /// Five ends of one cause within a day.
    FewEnds,
    /// It need not be found.
    Nothing,
}

/// A fault of a container.
#[derive(Clone, Debug)]
pub struct Expect {
    /// `Deployment/web`.
    pub workload: String,
    pub container: &'static str,
    /// What it is.
    pub exact: Claim,
    /// What it may be called where more is not known.
    pub fine: Vec<Claim>,
    /// What may be said beside it.
    pub beside: Vec<Claim>,
    /// The field to change; empty: not judged.
    pub fields: &'static [&'static str],
    pub needs: Needs,
    /// Between its ends nothing is well: it is not over before it is cured.
    pub steady: bool,
    /// When it begins and when it is cured, in seconds.
    pub begins: i64,
    pub cured: Option<i64>,
}

impl Expect {
    pub fn new(workload: &Workload, container: &'static str, exact: Claim, needs: Needs) -> Self {
        let workload = format!("{}/{}", workload.controller.kind(), workload.name);
        Self {
            workload,
            container,
            exact,
            fine: Vec::new(),
            beside: Vec::new(),
            fields: &[],
            needs,
            steady: true,
            begins: 0,
            cured: None,
        }
    }

    /// What it may be called instead.
    pub fn or(mut self, claim: Claim) -> Self {
        self.fine.push(claim);
        self
    }

    /// The same effect may be given these causes.
    pub fn or_causes(mut self, causes: &[&'static str]) -> Self {
        let claim = Claim { causes: causes.to_vec(), ..self.exact.clone() };
        self.fine.push(claim);
        self
    }

    pub fn beside(mut self, claim: Claim) -> Self {
        self.beside.push(claim);
        self
    }

    pub fn fields(mut self, fields: &'static [&'static str]) -> Self {
        self.fields = fields;
        self
    }

    pub fn unsteady(mut self) -> Self {
        self.steady = false;
        self
    }

    pub fn name(&self) -> &str {
        self.workload.split_once('/').map_or(&*self.workload, |(_, name)| name)
    }
}
