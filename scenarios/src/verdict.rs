//! Verdicts: held over so many observations, violated with a witness, or inconclusive with a reason.
//!
//! What was observed and promised is said by the verdict's measures wherever there is a number, so
//! that words and numbers cannot disagree; a judge adds words only for what has none.

mod offences;

pub use offences::Offences;

use crate::measure::{self, Gauge, Margin, Measure, so_many};
use crate::strength::{self, Strength};
use mock_server::clock::Moment;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::time::Duration;

/// What a guarantee says of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Held, violated or inconclusive.
    pub kind: VerdictKind,
    /// How many observations could have violated it.
    pub seen: u64,
    /// Of what, in words: `retried clicks`.
    pub of_what: String,
    /// What was measured, each beside its bound. What was not seen is not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<Measure>,
    /// How much was seen of what must have been seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strength: Vec<Strength>,
    /// What was observed, in words and figures: the measures, and what else is worth knowing.
    pub observed: String,
    /// What was promised, with tolerance, in words and figures: every bound, and the rule around it.
    pub promised: String,
    /// Why it is inconclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The worst witnesses, of equals the earliest first, at most [`MAX_WITNESSES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<Witness>,
    /// How many violations there were in all.
    pub violations: u64,
    /// When each of them was; not written, as many may be.
    #[serde(skip)]
    pub when: Vec<Moment>,
}

/// Witnesses kept for a verdict.
pub const MAX_WITNESSES: usize = 20;

/// The three verdicts, best first; the worst of several wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// Every observation obeyed.
    Held,
    /// Too little was seen, or the harness was too inexact.
    Inconclusive,
    /// At least one observation broke the promise.
    Violated,
}

/// Evidence of one violation, which a person can follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// When the promise was broken.
    pub at: Moment,
    /// What happened, a sentence.
    pub what: String,
    /// The events that show it, one line each, in order of time.
    pub story: Vec<String>,
    /// How bad it is beside others of the same judge, in a unit of the judge's own.
    #[serde(default)]
    pub weight: u64,
}

impl Verdict {
    /// Held over `seen` observations; inconclusive when there were none.
    #[must_use]
    pub fn held_over(seen: usize, of_what: &str) -> Self {
        let kind = if seen == 0 { VerdictKind::Inconclusive } else { VerdictKind::Held };
        let reason = (seen == 0).then(|| format!("no {of_what} in this history"));
        Self {
            kind,
            seen: seen as u64,
            of_what: of_what.to_owned(),
            measures: Vec::new(),
            strength: Vec::new(),
            observed: String::new(),
            promised: String::new(),
            reason,
            witnesses: Vec::new(),
            violations: 0,
            when: Vec::new(),
        }
    }

