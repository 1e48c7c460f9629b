//! The tokens that open the vault: the run's own and those that logins get, and how long each lives.
//!
//! A token's life is real time and never scaled, because clients read it in whole seconds. It ends by
//! itself, by `revoke-self`, or because the plan lets it expire.

use crate::clock::{Clock, Moment};
use crate::profile::Vault;
use crate::seed;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// So many tokens of logins are known to be secret before anybody logs in, also to whoever asks for
/// the run's credentials at its start. Later ones are known from their login on.
const FORESEEN: u64 = 64;

/// So many tokens of logins are remembered; older ones are unknown.
const KEPT: usize = 1_000;

/// A vault of HashiCorp's calls a service token so; those of one run begin alike beyond that, which
/// makes them cheap to look for.
pub(super) const PREFIX: &str = "hvs.CAESI";

/// One token and its life.
#[derive(Clone)]
pub(crate) struct Lease {
    pub token: String,
    /// Names the token without opening anything.
    pub accessor: String,
    /// The path that handed it out.
    pub path: &'static str,
    pub display_name: String,
    /// What the login knew of its holder.
    pub metadata: Option<BTreeMap<&'static str, String>>,
    /// The holder's; none of the run's own token.
    pub entity_id: String,
    pub issued: SystemTime,
    pub renewed: Option<SystemTime>,
    since: Moment,
    first_ttl: Duration,
    ttl: Duration,
    until: Moment,
    revoked: bool,
}

impl Lease {
    /// How long it lives from when it was handed out, unless it is renewed; whole seconds.
    pub fn first_ttl_s(&self) -> u64 {
        self.first_ttl.as_secs()
    }

    /// How long it lives yet, whole seconds, rounded up: a token with a second to show is valid.
    pub fn left_s(&self, at: Moment) -> u64 {
        self.until.since(at).as_nanos().div_ceil(1_000_000_000).try_into().unwrap_or(u64::MAX)
    }

    /// When it ends, by the calendar.
    pub fn expires(&self) -> SystemTime {
        self.issued + self.until.since(self.since)
    }
}

/// What a token is worth at one moment.
pub(crate) enum Standing {
    /// It opens the vault; `own` is the run's.
    Valid { lease: Box<Lease>, own: bool },
    /// Its time is over.
    Expired,
    /// Its holder gave it back.
    Revoked,
    /// Nobody was given it.
    Unknown,
}

impl Standing {
    /// What the record calls it.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Valid { own: true, .. } => "run",
            Self::Valid { own: false, .. } => "login",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
        }
    }
}

/// Who logs in, as the login's answer tells it.
pub(crate) struct Holder {
    /// The path of the login.
    pub path: &'static str,
    pub display_name: String,
    pub metadata: BTreeMap<&'static str, String>,
}

/// All tokens of a run.
pub(crate) struct Leases {
    seed: u64,
    settings: Vault,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    own_token: String,
    /// Its life begins when it is first shown: the run hands it out long before anybody starts.
    own: Option<Lease>,
    /// Of logins; oldest first.
    handed: Vec<Lease>,
    made: u64,
}

impl Leases {
    pub fn new(seed: u64, settings: &Vault) -> Self {
        Self { seed, settings: settings.clone(), state: Mutex::default() }
    }

    /// What must not be recorded, known from the start.
    pub fn foreseen(&self) -> Vec<String> {
        let tokens = (1..=FORESEEN).map(|number| self.token(number));
        [self.secret_id()].into_iter().chain(tokens).collect()
    }

    /// The run's own token.
    pub fn open_with(&self, token: &str) {
        token.clone_into(&mut self.state().own_token);
    }

    /// The same, for whoever must know it to see that somebody has it.
    pub fn own_token(&self) -> String {
        self.state().own_token.clone()
    }

    /// The name of the run's role, no secret.
    pub fn role_id(&self) -> String {
        uuid(self.seed, "role-id", "")
    }

    /// What the run's role logs in with.
    pub fn secret_id(&self) -> String {
        uuid(self.seed, "secret-id", "")
    }

