//! Every click that was sent to Linktree, with all attempts at it, singly or in batches.

use crate::case::{Case, JudgedExchange, Receipt};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::history::exchange::End;

/// One attempt to deliver one click.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'c> {
    /// The exchange, which may carry other clicks too.
    pub exchange: &'c JudgedExchange,
    /// What this click met.
    pub receipt: &'c Receipt,
}

/// A click and its attempts, in order of arrival.
#[derive(Clone, Debug)]
pub struct Delivery<'c> {
    /// The click's id.
    pub event_id: &'c str,
    /// The attempts; never empty.
    pub attempts: Vec<Attempt<'c>>,
}

/// All clicks of a case, in the order of their first attempts.
#[derive(Clone, Copy, Debug)]
pub struct Deliveries<'c> {
    case: &'c Case,
}

impl Attempt<'_> {
    /// A line of a witness's story: the exchange, and what it came to for this click where that was
    /// something else, or where other clicks went with it.
    #[must_use]
    pub fn tell(&self, case: &Case) -> String {
        let (whole, own) = (self.exchange.status.unwrap_or_default(), self.receipt.status);
        let with = self.exchange.clicks.len();
        let with = if with > 1 { format!(", {with} clicks in it") } else { String::new() };
        let own = if own == whole { String::new() } else { format!(", this click {own}") };
        let effect =
            if self.lost_its_receipt() { ", counted, but its receipt was lost" } else { "" };
        format!("{}{with}{own}{effect}", case.tell(self.exchange))
    }

    /// Linktree has the click, whether or not the client could read so.
    #[must_use]
    pub fn arrived(&self) -> bool {
        self.receipt.effect || is_2xx(self.receipt.status)
    }

    /// A whole answer said that Linktree has the click.
    #[must_use]
    pub fn was_confirmed(&self) -> bool {
        self.exchange.end == End::Complete
            && !self.exchange.doubtful
            && self.exchange.status.is_some_and(is_2xx)
            && is_2xx(self.receipt.status)
    }

    /// A whole answer said that Linktree will never take this click: with the click's own status in a
    /// batch that succeeded, or with one of 404, 409, 410, 422 for a click that was sent alone. What is
    /// said of a whole batch, or of the key, the time, the rate or the shape of a request, says nothing
    /// about the click.
    #[must_use]
    pub fn was_refused_for_good(&self) -> bool {
        let (whole, own) = (self.exchange.status.unwrap_or_default(), self.receipt.status);
        let of_the_click = match self.exchange.route {
            Route::Clicks => whole == own && matches!(own, 404 | 409 | 410 | 422),
            _ => is_2xx(whole) && says_it_is_wrong(own),
        };
        self.exchange.end == End::Complete && !self.exchange.doubtful && of_the_click
    }

    /// Linktree has the click, and the client was never told: the answer was lost on its way.
    #[must_use]
    pub fn lost_its_receipt(&self) -> bool {
        self.arrived() && !self.was_confirmed()
    }
}

impl Delivery<'_> {
    /// When Linktree first had the click.
    #[must_use]
    pub fn arrived(&self) -> Option<Moment> {
        let arrived = self.attempts.iter().filter(|attempt| attempt.arrived());
        arrived.map(|attempt| attempt.exchange.t_known()).min()
    }

    /// When the click was first off the integration's hands: it arrived, or was refused for good.
    #[must_use]
    pub fn settled(&self) -> Option<Moment> {
        let settled = |attempt: &&Attempt<'_>| attempt.arrived() || attempt.was_refused_for_good();
        let settled = self.attempts.iter().filter(settled);
        settled.map(|attempt| attempt.exchange.t_known()).min()
    }
}

impl<'c> Deliveries<'c> {
    /// Those of the case's exchanges.
    #[must_use]
    pub const fn of(case: &'c Case) -> Self {
        Self { case }
    }

    /// How many clicks there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.case.linktree.click_count()
    }

    /// The clicks.
    pub fn all(&self) -> impl Iterator<Item = Delivery<'c>> + use<'c> {
        let all = *self;
        (0..self.count()).map(move |place| all.at(place))
    }

    /// The place in [`Deliveries::all`] of a click.
    #[must_use]
    pub fn place(&self, event_id: &str) -> Option<usize> {
        self.case.linktree.click_place(event_id)
    }

    /// The click at a place.
    #[must_use]
    pub fn at(&self, place: usize) -> Delivery<'c> {
        let attempts = self.case.linktree.click_attempts(place);
        let attempt = |(exchange, receipt)| Attempt { exchange, receipt };
        let attempts: Vec<Attempt<'_>> = attempts.map(attempt).collect();
        Delivery { event_id: &attempts[0].receipt.event_id, attempts }
    }

    /// The click with this id.
    #[must_use]
    pub fn find(&self, event_id: &str) -> Option<Delivery<'c>> {
        self.place(event_id).map(|place| self.at(place))
    }
}

