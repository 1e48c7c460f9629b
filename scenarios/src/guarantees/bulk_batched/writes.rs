//! The writes of links that Linktree met, call by call and link by link.

use crate::case::{Case, JudgedExchange};
use mock_server::clock::Moment;
use mock_server::history::exchange::{End, LinkReceipt};
use std::collections::HashMap;

/// One call.
#[derive(Clone, Copy, Debug)]
pub struct Call<'c> {
    /// The exchange.
    pub exchange: &'c JudgedExchange,
    /// What became of each link.
    pub links: &'c [LinkReceipt],
}

/// What became of one link in one call.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'c> {
    /// The exchange.
    pub exchange: &'c JudgedExchange,
    /// What this link met.
    pub receipt: &'c LinkReceipt,
}

/// All of them, in order of arrival.
#[derive(Debug)]
pub struct Writes<'c> {
    calls: Vec<Call<'c>>,
    of_link: HashMap<&'c str, Vec<Attempt<'c>>>,
}

impl Call<'_> {
    /// A whole answer said that the call succeeded, whatever became of each link.
    pub fn is_answered(&self) -> bool {
        self.exchange.end == End::Complete
            && !self.exchange.doubtful
            && self.exchange.status.is_some_and(is_2xx)
    }

    fn failed(&self) -> usize {
        self.links.iter().filter(|link| !is_2xx(link.status)).count()
    }

    /// Whether something is left to be done after it.
    pub fn leaves_something(&self) -> bool {
        !self.is_answered() || self.failed() > 0
    }
}

impl Attempt<'_> {
    /// The link says what was asked for, whether or not the client could read so.
    pub fn is_written(&self) -> bool {
        is_2xx(self.receipt.status)
    }

    /// A whole answer said so.
    pub fn is_confirmed(&self) -> bool {
        Call { exchange: self.exchange, links: &[] }.is_answered() && self.is_written()
    }
}

impl<'c> Writes<'c> {
    /// Those of the case's exchanges.
    pub fn of(case: &'c Case) -> Self {
        let (mut calls, mut of_link) = (Vec::new(), HashMap::<_, Vec<_>>::new());
        for write in &case.linktree.link_writes {
            let Some(exchange) = case.linktree.exchange_of(write) else { continue };
            calls.push(Call { exchange, links: &write.links });
            for receipt in &write.links {
                let attempts = of_link.entry(receipt.id.as_str()).or_default();
                attempts.push(Attempt { exchange, receipt });
            }
        }
        Self { calls, of_link }
    }

    /// The calls.
    pub fn calls(&self) -> &[Call<'c>] {
        &self.calls
    }

    /// The links, in any order, each with its attempts, in order of arrival.
    pub fn links(&self) -> impl Iterator<Item = (&'c str, &[Attempt<'c>])> {
        self.of_link.iter().map(|(id, attempts)| (*id, attempts.as_slice()))
    }

    /// When a link first said this.
    pub fn written(&self, id: &str, payload: &str) -> Option<Moment> {
        let mut attempts = self.of_link.get(id)?.iter();
        let said = attempts.find(|one| one.is_written() && one.receipt.payload == payload)?;
        Some(said.exchange.t_req)
    }

    /// Calls that succeeded, but not for so many links at least.
    pub fn partly_failed(&self, least: usize) -> usize {
        let partly = |call: &&Call<'_>| {
            let failed = call.failed();
            call.is_answered() && failed >= least && failed < call.links.len()
        };
        self.calls.iter().filter(partly).count()
    }

    /// Calls that wrote something, and of which the client could not know.
    pub fn unanswered(&self) -> usize {
        let lost = |call: &&Call<'_>| !call.is_answered() && call.failed() < call.links.len();
        self.calls.iter().filter(lost).count()
    }
}

fn is_2xx(status: u16) -> bool {
    (200..300).contains(&status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, wrote};
    use mock_server::history::exchange::Exchange;

    /// A call for links named by their words, of each the status.
    fn call(links: &[(&str, u16)], at_ms: u64) -> Exchange {
        let asked: Vec<_> = links.iter().map(|(name, _)| (*name, *name)).collect();
        let mut exchange = wrote(&asked, at_ms, 200);
        for (receipt, (_, status)) in exchange.links.iter_mut().zip(links) {
            receipt.status = *status;
        }
        exchange
    }

    fn lost(exchange: Exchange) -> Exchange {
        Exchange { end: End::ServerReset, status: None, ..exchange }
    }

    /// Whether a call is answered, leaves something to be done, and confirms its first link.
    #[track_caller]
    fn check(exchange: Exchange, expected: [bool; 3]) {
        let history = History::over(&[]).exchange(exchange);
        let writes = Writes::of(&history.case);
        let call = writes.calls()[0];
        let first = Attempt { exchange: call.exchange, receipt: &call.links[0] };
        let found = [call.is_answered(), call.leaves_something(), first.is_confirmed()];
        assert_eq!(found, expected, "{call:?}");
        assert_eq!(first.is_written(), call.links[0].status == 200);
    }

    #[test]
    fn only_a_whole_answer_that_is_no_faults_confirms_what_it_says() {
        check(call(&[("a", 200)], 0), [true, false, true]);
        check(call(&[("a", 200), ("b", 503)], 0), [true, true, true]);
        check(call(&[("a", 503), ("b", 200)], 0), [true, true, false]);
        check(lost(call(&[("a", 200)], 0)), [false, true, false]);
        let cut = Exchange { end: End::Truncated, ..call(&[("a", 200)], 0) };
        check(cut, [false, true, false]);
        let bent = Exchange { doubtful: true, ..call(&[("a", 200)], 0) };
        check(bent, [false, true, false]);
        let refused = Exchange { status: Some(503), ..call(&[("a", 200)], 0) };
        check(refused, [false, true, false]);
    }

    #[test]
    fn a_link_says_something_from_the_first_call_on_that_wrote_it() {
        let history = History::over(&[])
            .exchange(call(&[("a", 503)], 10))
            .exchange(lost(call(&[("b", 200), ("a", 200)], 20)))
            .exchange(call(&[("a", 200)], 30));
        let writes = Writes::of(&history.case);
        assert_eq!(writes.calls().len(), 3);
        assert_eq!(writes.written("a", "a"), Some(Moment::from_ms(20)));
        assert_eq!(writes.written("a", "other words"), None);
        assert_eq!(writes.written("c", "c"), None);
        let mut links: Vec<_> = writes.links().map(|(id, all)| (id, all.len())).collect();
        links.sort_unstable();
        assert_eq!(links, [("a", 3), ("b", 1)]);
    }

    #[test]
    fn calls_that_failed_in_part_and_those_of_which_nobody_heard_are_counted() {
        let count = |exchange: Exchange| {
            let history = History::over(&[]).exchange(exchange);
            let writes = Writes::of(&history.case);
            (writes.partly_failed(2), writes.unanswered())
        };
        assert_eq!(count(call(&[("a", 200), ("b", 503), ("c", 503)], 0)), (1, 0));
        assert_eq!(count(call(&[("a", 200), ("b", 200), ("c", 503)], 0)), (0, 0));
        assert_eq!(count(call(&[("b", 503), ("c", 503)], 0)), (0, 0));
        assert_eq!(count(lost(call(&[("a", 200), ("b", 503), ("c", 503)], 0))), (0, 1));
        assert_eq!(count(lost(call(&[("b", 503), ("c", 503)], 0))), (0, 0));
        assert_eq!(count(lost(call(&[("a", 200)], 0))), (0, 1));
    }
}
