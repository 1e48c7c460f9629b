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