    /// Not enough to say.
    #[must_use]
    pub fn inconclusive(reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::held_over(0, "observations") }
    }

    /// Violated when there are witnesses, otherwise as [`Verdict::held_over`].
    #[must_use]
    pub fn from_witnesses(seen: usize, of_what: &str, mut witnesses: Vec<Witness>) -> Self {
        if witnesses.is_empty() {
            return Self::held_over(seen, of_what);
        }
        witnesses.sort_by_key(|witness| (Reverse(witness.weight), witness.at));
        let when: Vec<Moment> = witnesses.iter().map(|witness| witness.at).collect();
        witnesses.truncate(MAX_WITNESSES);
        Self {
            kind: VerdictKind::Violated,
            violations: when.len() as u64,
            when,
            witnesses,
            reason: None,
            ..Self::held_over(seen.max(1), of_what)
        }
    }

    /// As [`Verdict::from_witnesses`], of offenders with the time and weight of each witness: only those
    /// that are kept are told.
    #[must_use]
    pub fn from_offenders<T>(
        seen: usize,
        of_what: &str,
        mut offenders: Vec<(Moment, u64, T)>,
        witness: impl Fn(T) -> Witness,
    ) -> Self {
        offenders.sort_by_key(|(at, weight, _)| (Reverse(*weight), *at));
        let when: Vec<Moment> = offenders.iter().map(|(at, ..)| *at).collect();
        let kept = offenders.into_iter().take(MAX_WITNESSES).map(|(.., one)| witness(one));
        let verdict = Self::from_witnesses(seen, of_what, kept.collect());
        Self { violations: when.len() as u64, when, ..verdict }
    }

    /// The same verdict with its measures, which say what was observed and promised in numbers, and
    /// with what has no number: what else was `observed`, and the `rule` around the bounds.
    #[must_use]
    pub fn measured(
        mut self,
        gauges: impl IntoIterator<Item = Gauge>,
        observed: impl Into<String>,
        rule: impl Into<String>,
    ) -> Self {
        let gauges: Vec<Gauge> = gauges.into_iter().collect();
        self.measures = gauges.iter().filter_map(Gauge::measure).cloned().collect();
        let seen = self.measures.iter().map(measure::observed);
        self.observed = joined(seen, observed.into());
        self.promised = joined(gauges.iter().map(Gauge::promised), rule.into());
        self
    }

    /// Where kind, measures and words contradict each other.
    #[cfg(test)]
    pub(crate) fn contradiction(&self) -> Option<&'static str> {
        let broken = self.measures.iter().any(Measure::is_broken);
        let unsaid = |one: &Measure| !self.observed.contains(&measure::observed(one));
        let as_debug = |word: &str| {
            let number = word.trim_end_matches(['s', 'm', 'µ', 'n']);
            number != word && number.ends_with(|end: char| end.is_ascii_digit())
        };
        let said = self.observed.split(' ').chain(self.promised.split(' '));
        match self.kind {
            VerdictKind::Held if self.measures.is_empty() => Some("held without a number"),
            VerdictKind::Held if broken => Some("held, with a broken bound"),
            VerdictKind::Violated if !broken => Some("violated, with every bound kept"),
            _ if self.measures.iter().any(unsaid) => Some("a measure that its words do not say"),
            _ if said.map(|word| word.trim_matches([',', ';', '(', ')'])).any(as_debug) => {
                Some("a duration as only programs write it")
            }
            _ => None,
        }
    }

    /// How much room the tightest measure left.
    #[must_use]
    pub fn margin(&self) -> Option<Margin> {
        Margin::of(&self.measures)
    }

    /// An inconclusive verdict gives this reason, where a better one than its own is known.
    #[must_use]
    pub fn because(mut self, reason: Option<String>) -> Self {
        if self.kind == VerdictKind::Inconclusive && reason.is_some() {
            self.reason = reason;
        }
        self
    }

    /// The same verdict with how much was seen of each thing that must have been seen; held over too
    /// little becomes inconclusive.
    #[must_use]
    pub fn at_least(mut self, strength: impl IntoIterator<Item = Strength>) -> Self {
        self.strength = strength.into_iter().collect();
        match strength::shortage(&self.strength) {
            Some(short) => self.only_if(false, short),
            None => self,
        }
    }

    /// A violation that something else may have caused is none: inconclusive, and without witnesses.
    #[must_use]
    pub fn withdrawn(self, reason: &str) -> Self {
        let seen = so_many(self.violations, "violation was", "violations were");
        let reason = format!("{reason}; {seen} seen");
        Self {
            kind: VerdictKind::Inconclusive,
            reason: Some(reason),
            witnesses: Vec::new(),
            violations: 0,
            when: Vec::new(),
            ..self
        }
    }

    /// A held verdict becomes inconclusive unless `enough` is true; a violation stays one.
    #[must_use]
    pub fn only_if(mut self, enough: bool, reason: impl Into<String>) -> Self {
        if self.kind == VerdictKind::Held && !enough {
            self.kind = VerdictKind::Inconclusive;
            self.reason = Some(reason.into());
        }
        self
    }

    /// A held verdict becomes inconclusive where there is a reason; a violation stays one.
    #[must_use]
    pub fn unless(self, reason: Option<impl Into<String>>) -> Self {
        match reason {
            Some(reason) => self.only_if(false, reason),
            None => self,
        }
    }

    /// The same, and one that is inconclusive already gives this reason too.
    #[must_use]
    pub fn undecided(self, reason: Option<String>) -> Self {
        self.unless(reason.clone()).because(reason)
    }
}

/// What the measures say, and then the rest.
fn joined(measures: impl Iterator<Item = String>, rest: String) -> String {
    let rest = (!rest.is_empty()).then_some(rest);
    measures.chain(rest).collect::<Vec<_>>().join("; ")
}

