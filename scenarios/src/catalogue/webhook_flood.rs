//! Webhooks come: genuine ones, forged ones in every way, old ones, copies, and some that nobody can process;
//! then the integration is stopped and started, and Linktree has forgotten that it was registered.
//!
//! Whoever is sent something that must be judged by its effect has a page of its own, which is filled just
//! before and visited all the time, so that a call for it can be told from an expiry. These come in waves,
//! since each page costs calls of the limit. Of the others only the answer is looked at.

use super::parts::{Timeline, come_back, group, in_turn, pages, rule, status};
use super::{ScenarioInfo, Settings};
use crate::plan::{Pace, PhaseKind, Plan, Shape, Traffic};
use mock_server::contract::Route;
use mock_server::faults::{
    Duplicate, Fault, Forge, Future, Matcher, Pick, Poison, Reformat, Reorder, RetryAfterSpec,
    Rotate, Rule, Stale, Strike, Terminate, Window,
};
use mock_server::seed;
use mock_server::webhooks::{Forgery, Indigestible, SignatureList, WebhookEvent};
use mock_server::world::population::Population;
use mock_server::world::{TimedEvent, WorldEvent};
use rand::seq::SliceRandom;
use serde_json::{Map, Value, json};

/// This scenario.
pub const INFO: ScenarioInfo = ScenarioInfo {
    id: "webhook-flood",
    summary: "Genuine, forged, old, repeated and senseless webhooks come, and the integration restarts",
    tags: &["critical", "webhooks", "restart"],
    guarantees: &["webhook-signature", "webhook-failures-logged", "webhook-registered"],
    build,
};

/// Creators whose webhooks are judged by their effect: four times as many as are needed, and as many as
/// the limiter has calls for in a wave.
const WAVES: usize = 8;
const OF_A_WAVE: usize = 8;
const GENUINE: usize = 14;
const TWICE: usize = 10;
/// How far apart waves begin, contract time; a wave itself lasts as long as visitors come, real time.
const WAVE_MS: u64 = 28_000;
const VISITED_MS: u64 = 2_800;
/// By then the pages of a wave have been filled, for less than a quarter of their life; real time.
const FILLED_MS: u64 = 600;
/// Between two copies: the first has had its effect. Real time.
const COPY_MS: u64 = 600;
/// Each creator of a wave has so many visitors a second.
const VISITS: u32 = 5;
/// Further than receivers tolerate, with room for clocks and queues; real seconds.
const TOO_FAR_S: u32 = 320;
/// Near enough for every receiver, likewise.
const NEAR_S: u32 = 280;
/// How long the integration is down, real time.
const DOWN_MS: u64 = 400;
/// Creators whom nobody visits. What is sent about them is judged by its answer alone.
const QUIET: &str = "quiet";

/// What is sent about one creator.
struct Sending {
    rule: String,
    fault: Option<Fault>,
    event: WebhookEvent,
    times: usize,
}

