//! Reading and writing the objects.

use std::sync::Arc;
use std::time::Duration;

use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, Preconditions};
use kube::{Client, Resource};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::refusal::Refusal;
use super::state::Key;
use super::stored::Stored;
use crate::report::object::{
    DELIVERY_MANAGER, FindingObject, FindingSpec, GUARD_MANAGER, GuardStatus, MANAGER, Notification,
};
use crate::runtime::leadership::Leadership;
use crate::source::cluster::{Trouble, Way};

/// Time limit of a request: what the holder of the Lease sends has to arrive before another replica can
/// hold it, at most four seconds after this one stopped.
const REQUEST: Duration = Duration::from_secs(4);
/// Objects per page.
const PAGE: u32 = 250;

/// The `Finding` objects of the watched namespaces.
#[derive(Clone)]
pub struct Store {
    client: Client,
    namespaces: Vec<Arc<str>>,
    leadership: Leadership,
    way: Way,
}

impl Store {
    /// Those of these namespaces, or of all if the list is empty; written only while this replica leads.
    pub fn new(client: Client, namespaces: Vec<Arc<str>>, leadership: Leadership) -> Self {
        Self { client, namespaces, leadership, way: Way::default() }
    }

    /// The same, through a shared way: what others learn about the server is known here too.
    #[must_use]
    pub fn by(self, way: &Way) -> Self {
        Self { way: way.clone(), ..self }
    }

    /// The way to the API server.
    pub const fn way(&self) -> &Way {
        &self.way
    }

    /// The namespaces, each with the API to read it through; one without a name if all are watched.
    pub fn scopes(&self) -> Vec<(Option<Arc<str>>, Api<Stored>)> {
        if self.namespaces.is_empty() {
            return vec![(None, Api::all(self.client.clone()))];
        }
        self.namespaces.iter().map(|namespace| (Some(Arc::clone(namespace)), self.of(namespace))).collect()
    }

