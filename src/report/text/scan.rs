//! The output of a scan: a block for each finding, worst first, and what is not known.

use std::fmt::{self, Write};

use super::Look;
pub use super::block::Depth;
use super::block::Page;
use crate::engine::Finding;
use crate::report::headline::kind_and_name;
use crate::report::when::span;
use crate::scan::{Lack, Looked, Restarted};
use crate::time::Time;

/// Maximum number of restarts without a finding that are listed one by one.
const MAX_RESTARTED: usize = 10;

/// Writes the findings.
///
/// # Errors
/// Those of `out`.
pub fn findings(looked: &Looked, depth: Depth, look: Look, out: &mut impl Write) -> fmt::Result {
    for finding in &looked.findings {
        Page { look, out, at: looked.at }.block(finding, depth)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Writes the restarts without a finding, and when more will be known.
///
/// # Errors
/// Those of `out`.
pub fn restarted(looked: &Looked, look: Look, out: &mut impl Write) -> fmt::Result {
    if looked.restarted.is_empty() {
        return Ok(());
    }
    let bold = look.palette.headline;
    let only = if looked.findings.is_empty() { "Not explained yet" } else { "Also seen, and not explained yet" };
    writeln!(out, "{bold}{only}{bold:#}")?;
    let mut page = Page { look, out, at: looked.at };
    let mut all: Vec<&Restarted> = looked.restarted.iter().collect();
    all.sort_by_key(|one| (std::cmp::Reverse(one.last), std::cmp::Reverse(one.restarts)));
    for one in all.iter().take(MAX_RESTARTED) {
        page.indented(2, &line(one, looked.at))?;
    }
    if let Some(more) = all.len().checked_sub(MAX_RESTARTED).filter(|more| *more > 0) {
        page.indented(2, &format!("and {more} more"))?;
    }
    let waits = "A container counts as looping from its second restart within 15 minutes on where its probe ends it, \
                 from the third where it ends by itself.";
    page.indented(2, waits)?;
    writeln!(page.out)
}

/// `shop Deployment/web, container app: 2 restarts in 1 pod, the last 4m10s ago with exit code 1`
fn line(one: &Restarted, now: Time) -> String {
    let pods = if one.pods == 1 { "1 pod".to_owned() } else { format!("{} pods", one.pods) };
    let what = match (one.restarts, &one.waits) {
        (0, Some(reason)) => format!("waits in {pods} ({reason})"),
        (0, None) => format!("not ready in {pods}"),
        (1, _) => format!("1 restart in {pods}"),
        (restarts, _) => format!("{restarts} restarts in {pods}"),
    };
    let last = one.last.filter(|_| one.restarts > 0);
    let last = last.map(|last| format!(", the last end {} before the look", span(now.since(last))));
    let exit = one.exit.filter(|_| last.is_some()).map(|exit| format!(" with exit code {exit}"));
    let (last, exit) = (last.unwrap_or_default(), exit.unwrap_or_default());
    format!("{} {}, container {}: {what}{last}{exit}", one.namespace, one.workload(), one.container)
}

/// What is missing, its consequences, and how to get it.
pub fn lack(lack: Lack, namespaces: &str) -> String {
    let get = format!(
        "kubectl get pods,events,rs,deploy,sts,ds,controllerrevisions,jobs,cronjobs,svc,endpointslices {namespaces} -o json > dump.json"
    );
    match lack {
        Lack::Pods => format!("There are no pods in it, so there is nothing to look at. All that is needed: {get}"),
        Lack::Events => format!(
            "There are no events of kubelets in it, so it is not known what the probes were answered. They are kept for \
             an hour. All that is needed: {get}"
        ),
        Lack::Related => format!(
            "There are no ReplicaSets and Services in it, so it is not known what a rollout changed, which value worked \
             before, and which Services are out. All that is needed: {get}"
        ),
    }
}

/// `Deployment/web` as kubectl accepts it: `deployment/web`.
pub fn target(finding: &Finding) -> String {
    let (kind, name) = kind_and_name(&finding.workload);
    format!("{}/{name}", kind.to_lowercase())
}
