//! What becomes of the guard's patches on their way to the API server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::PATIENCE;
use crate::harness::waiting;
use crate::installed::Installed;
use crate::proxy::http::refusal;
use crate::proxy::{HttpProxy, Rule};

/// What becomes of the first patch.
#[derive(Copy, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Answered,
    /// Its answer is lost.
    Lost,
    /// It never arrives.
    Silenced,
    /// It never arrives, and the next one is of an object that has changed since.
    SilencedThenRefused,
}

/// What becomes of requests from the first patch of a Deployment on.
#[derive(Clone)]
pub struct Passing {
    fate: Fate,
    away: Arc<AtomicBool>,
    tried: Arc<AtomicBool>,
    refused: Arc<AtomicBool>,
    arrived: Arc<AtomicU64>,
    meanwhile: Arc<dyn Fn(&Parts) -> Rule + Send + Sync>,
}

impl Passing {
    /// The first patch has that fate, and then `meanwhile` decides until it is back.
    pub fn new(fate: Fate, meanwhile: impl Fn(&Parts) -> Rule + Send + Sync + 'static) -> Self {
        Self {
            fate,
            away: Arc::default(),
            tried: Arc::default(),
            refused: Arc::default(),
            arrived: Arc::default(),
            meanwhile: Arc::new(meanwhile),
        }
    }

    /// In front of the API server of a cluster.
    pub fn proxy(&self, installed: &Installed) -> HttpProxy {
        let own = self.clone();
        HttpProxy::start(&installed.cluster.url(), installed.cluster.ca(), move |request| own.rule(request))
    }

    fn rule(&self, request: &Parts) -> Rule {
        let is_patch = request.method == Method::PATCH && request.uri.path().contains("/deployments/");
        let is_first = is_patch && !self.is_away() && !self.tried.swap(true, Ordering::Relaxed);
        let rule = match self.fate {
            Fate::Answered if is_first => Rule::Pass,
            Fate::Lost if is_first => Rule::Lose,
            Fate::Silenced | Fate::SilencedThenRefused if is_first => Rule::Silence,
            Fate::SilencedThenRefused if is_patch && !self.refused.swap(true, Ordering::Relaxed) => {
                Rule::Answer(refusal(StatusCode::CONFLICT, "the object has been modified"))
            }
            _ if self.is_away() => (self.meanwhile)(request),
            _ => Rule::Pass,
        };
        if is_first {
            self.go_away();
        }
        let arrives = matches!(rule, Rule::Lose | Rule::Pass);
        self.arrived.fetch_add(u64::from(is_patch && arrives), Ordering::Relaxed);
        rule
    }

    /// Waits for the first patch.
    pub async fn until_it_patches(&self) {
        let tried = async || if self.tried.load(Ordering::Relaxed) { Ok(()) } else { Err("not yet") };
        waiting::eventually("it patches", PATIENCE, tried).await;
    }

    /// From now on `meanwhile` decides.
    pub fn go_away(&self) {
        self.away.store(true, Ordering::Relaxed);
    }

    /// From now on all passes.
    pub fn come_back(&self) {
        self.away.store(false, Ordering::Relaxed);
    }

    /// Whether `meanwhile` decides.
    pub fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// The number of patches that reached the API server.
    pub fn arrived(&self) -> u64 {
        self.arrived.load(Ordering::Relaxed)
    }
}
