//! Events → what a kubelet says of a pod.

use std::sync::Arc;

use super::Observer;
use crate::engine::{KubeletEvent, PodId};
use crate::kubelet;
use crate::source::hash::uid;
use crate::source::mask::{self, MAX_NAME, cut};
use crate::source::objects::{EventLite, Maybe, Oddity, check_kind, time};
use crate::time::Time;

/// What [`Observer::event`] does.
pub fn kubelet_event(observer: &mut Observer, event: &EventLite) -> Result<Option<KubeletEvent>, Oddity> {
    check_kind(&event.kind, "Event", "events")?;
    let involved = event.involved_object.known("involvedObject")?;
    let Some(involved) = involved.filter(|object| text(&object.kind) == "Pod" && is_kubelets(event)) else {
        return Ok(None);
    };
    let message = event.message.known("message")?.map_or("", String::as_str);
    let reason = event.reason.known("reason")?.map_or("", String::as_str);
    let Some((said, aggregated)) = kubelet::parse(reason, &mask::message(message)) else {
        return Ok(None);
    };
    let meta = event.metadata.required("metadata")?;
    let (namespace, _) = meta.identity().map_err(|oddity| oddity.under("metadata"))?;
    let name = involved.name.required("name").map_err(|oddity| oddity.under("involvedObject"))?;
    let (first, last) = times(event)?;
    Ok(Some(KubeletEvent {
        id: uid(text(&meta.uid)),
        pod: PodId {
            namespace: observer.name(namespace),
            name: Arc::from(cut(name, MAX_NAME)),
            uid: uid(text(&involved.uid)),
        },
        container: container(text(&involved.field_path)).map(|name| observer.name(name)),
        aggregated,
        said,
        first,
        last,
        count: count(event)?,
    }))
}

fn text(field: &Maybe<String>) -> &str {
    field.ok().map_or("", String::as_str)
}

/// Whether a kubelet wrote it; `reportingComponent` is empty before 1.26 and on aggregated events.
fn is_kubelets(event: &EventLite) -> bool {
    let source = event.source.ok().map_or("", |source| text(&source.component));
    match source {
        "" => text(&event.reporting_component) == "kubelet",
        source => source == "kubelet",
    }
}

/// The name in `spec.containers{NAME}`, `spec.initContainers{NAME}`.
fn container(field_path: &str) -> Option<&str> {
    let (_, name) = field_path.strip_suffix('}')?.split_once('{')?;
    Some(cut(name, MAX_NAME)).filter(|name| !name.is_empty())
}

/// When it was first and last said.
fn times(event: &EventLite) -> Result<(Time, Time), Oddity> {
    let meta = event.metadata.required("metadata")?;
    let created = meta.created().map_err(|oddity| oddity.under("metadata"))?;
    let observed = event.series.read("series", |series| time(&series.last_observed_time, "lastObservedTime"))?;
    let said = time(&event.event_time, "eventTime")?;
    let first = time(&event.first_timestamp, "firstTimestamp")?.or(said);
    let last = time(&event.last_timestamp, "lastTimestamp")?.max(observed.flatten()).max(said);
    let last = last.or(first).or(created);
    let last = last.ok_or_else(|| Oddity::value("lastTimestamp", "expected a time, found nothing"))?;
    Ok((first.unwrap_or(last).min(last), last))
}

/// How often it was said.
fn count(event: &EventLite) -> Result<u32, Oddity> {
    let series = event.series.read("series", |series| {
        let count = series.count.known("count")?;
        count.map(|count| positive(*count)).transpose()
    })?;
    let count = event.count.known("count")?.map(|count| positive(*count)).transpose()?;
    Ok(count.max(series.flatten()).unwrap_or(1).max(1))
}

fn positive(count: i64) -> Result<u32, Oddity> {
    u32::try_from(count)
        .ok()
        .filter(|count| i32::try_from(*count).is_ok())
        .ok_or_else(|| Oddity::value("count", format!("{count} is out of range")))
}
