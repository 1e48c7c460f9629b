//! Who comes in every scenario besides: previewers, lost crawlers, people who send nonsense, and the
//! visitors of creators who are hard to handle.
//!
//! Validation and error paths are where personal data and keys are logged, so they must be taken in
//! every weather. It is a few visitors a second, who cost a few calls in each limit window: those of
//! nobody's pages, the odd clicks that an integration passes on, and pages that only a previewer
//! wants. Whoever may cost a call keeps a pause in contract time, so that it is always the same part
//! of the limit. Where visitors come one after the other, since every call counts, only those come of whom
//! Linktree never hears, and they come between the measurements.

use super::Settings;
use super::parts::{group as a_group, in_turn, pages};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Step, Traffic};
use crate::traffic::actions::Action;
use mock_server::faults::Window;
use mock_server::world::population::{Group, Variety};

/// Nobody calls Linktree for these.
const NONSENSE: [Action; 2] = [Action::GarbledClick, Action::WrongMethod];
/// Visitors of them a second.
const NONSENSE_RATE: u32 = 3;
/// Linktree may be called for these.
const PASSERS_BY: [Action; 3] = [Action::Head, Action::OddClick, Action::Nobody];
/// Six of them in a limit window, one after the other; contract time.
const PASSERS_BY_GAP_MS: u64 = 10_000;
/// Creators who are hard to handle: one family of them.
const ODD: &str = "odd";
const ODD_CREATORS: u32 = 5;
/// They are visited one after the other, each while the page of the one before is fresh; contract
/// time.
const ODD_GAP_MS: u64 = 3_000;
/// Users for all of them, so that nobody waits for one whom the integration lets wait.
const USERS: u32 = 32;

/// Who may come in a phase.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Company {
    Anybody,
    OneAfterTheOther,
    Nobody,
}

const fn company(kind: PhaseKind) -> Company {
    match kind {
        PhaseKind::Warmup
        | PhaseKind::Control
        | PhaseKind::Storm
        | PhaseKind::Outage
        | PhaseKind::Heal => Company::Anybody,
        PhaseKind::RetryGaps | PhaseKind::BreakerProbe => Company::OneAfterTheOther,
        PhaseKind::Settle => Company::Nobody,
    }
}

/// The plan with the crowd; without anybody to visit it stays as it is.
pub fn join(mut plan: Plan, settings: &Settings) -> Plan {
    let Some(group) = plan.population.groups.first().map(|group| group.prefix.clone()) else {
        return plan;
    };
    let measured = plan.phases.iter().any(|phase| company(phase.kind) == Company::OneAfterTheOther);
    if !measured {
        plan.population.groups.push(Group { variety: Variety::Odd, ..a_group(ODD, ODD_CREATORS) });
    }
    for (nth, span) in open_to_anybody(&plan).into_iter().enumerate() {
        let stream = |id: &str, group: &str, pace: Pace, does: Vec<Step>| Traffic {
            id: if nth == 0 { id.to_owned() } else { format!("{id}-{}", nth + 1) },
            from_ms: span.from_ms,
            until_ms: span.until_ms,
            pace,
            creators: in_turn(group),
            does,
        };
        let every = |gap_ms: u64| {
            let gap_ms = settings.contract(gap_ms);
            let calls = (span.until_ms - span.from_ms) / gap_ms + 1;
            Pace::Sequential { calls: u32::try_from(calls).unwrap_or(u32::MAX), gap_ms }
        };
        let often = Pace::Open { shape: Shape::Steady { rate: NONSENSE_RATE } };
        let steps = |actions: &[Action]| actions.iter().copied().map(Step::always).collect();
        plan.traffic.push(stream("nonsense", &group, often, steps(&NONSENSE)));
        if !measured {
            let passing = every(PASSERS_BY_GAP_MS);
            plan.traffic.push(stream("passers-by", &group, passing, steps(&PASSERS_BY)));
            plan.traffic.push(stream("odd-creators", ODD, every(ODD_GAP_MS), pages()));
        }
    }
    plan.generator.users += USERS;
    plan
}

/// Stretches of phases, one after the other, in which anybody may come; nobody comes after the last
/// of the scenario's own visitors.
fn open_to_anybody(plan: &Plan) -> Vec<Window> {
    let last = plan.traffic.iter().map(|stream| stream.until_ms).max().unwrap_or(0);
    let mut spans: Vec<Window> = Vec::new();
    for phase in plan.phases.iter().filter(|phase| company(phase.kind) == Company::Anybody) {
        match spans.last_mut().filter(|span| span.until_ms == phase.from_ms) {
            Some(span) => span.until_ms = phase.until_ms,
            None => spans.push(Window { from_ms: phase.from_ms, until_ms: phase.until_ms }),
        }
    }
    spans.retain(|span| span.from_ms < last);
    spans.iter_mut().for_each(|span| span.until_ms = span.until_ms.min(last));
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::SCENARIOS;
    use crate::traffic::Schedule;
    use std::collections::HashMap;

    /// How often each action is planned in each scenario.
    fn planned(root_seed: u64) -> Vec<(&'static str, HashMap<Action, usize>)> {
        scheduled(root_seed).into_iter().map(|(id, counts, _)| (id, counts)).collect()
    }

    /// The same, and how many seconds it lasts.
    fn scheduled(root_seed: u64) -> Vec<(&'static str, HashMap<Action, usize>, usize)> {
        let settings = Settings { root_seed, ..Settings::default() };
        let count = |info: &&crate::catalogue::ScenarioInfo| {
            let plan = info.plan(&settings);
            let schedule = Schedule::of(&plan).unwrap();
            let mut counts = HashMap::new();
            let open = schedule.arrivals.iter().map(|arrival| arrival.planned);
            let calls = schedule.sequences.iter().flat_map(|sequence| &sequence.calls);
            for planned in open.chain(calls.copied()) {
                for action in schedule.actions(planned.does) {
                    *counts.entry(*action).or_default() += 1;
                }
            }
            (info.id, counts, usize::try_from(plan.duration_ms() / 1_000).unwrap())
        };
        SCENARIOS.iter().map(count).collect()
    }

    #[test]
    fn every_scenario_has_every_kind_of_nonsense_with_every_seed() {
        for seed in 0..10 {
            for (id, counts, seconds) in scheduled(seed) {
                for action in NONSENSE {
                    // Fourteen kinds come in turn.
                    assert!(counts[&action] >= 14, "{id}, seed {seed}: {counts:?}");
                }
                let most = 250.max(seconds * 3);
                assert!(counts[&NONSENSE[0]] <= most, "{id}, seed {seed}: {counts:?}");
            }
        }
    }

    #[test]
    fn where_every_call_counts_nobody_comes_for_whom_linktree_is_called() {
        for (id, counts) in planned(1) {
            let passing = PASSERS_BY.map(|action| counts.contains_key(&action));
            let one_by_one = ["calibration", "kinds-of-failure", "retry-gaps"].contains(&id);
            assert_eq!(passing, [!one_by_one; 3], "{id}: {counts:?}");
        }
    }
}