fn build(settings: &Settings) -> Plan {
    let mut timeline = Timeline::default();
    timeline.phase(PhaseKind::Warmup, "nothing comes yet", 500);
    timeline.phase(PhaseKind::Control, "an ordinary day", 1_000);
    let wave_ms = settings.contract(WAVE_MS).max(VISITED_MS);
    let flood = timeline.phase(PhaseKind::Storm, "webhooks come", wave_ms * WAVES as u64);
    // So long that a service which takes two seconds to start has registered, after two refusals.
    let again_ms = settings.contract(30_000) + 3_500;
    let again = timeline.phase(PhaseKind::Storm, "the integration starts again", again_ms);
    timeline.phase(PhaseKind::Heal, "all is well again", 1_000);
    timeline.phase(PhaseKind::Settle, "last webhooks are retried", 2_000);
    let quiet = quiet();
    let group_of = |wave: usize| format!("wave-{}", wave + 1);
    let wave = |wave: usize| {
        let from_ms = flood.from_ms + wave_ms * wave as u64;
        Traffic {
            id: group_of(wave),
            from_ms,
            until_ms: from_ms + VISITED_MS,
            pace: Pace::Open { shape: Shape::Steady { rate: VISITS * OF_A_WAVE as u32 } },
            creators: in_turn(&group_of(wave)),
            does: pages(),
        }
    };
    let mut plan = Plan {
        traffic: (0..WAVES).map(wave).collect(),
        faults: restart(again),
        world: restarted(again),
        generator: settings.generator(settings.users(64, 16)),
        ..INFO.skeleton(settings, timeline)
    };
    // One more, of whom a copy comes across the restart.
    let mut groups = vec![group(QUIET, u32::try_from(quiet.len() + 1).unwrap_or(u32::MAX))];
    groups.extend((0..WAVES).map(|wave| group(&group_of(wave), OF_A_WAVE as u32)));
    plan.population = Population { groups };
    for (place, sending) in roles(settings.seed(INFO.id)).into_iter().enumerate() {
        let (wave, number) = (place / OF_A_WAVE, place % OF_A_WAVE + 1);
        let Some(sending) = sending else { continue };
        let at_ms = flood.from_ms + wave_ms * wave as u64 + FILLED_MS;
        let handle = format!("{}-{number:04}", group_of(wave));
        send(&mut plan, flood, &handle, &sending, |_| at_ms);
    }
    // Of two copies the second comes to a process that has not seen the first.
    let gap_ms = again.until_ms - flood.until_ms + 500;
    let copied = Sending {
        rule: "across-the-restart".to_owned(),
        fault: Some(Fault::Duplicate(Duplicate { copies: 2, gap_ms })),
        event: WebhookEvent::LinkClicked,
        times: 1,
    };
    let handle = format!("{QUIET}-{:04}", quiet.len() + 1);
    send(&mut plan, flood, &handle, &copied, |_| flood.until_ms - 1_000);
    let sends: usize = quiet.iter().map(|sending| sending.times).sum();
    // All are sent before the restart, with time for a first retry.
    let apart_ms = (flood.until_ms - flood.from_ms - 2_000) / sends as u64;
    for (number, sending) in quiet.iter().enumerate() {
        let handle = format!("{QUIET}-{:04}", number + 1);
        // One kind is not sent in a row.
        let place = |nth: usize| (number + nth * (sends / sending.times).max(1)) % sends;
        send(&mut plan, flood, &handle, sending, |nth| {
            flood.from_ms + 300 + apart_ms * place(nth) as u64
        });
    }
    plan.world.sort_by_key(|timed| timed.at_ms);
    plan
}

fn send(
    plan: &mut Plan,
    window: Window,
    handle: &str,
    sending: &Sending,
    at_ms: impl Fn(usize) -> u64,
) {
    if let Some(fault) = &sending.fault {
        let matcher = Matcher { handle: Some(handle.to_owned()), ..Matcher::default() };
        let id = format!("{}-{handle}", sending.rule);
        plan.faults.push(rule(&id, window, matcher, Pick::All, fault.clone()));
    }
    let sent = (0..sending.times)
        .map(|nth| TimedEvent { at_ms: at_ms(nth), event: webhook(sending.event, handle) });
    plan.world.extend(sent);
}

fn webhook(event: WebhookEvent, handle: &str) -> WorldEvent {
    let data = match event {
        WebhookEvent::LinkClicked | WebhookEvent::LinkUpdated => json!({
            "link_id": format!("l-{handle}"),
            "occurred_at": "2026-01-01T00:00:00Z",
        }),
        WebhookEvent::ProfileUpdated => json!({ "version": "v0" }),
    };
    let data = if let Value::Object(fields) = data { fields } else { Map::new() };
    WorldEvent::SendWebhook { event, handle: handle.to_owned(), data }
}

/// What happens to each creator whose page is visited, in an order that the seed draws; nothing is sent
/// about those who show what happens anyway.
fn roles(seed: u64) -> Vec<Option<Sending>> {
    let about = |rule: &str, fault| Sending {
        rule: rule.to_owned(),
        fault,
        event: WebhookEvent::ProfileUpdated,
        times: 1,
    };
    let twice = || Fault::Duplicate(Duplicate { copies: 2, gap_ms: COPY_MS });
    let mut roles: Vec<Option<Sending>> = Vec::new();
    roles.extend((0..GENUINE).map(|_| Some(about("genuine", None))));
    roles.extend((0..TWICE).map(|_| Some(about("twice", Some(twice())))));
    roles.extend(wrong().into_iter().map(|(rule, fault)| Some(about(&rule, Some(fault)))));
    roles.resize_with(WAVES * OF_A_WAVE, || None);
    roles.shuffle(&mut seed::stream(seed, &["roles"]));
    roles
}

