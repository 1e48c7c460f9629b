//! When the target was starved: ready to run, while others had the machine's processors.

use mock_server::clock::Moment;
use std::time::Duration;

/// Hundredths of a look's time that the target must have waited to have been starved in it. Measured on
/// two cores: 1 to 10 with one service and nothing else, up to 35 beside seven services of its kind, all
/// of which held, and 45 to 100 beside two compilers.
const PART: u32 = 40;

/// A look between whose ends a thread of the target waited for a processor, or a row of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Starved {
    /// From when.
    pub from: Moment,
    /// Until when.
    pub until: Moment,
    /// How long it waited.
    pub waited: Duration,
}

impl Starved {
    /// When it may have been late for want of a processor: what was left undone is still to be done
    /// after it.
    #[must_use]
    pub fn span(&self, delta: Duration) -> (Moment, Moment) {
        (self.from.minus(delta), self.until.plus(self.waited + delta))
    }
}

/// The stretches in which the target waited for a good part of the time, one look after the other, and
/// for longer than `most` in all: less is what the tolerances are for.
pub fn stretches(looks: &[Starved], most: Duration) -> Vec<Starved> {
    let mut stretches: Vec<Starved> = Vec::new();
    let starved = |look: &&Starved| look.waited * 100 >= look.until.since(look.from) * PART;
    for look in looks.iter().filter(starved) {
        match stretches.last_mut() {
            Some(last) if look.from <= last.until => {
                last.until = look.until;
                last.waited += look.waited;
            }
            _ => stretches.push(*look),
        }
    }
    stretches.retain(|stretch| stretch.waited > most);
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELTA: Duration = Duration::from_millis(100);

    fn look(from_ms: u64, until_ms: u64, waited_ms: u64) -> Starved {
        let waited = Duration::from_millis(waited_ms);
        Starved { from: Moment::from_ms(from_ms), until: Moment::from_ms(until_ms), waited }
    }

    #[test]
    fn looks_in_a_row_add_up_and_count_beyond_the_tolerances() {
        let check = |looks: &[Starved], expected: &[Starved]| {
            assert_eq!(stretches(looks, Duration::from_millis(150)), expected);
        };
        check(&[look(0, 200, 80), look(200, 300, 71)], &[look(0, 300, 151)]);
        check(&[look(0, 200, 80), look(200, 300, 70)], &[]);
        // Between them it had what it needed.
        check(&[look(0, 200, 80), look(400, 600, 80)], &[]);
        check(&[look(0, 200, 80), look(200, 400, 79), look(400, 600, 80)], &[]);
        // The look itself was late.
        check(&[look(0, 1_000, 400)], &[look(0, 1_000, 400)]);
        check(&[look(0, 1_000, 399)], &[]);
    }

    #[test]
    fn what_was_left_undone_is_late_after_it() {
        let (from, until) = look(1_000, 1_500, 300).span(DELTA);
        assert_eq!((from, until), (Moment::from_ms(900), Moment::from_ms(1_900)));
    }
}
