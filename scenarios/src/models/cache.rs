//! Simulated page caches, sound and broken, through changes of pages, an outage and a kill.

mod service;

use super::{Tally, judged};
use service::{Cache, Flaw, SOUND, simulated};

fn outcome(promise: &str, cache: Cache) -> Tally {
    judged(promise, |random| simulated(random, cache))
}

const PROMISES: [&str; 3] = ["stale-on-outage", "cache-hit-ratio", "pages-served"];

#[test]
fn sound_caches_are_never_blamed() {
    let check = |cache: Cache, promises: &[&str]| {
        for promise in promises {
            // A process that is killed just before or in the outage has no pages in it.
            let least = if cache.killed { 30 } else { 80 };
            outcome(promise, cache).is_never_blamed(&format!("{promise}, {cache:?}"), least);
        }
    };
    let revalidating = Cache { while_revalidate: true, ..SOUND };
    let [stale, ratio, served] = PROMISES;
    check(SOUND, &PROMISES);
    check(revalidating, &PROMISES);
    check(Cache { workers: 3, every_ms: 80, ..SOUND }, &PROMISES);
    check(Cache { workers: 2, every_ms: 80, ..revalidating }, &[stale, ratio]);
    check(Cache { coalesces: false, ..SOUND }, &PROMISES);
    check(Cache { revalidates: true, ..SOUND }, &[stale, ratio]);
    check(Cache { killed: true, ..SOUND }, &PROMISES);
    check(Cache { killed: true, workers: 2, every_ms: 80, ..revalidating }, &[stale, served]);
}

#[test]
fn broken_caches_are_caught() {
    let check = |promise: &str, cache: Cache, percent| {
        outcome(promise, cache).is_caught(&format!("{promise}, {cache:?}"), percent);
    };
    let flawed = |flaw| Cache { flaw, ..SOUND };
    let [stale, ratio, served] = PROMISES;
    check(stale, flawed(Flaw::Blank), 95);
    check(stale, flawed(Flaw::WaitsOutTimeouts), 85);
    check(stale, flawed(Flaw::Foreign), 95);
    check(stale, flawed(Flaw::OldForEver), 95);
    check(stale, flawed(Flaw::ForgetsNewPages), 90);
    check(stale, flawed(Flaw::Small), 90);
    check(ratio, flawed(Flaw::ShortLived), 95);
    let herd = Cache { coalesces: false, upstream_ms: 900, every_ms: 80, ..SOUND };
    check(ratio, herd, 85);
    // Only of a page's first visitor is it certain that he was a miss.
    check(ratio, Cache { creators: 40, ..flawed(Flaw::MissesAsHits) }, 95);
    check(ratio, flawed(Flaw::HitsAsMisses), 95);
    check(served, flawed(Flaw::OftenRefuses), 90);
    check(served, flawed(Flaw::OftenSlow), 90);
}
