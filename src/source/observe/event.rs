//! Events → the kubelet's reports on a pod.

use std::sync::Arc;

use super::Observer;
use crate::engine::{KubeletEvent, PodId};
use crate::kubelet;
use crate::source::mask::{self, MAX_NAME};
use crate::source::objects::{EventLite, Maybe, Oddity, check_kind};
use crate::source::uid::uid;
use crate::text::cut;
use crate::time::Time;

/// Implements [`Observer::event`].
pub fn kubelet_event(observer: &mut Observer, event: &EventLite) -> Result<Option<KubeletEvent>, Oddity> {
    check_kind(&event.kind, "Event", "events")?;
    let involved = event.involved_object.known("involvedObject")?;
    let Some(involved) = involved.filter(|object| text(&object.kind) == "Pod" && is_kubelets(event)) else {
        return Ok(None);
    };
    let meta = event.metadata.required("metadata")?;
    let (namespace, _) = meta.identity().map_err(|oddity| oddity.under("metadata"))?;
    let under = |oddity: Oddity| oddity.under("involvedObject");
    let name = involved.name.required("name").map_err(under)?;
    let uid_of_pod = involved.uid.known("uid").map_err(under)?.map_or("", String::as_str);
    let reason = observer.text(&event.reason, "reason");
    let message = observer.text(&event.message, "message");
    let Some((said, aggregated)) = kubelet::parse(reason, &mask::message(message)) else {
        return Ok(None);
    };
    let created = observer.within("metadata", |observer| observer.time(&meta.creation_timestamp, "creationTimestamp"));
    let (first, last) = times(observer, event, created)?;
    let field_path = observer.within("involvedObject", |observer| observer.text(&involved.field_path, "fieldPath"));
    Ok(Some(KubeletEvent {
        id: uid(observer.within("metadata", |observer| observer.text(&meta.uid, "uid"))),
        pod: PodId { namespace: observer.name(namespace), name: Arc::from(cut(name, MAX_NAME)), uid: uid(uid_of_pod) },
        container: container(field_path).map(|name| observer.name(name)),
        aggregated,
        said,
        created,
        first,
        last,
        count: count(observer, event),
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

/// The times of its first and last occurrence; if it has none, its creation time.
fn times(observer: &mut Observer, event: &EventLite, created: Option<Time>) -> Result<(Time, Time), Oddity> {
    let seen = observer.read(&event.series, "series", |observer, series| {
        observer.time(&series.last_observed_time, "lastObservedTime")
    });
    let said = observer.time(&event.event_time, "eventTime");
    let first = observer.time(&event.first_timestamp, "firstTimestamp").or(said);
    let last = observer.time(&event.last_timestamp, "lastTimestamp").max(seen.flatten()).max(said);
    let last = last.or(first).or(created);
    let last = last.ok_or_else(|| Oddity::value("lastTimestamp", "expected a time, found nothing"))?;
    Ok((first.unwrap_or(last).min(last), last))
}

/// Its number of occurrences.
fn count(observer: &mut Observer, event: &EventLite) -> u32 {
    const MAX_COUNT: u32 = i32::MAX as u32;
    let series =
        observer.read(&event.series, "series", |observer, series| observer.count(&series.count, "count", MAX_COUNT));
    observer.count(&event.count, "count", MAX_COUNT).max(series.flatten()).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::source::objects::time;

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
        let times = times_of(&event).unwrap();
        assert_eq!(times, (at("2026-01-01T00:00:00Z"), at("2026-01-01T00:05:00Z")));
        assert_eq!(counted(&event).0, 7);
    }

    #[test]
    fn a_new_event_counts_on_with_its_series() {
        let event = event(json!({
            "metadata": {"name": "e", "namespace": "n"}, "firstTimestamp": null, "lastTimestamp": null,
            "eventTime": "2026-01-01T00:00:00.123456Z",
            "series": {"count": 3, "lastObservedTime": "2026-01-01T00:00:09.5Z"},
        }));
        let times = times_of(&event).unwrap();
        assert_eq!(times, (at("2026-01-01T00:00:00.123Z"), at("2026-01-01T00:00:09.5Z")));
        assert_eq!(counted(&event).0, 3);
    }

    #[test]
    fn an_event_without_times_was_said_when_it_was_created() {
        let created = "2026-01-01T00:00:00Z";
        let created =
            event(json!({"metadata": {"creationTimestamp": created}, "firstTimestamp": "0001-01-01T00:00:00Z"}));
        assert_eq!(times_of(&created).unwrap().0, at("2026-01-01T00:00:00Z"));
        assert_eq!(counted(&created).0, 1);
        assert_eq!(
            times_of(&event(json!({"metadata": {}}))).unwrap_err().to_string(),
            "lastTimestamp: expected a time, found nothing"
        );
    }

    #[test]
    fn counts_that_cannot_be_are_told_and_count_as_absent() {
        for (fields, number, wanted) in [
            (json!({"count": -1}), 1, "count: -1 is out of range"),
            (json!({"count": 3_000_000_000_u64}), 1, "count: 3000000000 is out of range"),
            (json!({"count": "2"}), 2, "count: expected a number, found the string \"2\""),
            (json!({"count": 4, "series": {"count": -5}}), 4, "series.count: -5 is out of range"),
            (json!({"count": 4, "series": []}), 4, "series: expected an object, found a list"),
        ] {
            assert_eq!(counted(&event(fields)), (number, vec![wanted.to_owned()]));
        }
        assert_eq!(counted(&event(json!({"count": 0}))), (1, vec![]));
    }

    #[test]
    fn a_time_that_cannot_be_is_told_and_counts_as_absent() {
        let event = event(json!({
            "metadata": {}, "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "yesterday",
        }));
        let mut observer = Observer::new();
        let expected = at("2026-01-01T00:00:00Z");
        assert_eq!(times(&mut observer, &event, None), Ok((expected, expected)));
        assert_eq!(observer.take_oddities()[0].to_string(), "lastTimestamp: not an RFC 3339 time");
    }

    fn times_of(event: &EventLite) -> Result<(Time, Time), Oddity> {
        let created = event.metadata.ok().and_then(|meta| time(&meta.creation_timestamp, "creationTimestamp").unwrap());
        times(&mut Observer::new(), event, created)
    }

    fn counted(event: &EventLite) -> (u32, Vec<String>) {
        let mut observer = Observer::new();
        let number = count(&mut observer, event);
        (number, observer.take_oddities().iter().map(ToString::to_string).collect())
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
