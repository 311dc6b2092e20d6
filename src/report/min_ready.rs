//! What would have stopped a rollout, in words with its arithmetic.

use crate::finding::MinReady;

/// `minReadySeconds is 0, and the liveness probe kills 5 to 14 s after a start: 9 of 12 old pods were gone at the
/// first kill; 15 would have kept 9`
pub fn sentence(advice: &MinReady) -> String {
    let MinReady { current, suggested, earliest, latest, pods, kept, .. } = advice;
    let budget =
        format!("minReadySeconds is {current}, and the liveness probe kills {earliest} to {latest} s after a start");
    match advice.gone.filter(|gone| pods.saturating_sub(*gone) < *kept) {
        Some(gone) => {
            format!(
                "{budget}: {gone} of {pods} old pods were gone at the first kill; {suggested} would have kept {kept}"
            )
        }
        None => format!("{budget}: {suggested} would have kept {kept} of {pods} old pods"),
    }
}

/// What else would have stopped or slowed it, each a sentence.
pub fn beside(advice: &MinReady) -> Vec<String> {
    let startup = "A startupProbe that asks the same would have stopped it too: before it passes, no pod is ready.";
    let missing = advice.pods.saturating_sub(advice.kept);
    let surge = format!(
        "maxSurge 1 and maxUnavailable 0 replace one pod at a time: of {} pods {} and {missing} were allowed at once.",
        advice.pods, advice.surge
    );
    let is_hasty = advice.surge > 1 || missing > 0;
    let startup = (!advice.startup).then(|| startup.to_owned());
    startup.into_iter().chain(is_hasty.then_some(surge)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADVICE: MinReady = MinReady {
        current: 0,
        suggested: 15,
        earliest: 5,
        latest: 14,
        pods: 12,
        gone: Some(9),
        kept: 9,
        surge: 3,
        startup: false,
    };

    #[test]
    fn what_was_gone_is_compared_with_what_would_have_stayed() {
        let words = "minReadySeconds is 0, and the liveness probe kills 5 to 14 s after a start: 9 of 12 old pods were \
                     gone at the first kill; 15 would have kept 9";
        assert_eq!(sentence(&ADVICE), words);
    }

    #[test]
    fn where_the_first_kill_was_not_seen_or_came_early_only_what_would_have_stayed_is_said() {
        let words = "minReadySeconds is 0, and the liveness probe kills 5 to 14 s after a start: 15 would have kept 9 of \
                     12 old pods";
        assert_eq!(sentence(&MinReady { gone: None, ..ADVICE }), words);
        assert_eq!(sentence(&MinReady { gone: Some(3), ..ADVICE }), words);
    }

    #[test]
    fn what_the_workload_has_already_is_not_advised() {
        assert_eq!(beside(&ADVICE).len(), 2);
        assert_eq!(beside(&MinReady { startup: true, surge: 1, kept: 12, ..ADVICE }), Vec::<String>::new());
    }
}
