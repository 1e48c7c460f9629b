//! Hours of an ordinary day with the faults of everyday: what only time shows.
//!
//! Now and then a call fails, a receipt is lost, Linktree is nearly gone, slow or busy for a few seconds; creators
//! edit their pages, and the key is rotated. New pages are visited all the time and never again, so that a
//! cache which keeps everything grows. The hours are divided into equal rounds, and each round has the same
//! faults: whoever is worse in the last than in the first has something that grows.

use super::parts::{
    CLICKS, PAGE_READS, Timeline, come_back, everything, group, in_turn, pages, pages_and_clicks,
    part, routes, rule, share, status, zipf,
};
use super::{Profile, SOAK, ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::faults::{
    Fault, Latency, LoseAnswer, Pick, Reset, ResetAt, RetryAfterSpec, Rule, Window,
};
use mock_server::world::population::Population;
use mock_server::world::{PageChange, TimedEvent, WorldEvent};

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "ordinary-hours",
    summary: "Hours of ordinary load with the faults of everyday: what only time shows",
    tags: &[SOAK, "cache", "clicks"],
    guarantees: &[
        "pages-served",
        "clicks-delivered",
        "key-from-vault",
        "no-pii-in-logs",
        "no-secret-leaked",
        "bearer-header-only",
        "json-headers",
        "base-url",
    ],
    build,
};

/// Creators who have visitors all the time. Few, so that newcomers, retries and clicks find room in the limit.
const REGULARS: u32 = 8;
/// Visitors of those a second; real time.
const RATE: u32 = 30;
/// Between two pages that nobody has visited before; contract time.
const NEWCOMER_GAP_MS: u64 = 12_000;
/// So many are different ones; a plan has 200,000 creators at the most.
const MOST_NEWCOMERS: u32 = 100_000;
/// A round of faults; contract time.
const ROUND_MS: u64 = 600_000;
/// However long it lasts, no more rounds: each has rules of its own, and a plan has 200 at the most.
const MOST_ROUNDS: u64 = 60;
/// In every so many rounds the key is rotated.
const ROTATED_EVERY: u64 = 6;

/// How long what happens in a round lasts, contract time: no longer than what makes a click late.
const GONE_MS: u64 = 20_000;
const SLOW_MS: u64 = 30_000;
const BUSY_MS: u64 = 10_000;
/// How much a slow call takes; contract time.
const LATENCY_MS: u64 = 2_000;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let warmup = timeline.phase(PhaseKind::Warmup, "pages are filled", 1_500);
    let control_ms = settings.stretch(10_000);
    let control = timeline.phase(PhaseKind::Control, "nothing has failed yet", control_ms);
    let hours_ms = match settings.profile {
        Profile::Quick | Profile::Nightly => settings.contract(ROUND_MS),
        Profile::Soak => settings.soak_ms,
    };
    let hours = timeline.phase(PhaseKind::Storm, "ordinary hours", hours_ms);
    let heal_ms = settings.contract(60_000) + settings.longer_open_ms();
    let heal = timeline.phase(PhaseKind::Heal, "nothing fails any more", heal_ms);
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(true));
    let rounds = (hours_ms / settings.contract(ROUND_MS)).clamp(1, MOST_ROUNDS);
    let rounds: Vec<Window> = (0..rounds).map(|n| part(hours, n, rounds)).collect();
    let gap_ms = settings.contract(NEWCOMER_GAP_MS);
    let newcomers = u32::try_from(hours_ms / gap_ms).unwrap_or(u32::MAX).max(1);
    // After so many the first is forgotten by whoever forgets at all.
    let new = group("new", newcomers.min(MOST_NEWCOMERS));
    let mut faults: Vec<Rule> =
        rounds.iter().enumerate().flat_map(|(n, round)| a_round(settings, n, *round)).collect();
    faults.extend(now_and_then(hours));
    let happens = |(n, round)| in_a_round(settings, n, round);
    Plan {
        population: Population { groups: vec![group("page", REGULARS), new] },
        traffic: vec![
            Traffic {
                id: "visitors".into(),
                from_ms: warmup.from_ms,
                until_ms: heal.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: RATE } },
                creators: zipf("page", 1_100),
                does: pages_and_clicks(settings.share(100)),
            },
            Traffic {
                id: "newcomers".into(),
                from_ms: control.until_ms,
                until_ms: heal.from_ms,
                pace: Pace::Sequential { calls: newcomers, gap_ms },
                creators: in_turn("new"),
                does: pages(),
            },
        ],
        faults,
        world: (0..).zip(&rounds).flat_map(happens).collect(),
        generator: settings.generator(settings.users(150, RATE)),
        ..INFO.skeleton(settings, timeline)
    }
}

