//! The JSON patch that undoes a rollout.

use serde_json::{Value, json};

use super::cluster::Deployment;
use super::{UNDONE_FOR, UNDONE_TEMPLATE};

/// Tests that the faulty value and the object are as they were read, and goes back to a template.
///
/// `faulty` points to the value, or to what is there of the way to it.
pub fn patch(deployment: &Deployment, faulty: &str, to: &Value, finding: &str, hash: &str) -> Value {
    let template = &deployment.template;
    let mut steps = vec![
        json!({"op": "test", "path": "/metadata/resourceVersion", "value": deployment.version}),
        json!({"op": "test", "path": format!("/spec/template{faulty}"), "value": template.pointer(faulty)}),
        json!({"op": "replace", "path": "/spec/template", "value": to}),
    ];
    if !deployment.has_annotations {
        steps.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
    }
    for (name, value) in [(UNDONE_FOR, finding), (UNDONE_TEMPLATE, hash)] {
        let path = format!("/metadata/annotations/{}", name.replace('~', "~0").replace('/', "~1"));
        steps.push(json!({"op": "add", "path": path, "value": value}));
    }
    Value::Array(steps)
}
