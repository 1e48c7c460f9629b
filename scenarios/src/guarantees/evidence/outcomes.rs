//! How many calls timed out in a window, and how many were refused for their key, at the least and at the
//! most.
//!
//! What is a timeout to a client is not all the same: connections that break off and answers such as 504 are
//! in many services of the same kind. What a refused key is: 403 as well, and a vault that fails may have
//! the same alert. What counts for certain is a call that was given up after its time, or answered 401, and
//! of these those alone that a monitor sees a counter grow by: the first of each series it meets with the
//! series itself.

use super::alerts::{SCRAPE, Sample, moments};
use super::window::{Memory, count};
use crate::case::{Case, JudgedExchange};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::history::exchange::End;
use std::collections::HashMap;
use std::time::Duration;

/// When calls of one kind ended, in order of time.
#[derive(Debug, Default)]
pub struct Ended {
    /// Those that everybody counts.
    surely: Vec<Moment>,
    /// Those that anybody may count.
    perhaps: Vec<Moment>,
}

/// The two kinds of trouble.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// Calls that timed out.
    pub timeouts: Ended,
    /// Calls that were refused for their key.
    pub refusals: Ended,
}

impl Outcomes {
    /// Those of a case; `is_timeout` says which calls were given up after their time.
    #[must_use]
    pub fn of(case: &Case, is_timeout: impl Fn(&JudgedExchange) -> bool) -> Self {
        let mut outcomes = Self::default();
        let Self { timeouts, refusals } = &mut outcomes;
        let memory = Memory::of(case);
        let mut first: HashMap<(usize, Route, bool), Moment> = HashMap::new();
        let mut sure: Vec<(&JudgedExchange, bool)> = Vec::new();
        for one in case.linktree.exchanges.iter().chain(&case.linktree.connections) {
            if may_time_out(one) {
                timeouts.perhaps.push(one.t_known());
            }
            if is_refusal(one) || one.doubtful {
                refusals.perhaps.push(one.t_known());
            }
            let is_timeout = is_timeout(one);
            if is_timeout || one.status == Some(401) && one.end == End::Complete && !one.doubtful {
                sure.push((one, is_timeout));
            }
        }
        sure.sort_by_key(|(one, _)| one.t_known());
        for (one, is_timeout) in sure {
            let at = one.t_known();
            let begun = *first.entry((memory.life(at), one.route, is_timeout)).or_insert(at);
            if at.since(begun) > SCRAPE + case.harness.delta {
                let of_kind = if is_timeout { &mut *timeouts } else { &mut *refusals };
                of_kind.surely.push(at);
            }
        }
        let fails = |status: u16| status == 0 || status >= 400;
        let failed = case.linktree.secret_reads.iter().filter(|read| fails(read.status));
        refusals.perhaps.extend(failed.map(|read| read.at));
        timeouts.perhaps.sort_unstable();
        refusals.perhaps.sort_unstable();
        outcomes
    }
}

impl Ended {
    /// How many there were in each window of this length.
    #[must_use]
    pub fn signal(&self, case: &Case, window: Duration) -> Vec<Sample> {
        let (memory, edge) = (Memory::of(case), case.harness.delta + SCRAPE);
        let sample = |at: Moment| {
            let from = at.minus(window);
            // What counts in memory begins with its process.
            let sure = memory.since(from, at);
            Sample {
                at,
                lo: count(&self.surely, sure.plus(edge), at.minus(edge)),
                hi: count(&self.perhaps, from.minus(edge), at.plus(edge)),
            }
        };
        moments(case).map(sample).collect()
    }
}

/// 401 it is; of 403 it is a matter of taste, and 407 is a proxy's.
fn is_refusal(one: &JudgedExchange) -> bool {
    matches!(one.status, Some(401 | 403 | 407))
}

/// Everything that did not come as it should, but for refusals of what was asked.
fn may_time_out(one: &JudgedExchange) -> bool {
    !one.is_success() && !matches!(one.status, Some(400..=407 | 409..=499)) || one.doubtful
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PhaseKind::Control;
    use crate::testing::{History, given_up, read, refused};

    /// Least and most timeouts, and refusals, in the 100 s before this second.
    #[track_caller]
    fn check(history: History, second: u64, expected: [(u64, u64); 2]) {
        let mut history = history.declaring(|one| one.alert_delay_ms = 0);
        history.case.ready();
        let case = &history.case;
        let outcomes = Outcomes::of(case, |one| one.end == End::ClientAbort);
        let at = Moment::from_ms(second * 1_000);
        let found = [&outcomes.timeouts, &outcomes.refusals].map(|ended| {
            let signal = ended.signal(case, Duration::from_secs(100));
            let sample = signal.into_iter().find(|one| one.at == at).unwrap();
            (sample.lo, sample.hi)
        });
        assert_eq!(found, expected, "at {second} s");
    }

    fn history() -> History {
        History::over(&[(Control, 0, 300)]).exchanges((0..300).map(|n| read("ann", n * 1_000)))
    }

    #[test]
    fn the_first_of_a_series_is_met_with_it_and_what_ends_beside_the_edge_may_count() {
        let late = |n: u64| given_up("bob", 40_000 + n * 5_000, 50_000 + n * 5_000);
        let denied = |n: u64| refused("carl", 200_000 + n * 5_000, 401);
        let both = || history().exchanges((0..4).map(late)).exchanges((0..3).map(denied));
        check(both(), 45, [(0, 0), (0, 0)]);
        check(both(), 49, [(0, 1), (0, 0)]);
        check(both(), 60, [(1, 3), (0, 0)]);
        check(both(), 70, [(3, 4), (0, 0)]);
        check(both(), 160, [(1, 2), (0, 0)]);
        check(both(), 215, [(0, 0), (2, 3)]);
        // All at once are met as one.
        let at_once = (0..4).map(|n| refused("carl", 200_000 + n * 100, 401));
        check(history().exchanges(at_once), 215, [(0, 0), (0, 4)]);
    }

    #[test]
    fn whatever_may_be_of_a_kind_may_count_as_it() {
        let odd = [(408, 1, 0), (504, 1, 0), (403, 0, 1), (404, 0, 0), (429, 0, 0)];
        for (status, timeouts, refusals) in odd {
            let one = history().exchange(refused("bob", 50_000, status));
            check(one, 60, [(0, timeouts), (0, refusals)]);
        }
        check(history().vault_read(50_000, 403), 60, [(0, 0), (0, 1)]);
        check(history().vault_read(50_000, 200), 60, [(0, 0), (0, 0)]);
    }

    #[test]
    fn what_was_counted_in_memory_is_gone_with_its_process() {
        let late = |n: u64| given_up("bob", 40_000 + n * 5_000, 50_000 + n * 5_000);
        let killed = history().exchanges((0..4).map(late)).killed_until(80_000, 81_000);
        check(killed, 90, [(0, 4), (0, 0)]);
    }

    #[test]
    fn what_comes_within_a_scrape_and_the_tolerance_of_the_first_is_met_with_it() {
        let twice = |apart_ms| {
            let denied = [0, apart_ms].map(|ms| refused("carl", 200_000 + ms, 401));
            history().exchanges(denied)
        };
        check(twice(1_000), 215, [(0, 0), (0, 2)]);
        check(twice(1_100), 215, [(0, 0), (0, 2)]);
        check(twice(1_101), 215, [(0, 0), (1, 2)]);
    }
}
