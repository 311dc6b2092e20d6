//! The resources in recordings.

/// The API path of a resource.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Resource {
    /// Its name in recordings and paths.
    pub name: &'static str,
    group: &'static str,
    /// Whether it has a status subresource.
    pub has_status: bool,
}

const CORE: &str = "/api/v1";
const APPS: &str = "/apis/apps/v1";
const BATCH: &str = "/apis/batch/v1";
const DISCOVERY: &str = "/apis/discovery.k8s.io/v1";

/// All resources that probehound reads; others in a recording are not played.
pub const ALL: [Resource; 11] = [
    Resource { name: "pods", group: CORE, has_status: true },
    Resource { name: "events", group: CORE, has_status: false },
    Resource { name: "deployments", group: APPS, has_status: true },
    Resource { name: "replicasets", group: APPS, has_status: true },
    Resource { name: "statefulsets", group: APPS, has_status: true },
    Resource { name: "daemonsets", group: APPS, has_status: true },
    Resource { name: "controllerrevisions", group: APPS, has_status: false },
    Resource { name: "jobs", group: BATCH, has_status: true },
    Resource { name: "cronjobs", group: BATCH, has_status: true },
    Resource { name: "services", group: CORE, has_status: false },
    Resource { name: "endpointslices", group: DISCOVERY, has_status: false },
];

impl Resource {
    /// The resource of that name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|resource| resource.name == name)
    }

    /// The path of all its objects.
    pub fn everywhere(self) -> String {
        format!("{}/{}", self.group, self.name)
    }

    /// The path of its objects in a namespace.
    pub fn within(self, namespace: &str) -> String {
        format!("{}/namespaces/{namespace}/{}", self.group, self.name)
    }
}
