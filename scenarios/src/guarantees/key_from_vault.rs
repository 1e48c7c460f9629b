//! The API key and the webhook secret come from a secrets manager, not from environment, command line or source.
//!
//! Blind to: processes too short-lived to be looked into. Broken by: `key-exported-to-environment`,
//! `key-on-helper-command-line`.

use super::evidence::leaks;
use super::{AtOnce, Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::{Case, JudgedExchange};
use crate::history::Change;
use crate::measure::{Gauge, so_many};
use crate::observed::{Canary, Leak, Place};
use crate::strength::Minimum;
use crate::verdict::{Verdict, Witness};
use mock_server::contract::SecretsManager;
use mock_server::history::exchange::KeyPlace;
use mock_server::history::record::SecretRead;

const PROMISE: Promise = Promise {
    id: "key-from-vault",
    statement: "The API key and the webhook secret come from a secrets manager; neither stands in the \
                process's environment, command line or source tree.",
    priority: Priority::Critical,
    source: "checklist; a secrets manager (HashiCorp's Vault, AWS or GCP) hands out a fresh key in each run",
    why: "Environments and command lines are shown by `ps`, crash reports and child processes, and a \
          repository keeps what was once in it: a full account takeover.",
    usual_fix: "Give the process an identity for the secrets manager and nothing else, and read the \
                secrets into memory at start and on rotation.",
    blind_to: "Helpers that end within a second, keys in files outside of the declared source tree, \
               and variables that a process sets for itself alone.",
    bounds: &[],
    minimums: &[LOOKS, IN_USE],
    when_late: Stands::Always,
    when_overloaded: Stands::Always,
    needs: &[],
    sees: &[Sight::Upstream, Sight::Process],
};

/// There is one process at least, and its children come on top.
const LOOKS: Minimum = Minimum { name: "processes looked into", least: 1 };
/// Calls with the key, so that it must have come from somewhere.
const IN_USE: Minimum = Minimum { name: "calls with the key", least: 20 };

/// See the module.
pub struct KeyFromVault;

impl Guarantee for KeyFromVault {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || judge(case)))
    }
}

