//! Creators' e-mails and visitors' addresses appear in no log line and no metric.
//!
//! Blind to: logs that go elsewhere. Broken by: `email-in-log`, `visitor-address-in-log`,
//! `bad-click-in-log`, `query-in-log`, `referer-in-log`.

use super::evidence::leaks;
use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::history::Operation;
use crate::observed::{Leak, Place};
use crate::strength::Minimum;
use crate::verdict::Verdict;
use mock_server::contract::Route;

const PROMISE: Promise = Promise {
    id: "no-pii-in-logs",
    statement: "Creator e-mails and visitor addresses appear in no log line, in any encoding.",
    priority: Priority::Standard,
    source: "checklist; e-mails and addresses that each run plants are looked for in the log",
    why: "Logs are copied to places that nobody deletes from, and are read by people who need no \
          address: a data protection incident with every line.",
    usual_fix: "Log ids instead of objects and requests, name the field that was refused and not what \
                stood there, shorten or drop addresses, and log paths without query, referer and \
                browser.",
    blind_to: "Logs that are sent elsewhere, hashes of addresses, and addresses on public pages, which \
               are counted and not judged.",
    bounds: &[],
    minimums: &[LINES, VISITS, EMAILS],
    when_late: Stands::Always,
    when_overloaded: Stands::Always,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor, Sight::Logs],
};

/// Without lines that were written once visitors came this may not be the log of what they do. They
/// need not name anybody: a service that logs no handles keeps the promise all the better.
const LINES: Minimum = Minimum { name: "log lines since the first visit", least: 10 };
/// Whose addresses could have been logged.
const VISITS: Minimum = Minimum { name: "visits that were answered", least: 20 };
/// Each hands out an e-mail that could have been logged.
const EMAILS: Minimum = Minimum { name: "profiles with an e-mail", least: 3 };

/// See the module.
pub struct NoPiiInLogs;

struct Reading<'c> {
    case: &'c Case,
    visits: usize,
}

impl Guarantee for NoPiiInLogs {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(Reading { case, visits: 0 })
    }
}

impl Judge for Reading<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.visits += usize::from(operation.status.is_some());
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let Self { case, visits } = *self;
        let scanned = case.target.scanned.clone().unwrap_or_default();
        let personal = |leak: &Leak| !leak.canary.is_secret();
        let logged = |leak: &Leak| matches!(leak.place, Place::Log | Place::Metrics);
        let offences = leaks::offences(case, |leak| personal(leak) && logged(leak));
        let shown = |leak: &&Leak| personal(leak) && leak.place == Place::Answer;
        let shown = case.target.leaks.iter().filter(shown);
        let with_email = |read: &&crate::case::JudgedExchange| {
            read.route == Route::Profile && read.is_success() && !read.is_head()
        };
        let emails = case.linktree.exchanges.iter().filter(with_email).count();
        let gauge = |name: &str, searched: u64, place: Place| {
            leaks::gauge(case, name, searched, |leak| personal(leak) && leak.place == place)
        };
        let gauges = [
            gauge("personal data in the log", scanned.log_lines, Place::Log),
            gauge("personal data in the metrics", scanned.scrapes, Place::Metrics),
        ];
        let observed = format!(
            "{} log lines, {} of them since the first visit, and {} scrapes of the metrics searched; {} \
             lines name a creator or a click; {} answers showed an e-mail (not judged)",
            scanned.log_lines,
            scanned.lines_since_visits,
            scanned.scrapes,
            scanned.marked_lines,
            shown.count(),
        );
        let rule = "no creator's e-mail and no visitor's address, plain, escaped, in hex or base64";
        let unseen = scanned.unseen_of(Place::Log);
        let count = |lines: u64| usize::try_from(lines).unwrap_or(usize::MAX);
        let (lines, since) = (count(scanned.log_lines), count(scanned.lines_since_visits));
        offences
            .verdict(lines, "log lines")
            .only_if(
                scanned.lines_since_visits > 0,
                "nothing was logged while visitors came, so this may not be the log of what they do: \
                 raise its level, or name its files in [observe] logs",
            )
            .unless(unseen)
            .at_least([LINES.seen(since), VISITS.seen(visits), EMAILS.seen(emails)])
            .measured(gauges, observed, rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Canary;
    use crate::testing::{History, links, page, read, refused, seen};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};

    fn visited() -> History {
        let visits = (0..20).map(|n| page("ann", n * 10, n * 10 + 9, "v0-ann"));
        History::over(&[]).operations(visits).exchanges((0..3).map(|n| read("ann", n)))
    }

    #[track_caller]
    fn check(history: History, expected: VerdictKind) -> Verdict {
        let verdict = history.judged_by(&NoPiiInLogs);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
        verdict
    }

    #[test]
    fn a_clean_log_of_what_visitors_do_holds() {
        assert_eq!(check(visited().scanned(12, 5), Held).seen, 12);
    }

    #[test]
    fn a_service_that_logs_no_handles_holds_as_well() {
        check(visited().scanned(12, 0), Held);
    }

    #[test]
    fn personal_data_in_log_or_metrics_violates() {
        for canary in [Canary::Email, Canary::VisitorAddress] {
            check(visited().scanned(12, 5).leak(5, Place::Log, canary), Violated);
            check(visited().scanned(12, 0).leak(5, Place::Metrics, canary), Violated);
        }
    }

    #[test]
    fn pages_and_secrets_are_no_matter_of_this_guarantee() {
        let shown = visited().scanned(12, 5).leak(5, Place::Answer, Canary::Email);
        assert!(check(shown, Held).observed.contains("1 answers showed an e-mail"));
        check(visited().scanned(12, 5).leak(5, Place::Log, Canary::ApiKey), Held);
        let secret = visited().scanned(12, 5).leak(5, Place::Answer, Canary::ApiKey);
        assert!(check(secret, Held).observed.contains("; 0 answers showed an e-mail"));
    }

    #[test]
    fn only_whole_profiles_hand_out_an_email() {
        let head =
            mock_server::history::exchange::Exchange { method: "HEAD".into(), ..read("ann", 6) };
        let others = [links("ann", 4), refused("ann", 5, 503), head];
        let verdict = check(visited().exchanges(others).scanned(12, 5), Held);
        assert_eq!(seen(&verdict, &EMAILS), Some(3));
    }

    #[test]
    fn a_log_of_something_else_or_without_cause_is_inconclusive() {
        check(visited(), Inconclusive);
        check(visited().scanned(0, 0), Inconclusive);
        check(visited().scanned(9, 5), Inconclusive);
        let mut before = visited().scanned(12, 0);
        before.case.target.scanned.as_mut().unwrap().lines_since_visits = 0;
        let reason = check(before, Inconclusive).reason.unwrap();
        assert!(reason.contains("nothing was logged while visitors came"), "{reason}");
        check(visited().scanned(12, 5).unseen(Place::Log), Inconclusive);
        check(History::over(&[]).exchange(read("ann", 1)).scanned(12, 5), Inconclusive);
        let nobody = History::over(&[]).operation(page("ann", 0, 9, "v0-ann"));
        check(nobody.exchange(refused("ann", 1, 503)).scanned(12, 5), Inconclusive);
    }
}
