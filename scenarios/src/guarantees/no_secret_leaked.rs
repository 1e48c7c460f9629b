//! Keys, webhook secrets and what opens them appear in no log, answer, error or metric.
//!
//! Blind to: what was not seen of logs and answers. Broken by: `authorization-in-log`,
//! `key-on-error-page`, `key-in-metric-label`, `key-in-log-of-refusals`, `key-in-log-of-bad-clicks`.

use super::evidence::leaks;
use super::{AtOnce, Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::observed::Place;
use crate::strength::Minimum;
use crate::verdict::Verdict;
use mock_server::history::exchange::KeyPlace;

const PROMISE: Promise = Promise {
    id: "no-secret-leaked",
    statement: "Keys and webhook secrets appear in no log, page, error or metric.",
    priority: Priority::Critical,
    source: "checklist; the run's own credentials are looked for in everything that is shown, \
             printed and exposed",
    why: "Whoever reads a log, a dashboard or an error page then owns the account.",
    usual_fix: "Wrap secrets in a type that prints as stars, never log requests whole, and answer \
                errors with a code instead of a dump.",
    blind_to: "Logs that are sent elsewhere, answers beyond their first 256 KiB, secrets that are hashed or \
               encrypted, and parts of secrets: two pieces of one are found where the first has 13 \
               characters or more, the last 8 or more at the beginning of a line, and no more than 64 KiB \
               were logged between them.",
    bounds: &[],
    minimums: &[ANSWERS, LINES, IN_USE],
    when_late: Stands::Always,
    when_overloaded: Stands::Always,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

/// Answers to visitors that were searched.
const ANSWERS: Minimum = Minimum { name: "answers searched", least: 20 };
/// Lines of the log that were searched, where it can be seen; a quiet service writes few.
const LINES: Minimum = Minimum { name: "log lines searched", least: 2 };
/// Calls with the key, any of which could have been written down.
const IN_USE: Minimum = Minimum { name: "calls with the key", least: 20 };

/// See the module.
pub struct NoSecretLeaked;

impl Guarantee for NoSecretLeaked {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(AtOnce(move || judge(case)))
    }
}

fn judge(case: &Case) -> Verdict {
    let scanned = case.target.scanned.clone().unwrap_or_default();
    let offences =
        leaks::offences(case, |leak| leak.canary.is_secret() && is_published(leak.place));
    let in_use = case
        .linktree
        .exchanges
        .iter()
        .filter(|one| one.head.key_places.contains(&KeyPlace::BearerHeader));
    let in_use = in_use.count();
    let log = if scanned.captures_log { "" } else { " (its log was not seen)" };
    let gauge = |name: &str, searched: u64, place: Place| {
        leaks::gauge(case, name, searched, |leak| leak.canary.is_secret() && leak.place == place)
    };
    let gauges = [
        gauge("secrets in answers", scanned.answers, Place::Answer),
        gauge("secrets in the log", scanned.log_lines, Place::Log),
        gauge("secrets in the metrics", scanned.scrapes, Place::Metrics),
    ];
    let observed = format!(
        "{} answers, {} log lines{log} and {} scrapes of the metrics searched; the key was in use in \
         {in_use} calls",
        scanned.answers, scanned.log_lines, scanned.scrapes,
    );
    let rule = "no key, webhook secret, vault token or session secret, plain, escaped, in hex or \
                base64";
    let unseen = scanned.unseen_of(Place::Log);
    let seen = scanned.answers + scanned.log_lines + scanned.scrapes;
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let strength = [
        ANSWERS.seen(count(scanned.answers)),
        LINES.of(count(scanned.log_lines), if scanned.captures_log { LINES.least } else { 0 }),
        IN_USE.seen(in_use),
    ];
    offences
        .verdict(count(seen), "answers, log lines and scrapes")
        .only_if(
            scanned.log_lines > 0 || !scanned.captures_log,
            "the integration logged nothing: raise its level, or name its files in [observe] logs",
        )
        .unless(unseen)
        .at_least(strength)
        .measured(gauges, observed, rule)
}

/// Whether others read it: an environment, a command line and the source are `key-from-vault`'s.
const fn is_published(place: Place) -> bool {
    matches!(place, Place::Log | Place::Answer | Place::Metrics)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::{Canary, Scanned};
    use crate::testing::{History, read};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};

    fn used() -> History {
        History::over(&[]).exchanges((0..20).map(|n| read("ann", n)))
    }

    #[track_caller]
    fn check(history: History, expected: VerdictKind) {
        let verdict = history.judged_by(&NoSecretLeaked);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
    }

    #[test]
    fn nothing_found_where_something_was_searched_holds() {
        check(used().scanned(20, 0), Held);
        let mut scraped = used().scanned(20, 0);
        scraped.case.target.scanned.as_mut().unwrap().scrapes = 3;
        assert_eq!(scraped.judged_by(&NoSecretLeaked).seen, 43);
    }

    #[test]
    fn every_secret_in_every_published_place_violates() {
        use Canary::{ApiKey, SessionSecret, VaultToken, WebhookSecret};
        for canary in [ApiKey, WebhookSecret, VaultToken, SessionSecret] {
            for place in [Place::Log, Place::Answer, Place::Metrics] {
                check(used().scanned(20, 0).leak(5, place, canary), Violated);
            }
        }
    }

    #[test]
    fn personal_data_and_other_places_are_no_matter_of_this_guarantee() {
        check(used().scanned(20, 0).leak(5, Place::Log, Canary::Email), Held);
        check(used().scanned(20, 0).leak(5, Place::Environment, Canary::ApiKey), Held);
    }

    #[test]
    fn what_was_not_searched_is_inconclusive_unless_there_is_no_log_to_see() {
        check(used(), Inconclusive);
        check(used().scanned(0, 0), Inconclusive);
        check(used().scanned(19, 0), Inconclusive);
        check(used().scanned(20, 0).unseen(Place::Log), Inconclusive);
        check(History::over(&[]).scanned(20, 0), Inconclusive);
        let only = |captures_log| {
            let mut history = used();
            let scanned = Scanned { answers: 20, captures_log, ..Scanned::default() };
            history.case.target.scanned = Some(scanned);
            history
        };
        let silent = only(true).judged_by(&NoSecretLeaked);
        assert_eq!(silent.kind, Inconclusive);
        assert!(silent.reason.unwrap().contains("the integration logged nothing"));
        check(only(false), Held);
    }
}
