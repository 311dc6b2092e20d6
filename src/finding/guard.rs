//! What the guard did about a finding: the words of its outcomes and of its refusals.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Time;

/// What the guard did about a finding last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guarded {
    /// What it did.
    pub outcome: Outcome,
    /// Why it did nothing, if it did nothing.
    pub refusal: Option<Refusal>,
    /// The revision that it is about.
    pub revision: Option<u64>,
    /// The revision that it went back to, or would have.
    pub to_revision: Option<u64>,
    /// When.
    pub at: Time,
}

impl Guarded {
    /// The outcome and the refusal in one word, such as `undone` or `gitOps`.
    pub const fn word(&self) -> &'static str {
        match self.refusal {
            Some(refusal) => refusal.word(),
            None => self.outcome.word(),
        }
    }
}

macro_rules! camel_words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident => $word:literal: $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in metrics and objects.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// What it means, as the end of a sentence.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

camel_words! {
    /// What the guard did.
    Outcome {
        /// It is about to undo the rollout: recorded before it does.
        Undoing => "undoing": "is undoing the rollout",
        /// It undid the rollout.
        Undone => "undone": "undid the rollout",
        /// It would have, if its mode were `undo`.
        WouldUndo => "wouldUndo": "would have undone the rollout, and only watches",
        /// It did not.
        Refused => "refused": "did not undo the rollout",
    }
}

camel_words! {
    /// Why the guard does not undo a rollout.
    Refusal {
        /// The cause is none that every probe of every pod shows alike.
        NotDeterministic => "notDeterministic": "the cause is none that going back is sure to cure",
        /// The evidence allows something else.
        LowConfidence => "lowConfidence": "the confidence is not high",
        /// The workload is no Deployment.
        NotDeployment => "notDeployment": "only Deployments are undone",
        /// The namespace is not one of `guard.namespaces`.
        NotInNamespace => "notInNamespace": "guard.namespaces does not name the namespace",
        /// An annotation turns the guard off.
        Annotated => "annotated": "an annotation turns the guard off",
        /// Another tool keeps the manifest.
        GitOps => "gitOps": "the manifest is kept elsewhere, where it has to be changed first",
        /// The rollout is paused.
        Paused => "paused": "the rollout is paused, so a change would not be rolled out",
        /// The Deployment is being deleted, or wants no pods.
        Leaving => "leaving": "the Deployment is being deleted, or scaled to zero",
        /// There is no revision before.
        FirstRevision => "firstRevision": "there is no revision to go back to",
        /// The failing pods are not those of the newest revision: somebody has changed it since.
        NotNewestRevision => "notNewestRevision": "the template has been changed since",
        /// The pods had run for long when they began to fail.
        OldRollout => "oldRollout": "the pods did not begin to fail with the rollout",
        /// The revision before was not seen healthy by this process.
        NotSeenHealthy => "notSeenHealthy": "the revision before was not seen healthy",
        /// The revision before ran another image.
        AnotherImage => "anotherImage": "the revision before ran another image",
        /// The rollout changed more than probes, which would be undone with them.
        OtherChanges => "otherChanges": "the rollout changed more than probes",
        /// The revision before asks the same.
        WouldNotHelp => "wouldNotHelp": "the revision before looped, or has the same probe",
        /// The record says that this revision was undone before.
        UndoneBefore => "undoneBefore": "this revision was undone before, and is not undone twice",
        /// Whether an earlier undo was carried out cannot be told any more.
        Unclear => "unclear": "an undo was interrupted, and the Deployment was changed since",
        /// So many rollouts were undone within the hour that another one needs a person.
        Limit => "limit": "too many rollouts were undone within the hour",
        /// The permission to patch the Deployment is missing.
        NoRight => "noRight": "the permission to patch the Deployment is missing",
        /// What is about to be done cannot be recorded.
        NoRecord => "noRecord": "it cannot be recorded in a Finding object",
        /// Another replica may lead by now.
        NotLeader => "notLeader": "another replica may lead by now",
        /// The Deployment changed again and again while it was to be patched, or it could not be read.
        Unreachable => "unreachable": "the API server did not take the change",
        /// A policy of the cluster refuses the patch.
        Denied => "denied": "the API server refused the change",
        /// The finding was over before anything was done.
        Over => "over": "the finding was over before",
        /// No restart stands in a pod's status yet, and the events are not trusted.
        EventsNotTrusted => "eventsNotTrusted": "no restart is seen yet, and events alone are not trusted",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_have_the_same_word() {
        let outcomes = Outcome::ALL.iter().map(|outcome| outcome.word());
        let words: Vec<_> = Refusal::ALL.iter().map(|refusal| refusal.word()).chain(outcomes).collect();
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len(), "{words:?}");
    }

    #[test]
    fn a_word_is_what_an_object_holds() {
        for refusal in Refusal::ALL {
            assert_eq!(serde_json::json!(refusal), refusal.word());
        }
    }
}
