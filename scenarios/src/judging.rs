//! Judges several guarantees over one pass of the operations, and lets no verdict rest on an
//! instrument that failed.
//!
//! A guarantee's own file says what stands of its verdict then; this is the one place where that is
//! applied.

use crate::case::Case;
use crate::guarantees::{Guarantee, Judge, Promise};
use crate::health::{Health, Punctuality};
use crate::history::Operation;
use crate::verdict::Verdict;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Several judgements over one pass of the operations. A judge that panics is inconclusive.
pub struct Judging<'c> {
    case: &'c Case,
    arrivals: Punctuality,
    judges: Vec<Judgement<'c>>,
}

struct Judgement<'c> {
    promise: &'static Promise,
    /// Why no history decides it.
    undecidable: Option<String>,
    /// None where it panicked.
    judge: Option<Box<dyn Judge + 'c>>,
}

impl Judgement<'_> {
    fn is_at_once(&self) -> bool {
        self.judge.as_ref().is_some_and(|judge| judge.is_at_once())
    }
}

impl<'c> Judging<'c> {
    /// Begins to judge the given guarantees.
    #[must_use]
    pub fn begin(case: &'c Case, guarantees: &[&'static dyn Guarantee]) -> Self {
        let begin = |guarantee: &&'static dyn Guarantee| {
            let judge = catch_unwind(AssertUnwindSafe(|| guarantee.begin(case))).ok();
            let undecidable = guarantee.undecidable(case);
            Judgement { promise: guarantee.promise(), undecidable, judge }
        };
        let judges = guarantees.iter().map(begin).collect();
        Self { case, arrivals: Punctuality::of(case), judges }
    }

    /// Shows one operation to every judge.
    pub fn operation(&mut self, operation: &Operation<'_>) {
        self.arrivals.operation(operation);
        for Judgement { judge: slot, .. } in &mut self.judges {
            if let Some(judge) = slot
                && catch_unwind(AssertUnwindSafe(|| judge.operation(operation))).is_err()
            {
                *slot = None;
            }
        }
    }

    /// How well the harness did its own work, and the verdicts in the order of the guarantees given.
    #[must_use]
    pub fn verdicts(self) -> (Health, Vec<(&'static str, Verdict)>) {
        let health = Health::of(self.case, self.arrivals);
        let finish = |Judgement { promise, undecidable, judge }: Judgement<'c>| {
            let verdict =
                judge.and_then(|judge| catch_unwind(AssertUnwindSafe(|| judge.verdict())).ok());
            let crashed = || Verdict::inconclusive("the judge itself failed: a bug of Windthrow");
            let verdict = verdict.unwrap_or_else(crashed).undecided(undecidable);
            (promise.id, health.applied_to(promise, verdict, self.case))
        };
        let mut judges: Vec<_> = self.judges.into_iter().map(Some).collect();
        let mut verdicts: Vec<_> = judges.iter().map(|_| None).collect();
        // Who has most to do yet needs memory: those who gathered something give theirs back before.
        for at_once in [false, true] {
            for (judge, verdict) in judges.iter_mut().zip(&mut verdicts) {
                let is_next = |one: &mut Judgement<'c>| one.is_at_once() == at_once;
                *verdict = verdict.take().or_else(|| judge.take_if(is_next).map(finish));
            }
        }
        (health, verdicts.into_iter().flatten().collect())
    }
}
