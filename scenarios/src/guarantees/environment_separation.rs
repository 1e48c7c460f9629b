//! The staging key is never sent to production, nor the live key to staging, whatever the vault answers.
//!
//! A key is of one environment for as long as it exists, so that nothing is excused: neither what was under way
//! when it was rotated, nor a call that was refused.
//!
//! Blind to: staging, where nobody tells the integration that it runs there. Broken by:
//! `staging-key-in-production`, `staging-key-when-the-vault-fails`, `staging-key-for-the-account`,
//! `live-key-in-staging`, `live-key-when-staging-has-none`.

use super::{AtOnce, Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::{Case, JudgedExchange};
use crate::measure::{Gauge, so_many};
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::history::exchange::{Denied, KeyPlace};
use mock_server::history::record::SecretRead;
use mock_server::keyring::Environment;
use mock_server::services::secrets::is_read_of;

const CALLS: Minimum = Minimum { name: "calls with a key", least: 20 };
const FAILED: Minimum = Minimum { name: "reads of the vault that failed", least: 1 };
const AFTER: Minimum = Minimum { name: "calls with a key after a failed read", least: 5 };

const PROMISE: Promise = Promise {
    id: "environment-separation",
    statement: "The key used on the production base URL is a live one; the staging key is never sent there, \
                nor a live key to staging.",
    priority: Priority::Standard,
    source: "checklist; assumed contract: the prefix of a key tells its environment, and the production \
             base URL answers a test key with 401, and that of staging a live one; the secrets of both lie in \
             the same vault",
    why: "A service that falls back on the staging key is down and does not say why, and keys that travel \
          between environments are logged where nobody guards them.",
    usual_fix: "Let the environment name the path of the secret and nothing else, check the prefix of the \
                key that comes, and keep the last good key while the vault does not answer.",
    blind_to: "Whether a live key is sent to staging, where nobody tells the integration that it runs there: \
               {environment} or {vault.secret} in what it is started with. Reads of the other environment's \
               secret that lead to no call are told and not judged.",
    bounds: &[],
    minimums: &[CALLS, FAILED, AFTER],
    when_late: Stands::Always,
    when_overloaded: Stands::Always,
    needs: &[],
    sees: &[Sight::Upstream],
};

/// An environment, as it is called here.
struct Side {
    environment: Environment,
    name: &'static str,
    key: &'static str,
}

const PRODUCTION: Side =
    Side { environment: Environment::Live, name: "production", key: "the live" };
const STAGING: Side = Side { environment: Environment::Test, name: "staging", key: "the test" };

/// See the module.
pub struct EnvironmentSeparation;

impl Guarantee for EnvironmentSeparation {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || judge(case)))
    }
}

