//! Page views, counted, and what those were like that were not served fast.

use super::FAST;
use crate::case::Case;
use crate::history::Operation;
use crate::measure::{humane, so_many};
use crate::verdict::Witness;
use mock_server::clock::Moment;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

/// Views in a witness.
const SHOWN: usize = 5;

/// Page views, and the worst of those that were not served fast.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub views: usize,
    pub unserved: usize,
    pub slow: usize,
    /// Statuses of those that were not served, as far as there was one.
    answers: BTreeMap<Option<u16>, usize>,
    worst: Vec<(Duration, Moment, String)>,
}

impl Tally {
    pub fn note(&mut self, case: &Case, view: &Operation<'_>, waited: Duration, is_slow: bool) {
        self.views += 1;
        if !view.is_ok() {
            self.unserved += 1;
            *self.answers.entry(view.status.filter(|_| view.failure.is_none())).or_default() += 1;
        } else if is_slow {
            self.slow += 1;
        } else {
            return;
        }
        // This only spares the telling: what is kept below in vain falls out again, so that either
        // comparison may be laxer.
        let is_worse = self.worst.len() < SHOWN
            || self.worst.last().is_some_and(|(least, sent, _)| {
                (Reverse(waited), view.sent) < (Reverse(*least), *sent)
            });
        if is_worse {
            self.worst.push((waited, view.sent, case.tell_operation(view)));
            self.keep_the_worst();
        }
    }

    pub fn join(&mut self, other: Self) {
        self.views += other.views;
        self.unserved += other.unserved;
        self.slow += other.slow;
        for (answer, count) in other.answers {
            *self.answers.entry(answer).or_default() += count;
        }
        self.worst.extend(other.worst);
        self.keep_the_worst();
    }

    /// The longest waits first.
    fn keep_the_worst(&mut self) {
        self.worst.sort_by_key(|(waited, sent, _)| (Reverse(*waited), *sent));
        self.worst.truncate(SHOWN);
    }

    pub fn witness(self, case: &Case) -> Witness {
        let at = self.worst.iter().map(|(_, sent, _)| *sent).min().unwrap_or(case.harness.armed);
        let what = format!(
            "{} of {} page views were not served, and {} came slowly, while Linktree was well; fast is {}",
            self.unserved,
            self.views,
            self.slow,
            fast(case),
        );
        let said = |(answer, count): (&Option<u16>, &usize)| match answer {
            Some(status) => format!("{} {status}", so_many(*count, "time", "times")),
            None => format!("{} no whole answer", so_many(*count, "time", "times")),
        };
        let answers: Vec<String> = self.answers.iter().map(said).collect();
        let answers = (!answers.is_empty()).then(|| format!("answered {}", answers.join(", ")));
        let lines = answers.into_iter().chain(self.worst.into_iter().map(|(_, _, line)| line));
        lines.fold(Witness::new(at, what), Witness::line)
    }
}

/// What a team that promises it has to reckon with: `within 100 ms (1 s / 10)`.
fn fast(case: &Case) -> String {
    let fast = case.time(&FAST);
    match case.time_scale {
        0 | 1 => format!("within {}", humane(fast)),
        scale => format!("within {} ({} / {scale})", humane(fast), humane(fast * scale)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, page};

    /// So many views, of each three one refused, one broken down and one slow, and how long each took.
    fn views(count: u64) -> impl Iterator<Item = (Operation<'static>, Duration)> {
        (0..count).map(|n| {
            let took = [7, 3, 9, 1, 5][n as usize % 5];
            let view = page("ann", n * 10, n * 10 + took, "-");
            let status = Some([502, 503, 200][n as usize % 3]);
            (Operation { status, ..view }, Duration::from_millis(took))
        })
    }

    #[test]
    fn tallies_that_are_joined_are_like_one_in_any_order() {
        let case = History::over(&[]).case;
        let note = |tally: &mut Tally, (view, took): (Operation<'_>, Duration)| {
            tally.note(&case, &view, took, view.is_ok());
        };
        let (mut one, mut backwards) = (Tally::default(), Tally::default());
        let mut parts = [Tally::default(), Tally::default()];
        views(24).for_each(|view| note(&mut one, view));
        views(24).collect::<Vec<_>>().into_iter().rev().for_each(|view| note(&mut backwards, view));
        views(24).enumerate().for_each(|(n, view)| note(&mut parts[n / 12], view));
        let [mut joined, other] = parts;
        joined.join(other);
        assert_eq!(joined, one);
        assert_eq!(backwards, one);
        assert_eq!((one.views, one.unserved, one.slow), (24, 16, 8));
        let waits: Vec<u128> = one.worst.iter().map(|worst| worst.0.as_millis()).collect();
        assert_eq!(waits, [9; SHOWN]);
    }
}