impl Witness {
    /// A witness without a story yet.
    #[must_use]
    pub fn new(at: Moment, what: impl Into<String>) -> Self {
        Self { at, what: what.into(), story: Vec::new(), weight: 0 }
    }

    /// The same witness, so bad; the worst is shown first.
    #[must_use]
    pub const fn weighing(mut self, weight: u64) -> Self {
        self.weight = weight;
        self
    }

    /// The same witness of something that lasted so long; the longest is shown first.
    #[must_use]
    pub fn lasting(self, time: Duration) -> Self {
        self.weighing(weight_of(time))
    }

    /// Adds a line of evidence.
    #[must_use]
    pub fn line(mut self, line: impl Into<String>) -> Self {
        self.story.push(line.into());
        self
    }
}

/// How bad a witness is of something that lasted so long.
#[must_use]
pub fn weight_of(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guarantee_that_saw_nothing_has_not_held() {
        assert_eq!(Verdict::held_over(0, "clicks").kind, VerdictKind::Inconclusive);
        assert_eq!(Verdict::held_over(1, "clicks").kind, VerdictKind::Held);
    }

    #[test]
    fn a_violation_is_never_softened_by_a_missing_exercise() {
        let witness = Witness::new(Moment::ZERO, "broken");
        let verdict = Verdict::from_witnesses(1, "clicks", vec![witness]).only_if(false, "few");
        assert_eq!(verdict.kind, VerdictKind::Violated);
    }

    #[test]
    fn offenders_are_all_counted_and_those_that_are_kept_are_told() {
        let offenders: Vec<(Moment, u64, u64)> =
            (0..30).map(|n| (Moment::from_ms(n), n / 3, n)).collect();
        let witness = |n: u64| {
            assert!(n >= 9, "{n} is not among the worst");
            Witness::new(Moment::from_ms(n), "broken").weighing(n / 3)
        };
        let witnesses = (0..30).map(|n| Witness::new(Moment::from_ms(n), "broken").weighing(n / 3));
        let expected = Verdict::from_witnesses(40, "clicks", witnesses.collect());
        assert_eq!(Verdict::from_offenders(40, "clicks", offenders, witness), expected);
        let none = Verdict::from_offenders(40, "clicks", Vec::<(Moment, u64, u64)>::new(), witness);
        assert_eq!(none, Verdict::held_over(40, "clicks"));
    }

    #[test]
    fn what_was_measured_says_what_was_observed_and_promised() {
        let lost = |count, of| Gauge::none_of("lost clicks").counted(count, of);
        let verdict = Verdict::held_over(9, "clicks").measured([lost(0, 9)], "9 came", "in order");
        assert_eq!(verdict.observed, "lost clicks: 0; 9 came");
        assert_eq!(verdict.promised, "lost clicks: none; in order");
        let unseen = Verdict::held_over(0, "clicks").measured([lost(0, 0)], "", "");
        assert_eq!((unseen.observed.as_str(), unseen.measures.len()), ("", 0));
        assert_eq!(unseen.promised, "lost clicks: none");
    }

    #[test]
    fn a_kind_that_its_numbers_or_words_contradict_is_noticed() {
        let lost = |count| Gauge::none_of("lost clicks").counted(count, 9);
        let held = || Verdict::held_over(9, "clicks");
        let witness = Witness::new(Moment::ZERO, "lost");
        let violated = Verdict::from_witnesses(9, "clicks", vec![witness]);
        assert_eq!(held().measured([lost(0)], "", "").contradiction(), None);
        assert!(held().contradiction().is_some(), "without a number");
        assert!(held().measured([lost(1)], "", "").contradiction().is_some());
        assert_eq!(violated.clone().measured([lost(1)], "", "").contradiction(), None);
        assert!(violated.measured([lost(0)], "", "").contradiction().is_some());
        let other =
            Verdict { observed: "lost clicks: 1".into(), ..held().measured([lost(0)], "", "") };
        assert!(other.contradiction().is_some());
        assert!(held().measured([lost(0)], "within 60s", "").contradiction().is_some());
    }

    #[test]
    fn the_worst_verdict_is_the_greatest() {
        assert!(VerdictKind::Violated > VerdictKind::Inconclusive);
        assert!(VerdictKind::Inconclusive > VerdictKind::Held);
    }
}