fn judge(case: &Case) -> Verdict {
    let (exchanges, reads) = (&case.linktree.exchanges, &case.linktree.secret_reads);
    let (own, other) = match case.plan.key.environment(&case.contract) {
        Environment::Live => (PRODUCTION, STAGING),
        Environment::Test => (STAGING, PRODUCTION),
    };
    let is_wrong = |one: &&JudgedExchange| {
        one.head.token == other.environment.name() || one.denied == Some(Denied::Environment)
    };
    let mut offences = Offences::default();
    for one in exchanges.iter().filter(is_wrong) {
        offences.add(one.t_req, || {
            let last = reads.iter().rev().find(|read| read.at <= one.t_req);
            let (key, to) = (other.environment.name(), own.name);
            let what = format!("a {key} key was sent to {to}, and answered {}", status(one));
            let witness = Witness::new(one.t_req, what);
            let read = last.map(|read| {
                format!(
                    "{} {} {} {} → {}",
                    case.at(read.at),
                    read.manager.name(),
                    read.method,
                    read.path,
                    read.status
                )
            });
            read.into_iter().fold(witness, Witness::line).line(case.tell(one))
        });
    }
    let sent = offences.count();
    let bears = |one: &&JudgedExchange| one.head.key_places.contains(&KeyPlace::BearerHeader);
    let calls = exchanges.iter().filter(bears).count();
    let failed = |read: &&SecretRead| !read.faults.is_empty();
    let first = reads.iter().find(failed).map(|read| read.at);
    let after = first
        .map_or(0, |first| exchanges.iter().filter(bears).filter(|one| one.t_head > first).count());
    let strayed = reads.iter().filter(|read| is_read_of(read, other.environment));
    let strayed = strayed.filter(|read| read.status == 200);
    let observed = format!(
        "in {} {} with a key; the vault failed at {}, and {} came after the first of them; the {} secret was \
         read {}",
        own.name,
        so_many(calls, "call", "calls"),
        so_many(reads.iter().filter(failed).count(), "read", "reads"),
        so_many(after, "call", "calls"),
        other.name,
        so_many(strayed.count(), "time", "times"),
    );
    let gauge = match own.environment {
        Environment::Live => Gauge::none_of("test keys sent to production"),
        Environment::Test => Gauge::none_of("live keys sent to staging"),
    };
    offences
        .verdict(calls, "calls with a key")
        .at_least([
            CALLS.seen(calls),
            FAILED.seen(reads.iter().filter(failed).count()),
            AFTER.seen(after),
        ])
        .measured(
            [gauge.counted(sent, calls)],
            observed,
            format!("whatever their answer, and whether or not the vault has {} one", own.key),
        )
}

