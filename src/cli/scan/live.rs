//! Scans a cluster: with lists only, and the permissions of the user.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use super::Read;
use crate::cli::args::Scan;
use crate::cli::error::Error;
use crate::engine::Need;
use crate::runtime::clock;
use crate::scan::Look;
use crate::source::cluster::{Access, Answer, ListError, Lookup, Target, Trouble, list_events, list_pods};
use crate::source::recording::Object;

/// Total time limit for answering the engine's needs.
const PATIENCE: Duration = Duration::from_secs(15);
/// Interval between two lists of a repeated scan.
const AGAIN: Duration = Duration::from_secs(10);

/// Scans the target cluster.
pub fn read(args: &Scan) -> Result<Read, Error> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Start(error.to_string()))?;
    // Fails if one is installed already, which is the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime.block_on(look(args))
}

async fn look(args: &Scan) -> Result<Read, Error> {
    let target = Target { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
    let access = Access::find(&target, clock::now).await?;
    access.check().await?;
    let (lookup, answers) = Lookup::start(&access);
    let mut live = Live { look: Look::new(), scopes: scopes(args), lacks: Vec::new(), complete: true, lookup, answers };
    let end = Instant::now() + args.wait.unwrap_or_default();
    loop {
        live.list(&access, args).await?;
        let now = clock::now();
        live.look.show(now);
        live.answer().await;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        sleep(left.min(AGAIN)).await;
    }
    live.look.settle();
    live.answer().await;
    live.look.settle();
    Ok(live.finish())
}

/// The namespaces to look at; `None` is all of them.
fn scopes(args: &Scan) -> Vec<Option<String>> {
    match args.scope.namespace.as_slice() {
        [] => vec![None],
        some => some.iter().cloned().map(Some).collect(),
    }
}

struct Live {
    look: Look,
    scopes: Vec<Option<String>>,
    lacks: Vec<String>,
    complete: bool,
    lookup: Lookup,
    answers: mpsc::Receiver<Answer>,
}

impl Live {
    async fn list(&mut self, access: &Access, args: &Scan) -> Result<(), Error> {
        self.look.begin();
        let mut outcome = self.pods(access, args).await;
        if let Err(error) = &outcome
            && error.trouble == Trouble::Forbidden
            && self.scopes == [None]
        {
            let namespace = access.namespace().to_owned();
            self.note(&format!(
                "You may not list the pods of all namespaces: this is of namespace {namespace}, that of the context; \
                 -n names others."
            ));
            self.scopes = vec![Some(namespace)];
            outcome = self.pods(access, args).await;
        }
        outcome.map_err(|error| Error::NoList(of(&self.scopes), error.cause))?;
        if let Err(error) = self.events(access).await {
            self.complete &= error.trouble == Trouble::Forbidden;
            self.note(&format!(
                "Events could not be listed, so it is not known what the probes were answered: {}",
                error.cause
            ));
        }
        Ok(())
    }

    async fn pods(&mut self, access: &Access, args: &Scan) -> Result<(), ListError> {
        for scope in self.scopes.clone() {
            let look = &mut self.look;
            let take = &mut |object: Object| take(look, &object);
            list_pods(access, scope.as_deref(), args.scope.selector.as_deref(), take).await?;
        }
        Ok(())
    }

    async fn events(&mut self, access: &Access) -> Result<(), ListError> {
        for scope in self.scopes.clone() {
            let look = &mut self.look;
            list_events(access, scope.as_deref(), &mut |object: Object| take(look, &object)).await?;
        }
        Ok(())
    }

    /// Looks up the engine's needs, as long as there are new ones.
    async fn answer(&mut self) {
        let patience = Instant::now() + PATIENCE;
        let mut open: BTreeSet<Need> = BTreeSet::new();
        loop {
            for need in self.look.take_needs() {
                self.lookup.ask(need.clone());
                open.insert(need);
            }
            if open.is_empty() {
                return;
            }
            let Ok(Some(answer)) = timeout_at(patience, self.answers.recv()).await else {
                return self
                    .note("Not all owners, revisions and Services answered in time: what changed may be missing.");
            };
            open.remove(&answer.need);
            if !answer.is_whole {
                self.note(
                    "Some owners, revisions or Services may not or cannot be read: what changed, and which Services \
                           are out, may be missing.",
                );
            }
            let (observation, _) = answer.observation(self.look.observer());
            if let Some(observation) = observation {
                self.look.answer(observation, clock::now());
            }
        }
    }

    /// Notes something once.
    fn note(&mut self, what: &str) {
        if !self.lacks.iter().any(|known| known == what) {
            self.lacks.push(what.to_owned());
        }
    }

    fn finish(mut self) -> Read {
        let looked = self.look.finish(clock::now());
        Read { looked, lacks: self.lacks, complete: self.complete, milder: 0 }
    }
}

/// An object that cannot be used does not prevent the others.
fn take(look: &mut Look, object: &Object) {
    if look.take(object).is_err() {
        look.note_unused();
    }
}

/// ` in namespace shop`
fn of(scopes: &[Option<String>]) -> String {
    match scopes {
        [Some(namespace)] => format!(" in namespace {namespace}"),
        [None] => " in all namespaces".to_owned(),
        _ => String::new(),
    }
}
