//! Rotations of the key: until when the old one is good, and from when everybody has the new one.

use crate::case::Case;
use crate::plan::contract_time;
use mock_server::clock::Moment;
use mock_server::faults::Stage;
use mock_server::keyring::{Rotated, Rotation};
use std::time::Duration;

/// One key took the place of another.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'c> {
    /// From this moment on the vault hands out the new one.
    pub at: Moment,
    /// Which, and until when the old one is good.
    pub rotation: &'c Rotation,
    /// From this moment on the new one is in use: the declared pick-up after the rotation, later where
    /// the vault failed meanwhile or the target stood still, as long after that.
    pub known_by: Moment,
}

impl Turn<'_> {
    /// Whether a good key was in use all the time: the old one lasts until the new one is known.
    #[must_use]
    pub fn is_seamless(&self) -> bool {
        self.rotation.valid_until >= self.known_by
    }

    /// When nothing of it goes on any more: the old key has ended, and the new one is known.
    #[must_use]
    pub fn over(&self) -> Moment {
        self.rotation.valid_until.max(self.known_by)
    }
}

/// Every rotation of the key, in order.
#[must_use]
pub fn of(case: &Case) -> Vec<Turn<'_>> {
    let pickup = pickup(case);
    let rotated = case.linktree.happened.iter();
    let rotated = rotated.filter_map(|one| Some((one.at, one.rotation.as_ref()?)));
    let of_keys = rotated.filter(|(_, rotation)| rotation.what == Rotated::ApiKey);
    let turn = |(at, rotation)| Turn { at, rotation, known_by: known_by(case, at, pickup) };
    of_keys.map(turn).collect()
}

/// The declared pick-up, as it passes in this run.
#[must_use]
pub fn pickup(case: &Case) -> Duration {
    contract_time(case.declared.key_pickup_ms, case.time_scale)
}

/// When the plan lets the vault fail, in order.
#[must_use]
pub fn vault_failures(case: &Case) -> Vec<(Moment, Moment)> {
    let failing = case.plan.faults.iter().filter(|rule| rule.fault.stage() == Stage::Vault);
    let window = |ms| case.moment(ms);
    let mut spans: Vec<_> =
        failing.map(|rule| (window(rule.window.from_ms), window(rule.window.until_ms))).collect();
    spans.sort_unstable();
    spans
}

/// When no good key may have been known, each with what that was.
#[must_use]
pub fn gaps(case: &Case) -> Vec<(Moment, Moment)> {
    let turns = of(case).into_iter().filter(|turn| !turn.is_seamless());
    turns.map(|turn| (turn.rotation.valid_until, turn.known_by)).collect()
}

fn known_by(case: &Case, at: Moment, pickup: Duration) -> Moment {
    let mut by = case.target.heard_by(at, pickup);
    for (from, until) in vault_failures(case) {
        // One that ends just then puts nothing off.
        if from <= by && until > at {
            by = by.max(case.target.heard_by(until, pickup));
        }
    }
    by
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, rotated};
    use mock_server::faults::{Fault, Matcher, Pick, Rule, VaultStatus, Window};

    const S: fn(u64) -> Moment = |seconds| Moment::from_ms(seconds * 1_000);

    fn failing(mut history: History, from: u64, until: u64) -> History {
        let path = "secret/data/linktree".to_owned();
        history.case.plan.faults.push(Rule {
            id: format!("sealed-{from}"),
            window: Window { from_ms: from * 1_000, until_ms: until * 1_000 },
            matcher: Matcher::default(),
            pick: Pick::All,
            fault: Fault::VaultStatus(VaultStatus { status: 503, path }),
        });
        history
    }

    #[track_caller]
    fn check(history: &History, known_by: u64, gap: Option<(u64, u64)>) {
        let turns = of(&history.case);
        assert_eq!(turns.iter().map(|turn| turn.known_by).collect::<Vec<_>>(), [S(known_by)]);
        let gaps = gaps(&history.case);
        assert_eq!(gaps, Vec::from_iter(gap.map(|(from, until)| (S(from), S(until)))));
    }

    #[test]
    fn a_new_key_is_known_after_the_pickup_and_the_old_one_may_end_before() {
        let turned = |overlap| History::over(&[]).happened(rotated(1, 100_000, overlap));
        check(&turned(60_000), 160, None);
        check(&turned(0), 160, Some((100, 160)));
        check(&turned(0).declaring(|of| of.key_pickup_ms = 5_000), 105, Some((100, 105)));
        check(&turned(0).scaled(10), 106, Some((100, 106)));
    }

    #[test]
    fn the_secret_of_webhooks_is_no_key() {
        let mut secret = rotated(1, 100_000, 0);
        secret.rotation.as_mut().unwrap().what = Rotated::WebhookSecret;
        assert_eq!(of(&History::over(&[]).happened(secret).case).len(), 0);
    }

    #[test]
    fn a_vault_that_fails_and_a_pause_put_it_off() {
        let turned = || History::over(&[]).happened(rotated(1, 100_000, 0));
        check(&failing(turned(), 90, 110), 170, Some((100, 170)));
        check(&failing(failing(turned(), 90, 110), 165, 180), 240, Some((100, 240)));
        check(&failing(turned(), 170, 180), 160, Some((100, 160)));
        check(&failing(turned(), 160, 165), 225, Some((100, 225)));
        check(&failing(turned(), 20, 100), 160, Some((100, 160)));
        check(&turned().paused(120_000, 130_000), 190, Some((100, 190)));
    }
}
