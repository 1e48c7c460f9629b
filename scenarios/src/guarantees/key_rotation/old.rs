//! The alert of an old key, beside the ages of the keys that may be in use.

use super::OLD;
use super::ages::{Key, TOLERANCE, keys};
use crate::case::Case;
use crate::guarantees::evidence::alerts::{self, About, Compared, Sample};
use crate::guarantees::evidence::rotations::{self, Turn};
use crate::history::Change;
use crate::plan::{AlertKind, contract_time};
use mock_server::clock::Moment;
use std::time::Duration;

const DAY_S: u64 = 86_400;

/// The alert beside the keys; why not, where there is none.
pub(super) fn judged(case: &Case, turns: &[Turn<'_>]) -> Result<Compared, String> {
    match alerts::unmade(case, AlertKind::KeyAge) {
        Some(why) => Err(why),
        None => Ok(alerts::compare(case, &about(case), &signal(case, turns))),
    }
}

/// What the alert is about: the key's age in seconds, which need not last.
pub(super) fn about(case: &Case) -> About {
    let old = case.time(&OLD).as_secs();
    let lasts = contract_time(case.declared.alert_for_ms, case.time_scale);
    About {
        kind: AlertKind::KeyAge,
        loud_above: old,
        quiet_to: old,
        near_from: old / 4 * 3,
        lasts,
        near_for: lasts + alerts::delay(case),
        words: |seconds| format!("{}.{} days", seconds / DAY_S, seconds % DAY_S * 10 / DAY_S),
    }
}

/// Of the first key: whether it is old from the start, or nearly so.
pub(super) fn first_is(case: &Case) -> [bool; 2] {
    let age_days = case.plan.key.age_days.unwrap_or(case.contract.keys.age_days);
    let (about, age) = (about(case), u64::from(age_days) * DAY_S);
    [age > about.loud_above, (about.near_from..about.quiet_to).contains(&age)]
}

/// The least and the greatest age of a key that may be in use. Nobody knows one before the first process
/// is ready.
fn signal(case: &Case, turns: &[Turn<'_>]) -> Vec<Sample> {
    let keys = keys(case, turns);
    let ready = case.target.processes.iter().find(|process| process.change == Change::Ready);
    let ready = ready.map_or(case.harness.armed, |process| process.at);
    let tolerance = TOLERANCE + rotations::pickup(case) + case.harness.delta;
    let sample = |at: Moment| {
        let in_use = || keys.iter().filter(|key| key.is_in_use(case, at, at));
        let age = |key: &Key| key.age(at);
        let least = in_use().map(age).min().unwrap_or(Duration::ZERO).saturating_sub(tolerance);
        let most = in_use().map(age).max().unwrap_or(Duration::ZERO) + tolerance;
        Sample { at, lo: if at < ready { 0 } else { least.as_secs() }, hi: most.as_secs() }
    };
    alerts::moments(case).map(sample).collect()
}
