//! What Linktree sent of one creator's page, and which version is certainly older than which.

use crate::case::{JudgedExchange, Text};
use crate::spans::Spans;
use mock_server::clock::Moment;

/// What was sent of one creator.
#[derive(Clone, Debug, Default)]
pub struct Creator {
    /// The versions, in the order in which they were first asked for.
    pub versions: Vec<Sent>,
    /// When profile answers were whole, ascending.
    pub validated: Vec<Moment>,
    /// Certain fills, ascending.
    pub fills: Vec<Fill>,
    /// When any call for this page was under way.
    pub asked: Spans,
}

/// A version that Linktree sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The version.
    pub name: Text,
    /// First byte of the first answer that bore it.
    pub first: Moment,
    /// The last request that was answered with it.
    pub last_asked: Moment,
}

/// The integration certainly had this version, whole, from `at` on.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    /// Last byte of the last answer, and δ.
    pub at: Moment,
    /// Index into [`Creator::versions`].
    pub version: usize,
}

impl Creator {
    /// Takes in an answer with a version.
    pub fn note(&mut self, version: &Text, exchange: &JudgedExchange) {
        let first = exchange.t_first.unwrap_or(exchange.t_req);
        match self.versions.iter_mut().rev().find(|sent| sent.name == *version) {
            Some(sent) => {
                sent.first = sent.first.min(first);
                sent.last_asked = sent.last_asked.max(exchange.t_req);
            }
            None => self.versions.push(Sent {
                name: version.clone(),
                first,
                last_asked: exchange.t_req,
            }),
        }
    }

    /// The index in `versions` of a version.
    #[must_use]
    pub fn version(&self, name: &str) -> Option<usize> {
        self.versions.iter().rposition(|sent| sent.name == *name)
    }

    /// Whether one version is certainly older than another: an answer with it was on its way before
    /// a request that got the other had come. Answers that overlap leave it open.
    #[must_use]
    pub fn is_older(&self, version: usize, than: usize) -> bool {
        let (old, new) = (&self.versions[version], &self.versions[than]);
        old.first < new.last_asked && new.first >= old.last_asked
    }

    /// The last certain fill before `moment`.
    #[must_use]
    pub fn filled_before(&self, moment: Moment) -> Option<Fill> {
        let count = self.fills.partition_point(|fill| fill.at < moment);
        count.checked_sub(1).map(|last| self.fills[last])
    }

    /// When Linktree last vouched for this page before `moment`.
    #[must_use]
    pub fn validated_before(&self, moment: Moment) -> Option<Moment> {
        let count = self.validated.partition_point(|validated| *validated < moment);
        count.checked_sub(1).map(|last| self.validated[last])
    }

    /// Whether Linktree vouched for this page within a span.
    #[must_use]
    pub fn is_validated_within(&self, from: Moment, until: Moment) -> bool {
        let next = self.validated.partition_point(|validated| *validated < from);
        self.validated.get(next).is_some_and(|validated| *validated <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::read;
    use mock_server::history::exchange::Exchange;

    fn creator(answers: &[(&Exchange, &str)]) -> Creator {
        let mut creator = Creator::default();
        answers.iter().for_each(|(exchange, version)| {
            creator.note(&Text::from(*version), &(*exchange).clone().into());
        });
        creator
    }

    #[test]
    fn an_answer_that_ended_before_the_other_was_asked_for_is_older() {
        let (old, new) = (read("ann", 0), read("ann", 20));
        let creator = creator(&[(&old, "v0"), (&new, "v1")]);
        assert!(creator.is_older(0, 1) && !creator.is_older(1, 0) && !creator.is_older(0, 0));
        assert_eq!(creator.version("v1"), Some(1));
    }

    #[test]
    fn versions_in_overlapping_answers_are_not_ordered() {
        let is_older = |first_byte| {
            let slow = Exchange { t_first: Some(Moment::from_ms(first_byte)), ..read("ann", 0) };
            let quick = read("ann", 20);
            let creator = creator(&[(&slow, "v0"), (&quick, "v1")]);
            [creator.is_older(0, 1), creator.is_older(1, 0)]
        };
        assert_eq!(is_older(50), [false, false]);
        assert_eq!(is_older(20), [false, false], "both may be of the same moment");
        assert_eq!(is_older(19), [true, false]);
    }

    #[test]
    fn the_last_fill_before_a_moment_is_found() {
        let fill = |ms, version| Fill { at: Moment::from_ms(ms), version };
        let creator = Creator { fills: vec![fill(10, 0), fill(20, 1)], ..Creator::default() };
        let before = |ms| creator.filled_before(Moment::from_ms(ms)).map(|fill| fill.version);
        assert_eq!((before(10), before(20), before(21)), (None, Some(0), Some(1)));
    }

    #[test]
    fn linktree_vouches_before_a_moment_or_within_a_span_and_its_ends() {
        let creator =
            Creator { validated: [10, 20].map(Moment::from_ms).to_vec(), ..Creator::default() };
        let before = |ms| creator.validated_before(Moment::from_ms(ms));
        let vouched = [None, Some(10), Some(10), Some(20)].map(|ms| ms.map(Moment::from_ms));
        assert_eq!([10, 11, 20, 21].map(before), vouched);
        let within = |(from, until)| {
            creator.is_validated_within(Moment::from_ms(from), Moment::from_ms(until))
        };
        assert_eq!([(10, 10), (5, 10), (20, 29)].map(within), [true; 3]);
        assert_eq!([(5, 9), (11, 19), (21, 29)].map(within), [false; 3]);
    }
}
