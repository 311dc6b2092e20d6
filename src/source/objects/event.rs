//! Events, as core/v1 serves them.

use super::meta::Meta;
use super::shape::lean;

lean! {
    /// An event.
    pub struct EventLite {
        kind: String = "kind",
        metadata: Meta = "metadata",
        involved_object: InvolvedLite = "involvedObject",
        reason: String = "reason",
        message: String = "message",
        source: SourceLite = "source",
        first_timestamp: String = "firstTimestamp",
        last_timestamp: String = "lastTimestamp",
        count: i64 = "count",
        event_time: String = "eventTime",
        series: SeriesLite = "series",
        reporting_component: String = "reportingComponent",
    }

    /// The object that an event is about.
    pub struct InvolvedLite {
        kind: String = "kind",
        namespace: String = "namespace",
        name: String = "name",
        uid: String = "uid",
        field_path: String = "fieldPath",
    }

    /// Who wrote the event.
    pub struct SourceLite {
        component: String = "component",
    }

    /// The count of a new-style event.
    pub struct SeriesLite {
        count: i64 = "count",
        last_observed_time: String = "lastObservedTime",
    }
}
