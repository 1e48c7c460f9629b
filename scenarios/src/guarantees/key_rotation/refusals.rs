//! Which calls came with which key: whether the new one was picked up, and how often the old one was refused.

use super::told;
use crate::case::{Case, JudgedExchange};
use crate::guarantees::evidence::rotations::Turn;
use crate::verdict::{Offences, Witness};
use mock_server::clock::Moment;

/// What the calls show.
pub(super) struct Called {
    pub offences: Offences,
    /// Rotations whose key was not in use when it had to be.
    pub not_picked_up: u64,
    /// Calls with a key that had ended, where they could have been made with the new one.
    pub ended: u64,
    /// The most rows of refused calls after one rotation, and how many there may be.
    pub rows: usize,
    pub most_rows: usize,
    /// The fewest good calls with the new key after a rotation.
    pub fewest_good: usize,
}

/// Judges all calls; `of_each` rows of refusals are each process's own.
pub(super) fn judged(case: &Case, turns: &[Turn<'_>], of_each: usize) -> Called {
    let most_rows = of_each.saturating_mul(case.declared.instances.max(1) as usize);
    let mut called = Called {
        offences: Offences::default(),
        not_picked_up: 0,
        ended: 0,
        rows: 0,
        most_rows,
        fewest_good: turns.iter().map(|turn| good(case, turn).count()).min().unwrap_or(0),
    };
    for turn in turns {
        called.pick_up(case, turn);
        called.refusals(case, turn);
    }
    called
}

/// Good calls with the new key of a rotation.
fn good<'c>(case: &'c Case, turn: &'c Turn<'_>) -> impl Iterator<Item = &'c JudgedExchange> {
    let is_new = |one: &&JudgedExchange| one.head.key_id.as_ref() == Some(&turn.rotation.new_id);
    case.linktree.exchanges.iter().filter(is_new).filter(|one| one.is_success())
}

/// Calls with the old key of a rotation that began after a moment, as far as they are anybody's fault.
fn old_after<'c>(
    case: &'c Case,
    turn: &'c Turn<'_>,
    after: Moment,
) -> impl Iterator<Item = &'c JudgedExchange> {
    let slack = 2 * case.harness.delta;
    let calls = case.linktree.exchanges.iter();
    let is_old = |one: &&JudgedExchange| one.head.key_id.as_ref() == Some(&turn.rotation.old_id);
    calls.filter(is_old).filter(move |one| {
        one.t_head > after.plus(slack)
            && !case.harness.too_slow_within(after, one.t_head)
            && !case.target.disturbed_within(after, one.t_head)
    })
}

impl Called {
    /// The new key was in use before anybody called with the old one after the pick-up.
    fn pick_up(&mut self, case: &Case, turn: &Turn<'_>) {
        let first = good(case, turn).map(JudgedExchange::t_known).min();
        let mut late = old_after(case, turn, turn.known_by);
        let late = late.find(|one| first.is_none_or(|first| one.t_head < first));
        if let Some(late) = late {
            self.not_picked_up += 1;
            self.offences.add(late.t_head, || {
                let what = format!("{} was not in use yet", turn.rotation.new_id);
                Witness::new(late.t_head, what)
                    .line(told(case, turn))
                    .line(format!("{} the new key had to be in use", case.at(turn.known_by)))
                    .line(case.tell(late))
            });
        }
    }

    fn refusals(&mut self, case: &Case, turn: &Turn<'_>) {
        let is_refused = |one: &&JudgedExchange| one.head.token == "revoked";
        for one in old_after(case, turn, turn.over()).filter(is_refused) {
            self.ended += 1;
            self.offences.add(one.t_head, || {
                let what = format!("a call with {}, which had ended", turn.rotation.old_id);
                Witness::new(one.t_head, what).line(told(case, turn)).line(case.tell(one))
            });
        }
        if turn.is_seamless() {
            return;
        }
        let rows = rows(case, turn);
        self.rows = self.rows.max(rows.len());
        if rows.len() > self.most_rows {
            let first = rows[self.most_rows];
            self.offences.add(first.t_head, || {
                let what = format!("{} rows of calls with a key that was revoked", rows.len());
                let witness = Witness::new(first.t_head, what).line(told(case, turn));
                rows.iter().take(8).fold(witness, |witness, one| witness.line(case.tell(one)))
            });
        }
    }
}

/// The first of each row of refused calls: whoever called before that one's answer could be known
/// could not know better.
fn rows<'c>(case: &'c Case, turn: &Turn<'_>) -> Vec<&'c JudgedExchange> {
    let mut refused: Vec<&JudgedExchange> = case.linktree.exchanges.iter().collect();
    refused.retain(|one| {
        one.head.token == "revoked" && one.head.key_id.as_ref() == Some(&turn.rotation.old_id)
    });
    refused.sort_by_key(|one| (one.t_head, one.id));
    let mut rows: Vec<&JudgedExchange> = Vec::new();
    for one in refused {
        let known = |row: &&JudgedExchange| row.t_known().plus(case.harness.delta) < one.t_head;
        if rows.last().is_none_or(known) {
            rows.push(one);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::evidence::rotations;
    use crate::testing::{History, read, rotated, with_key};

    #[test]
    fn a_key_was_picked_up_when_its_first_good_call_was_answered_before_the_next_with_the_old_one()
    {
        let late = |new_ms| {
            // Known by 160 s, give or take 2 δ.
            let mut history = History::over(&[])
                .happened(rotated(1, 100_000, 200_000))
                .exchange(with_key(0, "previous", read("ann", 160_300)))
                .exchange(with_key(1, "live", read("bob", new_ms)));
            history.case.ready();
            judged(&history.case, &rotations::of(&history.case), 5).not_picked_up
        };
        assert_eq!([160_295, 160_296].map(late), [0, 1]);
    }
}