    /// Visits all objects, one page at a time: there may be more than fit into memory at once.
    ///
    /// # Errors
    /// The first failure; the objects before it were visited.
    pub async fn each(&self, mut take: impl FnMut(&Stored) + Send) -> Result<(), Refusal> {
        for (_, api) in self.scopes() {
            let mut parameters = ListParams::default().limit(PAGE);
            loop {
                let page = in_time(api.list(&parameters)).await?;
                page.items.iter().for_each(&mut take);
                parameters.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
                if parameters.continue_token.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Reads one object.
    ///
    /// # Errors
    /// It does not exist, or cannot be read.
    pub async fn read(&self, key: &Key) -> Result<Stored, Refusal> {
        in_time(self.of(&key.namespace).get(&key.name)).await
    }

    /// Records notifications in an existing object; returns it as it is stored then.
    ///
    /// With a field manager of its own: neither manager removes what the other one wrote.
    ///
    /// # Errors
    /// It could not be written; it may be retried.
    pub async fn record(&self, key: &Key, notified: &[Notification]) -> Result<Stored, Refusal> {
        let status = body(key, "status", &json!({ "notifications": notified }));
        let apply = PatchParams::apply(DELIVERY_MANAGER).force();
        self.leads()?;
        in_time(self.of(&key.namespace).patch_status(&key.name, &apply, &Patch::Apply(&status))).await
    }

    /// Records what the guard did in a finding's object, as a field manager of its own. One that is not there
    /// yet is created: the guard may act before the rest of it is known.
    ///
    /// # Errors
    /// It could not be written; it may be retried.
    pub async fn record_guard(&self, key: &Key, spec: &FindingSpec, guard: &GuardStatus) -> Result<(), Refusal> {
        let api = self.of(&key.namespace);
        let status = body(key, "status", &json!({ "guard": guard }));
        let apply = PatchParams::apply(GUARD_MANAGER).force();
        self.leads()?;
        let written = in_time(api.patch_status(&key.name, &apply, &Patch::Apply(&status))).await;
        if !matches!(written, Err(Refusal::Missing)) {
            return written.map(drop);
        }
        let main = body(key, "spec", &json!(spec));
        self.leads()?;
        in_time(api.patch(&key.name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&main))).await?;
        self.leads()?;
        in_time(api.patch_status(&key.name, &apply, &Patch::Apply(&status))).await.map(drop)
    }

    /// Writes an object, creating it first if it does not exist; returns it as it is stored then.
    ///
    /// By server-side apply: main object and status each have their own fields, those of others stay.
    ///
    /// # Errors
    /// It could not be written, or not completely; it may be retried.
    pub async fn write(&self, key: &Key, object: &FindingObject, exists: bool) -> Result<Stored, Refusal> {
        let api = self.of(&key.namespace);
        let apply = PatchParams::apply(MANAGER).force();
        if !exists {
            let main = body(key, "spec", &json!(object.spec));
            self.leads()?;
            in_time(api.patch(&key.name, &apply, &Patch::Apply(&main))).await?;
        }
        let wanted = json!(object.status);
        let status = body(key, "status", &wanted);
        self.leads()?;
        let written = in_time(api.patch_status(&key.name, &apply, &Patch::Apply(&status))).await?;
        let Some(surplus) = surplus(&wanted, &json!(written.status())) else {
            return Ok(written);
        };
        // Values that others put into fields that should be empty stay theirs under server-side apply.
        let removal = json!({ "status": surplus });
        self.leads()?;
        let parameters = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
        in_time(api.patch_status(&key.name, &parameters, &Patch::Merge(&removal))).await
    }

    /// Removes an object, if it is unchanged since it was seen.
    ///
    /// # Errors
    /// It could not be removed, or has changed.
    pub async fn remove(&self, key: &Key, version: u64) -> Result<(), Refusal> {
        let preconditions = Preconditions { resource_version: Some(version.to_string()), uid: None };
        let parameters = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        self.leads()?;
        in_time(self.of(&key.namespace).delete(&key.name, &parameters)).await.map(drop)
    }

    fn of(&self, namespace: &str) -> Api<Stored> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn leads(&self) -> Result<(), Refusal> {
        if self.leadership.holds() { Ok(()) } else { Err(Refusal::NotLeading) }
    }
}

/// What one field manager applies to an object.
fn body(key: &Key, field: &str, value: &Value) -> Value {
    json!({
        "apiVersion": FindingObject::api_version(&()),
        "kind": FindingObject::kind(&()),
        "metadata": { "name": &*key.name, "namespace": &*key.namespace },
        field: value,
    })
}

/// The surplus of a status over the desired one, as a patch that removes it; `None` if there is none.
/// Notifications and what the guard did belong to other field managers.
fn surplus(wanted: &Value, stands: &Value) -> Option<Value> {
    let (Value::Object(wanted), Value::Object(stands)) = (wanted, stands) else {
        return None;
    };
    let mut removal = Map::new();
    for (name, stands) in stands.iter().filter(|(name, _)| !matches!(&***name, "notifications" | "guard")) {
        match wanted.get(name) {
            None => _ = removal.insert(name.clone(), Value::Null),
            Some(wanted) => {
                if let Some(inner) = surplus(wanted, stands) {
                    removal.insert(name.clone(), inner);
                }
            }
        }
    }
    (!removal.is_empty()).then_some(Value::Object(removal))
}

async fn in_time<T>(request: impl Future<Output = kube::Result<T>>) -> Result<T, Refusal> {
    if let Ok(answer) = timeout(REQUEST, request).await {
        return answer.map_err(|error| Refusal::from_error(&error));
    }
    let cause = format!("no answer within {} s", REQUEST.as_secs());
    Err(Refusal::Other { trouble: Trouble::Timeout, cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_added_to_a_status_is_removed_and_nothing_else() {
        let wanted = json!({"cause": "Crash", "change": {"revision": 3}, "evidence": [{"what": "it"}]});
        let stands = json!({
            "cause": "WrongPath", "field": "evil", "change": {"revision": 3, "by": "me"}, "evidence": [],
            "notifications": [{"receiver": "slack"}], "guard": {"outcome": "undone"},
        });
        assert_eq!(surplus(&wanted, &stands), Some(json!({"field": null, "change": {"by": null}})));
        assert_eq!(surplus(&wanted, &wanted), None);
        assert_eq!(surplus(&wanted, &Value::Null), None);
    }
}