fn status(one: &JudgedExchange) -> String {
    one.status.map_or("nothing".to_owned(), |status| status.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, read, refused, with_key};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
    use mock_server::contract::SecretsManager;
    use mock_server::history::exchange::Exchange;
    use mock_server::services::secrets::name_of;
    use mock_server::services::vault::{STAGING_PATH, path_of};

    /// Twenty calls with a live key, five of them after a read of the vault that failed.
    fn sound() -> History {
        let call = |n: u64| with_key(0, "live", read("ann", n * 1_000));
        History::over(&[])
            .vault_read(500, 200)
            .exchanges((1..21_u64).map(call))
            .vault_read(15_500, 503)
    }

    #[track_caller]
    fn check(history: History, expected: VerdictKind) -> Verdict {
        let verdict = history.judged_by(&EnvironmentSeparation);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
        verdict
    }

    #[test]
    fn live_keys_hold_whatever_becomes_of_them() {
        let verdict = check(sound(), Held);
        assert!(verdict.observed.ends_with("the staging secret was read 0 times"));
        let at_the_moment = with_key(0, "live", read("ann", 15_500));
        let verdict = check(sound().exchange(at_the_moment), Held);
        assert!(verdict.observed.contains("and 5 calls came after"), "{}", verdict.observed);
        check(sound().exchange(with_key(0, "revoked", refused("ann", 9, 401))), Held);
        check(sound().exchange(with_key(0, "unknown", refused("ann", 9, 401))), Held);
    }

    #[test]
    fn one_test_key_violates_and_says_what_the_vault_had_said() {
        let verdict =
            check(sound().exchange(with_key(9, "test", refused("ann", 16_000, 401))), Violated);
        assert_eq!(verdict.violations, 1);
        assert!(verdict.witnesses[0].what.ends_with("answered 401"), "{verdict:?}");
        assert!(verdict.witnesses[0].story[0].ends_with("/v1/secret/data/linktree → 503"));
    }

    #[test]
    fn without_a_vault_that_fails_or_calls_after_it_nothing_is_known() {
        check(History::over(&[]), Inconclusive);
        let calls = (1..30).map(|n| with_key(0, "live", read("ann", n * 1_000)));
        check(History::over(&[]).vault_read(500, 200).exchanges(calls), Inconclusive);
        check(sound().vault_read(17_000, 503), Held);
        let late = (1..21).map(|n| with_key(0, "live", read("ann", n * 100)));
        check(History::over(&[]).exchanges(late).vault_read(15_500, 503), Inconclusive);
    }

    /// The same with test keys, where it is staging.
    fn sound_staging() -> History {
        let call = |n: u64| with_key(0, "test", read("ann", n * 1_000));
        let mut history = History::over(&[])
            .vault_read(500, 200)
            .exchanges((1..21_u64).map(call))
            .vault_read(15_500, 503);
        let reads = history.case.linktree.secret_reads.iter_mut();
        reads.for_each(|read| read.path = STAGING_PATH.to_owned());
        history.case.plan.key.environment = Some(Environment::Test);
        history
    }

    #[test]
    fn in_staging_test_keys_hold_and_one_live_key_violates() {
        let verdict = check(sound_staging(), Held);
        assert!(verdict.observed.contains("in staging 20 calls"), "{}", verdict.observed);
        assert!(verdict.observed.ends_with("the production secret was read 0 times"));
        check(sound_staging().exchange(with_key(0, "test", refused("ann", 9, 401))), Held);
        let live = |exchange| sound_staging().exchange(with_key(9, "live", exchange));
        let verdict = check(live(refused("ann", 16_000, 401)), Violated);
        assert_eq!(verdict.violations, 1);
        assert!(verdict.witnesses[0].what.starts_with("a live key was sent to staging"));
        // It would be refused, but is judged by whose it is.
        check(live(read("ann", 16_000)), Violated);
        let mut strayed = sound_staging();
        strayed.case.linktree.secret_reads[0].path = path_of(Environment::Live).to_owned();
        let verdict = check(strayed, Held);
        assert!(verdict.observed.ends_with("the production secret was read 1 time"));
        // A key that was issued beside those of the vault has another name, and was refused for this.
        let denied = Exchange {
            denied: Some(Denied::Environment),
            ..with_key(9, "issued", refused("ann", 16_000, 401))
        };
        check(sound_staging().exchange(denied), Violated);
    }

    #[test]
    fn in_staging_as_much_must_be_seen_as_in_production() {
        let staging = |mut history: History| {
            history.case.plan.key.environment = Some(Environment::Test);
            history
        };
        check(staging(History::over(&[])), Inconclusive);
        let call = |n: u64| with_key(0, "test", read("ann", n * 1_000));
        let calm = History::over(&[]).vault_read(500, 200).exchanges((1..30).map(call));
        check(staging(calm), Inconclusive);
        let late = History::over(&[]).exchanges((1..30).map(call)).vault_read(25_500, 503);
        check(staging(late), Inconclusive);
    }

    #[test]
    fn a_read_of_the_staging_secret_is_told_and_not_judged() {
        let mut history = sound();
        history.case.linktree.secret_reads[0].path = STAGING_PATH.to_owned();
        let verdict = check(history, Held);
        assert!(verdict.observed.ends_with("the staging secret was read 1 time"));
    }

    #[test]
    fn whichever_manager_was_asked_is_judged_alike() {
        let staging = name_of(Environment::Test);
        let of_gcp = format!("/v1/projects/p/secrets/{staging}/versions/latest:access");
        for (manager, method, path) in [
            (SecretsManager::Aws, "GetSecretValue", staging),
            (SecretsManager::Gcp, "GET", of_gcp.as_str()),
        ] {
            let mut history = sound();
            let first = &mut history.case.linktree.secret_reads[0];
            (first.manager, first.method, first.path) = (manager, method.into(), path.into());
            let history = history.exchange(with_key(9, "test", refused("ann", 600, 401)));
            let verdict = check(history, Violated);
            assert!(verdict.observed.ends_with("the staging secret was read 1 time"));
            let story = &verdict.witnesses[0].story[0];
            let told = format!("{} {method} {path} → 200", manager.name());
            assert!(story.ends_with(&told), "{story}");
        }
    }
}
