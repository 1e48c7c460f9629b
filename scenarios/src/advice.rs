//! What to do about a verdict that is not held: what was not seen, and what was heard at last.
//!
//! It decides nothing. What is usually wrong stands in a promise's `usual_fix`; here is what this history
//! says besides.

mod clicks;
mod resends;
mod table;

use crate::case::Case;
use crate::promise::Promise;
use crate::verdict::{Verdict, VerdictKind};

/// What to do about a verdict that is inconclusive, a sentence or two each; nothing of others.
#[must_use]
pub fn to_do(case: &Case, id: &str, verdict: &Verdict) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    if verdict.kind != VerdictKind::Inconclusive {
        return told;
    }
    let short = verdict.strength.iter().filter(|one| one.is_short());
    for advice in short.filter_map(|one| of_minimum(&one.name)) {
        if !told.iter().any(|known| known == advice) {
            told.push(advice.to_owned());
        }
    }
    told.extend(resends::told(case).filter(|_| is_of_breakers(id)));
    told
}

/// What to check first where a promise is broken: what this history says of it, and what is usually wrong.
#[must_use]
pub fn check_first(case: &Case, promise: &Promise, verdict: &Verdict) -> String {
    let usual = promise.usual_fix;
    let is_broken = verdict.kind == VerdictKind::Violated;
    match promise.id {
        "clicks-delivered" if is_broken => {
            clicks::told(case, verdict).unwrap_or_else(|| usual.to_owned())
        }
        id if is_broken && is_of_breakers(id) => match resends::told(case) {
            Some(resends) => format!("{usual}. {resends}"),
            None => usual.to_owned(),
        },
        _ => usual.to_owned(),
    }
}

fn is_of_breakers(id: &str) -> bool {
    id.starts_with("breaker-")
}

/// What to do where too little was seen of this.
#[must_use]
pub fn of_minimum(name: &str) -> Option<&'static str> {
    let of = |(_, names): &&(&str, &[&str])| names.contains(&name);
    table::TABLE.iter().find(of).map(|(advice, _)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::GUARANTEES;
    use crate::strength::Minimum;
    use crate::testing::History;
    use std::collections::BTreeSet;

    /// Whoever adds a minimum says what to do where it is not met.
    #[test]
    fn each_minimum_of_each_promise_has_a_short_advice() {
        let minimums = GUARANTEES.iter().flat_map(|one| one.promise().minimums);
        let names: BTreeSet<&str> = minimums.map(|one| one.name).collect();
        let listed: Vec<&str> =
            table::TABLE.iter().flat_map(|(_, names)| *names).copied().collect();
        let unadvised: Vec<_> = names.iter().filter(|name| of_minimum(name).is_none()).collect();
        let unknown: Vec<_> = listed.iter().filter(|name| !names.contains(**name)).collect();
        assert!(unadvised.is_empty() && unknown.is_empty(), "{unadvised:#?} {unknown:#?}");
        assert_eq!(listed.len(), listed.iter().collect::<BTreeSet<_>>().len(), "listed twice");
        for (advice, _) in table::TABLE {
            assert!(advice.len() < 330 && advice.ends_with('.'), "{advice}");
        }
    }

    /// Proves that what is said of one minimum is said once, and nothing of those that were met.
    #[test]
    fn what_was_too_little_seen_is_advised_and_nothing_else() {
        let case = History::over(&[]).case;
        let [few, more, enough] =
            ["log lines searched", "log lines since the first visit", "starts"]
                .map(|name| Minimum { name, least: 10 });
        let strength = [few.seen(9), more.seen(9), enough.seen(10)];
        let verdict = Verdict::held_over(9, "lines").at_least(strength);
        let told = to_do(&case, "no-pii-in-logs", &verdict);
        assert_eq!(told, [of_minimum("log lines searched").unwrap()]);
        let held = Verdict::held_over(9, "lines").at_least([few.seen(10)]);
        assert!(to_do(&case, "no-pii-in-logs", &held).is_empty());
    }
}
