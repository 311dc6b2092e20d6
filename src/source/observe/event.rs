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
    let meta = event.metadata.required("metadata")?;
    let (namespace, _) = meta.identity().map_err(|oddity| oddity.under("metadata"))?;
    let name = involved.name.required("name");
    let name = name.map_err(|oddity| oddity.under("involvedObject"))?;
    let message = event.message.known("message")?.map_or("", String::as_str);
    let reason = event.reason.known("reason")?.map_or("", String::as_str);
    let (first, last) = times(event)?;
    let count = count(event)?;
    let Some((said, aggregated)) = kubelet::parse(reason, &mask::message(message)) else {
        return Ok(None);
    };
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
        created: meta.created().map_err(|oddity| oddity.under("metadata"))?,
        first,
        last,
        count,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(value: serde_json::Value) -> EventLite {
        serde_json::from_value(value).expect("an object")
    }

    fn at(text: &str) -> Time {
        Time::parse(text).expect("a time")
    }

    #[test]
    fn an_old_event_counts_on_with_its_last_timestamp() {
        let event = event(json!({
            "metadata": {"name": "e", "namespace": "n", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:05:00Z",
            "eventTime": null, "count": 7,
        }));
        let times = times(&event).unwrap();
        assert_eq!(times, (at("2026-01-01T00:00:00Z"), at("2026-01-01T00:05:00Z")));
        assert_eq!(count(&event), Ok(7));
    }

    #[test]
    fn a_new_event_counts_on_with_its_series() {
        let event = event(json!({
            "metadata": {"name": "e", "namespace": "n"}, "firstTimestamp": null, "lastTimestamp": null,
            "eventTime": "2026-01-01T00:00:00.123456Z",
            "series": {"count": 3, "lastObservedTime": "2026-01-01T00:00:09.5Z"},
        }));
        let times = times(&event).unwrap();
        assert_eq!(times, (at("2026-01-01T00:00:00.123Z"), at("2026-01-01T00:00:09.5Z")));
        assert_eq!(count(&event), Ok(3));
    }

    #[test]
    fn an_event_without_times_was_said_when_it_was_created() {
        let created = "2026-01-01T00:00:00Z";
        let created =
            event(json!({"metadata": {"creationTimestamp": created}, "firstTimestamp": "0001-01-01T00:00:00Z"}));
        assert_eq!(times(&created).unwrap().0, at("2026-01-01T00:00:00Z"));
        assert_eq!(count(&created), Ok(1));
        assert_eq!(
            times(&event(json!({"metadata": {}}))).unwrap_err().to_string(),
            "lastTimestamp: expected a time, found nothing"
        );
    }

    #[test]
    fn counts_that_cannot_be_are_odd() {
        for (fields, wanted) in [
            (json!({"count": -1}), "count: -1 is out of range"),
            (json!({"count": 3_000_000_000_u64}), "count: 3000000000 is out of range"),
            (json!({"count": "2"}), "count: expected a number, found the string \"2\""),
            (json!({"series": {"count": -5}}), "series.count: -5 is out of range"),
            (json!({"series": []}), "series: expected an object, found a list"),
        ] {
            assert_eq!(count(&event(fields)).unwrap_err().to_string(), wanted);
        }
        assert_eq!(count(&event(json!({"count": 0}))), Ok(1));
    }

    #[test]
    fn the_container_is_named_by_the_field_path() {
        assert_eq!(container("spec.containers{app}"), Some("app"));
        assert_eq!(container("spec.initContainers{proxy}"), Some("proxy"));
        assert_eq!(container(""), None);
        assert_eq!(container("spec.containers{}"), None);
    }

    #[test]
    fn only_the_kubelets_words_on_pods_count() {
        let by = |source: &str, reporting: &str| {
            is_kubelets(&event(json!({"source": {"component": source}, "reportingComponent": reporting})))
        };
        assert!(by("kubelet", ""));
        assert!(by("kubelet", "kubelet"));
        assert!(by("", "kubelet"));
        assert!(!by("job-controller", "kubelet"));
        assert!(!by("", ""));
    }
}
