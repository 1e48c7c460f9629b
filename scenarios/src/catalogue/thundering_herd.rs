//! A viral page and a dozen others, filled at the same moment, expire while everybody asks for them and each
//! fetch takes long: one fetch a page, within the cap, while visitors have the page as it was.
//!
//! A spike of strangers is another storm (`viral_spike.rs`): here every page is known, and it is its age, and
//! not the crowd, that makes all of them wanted at once, again and again.

use super::parts::{PAGE_READS, Timeline, group, in_turn, pages, pages_and_clicks, routes, rule};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::faults::{Fault, Latency, Pick};
use mock_server::world::population::Population;

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "thundering-herd",
    summary: "A viral page and a dozen others expire at once while many ask, and fetches take long",
    tags: &["load", "cache", "rate-limit"],
    guarantees: &["cache-hit-ratio", "pages-served"],
    build,
};

/// So few that the limiter has room left for whoever fetches one page again and again: it must not hide that.
const OTHERS: u32 = 12;
/// Visitors of the viral page a second: more than forty come while it is fetched once.
const VIRAL_RATE: u32 = 60;
/// Visitors of the others a second: each has more than one, so that all are asked for as soon as they expire.
const OTHERS_RATE: u32 = 16;
/// A call takes so long; contract time. Below what page reads may take, so that none fails.
const SLOW_MS: [u64; 2] = [7_000, 8_000];
/// Clicks on the viral page, of a thousand visitors.
const CLICKS_PER_MILLE: u32 = 50;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let fill_ms = settings.contract(20_000).max(2_000);
    let warmup = timeline.phase(PhaseKind::Warmup, "all pages are filled", fill_ms);
    // Before the first of them expires.
    let control_ms = settings.contract(15_000);
    timeline.phase(PhaseKind::Control, "all pages are fresh", control_ms);
    // Three times `max-age` and the fetches.
    let storm_ms = settings.stretch(14_500);
    let storm = timeline.phase(PhaseKind::Storm, "pages expire, and fetches take long", storm_ms);
    let heal = timeline.phase(PhaseKind::Heal, "fetches are quick again", 1_500);
    timeline.phase(PhaseKind::Settle, "last clicks arrive", settings.settle_ms(false));
    let visitors = |id: &str, group: &str, rate, does| Traffic {
        id: id.into(),
        from_ms: warmup.from_ms,
        until_ms: heal.until_ms,
        pace: Pace::Open { shape: Shape::Steady { rate } },
        creators: in_turn(group),
        does,
    };
    let clicks = pages_and_clicks(settings.share(CLICKS_PER_MILLE));
    let [min_ms, max_ms] = SLOW_MS.map(|ms| settings.contract(ms));
    Plan {
        population: Population { groups: vec![group("viral", 1), group("page", OTHERS)] },
        traffic: vec![
            visitors("herd", "viral", VIRAL_RATE, clicks),
            visitors("others", "page", OTHERS_RATE, pages()),
        ],
        faults: vec![rule(
            "slow",
            storm,
            routes(&PAGE_READS),
            Pick::All,
            Fault::Latency(Latency::Uniform { min_ms, max_ms }),
        )],
        generator: settings.generator(settings.users(900, VIRAL_RATE + OTHERS_RATE)),
        ..INFO.skeleton(settings, timeline)
    }
}
