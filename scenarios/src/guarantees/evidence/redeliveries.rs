//! Deliveries of clicks that failed whole, and when the same clicks were tried again.
//!
//! A click is known by its id: alone or in a batch, cut anew from attempt to attempt. What is judged is
//! when the first click of a failed request goes again, and how often in a row it had failed by then.
//! Services count failures for each click, for each call or for a whole worker, and for all of them that
//! number is the least they can have counted, if one bears with what else may set a counter back: any
//! answer to a delivery that is no failure, told waits included, and a restart.

use super::deliveries::Deliveries;
use super::retries::calls_for_backoff;
use crate::case::{Case, JudgedExchange};
use mock_server::clock::Moment;
use mock_server::history::exchange::End;
use std::collections::HashMap;

/// A delivery that failed.
pub struct Redelivery<'c> {
    /// The attempt.
    pub failed: &'c JudgedExchange,
    /// How often its first click had failed in a row then, from 1.
    pub number: u32,
    /// The next attempt with that click, if there was one.
    pub next: Option<&'c JudgedExchange>,
}

/// All of them.
pub struct Redeliveries<'c> {
    /// In the order in which they failed.
    pub all: Vec<Redelivery<'c>>,
    /// More of them, during which the harness was late or the target restarted or was paused.
    pub left_out: usize,
    sent: Deliveries<'c>,
}

impl<'c> Redeliveries<'c> {
    /// Those of a case.
    #[must_use]
    pub fn of(case: &'c Case) -> Self {
        let clicks = |one: &&JudgedExchange| one.route.is_click() && !one.clicks.is_empty();
        let sent = Deliveries::of(case);
        let mut anew: Vec<Moment> = case.target.deaths().collect();
        let mut failed: Vec<&JudgedExchange> = Vec::new();
        for attempt in case.linktree.exchanges.iter().filter(clicks) {
            match meant(attempt) {
                Meant::Failure => failed.push(attempt),
                Meant::Other => anew.push(attempt.t_known()),
                Meant::Nothing => {}
            }
        }
        anew.sort_unstable();
        failed.sort_by_key(|attempt| (attempt.t_known(), attempt.id));
        let mut counts: HashMap<&str, (u32, Moment)> = HashMap::new();
        let (mut all, mut left_out) = (Vec::new(), 0);
        for attempt in failed {
            let known = attempt.t_known();
            for click in &attempt.clicks {
                let (count, last) = counts.entry(&click.event_id).or_insert((0, known));
                let next = anew.partition_point(|at| *at <= *last);
                let set_back = anew.get(next).is_some_and(|at| *at <= known);
                *count = if set_back { 1 } else { *count + 1 };
                *last = known;
            }
            let first = &*attempt.clicks[0].event_id;
            let next = sent.place(first);
            let next = next.and_then(|place| case.linktree.next_attempt(place, known));
            if next.is_some_and(|next| is_uncertain(case, known, next.t_req)) {
                left_out += 1;
            } else {
                all.push(Redelivery { failed: attempt, number: counts[first].0, next });
            }
        }
        Self { all, left_out, sent }
    }

    /// The attempts with the first click of this one, up to the one after it.
    pub fn story(&self, of: &Redelivery<'c>) -> impl Iterator<Item = &'c JudgedExchange> {
        let until = of.next.unwrap_or(of.failed).t_req;
        let all = self.sent.find(&of.failed.clicks[0].event_id).into_iter();
        let all = all.flat_map(|click| click.attempts).map(|attempt| attempt.exchange);
        all.filter(move |one| one.t_req <= until)
    }
}

fn is_uncertain(case: &Case, from: Moment, until: Moment) -> bool {
    let (from, after) = (from.minus(case.harness.delta), until.plus(case.harness.delta));
    case.harness.too_slow_within(from, until) || case.target.disturbed_within(from, after)
}

/// What an attempt means for a counter of failures.
enum Meant {
    /// One more.
    Failure,
    /// It may begin anew.
    Other,
    /// Libraries repeat after a reset by themselves, and what was not over means nothing.
    Nothing,
}

fn meant(attempt: &JudgedExchange) -> Meant {
    match attempt.end {
        End::ServerReset | End::Open => Meant::Nothing,
        End::Complete | End::ClientAbort | End::Truncated if calls_for_backoff(attempt) => {
            Meant::Failure
        }
        End::Complete | End::ClientAbort | End::Truncated => Meant::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, asked_to_wait, read, refused, sent_batch, sent_click};
    use mock_server::history::exchange::Exchange;

    /// For each failure the number in a row, and the gap in ms until the next attempt.
    #[track_caller]
    fn check(history: History, expected: &[(u32, Option<u64>)]) {
        check_all(history, expected, 0);
    }

    /// The same, and how many were left out.
    #[track_caller]
    fn check_all(history: History, expected: &[(u32, Option<u64>)], left_out: usize) {
        let mut case = history.case;
        case.ready();
        let redeliveries = Redeliveries::of(&case);
        assert_eq!(redeliveries.left_out, left_out);
        let gap = |one: &Redelivery<'_>| {
            let gap = one.next?.t_req.since(one.failed.t_known());
            u64::try_from(gap.as_millis()).ok()
        };
        let seen: Vec<_> = redeliveries.all.iter().map(|one| (one.number, gap(one))).collect();
        assert_eq!(seen, expected);
    }

