//! The rules, by name.

use super::Severity;

macro_rules! rules {
    ($($rule:ident $id:literal $severity:ident $what:literal;)+) => {
        /// A rule. `docs/lint.md` has the reason and the arithmetic of each.
        #[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Rule {
            $(#[doc = $what] $rule,)+
        }

        impl Rule {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$rule,)+];

            /// `port-name`
            pub const fn id(self) -> &'static str {
                match self { $(Self::$rule => $id,)+ }
            }

            /// Its description, in a sentence.
            pub const fn what(self) -> &'static str {
                match self { $(Self::$rule => $what,)+ }
            }

            /// Its usual severity.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$rule => Severity::$severity,)+ }
            }
        }
    };
}

rules! {
    UnknownField "unknown-field" Error "A field of a probe does not exist under that name.";
    NoHandler "no-handler" Error "A probe does not say how it asks.";
    SeveralHandlers "several-handlers" Error "A probe asks in several ways.";
    NumberType "number-type" Error "A number of a probe is a text.";
    NumberRange "number-range" Error "A number of a probe is out of range.";
    PortInvalid "port-invalid" Error "A probe's port is none, or cannot be one.";
    SchemeUnknown "scheme-unknown" Error "A probe's scheme is neither HTTP nor HTTPS.";
    EmptyCommand "empty-command" Error "A probe's command is empty, or no list.";
    SuccessThreshold "success-threshold" Error "A liveness or startup probe wants more than one success.";
    ReadinessGrace "readiness-grace" Error "A readiness probe has a grace period.";
    InitProbe "init-probe" Error "An init container that runs to its end has a probe or a hook.";
    SleepOverGrace "sleep-over-grace" Error "A hook sleeps longer than the grace period.";
    ProgressDeadline "progress-deadline" Error "A Deployment's deadline is over before its pods can be available.";
    PortName "port-name" Error "A probe names a port that its container does not have.";
    HostInvalid "host-invalid" Error "A probe's host cannot be a host.";
    HostElsewhere "host-elsewhere" Warning "A probe asks something else than its pod.";
    PathIsUrl "path-is-url" Warning "A probe's path is a URL.";
    LineBreak "line-break" Error "A probe's path or header has a line break in it.";
    CommandInOneWord "command-in-one-word" Error "A probe's command is one word with spaces in it.";
    CommandWithoutShell "command-without-shell" Warning "A probe's command is written for a shell and runs without one.";
    ShellDropsWords "shell-drops-words" Warning "A shell runs the first word of a probe's command only.";
    KillBudget "kill-budget" Warning "A probe may end a container within seconds of its start.";
    StartupBeforeDelay "startup-before-delay" Warning "A startup probe ends the container before the liveness probe's initial delay is over.";
    SingleFailure "single-failure" Info "One failed probe ends the container.";
    TimeoutOverPeriod "timeout-over-period" Info "A probe may take longer than its period.";
    LivenessFirst "liveness-first" Info "The liveness probe ends a container before the readiness probe takes it out of its Services.";
    HookOverGrace "hook-over-grace" Warning "A preStop hook runs longer than the grace period.";
    MinReady "min-ready" Info "A rollout goes on through all pods before the first one is killed.";
    Ignore "lint-ignore" Warning "An annotation that ignores rules does not do what it says.";
    NeverPassed "never-passed" Warning "A probe asks what was not seen to pass, instead of what passes now.";
    LoopsNow "loops-now" Error "What loops in the cluster now is left as it is.";
    NewImage "new-image" Info "A probe asks something else, of another image.";
}

impl Rule {
    /// The rule of that name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_each_rule_with_its_severity() {
        let rows: Vec<&str> =
            include_str!("../../docs/lint.md").lines().filter(|line| line.starts_with("| `")).collect();
        for rule in Rule::ALL {
            let begin = format!("| `{}` | {}", rule.id(), rule.severity());
            assert!(rows.iter().any(|row| row.starts_with(&begin)), "{begin}");
        }
        assert_eq!(rows.len(), Rule::ALL.len());
    }

    #[test]
    fn a_rule_is_found_by_its_name() {
        assert!(Rule::ALL.iter().all(|rule| Rule::from_id(rule.id()) == Some(*rule)));
        assert_eq!(Rule::from_id("kill budget"), None);
    }
}