/// What fails all the time: so seldom that nobody notices.
fn now_and_then(hours: Window) -> [Rule; 3] {
    let reset = Fault::Reset(Reset { at: ResetAt::MidBody });
    let lost = Fault::LoseAnswer(LoseAnswer {});
    [
        rule("reset", hours, routes(&PAGE_READS), share(1, 200), reset),
        rule("lost-receipt", hours, routes(&CLICKS), share(1, 20), lost),
        rule("failed", hours, everything(), share(1, 100), status(&[500, 502, 503])),
    ]
}

/// Linktree is nearly gone, slow and busy, one after the other, with time to recover after each. Whoever was
/// quite gone would make it an outage, of which other scenarios are.
fn a_round(settings: &Settings, n: usize, round: Window) -> [Rule; 3] {
    let length = round.until_ms - round.from_ms;
    let at = |tenth: u64, contract_ms: u64| {
        let from_ms = round.from_ms + tenth * length / 10;
        let lasts = settings.contract(contract_ms).min(length / 10);
        Window { from_ms, until_ms: from_ms + lasts }
    };
    let slow = Fault::Latency(Latency::Constant { ms: settings.contract(LATENCY_MS) });
    let busy = come_back(429, &[RetryAfterSpec::Seconds { s: 2 }]);
    let named = |what: &str| format!("{what}-{}", n + 1);
    [
        rule(&named("gone"), at(2, GONE_MS), everything(), share(19, 20), status(&[503])),
        rule(&named("slow"), at(5, SLOW_MS), routes(&PAGE_READS), Pick::All, slow),
        rule(&named("busy"), at(7, BUSY_MS), routes(&PAGE_READS), share(1, 2), busy),
    ]
}

/// Every creator edits the page, and in some rounds the key is rotated, with time to pick the new one up.
fn in_a_round(settings: &Settings, n: u64, round: &Window) -> Vec<TimedEvent> {
    let at = |tenth: u64| round.from_ms + tenth * (round.until_ms - round.from_ms) / 10;
    let edit = WorldEvent::Edit { handles: "page-*".into(), change: PageChange::default() };
    let mut happens = vec![TimedEvent { at_ms: at(4), event: edit }];
    if n.is_multiple_of(ROTATED_EVERY) {
        let overlap_ms = settings.contract(settings.declared.key_pickup_ms) + 1_000;
        happens.push(TimedEvent { at_ms: at(9), event: WorldEvent::RotateKey { overlap_ms } });
    }
    happens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{MAX_SOAK_MS, MIN_SOAK_MS, run_plan};
    use crate::plan::MAX_DURATION_MS;
    use mock_server::profile::ContractProfile;

    fn soaked(time_scale: u32, soak_ms: u64) -> Plan {
        let profile = Profile::Soak;
        let settings = Settings { profile, time_scale, soak_ms, ..Settings::default() };
        let mut run = run_plan(&settings, ContractProfile::linktree_v1(), &[INFO.id]);
        assert_eq!(run.check(), Ok(()), "{soak_ms} ms at time scale {time_scale}");
        assert_eq!(run.soak_ms, Some(soak_ms));
        run.scenarios.remove(0)
    }

    #[test]
    fn however_long_it_is_asked_for_the_plan_is_one_that_a_run_takes() {
        for soak_ms in [MIN_SOAK_MS, 61_001, 600_000, 7_200_000, MAX_SOAK_MS] {
            for time_scale in [1, 2, 10] {
                let plan = soaked(time_scale, soak_ms);
                let hours = plan.phases.iter().find(|phase| phase.kind == PhaseKind::Storm);
                let lasts = hours.map(|hours| hours.until_ms - hours.from_ms);
                assert_eq!(lasts, Some(soak_ms));
                // A recording is believed for two days at the most.
                assert!(plan.duration_ms() <= MAX_DURATION_MS, "{} ms", plan.duration_ms());
            }
        }
    }

    #[test]
    fn each_round_has_the_same_faults_and_the_last_is_as_long_as_the_first() {
        let plan = soaked(1, 7_200_000);
        let of = |what: &str| plan.faults.iter().filter(|rule| rule.id.starts_with(what)).count();
        assert_eq!(["gone", "slow", "busy"].map(of), [12; 3]);
        let rotations = |one: &&TimedEvent| matches!(one.event, WorldEvent::RotateKey { .. });
        assert_eq!(plan.world.iter().filter(rotations).count(), 2);
        assert_eq!(plan.world.len(), 14);
        let new = plan.population.groups.iter().find(|group| group.prefix == "new").unwrap();
        assert_eq!(new.count, 600, "five new pages a minute");
        let gone: Vec<&Rule> = plan.faults.iter().filter(|r| r.id.starts_with("gone")).collect();
        let apart = |two: &[&Rule]| two[1].window.from_ms - two[0].window.from_ms;
        assert!(gone.windows(2).all(|two| apart(two) == 600_000));
    }
}
