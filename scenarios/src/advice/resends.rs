//! What is said of a breaker where an HTTP library sent requests again by itself.

use crate::case::{Case, JudgedExchange};
use crate::guarantees::evidence::circuit::calls::longest_delay;
use crate::guarantees::evidence::circuit::repeats::unheard;
use crate::guarantees::evidence::retries::{Request, request};
use crate::measure::{humane, so_many};
use std::collections::{BTreeMap, HashSet};

/// How often that happened, and how many page reads had more attempts by it than are declared.
pub fn told(case: &Case) -> Option<String> {
    let unheard = unheard(case);
    if unheard.is_empty() {
        return None;
    }
    let again = so_many(unheard.len(), "call was", "calls were");
    let within = humane(case.harness.delta);
    let most = case.declared.max_attempts;
    let more = match longer(case, &unheard) {
        0 => String::new(),
        rows => format!(
            " So {} more attempts than max_attempts = {most}.",
            so_many(rows, "page read had", "page reads had")
        ),
    };
    Some(format!(
        "{again} sent again within {within} after a reset, on another connection: an HTTP library does so by \
         itself, and the breaker never hears of the first of them.{more}"
    ))
}

/// Page reads with one of these and more attempts than are declared: each soon enough after the last.
fn longer(case: &Case, unheard: &HashSet<u64>) -> usize {
    let soon = longest_delay(case) + case.harness.delta;
    let mut rows: BTreeMap<Request<'_>, Vec<Vec<&JudgedExchange>>> = BTreeMap::new();
    for one in case.linktree.exchanges.iter().filter(|one| one.route.is_page_read()) {
        let of_page = rows.entry(request(one)).or_default();
        match of_page.last_mut() {
            Some(row) if row.last().is_some_and(|last| follows(last, one, soon)) => row.push(one),
            _ => of_page.push(vec![one]),
        }
    }
    let is_longer = |row: &&Vec<&JudgedExchange>| {
        row.len() > case.declared.max_attempts as usize
            && row.iter().any(|one| unheard.contains(&one.id))
    };
    rows.values().flatten().filter(is_longer).count()
}

fn follows(last: &JudgedExchange, one: &JudgedExchange, soon: std::time::Duration) -> bool {
    !last.is_success() && one.t_req <= last.t_known().plus(soon)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, read};
    use mock_server::history::exchange::{End, Exchange};

    fn reset(conn: u64, at_ms: u64) -> Exchange {
        let nothing = Exchange { status: None, version: None, nonce: None, ..read("ann", at_ms) };
        Exchange { conn, end: End::ServerReset, t_first: None, t_w: None, ..nothing }
    }

    #[track_caller]
    fn check(attempts: Vec<Exchange>, most: u32, expected: Option<&[&str]>) {
        let mut history = History::over(&[]).exchanges(attempts);
        history.case.declared.max_attempts = most;
        history.case.ready();
        let told = told(&history.case);
        let words = expected.unwrap_or_default();
        assert_eq!(told.is_some(), expected.is_some(), "{told:?}");
        assert!(words.iter().all(|words| told.as_ref().unwrap().contains(words)), "{told:?}");
    }

    #[test]
    fn calls_that_came_again_by_themselves_are_counted_and_more_attempts_than_declared() {
        let three = || vec![reset(1, 1_000), reset(2, 1_010), reset(3, 2_000)];
        check(
            three(),
            2,
            Some(&["1 call was sent again", "1 page read had more attempts than max_attempts = 2"]),
        );
        check(three(), 3, Some(&["1 call was sent again"]));
        check(vec![reset(1, 1_000), reset(2, 2_000)], 1, None);
    }
}
