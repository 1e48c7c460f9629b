//! How many visitors come and what is armed against them, as it goes on: for whoever watches, no evidence.

use super::order::Said;
use mock_server::clock::{Clock, Moment};
use scenarios::health::Newcomers;
use scenarios::plan::{Pace as Mode, Plan, Traffic};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often it is said, ms.
const EVERY_MS: u64 = 1_000;

/// Counts arrivals by their first operation, once that has ended.
#[derive(Debug, Default)]
pub struct Pace(Mutex<(Newcomers, u32)>);

impl Pace {
    /// Something was done on behalf of this arrival.
    pub fn note(&self, arrival: u64) {
        let (seen, count) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *count += u32::from(seen.is_first(arrival));
    }

    /// How many have come since this was asked last.
    pub fn take(&self) -> u32 {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).1)
    }
}

/// Says every second how many have come, until it is aborted.
pub async fn announce(clock: Clock, armed: Moment, plan: Plan, pace: Arc<Pace>) {
    let mut until = armed;
    loop {
        until = until.plus(Duration::from_millis(EVERY_MS));
        tokio::time::sleep_until(clock.instant(until).into()).await;
        let at_ms = u64::try_from(until.since(armed).as_millis()).unwrap_or(u64::MAX);
        let (arrived, planned) = (pace.take(), planned(&plan, at_ms.saturating_sub(EVERY_MS / 2)));
        Said::Load { arrived, planned, faults: armed_at(&plan, at_ms) }.say();
    }
}

/// Arrivals a second that the plan asks for then; of visitors who come one after the other it asks for none.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // for people
fn planned(plan: &Plan, at_ms: u64) -> u32 {
    let rate = |traffic: &Traffic| match &traffic.pace {
        Mode::Open { shape } if (traffic.from_ms..traffic.until_ms).contains(&at_ms) => {
            let length_ms = traffic.until_ms - traffic.from_ms;
            shape.rate_at((at_ms - traffic.from_ms) as f64, length_ms)
        }
        _ => 0.0,
    };
    plan.traffic.iter().map(rate).sum::<f64>().round() as u32
}

/// The rules that are armed then.
fn armed_at(plan: &Plan, at_ms: u64) -> Vec<String> {
    let is_armed = |from_ms: u64, until_ms: u64| (from_ms..until_ms).contains(&at_ms);
    let armed =
        plan.faults.iter().filter(|rule| is_armed(rule.window.from_ms, rule.window.until_ms));
    armed.map(|rule| rule.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mock_server::profile::ContractProfile;
    use scenarios::catalogue::{Settings, run_plan};

    #[test]
    fn an_arrival_counts_once_and_in_its_own_second() {
        let pace = Pace::default();
        for arrival in [0, 1, 1, 700] {
            pace.note(arrival);
        }
        assert_eq!(pace.take(), 3);
        for arrival in [1, 2] {
            pace.note(arrival);
        }
        assert_eq!((pace.take(), pace.take()), (1, 0));
    }

    /// Proves with the catalogue that what is said of a second is what the plan asks for then.
    #[test]
    fn the_plan_says_how_many_come_and_what_is_armed() {
        let contract = ContractProfile::linktree_v1();
        let run = run_plan(&Settings::default(), contract, &["steady-state", "outage-and-replay"]);
        let [calm, outage] = &run.scenarios[..] else { panic!("both are there") };
        let open = |traffic: &&Traffic| matches!(traffic.pace, Mode::Open { .. });
        let busy = calm.traffic.iter().find(open).unwrap();
        assert!(planned(calm, busy.from_ms) > 0);
        assert_eq!(planned(calm, calm.duration_ms() + 1), 0);
        let rule = &outage.faults[0];
        assert!(armed_at(outage, rule.window.from_ms).contains(&rule.id));
        assert!(!armed_at(outage, rule.window.until_ms).contains(&rule.id));
    }
}
