//! How many calls were under way at once, as far as their attempts tell.

use super::{Class, class};
use crate::case::{Case, JudgedExchange, LogicalKey};
use crate::spans;
use mock_server::clock::Moment;
use std::collections::HashMap;
use std::time::Duration;

/// The most calls that may have been under way at once. A call that has attempts left, and did not
/// succeed, may send another one after twice the longest declared delay; where several users come at once, each may have a call of
/// its own for the same page.
pub fn most_at_once(case: &Case, attempts: &[&JudgedExchange]) -> usize {
    let most = case.declared.max_attempts.max(1) as usize;
    let (delta, wait) = (case.harness.delta, longest_delay(case));
    let mut calls: HashMap<LogicalKey<'_>, Vec<(Moment, Moment, usize)>> = HashMap::new();
    for attempt in attempts {
        let (from, known) = (attempt.t_req.minus(delta), attempt.t_known().plus(delta));
        let of_one = calls.entry(attempt.logical_key()).or_default();
        let is_over = class(case, attempt) == Class::Success;
        let sent = |before| if is_over { most } else { before + 1 };
        match of_one.last_mut() {
            Some((_, until, before)) if *before < most && from <= until.plus(wait) => {
                (*until, *before) = (known, sent(*before));
            }
            _ => of_one.push((from, known, sent(0))),
        }
    }
    let ended = |&(from, until, sent): &(Moment, Moment, usize)| {
        (from, if sent < most { until.plus(wait) } else { until })
    };
    let at_once = spans::most_at_once(calls.values().flatten().map(ended));
    at_once * case.plan.generator.users.max(1) as usize
}

/// A visitor may join a call that is between two attempts: twice the longest declared delay.
pub fn longest_delay(case: &Case) -> Duration {
    let factor = f64::from(case.declared.backoff_factor_milli) / 1_000.0;
    let retries = i32::try_from(case.declared.max_attempts).unwrap_or(1) - 2;
    let longest = case.times.backoff_base.as_secs_f64() * factor.powi(retries.max(0));
    Duration::from_secs_f64(longest.min(case.times.backoff_cap.as_secs_f64()) * 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, read, refused};

    /// At most two attempts, 1 s apart; how many calls these are at once.
    #[track_caller]
    fn check(attempts: &[(&str, u64)], users: u32, expected: usize) {
        let sent = attempts.iter().map(|(handle, ms)| refused(handle, *ms, 503));
        seen(History::over(&[]).exchanges(sent), users, expected);
    }

    #[track_caller]
    fn seen(history: History, users: u32, expected: usize) {
        let mut case = history.case;
        case.declared.max_attempts = 2;
        case.plan.generator.users = users;
        let attempts: Vec<&JudgedExchange> = case.linktree.exchanges.iter().collect();
        assert_eq!(most_at_once(&case, &attempts), expected, "{attempts:?}");
    }

    #[test]
    fn calls_are_under_way_until_their_attempts_are_used_up_or_no_more_can_come() {
        check(&[("ann", 0), ("ann", 1_000), ("bob", 1_300), ("bob", 2_000)], 1, 1);
        check(&[("ann", 0), ("bob", 500), ("ann", 1_000), ("bob", 1_500)], 1, 2);
        check(&[("ann", 0), ("bob", 1_500)], 1, 2);
        check(&[("ann", 0), ("bob", 2_500)], 1, 1);
        check(&[("ann", 0), ("ann", 1_000), ("ann", 1_100)], 1, 2);
        check(&[("ann", 0), ("ann", 1_000)], 3, 3);
        let over = History::over(&[]).exchange(read("ann", 0));
        seen(over.exchange(refused("bob", 1_500, 503)), 1, 1);
    }
}
