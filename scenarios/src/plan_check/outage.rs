//! Whether a total outage is one: at every instant some rule fails every attempt, and none is in
//! its way.
//!
//! Of the rules that hit a request the first one wins, and a change of the answer may turn an error
//! into a page. So beside certain failures only added latency may be at work. Connections that are
//! refused or broken off are no total outage by themselves, as those that exist go on.

use super::claims::{Doubt, at_work, hits_attempts, named};
use crate::plan::Plan;
use mock_server::faults::{Harm, Matcher, Pick, Rule, Stage, Window};
use std::collections::BTreeSet;

/// The first stretch in which attempts may succeed.
pub(super) fn spared(plan: &Plan, span: Window) -> Option<Doubt> {
    let mut steps = steps(plan, span).into_iter();
    let (first, why) = steps.find_map(|step| Some((step, why_spared(plan, step)?)))?;
    let goes_on = |step: &Window| why_spared(plan, *step).as_ref() == Some(&why);
    let until_ms = steps.take_while(goes_on).last().unwrap_or(first).until_ms;
    let from_ms = first.from_ms;
    let advice = "call it storm, or let rules without matcher and pick fail all attempts at every \
                  instant, such as a status of 503";
    Some(Doubt::new(format!("from {from_ms} to {until_ms} ms {why}"), advice))
}

/// The span in pieces in which no window begins or ends.
pub(super) fn steps(plan: &Plan, span: Window) -> Vec<Window> {
    let edges = plan.faults.iter().flat_map(|rule| [rule.window.from_ms, rule.window.until_ms]);
    let inside = edges.filter(|edge| span.from_ms < *edge && *edge < span.until_ms);
    let cuts: BTreeSet<u64> = inside.chain([span.from_ms, span.until_ms]).collect();
    let starts = cuts.iter().zip(cuts.iter().skip(1));
    starts.map(|(from, until)| Window { from_ms: *from, until_ms: *until }).collect()
}

/// Why attempts may succeed in a piece.
fn why_spared(plan: &Plan, step: Window) -> Option<String> {
    let requests = || {
        let of_requests = |rule: &&Rule| rule.fault.stage() == Stage::Request;
        at_work(plan, step).filter(of_requests).filter(|rule| hits_attempts(rule))
    };
    let in_the_way = |rule: &&Rule| match rule.fault.harm() {
        Harm::None | Harm::MayFail | Harm::HitsNone => true,
        Harm::Slows { .. } | Harm::Fails => false,
    };
    if let Some(rule) = requests().find(in_the_way) {
        return Some(format!("{} may let attempts succeed", named(rule)));
    }
    let total = |rule: &Rule| {
        rule.fault.harm() == Harm::Fails
            && rule.matcher == Matcher::default()
            && hits_all(rule.pick)
    };
    (!requests().any(total)).then(|| "no rule fails all attempts".to_owned())
}

const fn hits_all(pick: Pick) -> bool {
    match pick {
        Pick::All => true,
        Pick::Nth { from, until } => from == 0 && until == u64::MAX,
        Pick::Share { ratio } | Pick::InTurn { ratio } => ratio.of > 0 && ratio.hits >= ratio.of,
    }
}
