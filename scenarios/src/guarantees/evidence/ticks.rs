//! Steps of time in which something happened, each kept once.

/// Ascending; several judges keep as many as there are answers.
#[derive(Clone, Debug, Default)]
pub struct Ticks(Vec<u32>);

/// Steps of a millisecond are so many after seven weeks; all later ones are one.
fn kept(tick: u64) -> u32 {
    u32::try_from(tick).unwrap_or(u32::MAX)
}

impl Ticks {
    /// None yet.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Takes one in. They come nearly in order, so that few have to make room.
    pub fn insert(&mut self, tick: u64) {
        let tick = kept(tick);
        // Looked for among the last few, and among twice as many as long as it came before all of them.
        let mut near = 1;
        let begin = loop {
            match self.0.len().checked_sub(near) {
                None => break 0,
                Some(begin) if self.0[begin] <= tick => break begin,
                Some(_) => near *= 2,
            }
        };
        if let Err(place) = self.0[begin..].binary_search(&tick) {
            self.0.insert(begin + place, tick);
        }
    }

    /// Those from `from` on and before `until`.
    #[must_use]
    pub fn within(&self, from: u64, until: u64) -> &[u32] {
        let place = |tick| self.0.partition_point(|known| *known < kept(tick));
        self.0.get(place(from)..place(until)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// In whatever order they come, as often as they do.
        #[test]
        fn whatever_comes_is_kept_once_and_in_order(
            ticks in proptest::collection::vec(0_u64..40, 0..90),
        ) {
            let mut kept = Ticks::none();
            ticks.iter().for_each(|tick| kept.insert(*tick));
            let all: std::collections::BTreeSet<u32> = ticks.iter().map(|one| *one as u32).collect();
            proptest::prop_assert_eq!(kept.0, all.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn each_is_kept_once_in_order_and_the_end_of_a_span_is_not_in_it() {
        let mut ticks = Ticks::none();
        [5, 7, 5, 6, 7, 1].into_iter().for_each(|tick| ticks.insert(tick));
        assert_eq!(ticks.within(0, 9), [1, 5, 6, 7]);
        assert_eq!(ticks.within(5, 7), [5, 6]);
        assert!(ticks.within(7, 5).is_empty());
        ticks.insert(u64::MAX);
        assert!(ticks.within(8, u64::from(u32::MAX)).is_empty());
    }
}
