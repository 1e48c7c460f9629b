//! The bounds of the run, as its judges read them.

use super::Case;
use crate::plan::contract_time;
use crate::promise::{Bound, Unit};
use std::time::Duration;

/// # Panics
///
/// When the bound has another unit, or is not in the plan, which `plan_check` refuses: both are
/// mistakes of Windthrow.
impl Case {
    /// A bound that is a time, as it passes in this run.
    #[must_use]
    pub fn time(&self, bound: &Bound) -> Duration {
        let ms = self.bound(bound);
        match bound.unit {
            Unit::ContractTime => contract_time(ms, self.time_scale),
            Unit::RealTime => Duration::from_millis(ms),
            Unit::Percent | Unit::Count => panic!("{}.{} is no time", bound.of, bound.name),
        }
    }

    /// A bound that is a share: at least so many of a hundred.
    #[must_use]
    pub fn percent(&self, bound: &Bound) -> u64 {
        assert_eq!(bound.unit, Unit::Percent, "{}.{}", bound.of, bound.name);
        self.bound(bound)
    }

    /// A bound that is a number of things.
    #[must_use]
    pub fn count(&self, bound: &Bound) -> usize {
        assert_eq!(bound.unit, Unit::Count, "{}.{}", bound.of, bound.name);
        usize::try_from(self.bound(bound)).unwrap_or(usize::MAX)
    }

    fn bound(&self, bound: &Bound) -> u64 {
        let value = self.bounds.get(bound.of).and_then(|named| named.get(bound.name));
        *value.unwrap_or_else(|| panic!("the plan has no {}.{}", bound.of, bound.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run_plan;

    const OF: &str = "tiny";

    fn case(bound: &Bound, time_scale: u32) -> Case {
        let mut run = run_plan(&[]);
        run.scenarios[0].time_scale = time_scale;
        run.bounds.insert(OF.into(), [(bound.name.to_owned(), 60_000)].into());
        Case::new(&run, &run.scenarios[0])
    }

    fn bound(unit: Unit) -> Bound {
        Bound { of: OF, name: "number", what: "a number", unit, default: 1 }
    }

    #[test]
    fn contract_time_is_divided_by_the_time_scale_and_nothing_else_is() {
        let time = |unit| case(&bound(unit), 10).time(&bound(unit));
        assert_eq!(time(Unit::ContractTime), Duration::from_secs(6));
        assert_eq!(time(Unit::RealTime), Duration::from_secs(60));
        let (percent, count) = (bound(Unit::Percent), bound(Unit::Count));
        assert_eq!(case(&percent, 10).percent(&percent), 60_000);
        assert_eq!(case(&count, 10).count(&count), 60_000);
    }

    #[test]
    #[should_panic(expected = "tiny.number is no time")]
    fn a_bound_is_read_in_its_own_unit() {
        let percent = bound(Unit::Percent);
        let _ = case(&percent, 10).time(&percent);
    }
}
