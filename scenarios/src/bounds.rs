//! The bounds of a run: every number that a guarantee promises, by guarantee and name.
//!
//! A plan writes all of them out. They are the defaults of the registry, then what the contract
//! profile says in `[promises.<id>]`, then the configuration in `[guarantee.<id>] bounds`.
//!
//! A new bound touches one file, its guarantee's: the constant, its name in the promise's `bounds`,
//! where the judge reads it, and one history in `decided`, whose verdict it decides. `click_lag.rs`
//! is the smallest example. Plan, checks, configuration, schema, `init` and `explain` follow from
//! the registry. Evidence and other judges that need it read the owner's constant.

use crate::guarantees::{self, GUARANTEES};
use crate::nearest::nearest;
use crate::plan::Bounds;
use crate::promise::Bound;

/// Every bound, in the order of the checklist.
pub fn all() -> impl Iterator<Item = &'static Bound> {
    GUARANTEES.iter().flat_map(|known| known.promise().bounds)
}

/// What holds when nobody says otherwise.
#[must_use]
pub fn defaults() -> Bounds {
    let mut bounds = Bounds::new();
    for bound in all() {
        bounds.entry(bound.of.into()).or_default().insert(bound.name.into(), bound.default);
    }
    bounds
}

/// Puts bounds over others. Names are taken as they are: [`wrong`] finds the unknown ones.
pub fn put(bounds: &mut Bounds, over: Bounds) {
    for (id, named) in over {
        bounds.entry(id).or_default().extend(named);
    }
}

/// Something that is wrong with a table of bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The guarantee, and the bound if it is one: `click-lag` or `click-lag.within_ms`.
    pub path: String,
    /// Whether its name is wrong, and not its value.
    pub is_name: bool,
    /// What.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

/// Every unknown guarantee, unknown bound and senseless value.
#[must_use]
pub fn wrong(bounds: &Bounds) -> Vec<Wrong> {
    let mut all = Vec::new();
    for (id, named) in bounds {
        let Some(known) = guarantees::find(id) else {
            let what = format!("there is no guarantee {id}");
            let advice = guarantees::did_you_mean(id);
            all.push(Wrong { path: id.clone(), is_name: true, what, advice });
            continue;
        };
        let promise = known.promise();
        for (name, value) in named {
            let (what, advice) = match promise.bound(name) {
                None => (format!("{id} has no bound {name}"), did_you_mean(name, promise.bounds)),
                Some(bound) if !bound.unit.range().contains(value) => {
                    let range = bound.unit.range();
                    (
                        format!("{name} is {value}"),
                        format!("choose {} to {} ({})", range.start(), range.end(), bound.unit),
                    )
                }
                Some(_) => continue,
            };
            let is_name = promise.bound(name).is_none();
            all.push(Wrong { path: format!("{id}.{name}"), is_name, what, advice });
        }
    }
    all
}

/// Every bound that is not written out.
#[must_use]
pub fn missing(bounds: &Bounds) -> Vec<Wrong> {
    let is_missing =
        |bound: &&Bound| !bounds.get(bound.of).is_some_and(|named| named.contains_key(bound.name));
    let wrong = |bound: &'static Bound| Wrong {
        path: bound.of.to_owned(),
        is_name: true,
        what: format!("{} is missing: {}", bound.name, bound.what),
        advice: format!("write it out; its default is {}", bound.default),
    };
    all().filter(is_missing).map(wrong).collect()
}

fn did_you_mean(name: &str, known: &[Bound]) -> String {
    let names = || known.iter().map(|bound| bound.name);
    match nearest(name, names()) {
        Some(near) => format!("did you mean {near}?"),
        None if known.is_empty() => "it has none: it is judged by the contract".to_owned(),
        None => format!("its bounds are: {}", names().collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Settings, run_plan};
    use mock_server::profile::ContractProfile;

    #[track_caller]
    fn check(id: &str, name: &str, value: u64, expected: Option<(&str, &str)>) {
        let bounds = Bounds::from([(id.to_owned(), [(name.to_owned(), value)].into())]);
        let wrong = wrong(&bounds);
        let found = wrong.first().map(|one| (one.what.as_str(), one.advice.as_str()));
        assert_eq!(found, expected, "{wrong:?}");
    }

    #[test]
    fn unknown_names_and_senseless_values_are_told_with_advice() {
        check("click-lag", "within_ms", 1, None);
        check(
            "click-lug",
            "within_ms",
            1,
            Some(("there is no guarantee click-lug", "did you mean click-lag?")),
        );
        check(
            "click-lag",
            "within",
            1,
            Some(("click-lag has no bound within", "did you mean within_ms?")),
        );
        check(
            "hard-limit",
            "requests",
            90,
            Some(("hard-limit has no bound requests", "it has none: it is judged by the contract")),
        );
        check(
            "cache-hit-ratio",
            "percent",
            101,
            Some(("percent is 101", "choose 1 to 100 (per cent)")),
        );
    }

    #[test]
    fn every_bound_that_is_left_out_is_missed() {
        assert_eq!(missing(&defaults()), []);
        for bound in all() {
            let mut bounds = defaults();
            bounds.get_mut(bound.of).unwrap().remove(bound.name);
            let missing = missing(&bounds);
            assert_eq!(missing.len(), 1);
            assert!(missing[0].what.starts_with(bound.name) && missing[0].path == bound.of);
        }
    }

    #[test]
    fn what_a_contract_promises_goes_into_the_plan_and_stands_nowhere_else() {
        for bound in all() {
            let mut contract = ContractProfile::linktree_v1();
            contract.promises.insert(bound.of.into(), [(bound.name.into(), 17)].into());
            let run = run_plan(&Settings::default(), contract, &[]);
            let mut expected = defaults();
            expected.get_mut(bound.of).unwrap().insert(bound.name.into(), 17);
            assert_eq!(run.bounds, expected);
            assert!(run.contract.promises.is_empty());
        }
    }

    #[test]
    fn the_clients_cap_lies_below_the_servers_limit() {
        let cap = crate::guarantees::find("client-rate-cap").unwrap().promise().bounds[0].default;
        assert!(cap < ContractProfile::linktree_v1().limit.requests.into());
    }
}
