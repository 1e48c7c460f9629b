//! How well the harness did its own work: whether visitors came when they should, and whether the
//! mock and the harness's timers kept up.
//!
//! The load generator gives an account of itself, and the operations are another; the worse counts.
//! What failed is said as a [`Trouble`], and what stands of a verdict then is what its guarantee's
//! own file says.

mod punctuality;
mod trouble;

pub use punctuality::{Newcomers, Punctuality};
pub use trouble::Trouble;

use crate::case::Case;
use crate::history::{Lateness, Tolerances};
use crate::promise::{Promise, Stands};
use crate::verdict::{Verdict, VerdictKind};
use std::time::Duration;

/// The share of arrivals whose lateness is bounded by the plan.
pub const MOST: f64 = 0.99;

/// So many late arrivals are a hiccup: of a hundred arrivals or fewer one alone would be the bound's share.
const HICCUPS: u64 = 2;

/// How well the harness did its own work in one scenario.
#[derive(Clone, Debug)]
pub struct Health {
    /// sent − intended of the arrivals, by the worse of both accounts; none when nobody arrived.
    pub lateness: Option<Lateness>,
    /// Arrivals that the schedule asked for; none without the generator's account.
    pub planned: Option<u64>,
    /// Arrivals that were sent and recorded.
    pub sent: u64,
    /// Most arrivals that were sent in any second of the plan.
    pub peak_per_s: u64,
    /// What failed, in the order in which it is said.
    pub troubles: Vec<Trouble>,
}

impl Health {
    /// What the whole recording shows.
    #[must_use]
    pub fn of(case: &Case, seen: Punctuality) -> Self {
        let generator = case.harness.generator.as_ref();
        let told = generator.map(|report| &report.lateness).filter(|told| told.count() > 0);
        let bound = Duration::from_millis(case.plan.generator.p99_lateness_ms);
        let mut troubles = Vec::new();
        let sent = generator.map_or(seen.arrivals, |report| {
            // Whoever comes for nothing leaves no operation.
            let recorded = if everybody_acts(case) { seen.arrivals } else { report.sent };
            report.sent.min(recorded)
        });
        let planned = generator.map(|report| report.scheduled);
        if let Some(planned) = planned
            && sent < planned
            && case.harness.completed()
        {
            troubles.push(Trouble::Unsent { planned, sent });
        }
        let shown = Some(&seen.lateness).filter(|shown| shown.count() > 0);
        // Of two equals the last is taken: what was seen.
        let worse = told.into_iter().chain(shown).max_by_key(|one| one.quantile_us(MOST));
        let p99 = |of: &Lateness| Duration::from_micros(of.quantile_us(MOST));
        if let Some(worse) = worse
            && p99(worse) > bound
            && worse.later_than(bound) > HICCUPS
        {
            // An account that is far from the truth is worth a word of its own.
            let told = told.map(p99).filter(|told| *told + bound < p99(worse));
            troubles.push(Trouble::Late { p99: p99(worse), of: worse.count(), bound, told });
        }
        let usual = Duration::from_micros(Tolerances::default().delta_us);
        if case.harness.delta > usual * 2 {
            troubles.push(Trouble::Inexact { delta: case.harness.delta, usual });
        }
        if let Some(first) = case.harness.overloads.first() {
            let times = case.harness.overloads.len();
            troubles.push(Trouble::Overloaded { first: first.clone(), times });
        }
        if let Some(first) = case.harness.starved().first() {
            let waited = case.harness.starved().iter().map(|one| one.waited).sum();
            let times = case.harness.starved().len();
            troubles.push(Trouble::Starved { waited, times, first: first.from });
        }
        let ends = || case.target.outlived_ends();
        if let Some((end, what, _)) = ends().find(|(.., over)| !over) {
            troubles.push(Trouble::Outlived { end, what });
        }
        if let Some((_, what, _)) = ends().find(|(.., over)| *over) {
            troubles.push(Trouble::LeftBehind { what });
        }
        Self { lateness: worse.cloned(), planned, sent, peak_per_s: seen.peak_per_s, troubles }
    }

    /// The verdict on a promise, as far as it stands.
    #[must_use]
    pub fn applied_to(&self, promise: &Promise, verdict: Verdict, case: &Case) -> Verdict {
        let told = |verdict, trouble: &Trouble| {
            let may_have_caused = |verdict: &Verdict| match trouble {
                Trouble::Unsent { .. } | Trouble::Late { .. } => true,
                Trouble::Inexact { .. } => false,
                Trouble::Overloaded { .. } | Trouble::Starved { .. } => while_slow(case, verdict),
                Trouble::Outlived { end, .. } => verdict.when.iter().all(|at| at >= end),
                Trouble::LeftBehind { .. } => false,
            };
            weighed(verdict, trouble.stands_of(promise), may_have_caused, &trouble.words(case))
        };
        let verdict = self.troubles.iter().fold(verdict, told);
        let stood_still = promise.when_overloaded == Stands::Never
            && verdict.kind == VerdictKind::Violated
            && while_slow(case, &verdict);
        if stood_still {
            let longest = case.harness.lags.iter().map(|lag| lag.1).max().unwrap_or_default();
            return verdict.withdrawn(&trouble::stood_still(longest));
        }
        verdict
    }
}

/// What is left of a verdict when something failed.
fn weighed(
    verdict: Verdict,
    stands: Stands,
    may_have_caused: impl Fn(&Verdict) -> bool,
    words: &str,
) -> Verdict {
    use VerdictKind::{Held, Inconclusive, Violated};
    match (stands, verdict.kind) {
        (Stands::Always, _) | (Stands::IfViolated, Violated) | (Stands::IfHeld, Held) => verdict,
        (Stands::IfViolated | Stands::Never, Held) => verdict.only_if(false, words),
        (Stands::IfViolated | Stands::IfHeld | Stands::Never, Inconclusive) => {
            let own = verdict.reason.clone();
            // The judge may have seen it, too.
            let unsaid = own.filter(|own| !own.contains(words));
            verdict.because(unsaid.map(|own| format!("{own}; {words}")))
        }
        (Stands::IfHeld | Stands::Never, Violated) if may_have_caused(&verdict) => {
            verdict.withdrawn(words)
        }
        (Stands::IfHeld | Stands::Never, Violated) => verdict,
    }
}

/// Whether everything that is wrong was seen while the harness stood still or the mock was overloaded.
fn while_slow(case: &Case, verdict: &Verdict) -> bool {
    verdict.when.iter().all(|at| case.harness.too_slow_within(*at, *at))
}

/// Whether each visitor of the plan does something that is recorded.
fn everybody_acts(case: &Case) -> bool {
    let acts = |does: &[crate::plan::Step]| does.iter().any(|step| step.share_per_mille >= 1_000);
    case.plan.traffic.iter().all(|stream| acts(&stream.does))
}

#[cfg(test)]
mod tests;