    /// Hands a token out, and says whether it was unforeseen, so that it must be concealed yet.
    pub fn log_in(&self, holder: Holder, at: Moment) -> (Lease, bool) {
        let mut state = self.state();
        state.made += 1;
        let number = state.made;
        let Holder { path, display_name, metadata } = holder;
        let entity_id = uuid(self.seed, "vault-entity", &display_name);
        let metadata = Some(metadata);
        let token = self.token(number);
        let new = self.lease(token, path, display_name, at);
        let lease = Lease { metadata, entity_id, ..new };
        state.handed.push(lease.clone());
        if state.handed.len() > KEPT {
            state.handed.remove(0);
        }
        (lease, number > FORESEEN)
    }

    /// What this token is worth.
    pub fn standing(&self, token: &str, at: Moment) -> Standing {
        let mut state = self.state();
        let own = !token.is_empty() && token == state.own_token;
        let Some(lease) = self.find(&mut state, token, at) else { return Standing::Unknown };
        if lease.revoked {
            Standing::Revoked
        } else if at >= lease.until {
            Standing::Expired
        } else {
            Standing::Valid { lease: Box::new(lease.clone()), own }
        }
    }

    /// Lets a valid token live on from now: for so long, or else as long as it was last given, and
    /// never beyond the longest life. Says what it is now, and whether less was given than asked.
    pub fn renew(&self, token: &str, ttl: Option<Duration>, at: Moment) -> Option<(Lease, bool)> {
        let mut state = self.state();
        let most = Duration::from_secs(self.settings.token_max_ttl_s.into());
        let lease = self.find(&mut state, token, at)?;
        let ttl = ttl.unwrap_or(lease.ttl);
        let granted = ttl.min(lease.since.plus(most).since(at));
        lease.ttl = granted;
        lease.until = at.plus(granted);
        lease.renewed = Some(Clock::wall());
        Some((lease.clone(), granted < ttl))
    }

    /// Takes a token back for good.
    pub fn revoke(&self, token: &str, at: Moment) {
        if let Some(lease) = self.find(&mut self.state(), token, at) {
            lease.revoked = true;
        }
    }

    /// No token that was handed out so far lives longer than this from now, unless it is renewed.
    pub fn expire(&self, at: Moment, left: Duration) {
        let mut state = self.state();
        let own_token = state.own_token.clone();
        let _ = self.find(&mut state, &own_token, at);
        let State { own, handed, .. } = &mut *state;
        for lease in own.iter_mut().chain(handed) {
            lease.until = lease.until.min(at.plus(left));
        }
    }

    /// Back to the run's own token alone, which is as good as new.
    pub fn reset(&self) {
        let mut state = self.state();
        *state = State { own_token: std::mem::take(&mut state.own_token), ..State::default() };
    }

