//! Linktree is gone while visitors keep coming, then returns: stale pages, open breaker, replay.

use super::parts::{
    CLICKS, PAGE_READS, Timeline, come_back, everything, group, in_turn, pages, pages_and_clicks,
    part, routes, rule, status, zipf,
};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Step, Traffic};
use mock_server::faults::{
    Fault, Latency, LoseAnswer, Pick, Reset, ResetAt, RetryAfterSpec, Rule, Stall, StallAt, Window,
};
use mock_server::world::population::Population;
use mock_server::world::{PageChange, TimedEvent, WorldEvent};

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "outage-and-replay",
    summary: "Linktree is gone while visitors keep coming, then returns",
    tags: &["critical", "outage", "breaker", "stale", "clicks"],
    guarantees: &[
        "stale-on-outage",
        "breaker-opens",
        "breaker-recovers",
        "clicks-delivered",
        "clicks-counted-once",
        "click-lag",
    ],
    build,
};

/// So few that after the heal their pages and the newcomers' leave the limiter room to spare: what
/// is not fetched then is the breaker's doing.
const CREATORS: u32 = 6;
/// So many clicks are made in the outage that one batch, of a hundred at the most, does not hold them.
const CLICKS_PER_MILLE: u32 = 250;
/// As many clicks as their visitors make while clicks are asked to wait: more than the odd ones that were
/// delivered at once since the heal, so that most of the last ones waited.
const ASKED_PER_MILLE: u32 = 800;
/// Visitors of pages that are there, a second; real time.
const RATE: u32 = 80;
/// How long clicks are asked to wait: more than half of the click lag, and less than nine tenths of it,
/// so that an alert must rest; contract time, in the whole seconds of the wire.
const ASKED_TO_WAIT_MS: u64 = 40_000;
/// How long they come: the last of them, too, waits for more than half of the click lag, whatever the
/// tolerance hides of it; contract time.
const ASKED_FOR_MS: u64 = 7_000;
/// Half of the click lag, and 2 δ of 100 ms where time is scaled by ten.
const _: () = assert!(ASKED_TO_WAIT_MS - ASKED_FOR_MS >= 60_000 / 2 + 2 * 100 * 10);
/// Creators whom nobody visits before the heal.
const NEWCOMERS: u32 = 60;

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    let warmup = timeline.phase(PhaseKind::Warmup, "pages are filled", settings.stretch(3_000));
    let control = timeline.phase(PhaseKind::Control, "an ordinary day", settings.stretch(2_000));
    // Three open times and a timeout, so that probes fail as well; longer than `max-age`, and so long
    // that clicks wait for more than the click lag and a tenth, and then for as long as an alert may take.
    let lag_ms = settings.contract(60_000);
    let outage_ms = settings.contract(105_000).max(9_000);
    let outage_ms = outage_ms.max(lag_ms + lag_ms / 5 + settings.alerted_ms() + 2_000);
    let outage = timeline.phase(PhaseKind::Outage, "Linktree is gone", outage_ms);
    // The breaker may have opened just before the end, then recovery may take 15 s.
    let recovery_ms = settings.contract(30_000 + 15_000) + settings.longer_open_ms();
    let heal_ms = recovery_ms + settings.stretch(9_000);
    let heal = timeline.phase(PhaseKind::Heal, "Linktree is back", heal_ms);
    let late = timeline.phase(PhaseKind::Storm, "some receipts are lost", settings.stretch(300));
    let well = timeline.phase(PhaseKind::Heal, "all is well again", settings.stretch(1_500));
    let asked_ms = settings.contract(ASKED_FOR_MS);
    let asked = timeline.phase(PhaseKind::Storm, "clicks are asked to wait", asked_ms);
    // Nobody comes, so that the clicks that waited are the last to be delivered.
    timeline.phase(PhaseKind::Heal, "they go", settings.contract(ASKED_TO_WAIT_MS) + 1_000);
    timeline.phase(PhaseKind::Settle, "the backlog drains", settings.settle_ms(true));
    // Fewer then, so that the limiter has room for each of them.
    let served_ms = heal.from_ms + recovery_ms;
    let long_ms = outage.until_ms - lag_ms / 2;
    let clicking = |per_mille| pages_and_clicks(settings.share(per_mille));
    Plan {
        population: Population {
            groups: vec![
                group("page", CREATORS),
                group("new", NEWCOMERS),
                group("late", NEWCOMERS),
            ],
        },
        traffic: vec![
            Traffic {
                id: "first-visitors".into(),
                // Pages that expire just after the outage began are asked for while calls hang.
                from_ms: outage
                    .from_ms
                    .saturating_sub(settings.max_age_ms().saturating_sub(settings.contract(2_000)))
                    .clamp(warmup.from_ms, warmup.until_ms - 1_500),
                until_ms: warmup.until_ms,
                pace: Pace::Open { shape: Shape::Steady { rate: 20 } },
                creators: in_turn("page"),
                does: pages(),
            },
            visitors("visitors", control.from_ms, long_ms, clicking(CLICKS_PER_MILLE)),
            // Few clicks come that do not wait for long after those that do: what a service tells of the
            // last minutes is their lag.
            visitors("readers", long_ms, heal.until_ms, pages()),
            visitors("clickers", late.from_ms, late.until_ms, clicking(CLICKS_PER_MILLE)),
            visitors("last-readers", well.from_ms, well.until_ms, pages()),
            visitors("last-clickers", asked.from_ms, asked.until_ms, clicking(ASKED_PER_MILLE)),
            crowds(part(outage, 1, 2)),
            // Pages that nobody has cached: whoever still refuses calls has nothing to show. They come
            // from the heal on, since nobody knows when the breaker opened last.
            newcomers("first-newcomers", "new", heal.from_ms, served_ms, settings.contract(4_000)),
            newcomers("newcomers", "late", served_ms, heal.until_ms, settings.contract(9_000)),
        ],
        faults: gone(outage, heal, late)
            .into_iter()
            .chain([asked_to_wait(settings, asked)])
            .collect(),
        // What creators change meanwhile must be seen after the heal.
        world: vec![TimedEvent {
            at_ms: part(outage, 1, 2).from_ms,
            event: WorldEvent::Edit { handles: "page-*".into(), change: PageChange::Text },
        }],
        generator: settings.generator(500),
        ..INFO.skeleton(settings, timeline)
    }
}

