//! Attempts that an HTTP library repeats by itself, so that the integration hears of one only.
//!
//! Where a connection breaks without an answer, libraries send the same request once more on another
//! one, within milliseconds (predicates, 4): aiohttp, java.net.http, and Go for what may be repeated.
//! Linktree's limit counts each of them all the same.

use super::guarded;
use crate::case::{Case, JudgedExchange};
use mock_server::history::exchange::End;
use std::collections::HashSet;

/// The ids of attempts that broke off without an answer and came again, on another connection and no
/// later than δ after their end.
pub fn unheard(case: &Case) -> HashSet<u64> {
    let all: Vec<&JudgedExchange> = guarded(case).collect();
    let comes_again = |at: usize, one: &JudgedExchange| {
        let until = one.t_known().plus(case.harness.delta);
        one.end == End::ServerReset
            && one.t_first.is_none()
            && all[at..].iter().take_while(|next| next.t_req <= until).any(|next| {
                next.t_req >= one.t_known() && next.conn != one.conn && is_same(one, next)
            })
    };
    let unheard = all.iter().enumerate().filter(|(at, one)| comes_again(*at, one));
    unheard.map(|(_, one)| one.id).collect()
}

/// Whether both are the same logical request; a batch is known by its clicks.
fn is_same(one: &JudgedExchange, other: &JudgedExchange) -> bool {
    let [ids, others] = [one, other].map(|of| of.clicks.iter().map(|click| &click.event_id));
    one.logical_key() == other.logical_key() && ids.eq(others)
}

#[cfg(test)]
mod tests {
    use super::super::{offenders, openings};
    use super::*;
    use crate::guarantees::evidence::rate::{Rate, Restarts};
    use crate::testing::{History, read, sent_batch};
    use mock_server::clock::Moment;
    use mock_server::history::exchange::Exchange;

    /// An attempt that is reset 5 ms after it came.
    fn reset(conn: u64, exchange: Exchange) -> Exchange {
        let nothing = Exchange { status: None, version: None, nonce: None, ..exchange };
        Exchange { conn, end: End::ServerReset, t_first: None, t_w: None, ..nothing }
    }

    /// After a success so many requests, each reset, and sent again so long after the reset.
    fn repeated(requests: u64, after_ms: u64, again: fn(u64, u64) -> Exchange) -> History {
        let twice = |n: u64| {
            let at = n * 1_000;
            [reset(n * 2, read("ann", at)), again(n * 2 + 1, at + 5 + after_ms)]
        };
        let history = History::over(&[]).exchange(read("ann", 0));
        let mut history = history.exchanges((1..=requests).flat_map(twice));
        history.case.ready();
        history
    }

    /// How many open times there are for certain, and how many attempts came through them.
    #[track_caller]
    fn check(history: &History, expected: (usize, usize)) {
        let openings = openings(&history.case);
        assert_eq!((openings.len(), offenders(&openings)), expected, "{openings:?}");
    }

    fn same(conn: u64, at_ms: u64) -> Exchange {
        reset(conn, read("ann", at_ms))
    }

    #[test]
    fn what_a_library_sent_again_is_one_attempt_and_two_for_the_limit() {
        for after_ms in [0, 1, 50, 100] {
            let history = repeated(5, after_ms, same);
            check(&history, (1, 0));
            assert_eq!(Rate::of_all(&history.case, 90, Restarts::Excuse).peak, 11);
        }
    }

    #[test]
    fn six_requests_are_too_many_however_they_are_counted() {
        check(&repeated(6, 50, same), (1, 1));
    }

    #[test]
    fn what_comes_later_or_is_another_request_or_on_the_same_connection_is_an_attempt() {
        check(&repeated(5, 101, same), (1, 4));
        check(&repeated(5, 50, |conn, at_ms| reset(conn, read("bob", at_ms))), (1, 4));
        check(&repeated(5, 50, |conn, at_ms| reset(conn - 1, read("ann", at_ms))), (1, 4));
    }

    #[test]
    fn quick_retries_of_its_own_open_the_breaker_all_the_same() {
        let history = repeated(2, 50, same).exchange(same(9, 3_000));
        check(&history, (1, 0)); // five attempts of three requests, and silence
    }

    #[test]
    fn a_batch_of_other_clicks_is_no_repetition() {
        let history = |ids: &[&str]| {
            let mut history = History::over(&[])
                .exchange(reset(1, sent_batch(&["a", "b"], 1_000, 0)))
                .exchange(reset(2, sent_batch(ids, 1_050, 0)));
            history.case.ready();
            unheard(&history.case).len()
        };
        assert_eq!([history(&["a", "b"]), history(&["c"])], [1, 0]);
    }

    #[test]
    fn an_answer_that_had_begun_was_heard() {
        let begun = Exchange { t_first: Some(Moment::from_ms(1_004)), ..same(2, 1_000) };
        let history = History::over(&[]).exchanges([begun, same(3, 1_050)]);
        assert!(unheard(&history.case).is_empty());
    }
}
