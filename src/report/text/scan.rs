//! What a scan says: a block for each finding, worst first, and once what is not known.

use std::fmt::{self, Write};
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::Look;
use super::layout::{fold, pad_right, wrap};
use crate::engine::{Fact, Finding, Severity, Standing};
use crate::report::headline::{headline, kind_and_name};
use crate::report::remedies::{self, Line};
use crate::report::sentences::{changed_by, doubt, extent, field_is, telling};
use crate::report::when::{clock, day_if_another, span};
use crate::scan::{Lack, Looked, Restarted};
use crate::text::escape::terminal;
use crate::time::Time;

/// Longest sentence, in columns.
const SENTENCE: usize = 600;
/// Columns of a label.
const LABEL: usize = 10;
/// What was seen for so long only is not worth a word.
const A_WHILE: Duration = Duration::from_secs(10);
/// Restarts without a finding that are told one by one.
const MOST_RESTARTED: usize = 10;

/// How much is said of each finding.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Depth {
    /// What to know and to do.
    Short,
    /// All evidence, and what was considered.
    Full,
}

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

/// Writes what restarted without a finding, and when more will be known of it.
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
    for one in all.iter().take(MOST_RESTARTED) {
        page.indented(2, &line(one, looked.at))?;
    }
    if let Some(more) = all.len().checked_sub(MOST_RESTARTED).filter(|more| *more > 0) {
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

/// What is missing, what that costs, and how to get it.
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

struct Page<'o, W> {
    look: Look,
    out: &'o mut W,
    at: Time,
}

impl<W: Write> Page<'_, W> {
    fn block(&mut self, finding: &Finding, depth: Depth) -> fmt::Result {
        self.title(finding)?;
        self.hanging("reach", &extent(finding).to_string())?;
        if let Some(since) = since(finding, self.at) {
            self.hanging("since", &since)?;
        }
        if let Some(field) = field_is(finding) {
            self.hanging("field", &field.to_string())?;
        }
        if let Some(change) = changed_by(finding) {
            self.hanging("change", &change.to_string())?;
        }
        self.evidence(finding, depth)?;
        if let Some(doubt) = doubt(finding) {
            self.hanging("sure", &doubt)?;
        }
        if depth == Depth::Full {
            self.considered(finding)?;
        }
        self.remedies(finding, depth)?;
        match &finding.example {
            Some(pod) => self.hanging("example", &format!("pod {pod}")),
            None => Ok(()),
        }
    }

    fn title(&mut self, finding: &Finding) -> fmt::Result {
        let (style, bold) = (self.look.palette.severity(finding.severity), self.look.palette.headline);
        let room = self.look.width.saturating_sub(LABEL).max(LABEL);
        let text = terminal(&headline(finding), SENTENCE);
        for (place, line) in wrap(&text, room).iter().flat_map(|line| fold(line, room)).enumerate() {
            let label = pad_right(if place == 0 { word(finding) } else { "" }, LABEL);
            writeln!(self.out, "{style}{label}{style:#}{bold}{line}{bold:#}")?;
        }
        Ok(())
    }

    /// The fact that says most, or all of them.
    fn evidence(&mut self, finding: &Finding, depth: Depth) -> fmt::Result {
        let facts: Vec<&Fact> = match depth {
            Depth::Short => telling(&finding.evidence).into_iter().take(1).collect(),
            Depth::Full => finding.evidence.iter().collect(),
        };
        for (place, fact) in facts.into_iter().enumerate() {
            self.hanging(if place == 0 { "seen" } else { "" }, &format!("{} {}", clock(fact.at), fact.what))?;
        }
        Ok(())
    }

    /// The best one, or all of them.
    fn remedies(&mut self, finding: &Finding, depth: Depth) -> fmt::Result {
        let most = if depth == Depth::Full { usize::MAX } else { 1 };
        for line in remedies::lines(finding).iter().take(most) {
            self.remedy(line)?;
        }
        Ok(())
    }

    fn considered(&mut self, finding: &Finding) -> fmt::Result {
        for (place, one) in finding.considered.iter().enumerate() {
            let standing = match one.standing {
                Standing::Named => "named",
                Standing::Possible => "possible",
                Standing::Contradicted => "ruled out",
            };
            self.hanging(if place == 0 { "causes" } else { "" }, &format!("{} ({standing})", one.cause))?;
            for (sign, facts) in [("+", &one.explains), ("?", &one.lacks), ("-", &one.against)] {
                for fact in facts {
                    self.hanging("", &format!("  {sign} {fact}"))?;
                }
            }
        }
        Ok(())
    }

    /// A label and a text beside it.
    fn hanging(&mut self, label: &str, text: &str) -> fmt::Result {
        let faint = self.look.palette.faint;
        let room = self.look.width.saturating_sub(LABEL).max(LABEL);
        let lines = wrap(&terminal(text, SENTENCE), room);
        for (place, line) in lines.iter().flat_map(|line| fold(line, room)).enumerate() {
            let label = pad_right(if place == 0 { label } else { "" }, LABEL - 2);
            writeln!(self.out, "  {faint}{label}{faint:#}{line}")?;
        }
        Ok(())
    }

    fn indented(&mut self, columns: usize, text: &str) -> fmt::Result {
        let room = self.look.width.saturating_sub(columns + 2);
        for (place, line) in wrap(&terminal(text, SENTENCE), room).iter().flat_map(|line| fold(line, room)).enumerate()
        {
            let more = if place == 0 { columns } else { columns + 2 };
            writeln!(self.out, "{:more$}{line}", "")?;
        }
        Ok(())
    }

    /// A command stands on one line, however long, so that it can be copied.
    fn remedy(&mut self, line: &Line) -> fmt::Result {
        let (label, remedy) = (line.label.word().to_lowercase(), &*line.text);
        if !line.is_command {
            return self.hanging(&label, remedy);
        }
        let (faint, style) = (self.look.palette.faint, self.look.palette.remedy);
        if LABEL + remedy.width() <= self.look.width {
            let label = pad_right(&label, LABEL - 2);
            return writeln!(self.out, "  {faint}{label}{faint:#}{style}{remedy}{style:#}");
        }
        writeln!(self.out, "  {faint}{label}{faint:#}")?;
        writeln!(self.out, "{style}{remedy}{style:#}")
    }
}

/// How bad, or that it is only suspected.
const fn word(finding: &Finding) -> &'static str {
    match (finding.confirmed_at, finding.severity) {
        (None, _) => "SUSPECTED",
        (_, Severity::Critical) => "CRITICAL",
        (_, Severity::Warning) => "WARNING",
        (_, Severity::Info) => "INFO",
    }
}

/// `first sign 14:00:12 UTC, 4m10s before the look`; `None` where it was the look itself.
fn since(finding: &Finding, now: Time) -> Option<String> {
    let first = finding.evidence.iter().map(|fact| fact.at).chain([finding.opened_at]).min()?;
    let (day, time, long) = (day_if_another(first, now), clock(first), now.since(first));
    (long >= A_WHILE).then(|| format!("first sign {day}{time} UTC, {} before the look", span(long)))
}

/// `Deployment/web` as kubectl takes it: `deployment/web`.
pub fn target(finding: &Finding) -> String {
    let (kind, name) = kind_and_name(&finding.workload);
    format!("{}/{name}", kind.to_lowercase())
}
