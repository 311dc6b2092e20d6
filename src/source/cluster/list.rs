//! A list of a resource, read once.

use std::time::Duration;

use kube::Api;
use kube::api::ListParams;
use tokio::time::{sleep, timeout};

use super::client::Access;
use super::trouble::{Trouble, cause};
use super::watch::EVENT_FIELDS;
use super::watched::{Lean, Watched};
use crate::source::objects::{EventLite, PodLite};
use crate::source::recording::Object;

/// Objects per page, which are in memory at once.
const PAGE: u32 = 500;
/// Timeout of a page.
const PATIENCE: Duration = Duration::from_secs(30);
/// Maximum number of attempts for a page, and the pause in between.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// Why a list could not be read completely.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{cause}")]
pub struct ListError {
    /// The kind of it.
    pub trouble: Trouble,
    /// The server's or the connection's message.
    pub cause: String,
}

/// Reads the pods with these labels, of one or all namespaces.
///
/// # Errors
/// The list cannot be read, or not completely.
pub async fn list_pods(
    access: &Access,
    namespace: Option<&str>,
    labels: Option<&str>,
    on: &mut dyn FnMut(Object),
) -> Result<(), ListError> {
    let params = ListParams { label_selector: labels.map(str::to_owned), ..ListParams::default() };
    list::<PodLite>(access, namespace, params, on).await
}

/// Checks whether the pods of one or all namespaces may be listed, by reading one of them.
///
/// # Errors
/// They may not, or the server cannot be reached.
pub async fn may_list_pods(access: &Access, namespace: Option<&str>) -> Result<(), ListError> {
    page(&api::<PodLite>(access, namespace), &ListParams::default().limit(1)).await.map(drop)
}

/// Reads the kubelet events on pods of one or all namespaces.
///
/// # Errors
/// The list cannot be read, or not completely.
pub async fn list_events(
    access: &Access,
    namespace: Option<&str>,
    on: &mut dyn FnMut(Object),
) -> Result<(), ListError> {
    let params = ListParams { field_selector: Some(EVENT_FIELDS.to_owned()), ..ListParams::default() };
    list::<EventLite>(access, namespace, params, on).await
}

async fn list<T: Lean>(
    access: &Access,
    namespace: Option<&str>,
    params: ListParams,
    on: &mut dyn FnMut(Object),
) -> Result<(), ListError> {
    let api = api::<T>(access, namespace);
    let mut params = params.limit(PAGE);
    loop {
        let page = page(&api, &params).await?;
        for item in page.items {
            on(item.object.into_object());
        }
        params.continue_token = page.metadata.continue_.filter(|next| !next.is_empty());
        if params.continue_token.is_none() {
            return Ok(());
        }
    }
}

fn api<T: Lean>(access: &Access, namespace: Option<&str>) -> Api<Watched<T>> {
    let client = access.client().clone();
    match namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    }
}

async fn page<T: Lean>(
    api: &Api<Watched<T>>,
    params: &ListParams,
) -> Result<kube::core::ObjectList<Watched<T>>, ListError> {
    let mut attempt = 1;
    loop {
        let error = match timeout(PATIENCE, api.list(params)).await {
            Ok(Ok(page)) => return Ok(page),
            Ok(Err(error)) => ListError { trouble: Trouble::from_error(&error), cause: cause(&error) },
            Err(_) => ListError { trouble: Trouble::Timeout, cause: "no answer in time".to_owned() },
        };
        if attempt == ATTEMPTS || !error.trouble.may_pass() {
            return Err(error);
        }
        attempt += 1;
        sleep(PAUSE).await;
    }
}
