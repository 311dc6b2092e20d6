//! Services and their endpoints.

use super::meta::{LabelsLite, Meta};
use super::shape::{List, lean};

/// Maximum number of endpoints of a slice, as in the API.
const MAX_ENDPOINTS: usize = 1000;

lean! {
    /// A Service.
    pub struct ServiceLite {
        kind: String = "kind",
        metadata: Meta = "metadata",
        spec: ServiceSpecLite = "spec",
    }

    /// `spec` of a Service.
    pub struct ServiceSpecLite {
        selector: LabelsLite = "selector",
    }

    /// An `EndpointSlice`.
    pub struct EndpointSliceLite {
        kind: String = "kind",
        metadata: Meta = "metadata",
        endpoints: List<EndpointLite, MAX_ENDPOINTS> = "endpoints",
    }

    /// One endpoint.
    pub struct EndpointLite {
        addresses: List<String, 8> = "addresses",
        conditions: ConditionsLite = "conditions",
        target_ref: TargetLite = "targetRef",
    }

    /// `conditions` of an endpoint.
    pub struct ConditionsLite {
        ready: bool = "ready",
        terminating: bool = "terminating",
    }

    /// The object behind an endpoint.
    pub struct TargetLite {
        kind: String = "kind",
        name: String = "name",
        uid: String = "uid",
    }
}
