//! Spans of time, in order and without overlap, which a judge can ask about for each operation.

use mock_server::clock::Moment;
use std::time::Duration;

/// The last moment of a span is in it: it ends before the next one.
pub const NEXT: Duration = Duration::from_nanos(1);

/// Start and end of each span, ascending; spans of the same set never touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans(Vec<(Moment, Moment)>);

impl Spans {
    /// Joins spans that overlap or whose gap is at most `gap`.
    #[must_use]
    pub fn joined(mut spans: Vec<(Moment, Moment)>, gap: Duration) -> Self {
        spans.sort_unstable();
        let mut joined: Vec<(Moment, Moment)> = Vec::new();
        for (from, until) in spans {
            match joined.last_mut() {
                Some(last) if from <= last.1.plus(gap) => last.1 = last.1.max(until),
                _ => joined.push((from, until)),
            }
        }
        joined.shrink_to_fit();
        Self(joined)
    }

    /// Whether any span shares a moment with `from ..= until`.
    #[must_use]
    pub fn touch(&self, from: Moment, until: Moment) -> bool {
        self.ending_at_or_after(from).is_some_and(|(_, span)| span.0 <= until)
    }

    /// The first span that ends at `at` or later, and its index.
    #[must_use]
    pub fn ending_at_or_after(&self, at: Moment) -> Option<(usize, (Moment, Moment))> {
        let index = self.0.partition_point(|span| span.1 < at);
        self.0.get(index).map(|span| (index, *span))
    }

    /// Whether `at` lies in a span, `margin` away from both of its ends.
    #[must_use]
    pub fn well_inside(&self, at: Moment, margin: Duration) -> bool {
        self.ending_at_or_after(at)
            .is_some_and(|(_, (from, until))| from.plus(margin) <= at && at.plus(margin) <= until)
    }

    /// How much of the time between two moments they take, all together.
    #[must_use]
    pub fn lasting_within(&self, from: Moment, until: Moment) -> Duration {
        self.0.iter().map(|span| span.1.min(until).since(span.0.max(from))).sum()
    }

    /// The spans.
    #[must_use]
    pub fn all(&self) -> &[(Moment, Moment)] {
        &self.0
    }
}

/// Spans that may overlap, of which a judge asks for each operation how long those that have begun last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lasting {
    /// When each begins, ascending, and the last end of it and of all before it.
    begun: Vec<(Moment, Moment)>,
}

impl Lasting {
    /// Takes them in any order.
    #[must_use]
    pub fn of(spans: impl IntoIterator<Item = (Moment, Moment)>) -> Self {
        let mut begun: Vec<_> = spans.into_iter().collect();
        begun.sort_unstable();
        let mut last = Moment::ZERO;
        for (_, until) in &mut begun {
            last = last.max(*until);
            *until = last;
        }
        Self { begun }
    }

    /// The last end of those that begin at `at` or before.
    #[must_use]
    pub fn begun_by(&self, at: Moment) -> Option<Moment> {
        self.last_of(self.begun.partition_point(|span| span.0 <= at))
    }

    /// The last end of those that begin before `at`.
    #[must_use]
    pub fn begun_before(&self, at: Moment) -> Option<Moment> {
        self.last_of(self.begun.partition_point(|span| span.0 < at))
    }

    fn last_of(&self, count: usize) -> Option<Moment> {
        count.checked_sub(1).map(|last| self.begun[last].1)
    }
}

/// The most of these spans that share a moment, their ends among them.
#[must_use]
pub fn most_at_once(spans: impl IntoIterator<Item = (Moment, Moment)>) -> usize {
    let (mut begins, mut ends): (Vec<Moment>, Vec<Moment>) = spans.into_iter().unzip();
    begins.sort_unstable();
    ends.sort_unstable();
    let mut over = 0;
    let under_way = begins.iter().enumerate().map(|(before, begin)| {
        over += ends[over..].partition_point(|end| end < begin);
        before + 1 - over
    });
    under_way.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Moment = Moment::from_ms;

    #[test]
    fn spans_join_over_small_gaps_only() {
        let spans = vec![(MS(30), MS(40)), (MS(0), MS(10)), (MS(12), MS(20)), (MS(5), MS(6))];
        let joined = Spans::joined(spans, Duration::from_millis(2));
        assert_eq!(joined.all(), [(MS(0), MS(20)), (MS(30), MS(40))]);
    }

    #[test]
    fn touching_includes_the_ends_and_insides_keep_their_margin() {
        let spans = Spans::joined(vec![(MS(10), MS(20)), (MS(40), MS(50))], Duration::ZERO);
        assert!(spans.touch(MS(0), MS(10)) && spans.touch(MS(20), MS(30)));
        assert!(!spans.touch(MS(21), MS(39)) && !spans.touch(MS(51), MS(99)));
        let margin = Duration::from_millis(3);
        assert!(spans.well_inside(MS(13), margin) && !spans.well_inside(MS(12), margin));
        assert!(spans.well_inside(MS(47), margin) && !spans.well_inside(MS(48), margin));
        assert_eq!(spans.ending_at_or_after(MS(21)), Some((1, (MS(40), MS(50)))));
    }

    #[test]
    fn what_spans_take_of_a_time_is_counted_once() {
        let spans = vec![(MS(0), MS(10)), (MS(5), MS(20)), (MS(40), MS(50)), (MS(60), MS(55))];
        let spans = Spans::joined(spans, Duration::ZERO);
        let ms = |from, until| spans.lasting_within(MS(from), MS(until)).as_millis();
        assert_eq!([ms(0, 100), ms(8, 45), ms(20, 40), ms(50, 10)], [30, 17, 0, 0]);
    }

    #[test]
    fn of_spans_that_overlap_the_last_end_of_those_that_have_begun_is_known() {
        let ms = |(from, until)| (MS(from), MS(until));
        let spans = Lasting::of([(30, 40), (10, 90), (20, 25)].map(ms));
        let by = [9, 10, 29, 30].map(|at| spans.begun_by(MS(at)));
        assert_eq!(by, [None, Some(MS(90)), Some(MS(90)), Some(MS(90))]);
        let spans = Lasting::of([(30, 40), (10, 20)].map(ms));
        let [by, before] =
            [spans.begun_by(MS(30)), spans.begun_before(MS(30))].map(|end| end.unwrap());
        assert_eq!((by, before), (MS(40), MS(20)));
        assert_eq!(spans.begun_before(MS(10)), None);
    }

    #[test]
    fn spans_that_share_their_ends_are_at_once() {
        let check = |spans: &[(u64, u64)], expected| {
            let ms = Moment::from_ms;
            let spans = spans.iter().map(|(from, until)| (ms(*from), ms(*until)));
            assert_eq!(most_at_once(spans), expected);
        };
        check(&[], 0);
        check(&[(1, 2), (3, 4)], 1);
        check(&[(3, 4), (1, 3)], 2);
        check(&[(1, 9), (2, 3), (4, 5), (5, 6), (6, 6)], 3);
    }
}
