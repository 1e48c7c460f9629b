//! The limiter counts in memory, and a new process begins with nothing sent.

use super::Mutant;
use crate::upstream::limiter::SlidingLog;

pub const MUTANT: Mutant = Mutant {
    id: "limiter-forgets-on-restart",
    summary: "the rate limit starts anew with the process",
    breaks: "hard-limit",
    may_also_break: &[],
    shown_by: "crash-and-replay",
    apply: |seams| {
        seams.upstream.limiter = |settings, _| Ok(Box::new(SlidingLog::new(settings)));
    },
};
