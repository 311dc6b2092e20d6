//! The truth about a world, and the acceptable findings.

use crate::kubelet::manifest::{Kind, Workload};

/// An acceptable finding: one of these effects, by this probe, for one of these causes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    pub effects: &'static [&'static str],
    pub probe: Option<&'static str>,
    pub causes: Vec<&'static str>,
}

const LOOPS: &[&str] = &["RestartLoop", "Recurring"];

impl Claim {
    /// Killed by that probe, again and again.
    pub fn by(probe: Kind, causes: &[&'static str]) -> Self {
        Self { effects: LOOPS, probe: Some(word(probe)), causes: causes.to_vec() }
    }

    /// Terminated by itself, again and again.
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

/// A probe's name in findings.
pub fn word(probe: Kind) -> &'static str {
    match probe {
        Kind::Liveness => "liveness",
        Kind::Readiness => "readiness",
        Kind::Startup => "startup",
    }
}

/// What must have been observed before a fault must be found.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Needs {
    /// Restarts of one container that are explained by a probe's failures.
    Kills(Kind),
    /// Restarts of one container that terminated by itself.
    Ends,
    /// A readiness probe that fails for long.
    NotReady,
    /// A probe that cannot run, for several periods.
    Errors(Kind),
    /// One termination, in a status.
    OneEnd(Kind),
    /// A container that does not start, for minutes.
    Blocked,
    /// Five terminations with one cause within a day.
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
    /// The exact finding.
    pub exact: Claim,
    /// Acceptable findings if more is not known.
    pub fine: Vec<Claim>,
    /// Acceptable additional findings.
    pub beside: Vec<Claim>,
    /// The field to change; empty: not judged.
    pub fields: &'static [&'static str],
    pub needs: Needs,
    /// Whether nothing is healthy between its terminations: it is not resolved before it is cured.
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

    /// Adds an acceptable finding.
    pub fn or(mut self, claim: Claim) -> Self {
        self.fine.push(claim);
        self
    }

    /// Adds acceptable causes for the same effect.
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
