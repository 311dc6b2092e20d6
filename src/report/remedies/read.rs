//! Lines back to remedies: those that an earlier release, or another replica, wrote into an object.

use super::text;
use crate::finding::field::Field;
use crate::finding::remedy::{Kind, List, Place, Remedy, Target};
use crate::finding::{Finding, Value};

/// The remedy that a line represents, if this finding can have it: rendering it gives exactly this line,
/// and it is about the finding's own workload, pod and container.
///
/// A line that deletes or resumes something is never accepted: anyone who may write objects could insert
/// it.
pub fn read(line: &str, finding: &Finding) -> Option<Remedy> {
    let own = own(finding);
    let example = finding.example.as_ref().map(Target::pod);
    let targets = || own.iter().chain(&example);
    let mut known = vec![Remedy::LookAtNodes];
    known.extend(finding.example.clone().map(|pod| Remedy::DescribePod { pod }));
    known.extend(own.iter().filter(|own| own.kind.has_undo()).map(|own| roll_back(own, line)));
    known.extend(targets().flat_map(|of| [false, true].map(|previous| Remedy::Logs { of: of.clone(), previous })));
    known.extend(own.iter().filter_map(|own| set_field(own, line, finding)));
    known.into_iter().find(|remedy| text(remedy, finding).as_deref() == Ok(line))
}

/// The same, or the line as plain text.
pub fn read_or_keep(line: String, finding: &Finding) -> Remedy {
    read(&line, finding).unwrap_or(Remedy::Words(line))
}

fn own(finding: &Finding) -> Option<Target> {
    let (kind, name) = finding.workload.split_once('/')?;
    Some(Target { kind: Kind::parse(kind)?, name: name.into() })
}

fn roll_back(target: &Target, line: &str) -> Remedy {
    let revision = line.split_once("--to-revision=").and_then(|(_, number)| number.parse().ok());
    Remedy::RollBack { target: target.clone(), revision }
}

/// The patch that sets the finding's own field to its own suggestion, in either list of containers.
fn set_field(own: &Target, line: &str, finding: &Finding) -> Option<Remedy> {
    let (field, value): (&Field, &Value) = finding.field.as_ref().zip(finding.suggested.as_ref())?;
    let list = if line.contains(r#"{"initContainers":"#) { List::InitContainers } else { List::Containers };
    let place = Place::Template { target: own.clone(), list, paused: false };
    Some(Remedy::SetField { place, field: field.clone(), value: value.clone() })
}