    fn find<'s>(&self, state: &'s mut State, token: &str, at: Moment) -> Option<&'s mut Lease> {
        if token.is_empty() {
            return None;
        }
        if token == state.own_token {
            let fresh = || self.lease(token.to_owned(), "auth/token/create", "token".into(), at);
            return Some(state.own.get_or_insert_with(fresh));
        }
        state.handed.iter_mut().rev().find(|lease| lease.token == token)
    }

    fn lease(&self, token: String, path: &'static str, name: String, at: Moment) -> Lease {
        let Vault { token_ttl_s, token_max_ttl_s } = self.settings;
        let ttl = Duration::from_secs(token_ttl_s.min(token_max_ttl_s).into());
        let accessor = seed::derive(self.seed, &["vault-accessor", &token]);
        Lease {
            accessor: hex::encode(&accessor[..12]),
            token,
            path,
            display_name: name,
            metadata: None,
            entity_id: String::new(),
            issued: Clock::wall(),
            renewed: None,
            since: at,
            first_ttl: ttl,
            ttl,
            until: at.plus(ttl),
            revoked: false,
        }
    }

    fn token(&self, number: u64) -> String {
        let digits = seed::derive(self.seed, &["secret", "vault-login", &number.to_string()]);
        format!("{PREFIX}{}", hex::encode(&digits[..16]))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A UUID that follows from the seed and what it is for.
pub(crate) fn uuid(seed: u64, what: &str, which: &str) -> String {
    let digits = hex::encode(&seed::derive(seed, &[what, which])[..16]);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "the-runs-own";

    fn leases(ttl: u32, most: u32) -> Leases {
        let leases = Leases::new(7, &Vault { token_ttl_s: ttl, token_max_ttl_s: most });
        leases.open_with(OWN);
        leases
    }

    fn log_in(leases: &Leases, at: Moment) -> Lease {
        let display_name = "approle".to_owned();
        let holder = Holder { path: "auth/approle/login", display_name, metadata: BTreeMap::new() };
        leases.log_in(holder, at).0
    }

    fn at(seconds: u64) -> Moment {
        Moment::from_ms(seconds * 1_000)
    }

    #[track_caller]
    fn check(leases: &Leases, token: &str, seconds: u64, label: &str) {
        assert_eq!(leases.standing(token, at(seconds)).label(), label, "after {seconds} s");
    }

    #[test]
    fn a_token_lives_for_its_time_and_the_runs_own_from_its_first_use() {
        let leases = leases(5, 60);
        let login = log_in(&leases, at(100));
        assert_eq!((login.left_s(at(100)), login.left_s(Moment(at(104).0 + 1))), (5, 1));
        check(&leases, &login.token, 104, "login");
        check(&leases, &login.token, 105, "expired");
        check(&leases, OWN, 1_000, "run");
        check(&leases, OWN, 1_004, "run");
        check(&leases, OWN, 1_005, "expired");
        check(&leases, "", 0, "unknown");
        check(&leases, "x", 0, "unknown");
    }

    #[test]
    fn a_renewal_gives_time_from_now_up_to_the_longest_life() {
        let leases = leases(5, 60);
        let token = log_in(&leases, at(0)).token;
        let renew = |ttl: Option<u64>, seconds| {
            let ttl = ttl.map(Duration::from_secs);
            let (lease, capped) = leases.renew(&token, ttl, at(seconds)).unwrap();
            (lease.left_s(at(seconds)), capped)
        };
        assert_eq!(renew(None, 4), (5, false));
        assert_eq!(renew(Some(20), 8), (20, false));
        assert_eq!(renew(None, 9), (20, false), "as last time");
        assert_eq!(renew(None, 50), (10, true));
        assert_eq!(renew(Some(100), 55), (5, true));
        check(&leases, &token, 60, "expired");
    }

    #[test]
    fn what_is_given_back_is_worth_nothing() {
        let leases = leases(5, 60);
        let (one, other) = (log_in(&leases, at(0)), log_in(&leases, at(0)));
        leases.revoke(&one.token, at(1));
        check(&leases, &one.token, 1, "revoked");
        check(&leases, &other.token, 1, "login");
    }

    #[test]
    fn all_tokens_expire_together_and_later_ones_do_not() {
        let leases = leases(600, 600);
        let before = log_in(&leases, at(0)).token;
        leases.expire(at(10), Duration::from_secs(2));
        let after = log_in(&leases, at(10)).token;
        check(&leases, &before, 11, "login");
        check(&leases, &before, 12, "expired");
        check(&leases, OWN, 11, "run");
        check(&leases, OWN, 12, "expired");
        check(&leases, &after, 12, "login");
        leases.reset();
        check(&leases, OWN, 12, "run");
        check(&leases, &after, 12, "unknown");
    }

    #[test]
    fn tokens_follow_the_seed_and_the_first_ones_are_foreseen() {
        let leases = leases(5, 60);
        let foreseen = leases.foreseen();
        assert!(foreseen.contains(&leases.secret_id()) && !foreseen.contains(&leases.role_id()));
        for _ in 0..FORESEEN {
            assert!(foreseen.contains(&log_in(&leases, at(0)).token));
        }
        let holder = Holder {
            path: "auth/approle/login",
            display_name: String::new(),
            metadata: BTreeMap::new(),
        };
        let (lease, unforeseen) = leases.log_in(holder, at(0));
        assert!(unforeseen && !foreseen.contains(&lease.token));
        let first = lease.token;
        for _ in 0..KEPT {
            log_in(&leases, at(1));
        }
        check(&leases, &first, 1, "unknown");
    }
}