/// Everything that no receiver may believe, in each attempt.
fn wrong() -> Vec<(String, Fault)> {
    let every_attempt = true;
    let forged = Forgery::ALL.into_iter().filter(|how| *how != Forgery::UpperCaseHex);
    let mut all: Vec<(String, Fault)> =
        forged.map(|how| (word(how), Fault::Forge(Forge { how, every_attempt }))).collect();
    for (rule, seconds) in [("off", TOO_FAR_S), ("far-off", 3_600)] {
        let stale = Fault::Stale(Stale { age_s: seconds, every_attempt });
        let future = Fault::Future(Future { ahead_s: seconds, every_attempt });
        all.extend([(format!("old-{rule}"), stale), (format!("new-{rule}"), future)]);
    }
    all
}

fn word(how: Forgery) -> String {
    serde_json::to_value(how)
        .ok()
        .and_then(|word| Some(word.as_str()?.to_owned()))
        .unwrap_or_default()
}

/// What is sent about creators whom nobody visits.
fn quiet() -> Vec<Sending> {
    let event = WebhookEvent::LinkClicked;
    let of = |rule: &str, fault, times| Sending { rule: rule.to_owned(), fault, event, times };
    let mut all = vec![of("genuine", None, 12)];
    all.extend(wrong().into_iter().map(|(rule, fault)| of(&rule, Some(fault), 2)));
    // The genuine message follows a refused one.
    let once = |how| Fault::Forge(Forge { how, every_attempt: false });
    all.push(of("once", Some(once(Forgery::SignatureBit)), 2));
    all.push(of("upper-case", Some(once(Forgery::UpperCaseHex)), 1));
    let near = [
        ("old-near", Fault::Stale(Stale { age_s: NEAR_S, every_attempt: true })),
        ("new-near", Fault::Future(Future { ahead_s: NEAR_S, every_attempt: true })),
    ];
    all.extend(near.map(|(rule, fault)| of(rule, Some(fault), 2)));
    let list = |list| Some(Fault::Rotate(Rotate { list }));
    all.push(of("stranger-first", list(SignatureList::StrangerFirst), 3));
    all.push(of("stranger-last", list(SignatureList::StrangerLast), 2));
    all.push(of("unknown-versions", list(SignatureList::UnknownVersions), 2));
    all.push(of("reformatted", Some(Fault::Reformat(Reformat {})), 3));
    all.push(of("late", Some(Fault::Reorder(Reorder { behind: 2, at_most_ms: 2_000 })), 2));
    let copies = |gap_ms| Some(Fault::Duplicate(Duplicate { copies: 3, gap_ms }));
    all.push(of("at-once", copies(0), 2));
    all.push(of("copied", copies(700), 2));
    for (rule, how) in [("not-json", Indigestible::NotJson), ("no-data", Indigestible::NoData)] {
        for bytes in [0, 2_000, 9_000, 32_768] {
            let fault = Fault::Poison(Poison { how, bytes });
            all.push(of(&format!("{rule}-{bytes}"), Some(fault), 1));
        }
    }
    all
}

/// The integration is stopped, and its first registrations afterwards are refused: at once, and with a
/// time to come back.
fn restart(again: Window) -> Vec<Rule> {
    let stop = Terminate { on: Strike::WindowStart, grace_ms: 1_500, down_ms: DOWN_MS };
    let at = Window { from_ms: again.from_ms + 300, until_ms: again.from_ms + 300 + DOWN_MS };
    let registering = || Matcher {
        routes: vec![Route::Webhooks],
        method: Some("POST".to_owned()),
        ..Matcher::default()
    };
    let nth = |from| Pick::Nth { from, until: from + 1 };
    let told = come_back(503, &[RetryAfterSpec::Seconds { s: 1 }]);
    vec![
        rule("stopped", at, Matcher::default(), Pick::All, Fault::Terminate(stop)),
        rule("not-registered", again, registering(), nth(0), status(&[503])),
        rule("not-registered-yet", again, registering(), nth(1), told),
    ]
}

/// Linktree changes its secret in the middle of the flood, with a long overlap, and forgets who was
/// registered while nobody is there; then an ordinary day begins.
fn restarted(again: Window) -> Vec<TimedEvent> {
    let timed = |at_ms, event| TimedEvent { at_ms, event };
    let clicked = |n: u64| {
        let at_ms = again.until_ms + n * 100;
        timed(at_ms, webhook(WebhookEvent::LinkClicked, &format!("{QUIET}-0001")))
    };
    let rotate = WorldEvent::RotateWebhookSecret { overlap_ms: 3_600_000 };
    let mut events = vec![
        timed(again.from_ms / 2, rotate),
        // It has been stopped, and cannot be back yet.
        timed(again.from_ms + 300 + DOWN_MS / 2, WorldEvent::ForgetWebhooks {}),
    ];
    events.extend((0..5).map(clicked));
    events
}
