//! The operator's tasks: none may end before it is asked to, and they are stopped in order.

use std::time::Duration;

use futures::future::{join_all, select_all};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::warn;

use crate::runtime::stop::{Stop, Stopper};

/// The order in which tasks are stopped.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// First the tasks that publish.
    Saying,
    /// Then those that pass on what was published.
    PassingOn,
    /// Then the leadership is released.
    Leading,
}

/// All running tasks.
#[derive(Debug, Default)]
pub struct Tasks {
    all: Vec<Task>,
}

#[derive(Debug)]
struct Task {
    name: &'static str,
    handle: JoinHandle<()>,
    end: Option<(Stage, Duration, Stopper)>,
}

impl Tasks {
    /// Starts a task that can be aborted at any time.
    pub fn spawn<F>(&mut self, name: &'static str, task: F)
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let handle = tokio::spawn(async move { drop(task.await) });
        self.all.push(Task { name, handle, end: None });
    }

    /// Starts a task that has this much time to finish when it is asked to stop.
    pub fn spawn_until<F>(&mut self, stage: Stage, name: &'static str, patience: Duration, task: impl FnOnce(Stop) -> F)
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (stopper, stop) = Stopper::new();
        let task = task(stop);
        let handle = tokio::spawn(async move { drop(task.await) });
        self.all.push(Task { name, handle, end: Some((stage, patience, stopper)) });
    }

    /// Waits until one has ended or panicked, which none should; returns its name.
    pub async fn one_ends(&mut self) -> &'static str {
        if self.all.is_empty() {
            return std::future::pending().await;
        }
        let (_, place, _) = select_all(self.all.iter_mut().map(|task| &mut task.handle)).await;
        self.all.swap_remove(place).name
    }

    /// Asks all of them to stop, stage by stage, and waits for each as long as it was promised; those of
    /// one stage stop concurrently.
    pub async fn stop(mut self) {
        self.all.sort_by_key(Task::stage);
        while let Some(stage) = self.all.first().map(Task::stage) {
            let rest = self.all.iter().position(|task| task.stage() != stage).unwrap_or(self.all.len());
            join_all(self.all.drain(..rest).map(Task::stop)).await;
        }
    }
}

impl Task {
    fn stage(&self) -> Option<Stage> {
        self.end.as_ref().map(|(stage, ..)| *stage)
    }

    async fn stop(self) {
        let Self { name, mut handle, end } = self;
        if let Some((_, patience, stopper)) = end {
            stopper.stop();
            if timeout(patience, &mut handle).await.is_err() {
                warn!(name, "A task did not end in time");
            }
        }
        handle.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_ends_or_panics_is_named() {
        let mut tasks = Tasks::default();
        tasks.spawn("lasting", std::future::pending::<()>());
        tasks.spawn("broken", async { panic!("as it should") });
        assert_eq!(tasks.one_ends().await, "broken");
        tasks.spawn("short", sleep(Duration::from_secs(1)));
        assert_eq!(tasks.one_ends().await, "short");
        tasks.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn they_end_in_order_and_none_takes_longer_than_it_may() {
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Tasks::default();
        tasks.spawn("http", std::future::pending::<()>());
        for (stage, name) in [(Stage::Leading, "lease"), (Stage::Saying, "driver"), (Stage::PassingOn, "keeper")] {
            let order = Arc::clone(&order);
            tasks.spawn_until(stage, name, Duration::from_secs(1), move |mut stop| async move {
                stop.asked().await;
                order.lock().expect("nobody panicked").push(name);
                if name == "driver" {
                    std::future::pending::<()>().await;
                }
            });
        }
        let began = Instant::now();
        tasks.stop().await;
        assert_eq!(*order.lock().expect("nobody panicked"), ["driver", "keeper", "lease"]);
        assert_eq!(began.elapsed().as_secs(), 1);
    }
}