/// Whether a status says of what it answers that it is wrong, and not of the key, the time or the rate that
/// they are.
#[must_use]
pub const fn says_it_is_wrong(status: u16) -> bool {
    matches!(status, 400..=499) && !matches!(status, 401 | 403 | 408 | 425 | 429)
}

fn is_2xx(status: u16) -> bool {
    (200..300).contains(&status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, sent_batch, sent_click};
    use mock_server::history::exchange::Exchange;

    #[test]
    fn attempts_are_gathered_over_singles_and_batches() {
        let history = History::over(&[]).exchange(sent_click("a", 10, 503)).exchange(sent_batch(
            &["b", "a"],
            20,
            202,
        ));
        let deliveries = Deliveries::of(&history.case);
        let ids: Vec<_> = deliveries.all().map(|click| click.event_id).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!((deliveries.count(), deliveries.at(0).attempts.len()), (2, 2));
        assert_eq!(deliveries.at(0).arrived(), Some(Moment::from_ms(25)));
        assert_eq!(deliveries.place("b"), Some(1));
    }

    #[test]
    fn an_effect_whose_answer_was_lost_has_arrived_but_is_not_confirmed() {
        let lost = Exchange { end: End::ServerReset, status: None, ..sent_click("a", 10, 202) };
        let exchange = JudgedExchange::from(Exchange { t_w: None, ..lost });
        let attempt = Attempt { exchange: &exchange, receipt: &exchange.clicks[0] };
        assert!(attempt.arrived() && !attempt.was_confirmed());
    }

    #[test]
    fn an_attempt_is_told_with_what_it_came_to_for_this_click() {
        let history = History::over(&[]);
        let check = |exchange: Exchange, expected: &str| {
            let exchange = JudgedExchange::from(exchange);
            let attempt = Attempt { exchange: &exchange, receipt: &exchange.clicks[0] };
            let told = attempt.tell(&history.case);
            assert_eq!(told.strip_prefix(&history.case.tell(&exchange)), Some(expected));
        };
        check(sent_click("a", 10, 202), "");
        check(sent_batch(&["a"], 10, 503), "");
        check(sent_batch(&["a", "b"], 10, 503), ", 2 clicks in it");
        check(sent_batch(&["a", "b"], 10, 202), ", 2 clicks in it, this click 202");
        let lost = Exchange { end: End::Truncated, ..sent_click("a", 10, 202) };
        check(lost, ", counted, but its receipt was lost");
    }

    #[test]
    fn an_answer_that_a_fault_bent_confirms_and_refuses_nothing() {
        let check = |exchange: Exchange| {
            let exchange = JudgedExchange::from(exchange);
            let attempt = Attempt { exchange: &exchange, receipt: &exchange.clicks[0] };
            assert!(!attempt.was_confirmed() && !attempt.was_refused_for_good(), "{exchange:?}");
        };
        for status in [202, 422] {
            check(Exchange { doubtful: true, ..sent_click("a", 10, status) });
            check(Exchange { status: Some(500), ..sent_click("a", 10, status) });
        }
    }

    #[test]
    fn only_a_whole_answer_about_the_click_refuses_it_for_good() {
        let refused = |status| {
            let exchange = JudgedExchange::from(sent_click("a", 10, status));
            Attempt { exchange: &exchange, receipt: &exchange.clicks[0] }.was_refused_for_good()
        };
        assert!(refused(422) && refused(404) && refused(409) && refused(410));
        for status in [429, 401, 503, 202, 400, 403, 413, 415] {
            assert!(!refused(status), "{status}");
        }
    }

    #[test]
    fn a_batch_that_is_refused_whole_refuses_none_of_its_clicks() {
        let refused = |whole, own| {
            let mut exchange = JudgedExchange::from(sent_batch(&["a"], 10, own));
            exchange.status = Some(whole);
            Attempt { exchange: &exchange, receipt: &exchange.clicks[0] }.was_refused_for_good()
        };
        assert!(refused(200, 404) && refused(207, 422) && refused(200, 400));
        assert!(!refused(200, 503) && !refused(200, 429));
        for status in [400, 404, 413, 422] {
            assert!(!refused(status, status), "{status}");
        }
    }
}