    fn nothing() -> History {
        History::over(&[])
    }

    #[test]
    fn a_click_is_followed_from_single_to_batch_and_through_every_cut() {
        let history = nothing()
            .exchange(sent_click("a", 1_000, 503))
            .exchange(sent_batch(&["a", "b"], 1_100, 503))
            .exchange(sent_batch(&["b", "c"], 1_200, 429))
            .exchange(sent_batch(&["a"], 1_300, 503))
            .exchange(sent_batch(&["c", "b", "a"], 1_800, 202));
        let expected = [(1, Some(95)), (2, Some(195)), (2, Some(595)), (3, Some(495))];
        check(history, &expected);
    }

    #[test]
    fn whatever_may_set_a_counter_back_does() {
        let between = |one: Exchange| {
            nothing()
                .exchange(sent_click("a", 1_000, 503))
                .exchange(one)
                .exchange(sent_click("a", 2_000, 503))
        };
        let told = Exchange {
            clicks: sent_click("b", 0, 429).clicks,
            retry_after: asked_to_wait("ann", 1_500, 429, 1).retry_after,
            ..sent_click("b", 1_500, 429)
        };
        for other in [sent_click("b", 1_500, 202), sent_click("b", 1_500, 400), told] {
            check(between(other), &[(1, Some(995)), (1, None)]);
        }
        let reset = Exchange { end: End::ServerReset, ..sent_click("b", 1_500, 503) };
        check(between(reset), &[(1, Some(995)), (2, None)]);
        check(between(sent_click("b", 1_500, 503)), &[(1, Some(995)), (1, None), (2, None)]);
    }

    #[test]
    fn what_fell_into_a_restart_a_pause_or_a_hiccup_of_the_harness_is_left_out() {
        let history = || {
            nothing()
                .exchange(sent_click("a", 1_000, 503))
                .exchange(sent_click("a", 2_000, 503))
                .exchange(sent_click("a", 3_000, 503))
        };
        check(history(), &[(1, Some(995)), (2, Some(995)), (3, None)]);
        check_all(history().killed(1_500), &[(1, Some(995)), (2, None)], 1);
        check_all(history().paused(1_500, 1_600), &[(2, Some(995)), (3, None)], 1);
        check_all(history().lag(1_500, 300), &[(2, Some(995)), (3, None)], 1);
    }

    #[test]
    fn only_requests_with_clicks_are_deliveries() {
        let clicks = [1_000, 2_000].map(|at| sent_click("a", at, 503));
        let others = [read("ann", 1_200), refused("ann", 1_300, 503), sent_batch(&[], 1_400, 503)];
        let others = others.into_iter().chain([sent_batch(&[], 1_500, 202)]);
        check(nothing().exchanges(clicks).exchanges(others), &[(1, Some(995)), (2, None)]);
    }

    #[test]
    fn an_attempt_that_fails_the_moment_it_comes_is_not_its_own_successor() {
        let failed = sent_click("a", 1_000, 503);
        check(nothing().exchange(Exchange { t_w: Some(failed.t_req), ..failed }), &[(1, None)]);
    }

    #[test]
    fn the_story_of_a_redelivery_ends_with_the_next_attempt() {
        let history = nothing().exchanges([1_000, 2_000, 3_000].map(|at| sent_click("a", at, 503)));
        let redeliveries = Redeliveries::of(&history.case);
        let told = |of: &Redelivery<'_>| redeliveries.story(of).map(|one| one.id).collect();
        let told: Vec<Vec<u64>> = redeliveries.all.iter().map(told).collect();
        assert_eq!(told, [vec![0, 1], vec![0, 1, 2], vec![0, 1, 2]]);
    }
}
