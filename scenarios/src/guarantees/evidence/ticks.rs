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
        if self.0.last().is_none_or(|last| *last < tick) {
            self.0.push(tick);
        } else if let Err(place) = self.0.binary_search(&tick) {
            self.0.insert(place, tick);
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
