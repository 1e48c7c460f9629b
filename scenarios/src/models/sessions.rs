//! Simulated services that show figures: whose session they ask for, before or behind their caches, and
//! how they refuse.

use super::{Tally, judged};
use crate::history::{Did, Look, Operation, Session};
use crate::testing::{History, figures, look};
use mock_server::history::exchange::Exchange;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::borrow::Cow;

/// A service.
#[derive(Clone, Copy, Debug)]
struct Service {
    /// What it tells strangers.
    refusal: [u16; 2],
    /// How long figures are kept, ms.
    kept_ms: u64,
    /// Of a hundred queries so many fail.
    fails_percent: u64,
    /// What it gets wrong, if anything.
    flaw: Flaw,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    /// Nobody is asked for a session.
    Open,
    /// What is kept is shown to whoever comes.
    KeptForAll,
    /// The handle of the query goes before that of the path.
    Query,
    /// A code is compared as far as it goes.
    Prefix,
    /// A stranger is shown own figures of the one before.
    MixedUp,
    /// A refusal is kept for the creator, too.
    RefusalKept,
    /// A refusal repeats what Linktree said, without a link of it.
    Repeats,
    /// Linktree is asked with the key of whoever looked before.
    KeyOfAnother,
}

const SOUND: Service =
    Service { refusal: [401, 403], kept_ms: 3_000, fails_percent: 0, flaw: Flaw::None };
const NAMES: [&str; 8] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];

struct Run<'r> {
    random: &'r mut ChaCha8Rng,
    service: Service,
    history: History,
    kept: [Option<u64>; 8],
    refused: [bool; 8],
    before: usize,
}

impl Run<'_> {
    /// The status and whose figures are shown, where these of `whose` may be shown.
    fn figures(&mut self, whose: usize, at: u64) -> (u16, Vec<usize>) {
        if self.kept[whose].is_some_and(|kept| at < kept + self.service.kept_ms) {
            return (200, vec![whose]);
        }
        let by = if self.service.flaw == Flaw::KeyOfAnother { self.before } else { whose };
        let token = format!("creator:{}", NAMES[by]);
        let query = Exchange { token, ..figures(NAMES[whose], at) };
        let fails = self.random.random_range(0..100) < self.service.fails_percent;
        let query =
            if fails { Exchange { status: Some(503), nonce: None, ..query } } else { query };
        let history = std::mem::replace(&mut self.history, History::over(&[]));
        self.history = history.exchange(query);
        if fails {
            return (502, vec![]);
        }
        self.kept[whose] = Some(at);
        let mixed = self.service.flaw == Flaw::MixedUp && self.random.random_range(0..4) == 0;
        (200, vec![if mixed { self.before } else { whose }])
    }

    fn look(&mut self, whose: usize, at: u64, session: Session) {
        let Service { refusal, flaw, kept_ms, .. } = self.service;
        let principal = (whose + 1) % NAMES.len();
        let is_kept = self.kept[whose].is_some_and(|kept| at < kept + kept_ms);
        let (status, owners) = match session {
            Session::Own if flaw == Flaw::RefusalKept && self.refused[whose] => {
                (refusal[1], vec![])
            }
            Session::Own => self.figures(whose, at),
            Session::HandleInQuery if flaw == Flaw::Query => self.figures(whose, at),
            Session::HandleInQuery => self.figures(principal, at),
            _ if flaw == Flaw::Open || (flaw == Flaw::KeptForAll && is_kept) => {
                self.figures(whose, at)
            }
            Session::CutMac | Session::EmptyMac if flaw == Flaw::Prefix => self.figures(whose, at),
            good => {
                self.refused[whose] = true;
                (refusal[usize::from(good.is_good())], vec![])
            }
        };
        self.before = whose;
        let by = match session {
            Session::Own => Some(Cow::Borrowed(NAMES[whose])),
            good => good.is_good().then_some(Cow::Borrowed(NAMES[principal])),
        };
        let owners = owners.iter().map(|&owner| NAMES[owner].to_owned()).collect();
        let repeats = flaw == Flaw::Repeats && session == Session::Another;
        let kept = self.kept[whose].filter(|_| repeats);
        let nonces = kept.map(|kept| format!("n-{}-{kept}", NAMES[whose])).into_iter().collect();
        let noted = Look { session, principal: by, owners, nonces };
        let did = match session {
            Session::Own => Did::Analytics(noted),
            Session::Another => Did::ForeignAnalytics(noted),
            _ => Did::ForgedSession(noted),
        };
        let seen = Operation { did, ..look(NAMES[whose], at, at + 5, status) };
        let history = std::mem::replace(&mut self.history, History::over(&[]));
        self.history = history.operation(seen);
    }
}

fn simulated(random: &mut ChaCha8Rng, service: Service) -> History {
    let history = History::over(&[]);
    let mut run = Run { random, service, history, kept: [None; 8], refused: [false; 8], before: 0 };
    let mut at = 0;
    for nth in 0..48_usize {
        let whose = nth % NAMES.len();
        at += run.random.random_range(200..4_000);
        if run.random.random_range(0..3) == 0 {
            run.look(whose, at, Session::Another);
            at += 20;
        }
        run.look(whose, at, Session::Own);
        run.look(whose, at + 10, Session::Another);
        run.look((whose + 3) % NAMES.len(), at + 20, Session::FORGED[nth % 8]);
    }
    run.history
}

fn outcome(service: Service) -> Tally {
    judged("analytics-scope", |random| simulated(random, service))
}

#[test]
fn services_that_show_own_figures_alone_are_never_blamed() {
    outcome(SOUND).is_never_blamed("401 and 403", 90);
    outcome(Service { refusal: [404, 404], ..SOUND }).is_never_blamed("404", 90);
    outcome(Service { refusal: [302, 401], kept_ms: 0, ..SOUND }).is_never_blamed("no cache", 90);
    let slow = Service { fails_percent: 30, kept_ms: 60_000, ..SOUND };
    outcome(slow).is_never_blamed("Linktree fails now and then", 90);
}

#[test]
fn services_that_show_figures_to_strangers_are_caught() {
    for flaw in [
        Flaw::Open,
        Flaw::KeptForAll,
        Flaw::Query,
        Flaw::Prefix,
        Flaw::MixedUp,
        Flaw::RefusalKept,
        Flaw::Repeats,
        Flaw::KeyOfAnother,
    ] {
        outcome(Service { flaw, ..SOUND }).is_caught(&format!("{flaw:?}"), 95);
    }
}
