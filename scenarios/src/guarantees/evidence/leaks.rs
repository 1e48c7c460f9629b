//! What came to light of what was planted, as witnesses.

use crate::case::Case;
use crate::measure::Gauge;
use crate::observed::Leak;
use crate::verdict::{Offences, Witness};
use std::collections::HashSet;

/// Every leak of this kind; the first of each sort in each place comes first, since only so many are
/// shown and one place may say the same each second.
#[must_use]
pub fn offences(case: &Case, counts: impl Fn(&Leak) -> bool) -> Offences {
    let mut seen = HashSet::new();
    let leaks = case.target.leaks.iter().filter(|leak| counts(leak));
    let (firsts, others): (Vec<&Leak>, Vec<&Leak>) =
        leaks.partition(|leak| seen.insert((leak.place, leak.canary, leak.source.as_str())));
    let mut offences = Offences::default();
    for leak in firsts.into_iter().chain(others) {
        offences.add(leak.at, || {
            let whose = leak.whose.as_ref().map_or(String::new(), |whose| format!(" ({whose})"));
            let what = format!("{}{whose} stands in {}", leak.canary.words(), leak.place.words());
            let comma = if leak.spot.is_empty() { "" } else { ", " };
            let (at, Leak { source, spot, excerpt, .. }) = (case.at(leak.at), leak);
            let line = format!("{at} {source}{comma}{spot}: {excerpt}");
            Witness::new(leak.at, what).line(line)
        });
    }
    offences
}

/// How many leaks of this kind there were, where `searched` things were looked through for them.
pub fn gauge(case: &Case, name: &str, searched: u64, counts: impl Fn(&Leak) -> bool) -> Gauge {
    let leaks = case.target.leaks.iter().filter(|leak| counts(leak)).count() as u64;
    Gauge::none_of(name).counted(leaks, usize::try_from(searched).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::{Canary, Place};
    use crate::testing::History;

    #[test]
    fn a_place_that_leaks_each_second_hides_no_other() {
        let noisy = (0..50)
            .fold(History::over(&[]), |history, n| history.leak(n, Place::Metrics, Canary::ApiKey));
        let history = noisy.leak(99, Place::Log, Canary::ApiKey);
        let verdict = offences(&history.case, |_| true).verdict(1, "lines");
        assert_eq!(verdict.violations, 51);
        assert!(verdict.witnesses.iter().any(|one| one.what.contains("the log")), "{verdict:?}");
    }
}
