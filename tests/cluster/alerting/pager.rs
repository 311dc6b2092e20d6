//! The receiver of an Alertmanager's notifications.

use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt, Collected};
use hyper::Response;
use serde_json::Value;

use crate::proxy::Server;
use crate::proxy::serve::whole;

/// A webhook that remembers its requests.
pub struct Pager {
    server: Server,
    alerts: Arc<Mutex<Vec<Value>>>,
}

impl Pager {
    /// Starts one.
    pub fn start() -> Self {
        let alerts = Arc::<Mutex<Vec<Value>>>::default();
        let heard = Arc::clone(&alerts);
        let server = Server::start(move |request| {
            let heard = Arc::clone(&heard);
            async move {
                let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
                let call: Value = serde_json::from_slice(&body).unwrap_or_default();
                let alerts = call["alerts"].as_array().cloned().unwrap_or_default();
                heard.lock().unwrap_or_else(PoisonError::into_inner).extend(alerts);
                Response::new(whole("ok"))
            }
        });
        Self { server, alerts }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The alerts of all requests, in order.
    pub fn calls(&self) -> Vec<Value> {
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