/// Visitors of pages that are there.
fn visitors(id: &str, from_ms: u64, until_ms: u64, does: Vec<Step>) -> Traffic {
    Traffic {
        id: id.into(),
        from_ms,
        until_ms,
        pace: Pace::Open { shape: Shape::Steady { rate: RATE } },
        creators: zipf("page", 900),
        does,
    }
}

/// Visitors of pages that nobody visited before, so far apart that the limiter has room for each.
fn newcomers(id: &str, group: &str, from_ms: u64, until_ms: u64, gap_ms: u64) -> Traffic {
    Traffic {
        id: id.into(),
        from_ms,
        until_ms,
        pace: Pace::Sequential { calls: NEWCOMERS, gap_ms },
        creators: in_turn(group),
        does: pages(),
    }
}

/// Visitors of all pages, most of them expired, so close together that several stand at the door
/// whenever the breaker goes half-open: a click that waited may be the first through it, and comes at a
/// moment that no plan knows.
fn crowds(window: Window) -> Traffic {
    Traffic {
        id: "crowd".into(),
        from_ms: window.from_ms,
        until_ms: window.until_ms,
        pace: Pace::Open { shape: Shape::Steady { rate: 240 } },
        creators: in_turn("page"),
        does: pages(),
    }
}

/// Everything fails, in another way in each part of the outage.
fn gone(outage: Window, heal: Window, late: Window) -> Vec<Rule> {
    let sluggish = Fault::Latency(Latency::Constant { ms: 50 });
    let all = |id, n, fault| rule(id, part(outage, n, 4), everything(), Pick::All, fault);
    let receipts = Fault::LoseAnswer(LoseAnswer {});
    let late_receipt = receipts.clone();
    vec![
        // Silence comes first, while the breaker is still closed: visitors meet calls that hang.
        all("silent", 0, Fault::Stall(Stall { at: StallAt::BeforeHead })),
        // Clicks that were counted, but whose receipt was lost, show who counts them twice.
        rule("lost-receipt", part(outage, 1, 4), routes(&CLICKS), Pick::All, receipts.clone()),
        all("unavailable", 1, status(&[503])),
        rule("lost-receipt-again", part(outage, 2, 4), routes(&CLICKS), Pick::All, receipts),
        all("reset", 2, Fault::Reset(Reset { at: ResetAt::BeforeHead })),
        all("broken", 3, status(&[500, 502, 504])),
        // Reads that take a while overlap, which shows who mixes creators up.
        rule("sluggish", heal, routes(&PAGE_READS), Pick::All, sluggish),
        // In the outage a click calls only when it is the one to probe; here each service loses some.
        // For a moment that is too short to open a breaker.
        rule("lost-late", late, routes(&CLICKS), Pick::Nth { from: 0, until: 1 }, late_receipt),
    ]
}

/// The first clicks are told to come back later, and those that come meanwhile wait with them.
fn asked_to_wait(settings: &Settings, asked: Window) -> Rule {
    let first = Window { until_ms: asked.from_ms + settings.contract(6_000), ..asked };
    let seconds = settings.contract(ASKED_TO_WAIT_MS) / 1_000;
    let s = u32::try_from(seconds).unwrap_or(u32::MAX).max(1);
    let later = come_back(429, &[RetryAfterSpec::Seconds { s }]);
    rule("asked-to-wait", first, routes(&CLICKS), Pick::All, later)
}
