//! What is said of clicks that did not arrive: what was heard of them at last.

use crate::case::Case;
use crate::guarantees::clicks_delivered::INVENTED;
use crate::guarantees::evidence::deliveries::{Attempt, Deliveries};
use crate::measure::so_many;
use crate::verdict::Verdict;
use mock_server::history::exchange::End;

/// What ended the last attempt at a click.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Heard {
    Unauthorised,
    Forbidden,
    TooMany,
    Failed,
    Refused,
    Nothing,
}

impl Heard {
    const ALL: [Self; 6] = [
        Self::Unauthorised,
        Self::Forbidden,
        Self::TooMany,
        Self::Failed,
        Self::Refused,
        Self::Nothing,
    ];

    fn of(last: &Attempt<'_>) -> Self {
        match (last.exchange.end, last.receipt.status) {
            (End::Complete, 401) => Self::Unauthorised,
            (End::Complete, 403) => Self::Forbidden,
            (End::Complete, 429) => Self::TooMany,
            (End::Complete, 500..) => Self::Failed,
            (End::Complete, _) => Self::Refused,
            _ => Self::Nothing,
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::Unauthorised => {
                "the last answer was 401: read the key again from the vault at 401, and send the click again"
            }
            Self::Forbidden => {
                "the last answer was 403: keep the click until the key may write clicks again"
            }
            Self::TooMany => {
                "the last answer was 429: wait as long as Retry-After says, and send the click again"
            }
            Self::Failed => {
                "the last answer was an error (5xx): a click stays in the queue until it was taken, however \
                 often that fails"
            }
            Self::Refused => {
                "the last answer refused what was sent, and not the click itself: send it in another way, \
                 such as a smaller batch"
            }
            Self::Nothing => {
                "the last attempt had no answer: a click stays in the queue until it was taken, however often \
                 that fails"
            }
        }
    }
}

/// What a lawful integration does about most of the clicks that were lost or invented; nothing where most of
/// the lost ones were never sent.
pub fn told(case: &Case, verdict: &Verdict) -> Option<String> {
    let invented = verdict.measures.iter().any(|one| one.name == INVENTED && one.is_broken());
    if invented {
        let told = "Send each click under the event_id that its visitor gave it, the same at every attempt.";
        return Some(told.to_owned());
    }
    let open = Deliveries::of(case).all().filter(|click| click.settled().is_none());
    let last: Vec<Heard> = open.filter_map(|click| click.attempts.last().map(Heard::of)).collect();
    let count = |heard: &Heard| last.iter().filter(|one| *one == heard).count();
    let most = Heard::ALL.into_iter().rev().max_by_key(count)?;
    let is_most = count(&most) as u64 * 2 > verdict.violations;
    let clicks = so_many(count(&most), "lost click", "lost clicks");
    is_most.then(|| format!("Of {clicks} {}.", most.advice()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Gauge;
    use crate::testing::{History, sent_click};
    use crate::verdict::Witness;
    use mock_server::clock::Moment;

    /// What is said where so many clicks were lost after these attempts.
    #[track_caller]
    fn check(attempts: &[(&str, u16)], lost: usize, expected: Option<&[&str]>) {
        let sent = attempts.iter().zip(1..);
        let sent = sent.map(|((id, status), n)| sent_click(id, n * 1_000, *status));
        let mut history = History::over(&[]).exchanges(sent.collect::<Vec<_>>());
        history.case.ready();
        let witnesses = vec![Witness::new(Moment::ZERO, "lost"); lost];
        let told = told(&history.case, &Verdict::from_witnesses(9, "clicks", witnesses));
        assert_eq!(told.is_some(), expected.is_some(), "{told:?}");
        for words in expected.unwrap_or_default() {
            assert!(told.as_ref().is_some_and(|told| told.contains(words)), "{told:?}");
        }
    }

    #[test]
    fn what_was_heard_at_last_of_most_clicks_is_said() {
        let four = [("a", 503), ("a", 401), ("b", 401), ("c", 503)];
        check(&four, 3, Some(&["Of 2 lost clicks the last answer was 401", "read the key again"]));
        check(&[("a", 401), ("a", 503)], 1, Some(&["Of 1 lost click", "an error (5xx)"]));
        check(&[("a", 403)], 1, Some(&["may write clicks"]));
        check(&[("a", 429)], 1, Some(&["Retry-After"]));
    }

    #[test]
    fn of_clicks_that_arrived_or_were_mostly_never_sent_nothing_is_said() {
        check(&[("a", 401), ("a", 202)], 1, None);
        check(&[("a", 401)], 2, None);
        check(&[], 1, None);
    }

    #[test]
    fn of_clicks_that_nobody_made_the_id_is_said() {
        let case = History::over(&[]).case;
        let gauge = Gauge::none_of(INVENTED).counted(1, 9);
        let witness = vec![Witness::new(Moment::ZERO, "invented")];
        let verdict = Verdict::from_witnesses(9, "clicks", witness).measured([gauge], "", "");
        assert!(told(&case, &verdict).is_some_and(|told| told.contains("event_id")));
    }
}
