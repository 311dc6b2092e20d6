//! What a finding's object is called.

use std::fmt::Write;
use std::sync::Arc;

use ring::digest::{Context, SHA256};

use crate::finding::Identity;
use crate::report::headline::kind_and_name;

/// Longest part that a person reads. With the mark it stays far below the 63 characters of a DNS
/// label, and a line of `kubectl get findings` short.
const READABLE: usize = 40;
/// Bytes of the mark: among 20,000 findings of a namespace, two that meet are as likely as one in a
/// million.
const MARK: usize = 6;

/// Where a finding's object is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ObjectKey {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl ObjectKey {
    /// Where the object of a finding is.
    pub fn from_identity(identity: &Identity) -> Self {
        Self { namespace: Arc::clone(&identity.namespace), name: object_name(identity).into() }
    }
}

/// The name of a finding's object: the same for the same identity, in every version, and for no
/// other.
///
/// `web-app-liveness-1f0c9a2b3d4e`: workload, container and probe (the effect where there is none)
/// as far as they fit, with a mark of the whole identity at the end.
pub fn object_name(identity: &Identity) -> String {
    let (_, workload) = kind_and_name(&identity.workload);
    let last = identity.probe.map_or(identity.effect.word(), |probe| probe.word());
    let mut name = String::with_capacity(READABLE + 1 + 2 * MARK);
    for character in format!("{workload}-{}-{last}", identity.container).chars() {
        push(&mut name, character.to_ascii_lowercase());
        if name.len() == READABLE {
            break;
        }
    }
    let readable = name.trim_end_matches('-').len();
    name.truncate(readable);
    if name.is_empty() {
        name.push_str("finding");
    }
    name.push('-');
    for byte in mark(identity) {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// What a DNS label cannot hold becomes a hyphen, many in a row one.
fn push(name: &mut String, character: char) {
    if character.is_ascii_lowercase() || character.is_ascii_digit() {
        name.push(character);
    } else if !name.is_empty() && !name.ends_with('-') {
        name.push('-');
    }
}

/// By the words of the identity, not by any hash of the language's: the name outlives the program.
fn mark(identity: &Identity) -> [u8; MARK] {
    let mut context = Context::new(&SHA256);
    let probe = identity.probe.map_or("", |probe| probe.word());
    for part in [&*identity.workload, &*identity.container, identity.effect.word(), probe] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut mark = [0; MARK];
    mark.copy_from_slice(&context.finish().as_ref()[..MARK]);
    mark
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::engine::Effect;
    use crate::kubelet::ProbeKind;

    #[test]
    fn a_name_says_whose_it_is_and_never_changes() {
        let identity = identity("Deployment/auth-service", "app");
        assert_eq!(object_name(&identity), "auth-service-app-liveness-aeeb54b86991");
        let blocked = Identity { effect: Effect::StartBlocked, probe: None, ..identity };
        assert_eq!(object_name(&blocked), "auth-service-app-startblocked-28bbfd851717");
    }

    #[test]
    fn a_name_is_one_that_the_api_takes() {
        let long = "x".repeat(253);
        for workload in ["Deployment/web", "", "/", "Pod/-", "Pod/größer健康", "Pod/\u{1b}[2J\n", "Pod/a..b", &long]
        {
            for container in ["app", "", "--", "\u{202e}", "APP", &long] {
                let name = object_name(&identity(workload, container));
                let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                assert!(name.len() <= 63 && name.chars().all(allowed), "{name}");
                assert!(!name.starts_with('-') && !name.ends_with('-') && !name.contains("--"), "{name}");
            }
        }
    }

    #[test]
    fn no_two_findings_share_a_name() {
        let long = "x".repeat(250);
        let mut all = vec![identity(&format!("Pod/{long}a"), "app"), identity(&format!("Pod/{long}b"), "app")];
        all.extend([identity("Pod/web", &format!("{long}a")), identity("Pod/web", &format!("{long}b"))]);
        all.extend([identity("Pod/a", "b-c"), identity("Pod/a-b", "c"), identity("Job/a", "b-c")]);
        all.extend([identity("Pod/健康", "app"), identity("Pod/診断", "app"), identity("Pod/", "app")]);
        for probe in [None, Some(ProbeKind::Readiness), Some(ProbeKind::Startup)] {
            all.push(Identity { probe, ..identity("Pod/web", "app") });
            all.push(Identity { probe, effect: Effect::Killed, ..identity("Pod/web", "app") });
        }
        let names: BTreeSet<String> = all.iter().map(object_name).collect();
        assert_eq!(names.len(), all.len(), "{names:?}");
    }

    fn identity(workload: &str, container: &str) -> Identity {
        Identity {
            namespace: Arc::from("prod"),
            workload: Arc::from(workload),
            container: Arc::from(container),
            effect: Effect::RestartLoop,
            probe: Some(ProbeKind::Liveness),
        }
    }
}
