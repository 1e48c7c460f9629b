//! What the platform's keys were good for, as the plan has it, and from when to when.

use crate::case::Case;
use mock_server::clock::Moment;
use mock_server::world::WorldEvent;

/// What a page is read with.
const READS: [&str; 2] = ["profile:read", "links:read"];

/// Spans in which the scenario left the keys without a scope: what an integration declares too few of is its
/// own affair.
#[must_use]
pub fn lacking(case: &Case, scope: &str) -> Vec<(Moment, Moment)> {
    spans(case, |granted| !granted.iter().any(|one| one == scope))
}

/// Spans in which the scenario left the keys good for reads of pages, and for nothing else.
#[must_use]
pub fn reads_only(case: &Case) -> Vec<(Moment, Moment)> {
    spans(case, |granted| {
        // Of two, each is there where one is that is not the other.
        let has = |scope: &&str| granted.iter().any(|one| one == scope);
        READS.iter().all(has) && granted.iter().all(|one| READS.contains(&one.as_str()))
    })
}

/// From when to when the scenario had the keys good for scopes of which this is true; the last such span
/// has no end.
fn spans(case: &Case, is_one: impl Fn(&[String]) -> bool) -> Vec<(Moment, Moment)> {
    let first = case.plan.key.scopes.as_deref().map(|scopes| (Moment::ZERO, scopes));
    let changed = case.linktree.happened.iter().filter_map(|one| match &one.what {
        WorldEvent::GrantScopes { scopes } => Some((one.at, scopes.as_slice())),
        _ => None,
    });
    let all: Vec<_> = first.into_iter().chain(changed).collect();
    let until = |next: usize| all.get(next).map_or(Moment(u64::MAX), |(at, _)| *at);
    let chosen = all.iter().enumerate().filter(|(_, (_, scopes))| is_one(scopes));
    chosen.map(|(nth, (from, _))| (*from, until(nth + 1))).filter(|span| span.0 < span.1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, granted};

    const S: fn(u64) -> Moment = |seconds| Moment::from_ms(seconds * 1_000);

    #[test]
    fn scopes_are_those_of_the_last_grant_and_at_first_of_the_plan() {
        let mut history = History::over(&[])
            .happened(granted(10_000, &["profile:read", "links:read"]))
            .happened(granted(20_000, &["profile:read", "links:read", "clicks:write"]))
            .happened(granted(30_000, &["links:read"]));
        let case = &mut history.case;
        let last = (S(30), Moment(u64::MAX));
        assert_eq!(reads_only(case), [(S(10), S(20))]);
        assert_eq!(lacking(case, "clicks:write"), [(S(10), S(20)), last]);
        assert_eq!(lacking(case, "profile:read"), [last]);
        case.plan.key.scopes = Some(vec!["links:read".to_owned(), "profile:read".to_owned()]);
        assert_eq!(reads_only(case), [(S(0), S(10)), (S(10), S(20))]);
        assert_eq!(lacking(&History::over(&[]).case, "clicks:write"), []);
    }

    #[test]
    fn what_was_granted_for_no_time_is_no_span() {
        let history = History::over(&[])
            .happened(granted(10_000, &["profile:read", "links:read"]))
            .happened(granted(10_000, &["profile:read"]));
        assert_eq!(reads_only(&history.case), []);
        assert_eq!(lacking(&history.case, "links:read"), [(S(10), Moment(u64::MAX))]);
    }
}
