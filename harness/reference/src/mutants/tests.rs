//! The registry lists the folder, and what breaks the rate limit is known.

use super::*;
use crate::{
    linktree::Route,
    upstream::limiter::tests::{peak, settings},
};
use std::collections::BTreeSet;
use std::time::Duration;

/// Every file in the folder is listed once under its own name, and says what it does.
#[test]
fn the_registry_lists_the_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/mutants");
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} does not say what it does", path.display());
        files.insert(path.file_stem().unwrap().to_str().unwrap().replace('_', "-"));
    }
    for helper in ["list", "mod", "tests"] {
        files.remove(helper);
    }
    let listed: BTreeSet<_> = MUTANTS.iter().map(|mutant| mutant.id.to_owned()).collect();
    assert_eq!(listed, files);
    assert_eq!(listed.len(), MUTANTS.len(), "an id is listed twice");
}

/// The most requests that a mutant's client lets go in any minute, of a rest and then a burst just
/// after a told wait, in which every other request is a retry, and the process is started again.
fn peak_of_a_burst(mutant: &Mutant) -> usize {
    let mut seams = Seams::default();
    (mutant.apply)(&mut seams);
    let folder = tempfile::tempdir().unwrap();
    let open = || (seams.upstream.limiter)(&settings(), folder.path()).unwrap();
    let (mut limiter, mut asked) = (open(), 0);
    let burst = (0..100).flat_map(|_| [(100, Route::Profile), (100, Route::Links)]);
    let arrivals: Vec<_> = [(50_000, Route::Click)].into_iter().chain(burst).collect();
    let mut attempts = [1, 2].into_iter().cycle();
    peak(&arrivals, |route, now| {
        asked += 1;
        if asked == arrivals.len() / 2 {
            limiter = open();
        }
        let asks = (seams.upstream.limits_attempt)(attempts.next().unwrap(), Some(Duration::ZERO));
        !asks || limiter.try_take(route, now).is_ok()
    })
}

fn is_rate(id: &&str) -> bool {
    matches!(*id, "client-rate-cap" | "hard-limit")
}

/// Linktree takes 100 requests in a minute, and the sound client sends 90.
#[test]
fn a_burst_gets_through_where_the_rate_limit_is_broken_and_nowhere_else() {
    for mutant in MUTANTS {
        let peak = peak_of_a_burst(mutant);
        if is_rate(&mutant.breaks) {
            assert!(peak > 100, "{}: {peak}", mutant.id);
        } else if !mutant.may_also_break.iter().any(is_rate) {
            assert!(peak <= 90, "{}: {peak}", mutant.id);
        }
    }
}
