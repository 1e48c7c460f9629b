//! By when a client must have read what Linktree answered, and what excuses one that has not.

use crate::case::{Case, JudgedExchange};
use mock_server::clock::Moment;
use std::collections::HashMap;

/// When the target has read an answer that was known at this moment, unless it answers nobody.
#[must_use]
pub fn settled(case: &Case, known: Moment) -> Moment {
    let settled = case.target.heard_by(known, case.harness.delta);
    settled.plus(case.harness.stalled_within(known, settled))
}

/// Whether the process that asked had ended before this moment: an answer may be written for one that is
/// gone.
#[must_use]
pub fn asker_died(case: &Case, asked: &JudgedExchange, before: Moment) -> bool {
    let begun = asked.t_head.minus(case.harness.delta);
    case.target.deaths().any(|at| at > begun && at < before)
}

/// A client that gives up just as the answer is written never reads it, and the mock cannot tell.
/// It would close the connection; a quick answer leaves no time to give up, unless the client stood
/// still meanwhile.
#[must_use]
pub fn may_have_been_given_up(
    case: &Case,
    exchange: &JudgedExchange,
    reused: &HashMap<u64, u32>,
) -> bool {
    let known = exchange.t_known();
    let slow = known.since(exchange.t_head) > case.harness.delta * 2
        || case.target.paused_within(
            exchange.t_head.minus(case.harness.delta),
            known.plus(case.harness.delta),
        );
    slow && is_last_of_its_connection(exchange, reused)
}

/// The same of a client that had no processor meanwhile: when it gets one its patience may be over, and the
/// answer unread.
#[must_use]
pub fn may_have_been_starved(
    case: &Case,
    exchange: &JudgedExchange,
    reused: &HashMap<u64, u32>,
) -> bool {
    let (known, delta) = (exchange.t_known(), case.harness.delta);
    let starved = case.harness.starved_within(exchange.t_head.minus(delta), known.plus(delta));
    let took = known.since(exchange.t_head) + starved;
    !starved.is_zero() && took > delta * 2 && is_last_of_its_connection(exchange, reused)
}

fn is_last_of_its_connection(exchange: &JudgedExchange, reused: &HashMap<u64, u32>) -> bool {
    reused.get(&exchange.conn).is_none_or(|last| *last <= exchange.conn_seq)
}
