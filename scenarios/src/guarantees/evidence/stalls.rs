//! Where an answer stopped coming.

use crate::case::{Case, JudgedExchange};
use mock_server::faults::{Fault, Rule, StallAt};

/// Where an answer stalled: as its rule says, or else as far as it came.
#[must_use]
pub fn place(case: &Case, stalled: &JudgedExchange) -> StallAt {
    let hit = |id: &str| stalled.faults.iter().any(|mark| mark.rule == id);
    let stalls = |rule: &Rule| match rule.fault {
        Fault::Stall(stall) if hit(&rule.id) => Some(stall.at),
        _ => None,
    };
    let came = if stalled.t_first.is_none() { StallAt::BeforeHead } else { StallAt::BeforeBody };
    case.plan.faults.iter().filter_map(stalls).next().unwrap_or(came)
}

/// The place in words.
#[must_use]
pub const fn words(place: StallAt) -> &'static str {
    match place {
        StallAt::BeforeHead => "before the head",
        StallAt::BeforeBody | StallAt::MidBody { .. } => "inside the body",
        StallAt::Trickle { .. } => "as a trickle",
    }
}
