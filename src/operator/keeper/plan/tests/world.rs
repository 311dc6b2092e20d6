//! A plan, and the objects that it manages.

use std::sync::Arc;

use serde_json::Value;

use super::*;

/// A plan, and its cluster.
pub struct World {
    pub plan: Plan,
    pub started: Instant,
    pub version: u64,
    pub objects: BTreeMap<&'static str, Value>,
}

impl World {
    pub fn new() -> Self {
        Self { plan: Plan::new(DAY), started: Instant::now(), version: 0, objects: BTreeMap::new() }
    }

    pub fn now(&self) -> Now {
        let instant = Instant::now();
        Now { time: at(60).plus(instant - self.started), instant }
    }

    pub async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }

    pub fn say(&mut self, kind: ChangeKind, finding: &Finding) {
        let finding = Arc::new(finding.clone());
        let shown = Shown { finding, kind, at: self.now().time, silenced_by: None, asked: Arc::default() };
        self.plan.want(&shown, self.now());
    }

    pub fn take(&mut self) -> Option<(Key, Action)> {
        let action = self.plan.take_due(self.now())?;
        let (Action::Write { key, .. } | Action::Record { key } | Action::Read { key } | Action::Remove { key, .. }) =
            &action;
        Some((key.clone(), action))
    }

    /// Lets the due write happen, and returns which it was.
    pub fn write(&mut self) -> Option<(&'static str, &'static str)> {
        let (key, action) = self.take()?;
        let Action::Write { object, exists, .. } = action else { panic!("{action:?}") };
        let name = name(&key);
        assert_eq!(exists, self.objects.contains_key(name));
        let state = match object.status.as_ref().and_then(|status| status.state) {
            Some(FindingState::Confirmed) => "Confirmed",
            Some(FindingState::Resolved) => "Resolved",
            Some(FindingState::Withdrawn) => "Withdrawn",
            None => "",
        };
        self.put(name, json!(object));
        let (_, kept) = self.kept(name);
        self.plan.done(&key, Outcome::Stands(kept), self.now());
        Some((name, state))
    }

    /// The same, but something else is stored then.
    pub fn write_but_get(&mut self, change: impl FnOnce(&mut Value)) -> bool {
        let Some((key, Action::Write { object, .. })) = self.take() else { return false };
        let mut object = json!(object);
        change(&mut object["status"]);
        self.put(name(&key), object);
        let (_, kept) = self.kept(name(&key));
        self.plan.done(&key, Outcome::Stands(kept), self.now());
        true
    }

    pub fn kept_after_write(&mut self) -> (Key, Kept) {
        let (name, _) = self.write().expect("it is due");
        self.kept(name)
    }

    pub fn fail(&mut self) -> bool {
        let Some((key, _)) = self.take() else { return false };
        self.plan.done(&key, Outcome::Failed(Setback::own(Duration::ZERO)), self.now());
        true
    }

    pub fn remove(&mut self) -> Option<&'static str> {
        let (key, action) = self.take()?;
        assert!(matches!(action, Action::Remove { .. }), "{action:?}");
        self.plan.done(&key, Outcome::Gone, self.now());
        self.objects.remove(name(&key));
        Some(name(&key))
    }

    /// An object that existed before.
    pub fn exists(&mut self, finding: &Finding, state: &str) {
        let mut object = json!(FindingObject::from_finding(finding, FindingState::Confirmed, None));
        object["status"]["state"] = json!(state);
        let key = Key::from_identity(&finding.identity());
        self.put(name(&key), object);
        let (key, kept) = self.kept(name(&key));
        self.plan.saw(&key, kept, self.now());
    }

    pub fn edit(&mut self, name: &'static str, edit: impl FnOnce(&mut Value)) {
        let mut object = self.objects[name].clone();
        edit(&mut object["status"]);
        self.put(name, object);
        let (key, kept) = self.kept(name);
        self.plan.saw(&key, kept, self.now());
    }

    pub fn tell(&mut self, name: &'static str, notified: &str) {
        let notification = json!({"receiver": "slack", "episode": 1, "told": notified, "at": at(62)});
        self.edit(name, |status| status["notifications"] = json!([notification]));
    }

    pub fn delete(&mut self, name: &'static str) {
        let (key, _) = self.kept(name);
        self.objects.remove(name);
        self.version += 1;
        self.plan.gone(&key, self.version, self.now());
    }

    pub fn put(&mut self, name: &'static str, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        object["metadata"]["uid"] = json!(format!("uid-of-{name}"));
        object["metadata"]["creationTimestamp"] = json!(at(60));
        self.objects.insert(name, object);
    }

    pub fn kept(&self, name: &str) -> (Key, Kept) {
        let object = serde_json::from_value(self.objects[name].clone()).expect("an object");
        Kept::from_object(&object).expect("a finding of probehound's")
    }

    pub fn status(&self, name: &str) -> &Value {
        &self.objects[name]["status"]
    }
}

fn name(key: &Key) -> &'static str {
    ["web", "api", "never-written"].into_iter().find(|name| key.name.starts_with(name)).expect("a name of the tests")
}
