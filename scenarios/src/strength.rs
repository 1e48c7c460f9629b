//! How much a judge must have seen before *held* means something, and how much it saw.
//!
//! A promise states its minimums as constants; a judge ends with [`Verdict::at_least`], so that no
//! verdict is held over too little, and so that a report can show how strong its evidence is.
//!
//! [`Verdict::at_least`]: crate::verdict::Verdict::at_least

use serde::{Deserialize, Serialize};

/// So much of something must have been seen, or the guarantee is inconclusive: a constant of the
/// guarantee's own file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Minimum {
    /// Of what, in the plural: `retried clicks`.
    pub name: &'static str,
    /// How many are needed at least.
    pub least: u64,
}

impl Minimum {
    /// So many were seen.
    #[must_use]
    pub fn seen(&self, seen: usize) -> Strength {
        self.of(seen, self.least)
    }

    /// So many were seen where the plan asks for `least` of them instead.
    #[must_use]
    pub fn of(&self, seen: usize, least: u64) -> Strength {
        Strength { name: self.name.to_owned(), seen: seen as u64, least }
    }
}

/// What was seen of something, beside what is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strength {
    /// Of what, in the plural.
    pub name: String,
    /// How many were seen.
    pub seen: u64,
    /// How many are needed at least.
    pub least: u64,
}

impl Strength {
    /// Whether it is too little.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.seen < self.least
    }
}

/// What is too little of all this, in words; none when it is enough.
#[must_use]
pub fn shortage(of: &[Strength]) -> Option<String> {
    let short = of.iter().filter(|one| one.is_short());
    let words: Vec<String> =
        short.map(|one| format!("{}: {} seen, {} needed", one.name, one.seen, one.least)).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Verdict, VerdictKind, Witness};
    use mock_server::clock::Moment;

    const RETRIED: Minimum = Minimum { name: "retried clicks", least: 10 };
    const LOST: Minimum = Minimum { name: "lost receipts", least: 1 };

    #[track_caller]
    fn check(seen: [usize; 2], expected: (VerdictKind, Option<&str>)) {
        let strength = [RETRIED.seen(seen[0]), LOST.seen(seen[1])];
        let verdict = Verdict::held_over(20, "clicks").at_least(strength);
        assert_eq!((verdict.kind, verdict.reason.as_deref()), expected);
        assert_eq!(verdict.strength.len(), 2);
    }

    #[test]
    fn held_over_too_little_is_inconclusive_and_says_of_what() {
        check([10, 1], (VerdictKind::Held, None));
        let few = "retried clicks: 9 seen, 10 needed";
        check([9, 1], (VerdictKind::Inconclusive, Some(few)));
        let both = "retried clicks: 0 seen, 10 needed; lost receipts: 0 seen, 1 needed";
        check([0, 0], (VerdictKind::Inconclusive, Some(both)));
    }

    #[test]
    fn a_plan_may_ask_for_another_number() {
        let verdict = Verdict::held_over(20, "clicks").at_least([RETRIED.of(9, 4)]);
        assert_eq!((verdict.kind, verdict.strength[0].least), (VerdictKind::Held, 4));
    }

    #[test]
    fn a_violation_over_little_stays_one() {
        let witness = Witness::new(Moment::ZERO, "broken");
        let violated = Verdict::from_witnesses(1, "clicks", vec![witness]);
        assert_eq!(violated.at_least([RETRIED.seen(1)]).kind, VerdictKind::Violated);
    }

    #[test]
    fn an_older_reason_is_kept() {
        let verdict = Verdict::inconclusive("nobody came").at_least([RETRIED.seen(0)]);
        assert_eq!(verdict.reason.as_deref(), Some("nobody came"));
    }
}