fn judge(case: &Case) -> Verdict {
    let secret = |leak: &Leak| matches!(leak.canary, Canary::ApiKey | Canary::WebhookSecret);
    let in_process = |place| matches!(place, Place::Environment | Place::CommandLine);
    let mut offences = leaks::offences(case, |leak| {
        secret(leak) && (in_process(leak.place) || leak.place == Place::Source)
    });
    let handed_out = |read: &&SecretRead| read.version.is_some();
    let first_read = case.linktree.secret_reads.iter().find(handed_out);
    let reads = case.linktree.secret_reads.iter().filter(handed_out).count();
    // Where nothing was handed out, at least somebody was asked.
    let asked = first_read.or(case.linktree.secret_reads.first());
    let manager = asked.map_or(SecretsManager::default(), |read| read.manager).title();
    let bears = |one: &&JudgedExchange| one.head.key_places.contains(&KeyPlace::BearerHeader);
    let in_use = || case.linktree.exchanges.iter().filter(bears);
    let first_use = in_use().next();
    // A process that was not started here may have read the vault before anybody looked.
    let started_here = |change: &Change| matches!(change, Change::Started { pid: 1.. });
    let started_here = case.target.processes.iter().any(|process| started_here(&process.change));
    let judged_use = first_use.filter(|using| started_here && using.head.token == "live");
    let early =
        |read: &SecretRead, using: &JudgedExchange| using.t_req.plus(case.harness.delta) < read.at;
    let too_early = judged_use.filter(|using| first_read.is_none_or(|read| early(read, using)));
    if let Some(using) = too_early {
        offences.add(using.t_req, || {
            let what = format!("the key was in use before {manager} had handed it out");
            Witness::new(using.t_req, what).line(case.tell(using))
        });
    }
    let looked = case.target.inspections.iter().filter(|look| look.variables.is_some()).count();
    let scanned = case.target.scanned.clone().unwrap_or_default();
    let (files, unseen) = (scanned.source_files, scanned.unseen_of(Place::Source));
    let unread = case.target.inspections.len() - looked;
    let gauges = [
        leaks::gauge(case, "secrets in environments and command lines", looked as u64, |leak| {
            secret(leak) && in_process(leak.place)
        }),
        leaks::gauge(case, "secrets in the source", files, |leak| {
            secret(leak) && leak.place == Place::Source
        }),
        Gauge::none_of("keys in use before the vault was read")
            .counted(u64::from(too_early.is_some()), usize::from(judged_use.is_some())),
    ];
    let observed = format!(
        "{} looked into ({unread} could not be), {} searched, {manager} handed the secrets out {}",
        so_many(looked, "process", "processes"),
        so_many(files, "source file", "source files"),
        so_many(reads, "time", "times"),
    );
    offences
        .verdict(looked, "processes looked into")
        .only_if(unread == 0, "a process's environment could not be read")
        .unless(unseen)
        .only_if(reads > 0, format!("{manager} handed nothing out"))
        .at_least([LOOKS.seen(looked), IN_USE.seen(in_use().count())])
        .measured(gauges, observed, "the key read from the vault, and nowhere else to be found")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Inspection;
    use crate::testing::{History, read};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
    use mock_server::clock::Moment;

    fn vault_read(history: History, at_ms: u64, status: u16) -> History {
        history.vault_read(at_ms, status)
    }

    fn looked_into(mut history: History, variables: Option<u64>) -> History {
        history.case.target.inspections.push(Inspection {
            at: Moment::from_ms(60),
            pid: 2,
            command: "server".into(),
            variables,
        });
        history
    }

    /// Started, read the vault at 50 ms, used the key at 100 ms, looked into.
    fn sound() -> History {
        let history = History::over(&[]).process(0, Change::Started { pid: 2 });
        looked_into(vault_read(history, 50, 200), Some(7))
            .exchanges((100..120).map(|at| read("ann", at)))
    }

    #[test]
    fn whichever_manager_hands_it_out_is_named() {
        for (manager, name) in [
            (SecretsManager::Vault, "the vault"),
            (SecretsManager::Aws, "AWS Secrets Manager"),
            (SecretsManager::Gcp, "GCP Secret Manager"),
        ] {
            let of = |mut history: History| {
                let reads = history.case.linktree.secret_reads.iter_mut();
                reads.for_each(|read| read.manager = manager);
                history.judged_by(&KeyFromVault)
            };
            let verdict = of(sound());
            assert_eq!(verdict.kind, Held, "{verdict:?}");
            let observed = format!("{name} handed the secrets out 1 time");
            assert!(verdict.observed.ends_with(&observed), "{}", verdict.observed);
            let late = History::over(&[]).process(0, Change::Started { pid: 2 });
            let late = looked_into(vault_read(late, 201, 200), Some(7))
                .exchanges((100..120).map(|at| read("ann", at)));
            let verdict = of(late);
            assert_eq!(verdict.kind, Violated, "{verdict:?}");
            assert!(verdict.witnesses[0].what.contains(&format!("before {name} had")));
        }
    }

    #[track_caller]
    fn check(history: History, expected: VerdictKind) {
        let verdict = history.judged_by(&KeyFromVault);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
    }

    #[test]
    fn a_key_that_only_the_vault_hands_out_holds() {
        check(sound(), Held);
    }

    #[test]
    fn the_key_or_the_webhook_secret_in_the_wrong_place_violates() {
        for place in [Place::Environment, Place::CommandLine, Place::Source] {
            check(sound().leak(70, place, Canary::ApiKey), Violated);
            check(sound().leak(70, place, Canary::WebhookSecret), Violated);
            check(sound().leak(70, place, Canary::VaultToken), Held); // it has to be somewhere
        }
        check(sound().leak(70, Place::Log, Canary::ApiKey), Held);
    }

    #[test]
    fn a_key_in_use_before_the_vault_was_read_violates() {
        let history = |read_ms| {
            let history = History::over(&[]).process(0, Change::Started { pid: 2 });
            looked_into(vault_read(history, read_ms, 200), Some(7))
                .exchanges((100..120).map(|at| read("ann", at)))
        };
        check(history(200), Held); // within δ
        check(history(201), Violated);
        let never = History::over(&[]).process(0, Change::Started { pid: 2 });
        check(
            looked_into(never, Some(7)).exchanges((100..120).map(|at| read("ann", at))),
            Violated,
        );
        let not_ours = History::over(&[]).process(0, Change::Started { pid: 0 });
        check(
            looked_into(not_ours, Some(7)).exchanges((100..120).map(|at| read("ann", at))),
            Inconclusive,
        );
    }

    #[test]
    fn nothing_looked_into_or_handed_out_is_inconclusive() {
        let mut rarely = sound();
        rarely.judged().truncate(19);
        check(rarely, Inconclusive);
        check(History::over(&[]), Inconclusive);
        check(looked_into(sound(), None), Inconclusive);
        check(sound().scanned(9, 0).unseen(Place::Source), Inconclusive);
        let history = History::over(&[]).process(0, Change::Started { pid: 2 });
        check(looked_into(vault_read(history, 50, 200), Some(7)), Inconclusive);
        let history = History::over(&[]).process(0, Change::Started { pid: 2 });
        check(looked_into(vault_read(history, 50, 403), Some(7)), Inconclusive);
    }
}
