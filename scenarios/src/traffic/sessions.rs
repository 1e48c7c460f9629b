//! Creators' sessions: the tokens that they show, and whose figures an answer holds.
//!
//! An answer is looked into where it is read, and only the finding is noted: whose links it names, and
//! which answers of Linktree it was made from. The figures themselves are written nowhere.

use crate::front_door::FrontRoute;
use crate::plan::Plan;
use aho_corasick::AhoCorasick;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Owners and nonces that are noted of one answer, each; more than a few are as bad as all.
const NOTED: usize = 8;
/// What a nonce of the mock begins with, and how many hex digits follow.
const NONCE: (&[u8], usize) = (b"n-", 16);

/// What visitors know of sessions.
#[derive(Debug, Default)]
pub struct Sessions {
    secret: Vec<u8>,
    handles: Arc<[String]>,
    owners: Option<Owners>,
}

/// Every link of every creator.
#[derive(Debug)]
struct Owners {
    ids: AhoCorasick,
    /// For each id the index of its creator.
    whose: Vec<usize>,
}

impl Sessions {
    /// The sessions of a plan's creators, signed with this secret. Whose link is whose is only looked up
    /// where somebody looks at figures.
    #[must_use]
    pub fn of(plan: &Plan, handles: &Arc<[String]>, secret: &str) -> Self {
        let mut steps = plan.traffic.iter().flat_map(|stream| &stream.does);
        let looked = steps.any(|step| step.action.info().needs == Some(FrontRoute::Analytics));
        let owners = if looked { Owners::of(plan, handles) } else { None };
        Self { secret: secret.into(), handles: Arc::clone(handles), owners }
    }

    /// The token of a creator's session: `<handle>.<lower hex of hmac-sha256(secret, handle)>`.
    #[must_use]
    pub fn token(&self, handle: &str) -> String {
        format!("{handle}.{}", self.mac(handle))
    }

    /// The code that vouches for this handle.
    #[must_use]
    pub fn mac(&self, handle: &str) -> String {
        mac(&self.secret, handle)
    }

    /// The code of somebody who does not know the secret.
    #[must_use]
    pub fn wrong_mac(&self, handle: &str) -> String {
        mac(&[&self.secret[..], b"?"].concat(), handle)
    }

    /// Another creator, the same one each time; without any the same one.
    #[must_use]
    pub fn another<'s>(&'s self, handle: &'s str) -> &'s str {
        let place = self.handles.iter().position(|known| known == handle);
        let next = place.map_or(0, |place| (place + 1) % self.handles.len());
        self.handles.get(next).map_or(handle, String::as_str)
    }

    /// The creators whose links are named here, by handle.
    #[must_use]
    pub fn owners_in(&self, body: &[u8]) -> Vec<String> {
        let Some(owners) = &self.owners else { return Vec::new() };
        let found = owners.ids.find_iter(body).filter(|found| {
            let after = body.get(found.end()).is_some_and(u8::is_ascii_alphanumeric);
            !after && !follows_a_word(body, found.start())
        });
        let whose: BTreeSet<usize> = found.map(|found| owners.whose[found.pattern()]).collect();
        whose.into_iter().take(NOTED).map(|one| self.handles[one].clone()).collect()
    }
}

impl Owners {
    fn of(plan: &Plan, handles: &[String]) -> Option<Self> {
        let (mut ids, mut whose) = (Vec::new(), Vec::new());
        for (index, handle) in handles.iter().enumerate() {
            let creator = plan.population.creator(plan.seed, handle);
            let links = creator.into_iter().flat_map(|creator| creator.links);
            ids.extend(links.map(|link| link.id));
            whose.resize(ids.len(), index);
        }
        // It fails only for more patterns than a 32-bit number counts.
        Some(Self { ids: AhoCorasick::new(ids).ok()?, whose })
    }
}

/// The nonces of Linktree's answers that are repeated here, each once.
#[must_use]
pub fn nonces_in(body: &[u8]) -> Vec<String> {
    let (start, digits) = NONCE;
    let mut found = BTreeSet::new();
    let starts = body.windows(start.len()).enumerate().filter(|(_, part)| *part == start);
    for at in starts.map(|(at, _)| at).filter(|at| !follows_a_word(body, *at)) {
        let (from, until) = (at + start.len(), at + start.len() + digits);
        let hex = |part: &&[u8]| part.iter().all(u8::is_ascii_hexdigit);
        let is_over = !body.get(until).is_some_and(u8::is_ascii_alphanumeric);
        if body.get(from..until).filter(hex).is_some() && is_over {
            found.insert(String::from_utf8_lossy(&body[at..until]).into_owned());
        }
    }
    found.into_iter().take(NOTED).collect()
}

/// Whether what begins here is the end of a longer word.
fn follows_a_word(body: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| body.get(before));
    before.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

fn mac(secret: &[u8], handle: &str) -> String {
    // A key may have any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(handle.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Creators, Pace, Step, Traffic};
    use crate::testing::run_plan;
    use crate::traffic::actions::Action;
    use mock_server::world::population::Group;

    fn sessions() -> (Sessions, Plan) {
        let mut plan = run_plan(&[]).scenarios.remove(0);
        let own = Group {
            prefix: "own".into(),
            count: 3,
            min_links: 2,
            max_links: 2,
            ..Group::default()
        };
        plan.population.groups = vec![own];
        plan.traffic = vec![Traffic {
            id: "owners".into(),
            from_ms: 0,
            until_ms: 1,
            pace: Pace::Sequential { calls: 1, gap_ms: 0 },
            creators: Creators::InTurn { group: "own".into() },
            does: vec![Step::always(Action::Analytics)],
        }];
        let handles = plan.population.handles().into();
        (Sessions::of(&plan, &handles, "Jefe"), plan)
    }

    #[test]
    fn a_token_is_the_handle_and_a_code_over_it() {
        let (sessions, _) = sessions();
        // RFC 4231, test case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sessions.mac("what do ya want for nothing?"), expected);
        assert_eq!(sessions.token("own-0001"), format!("own-0001.{}", sessions.mac("own-0001")));
        assert_ne!(sessions.mac("own-0001"), sessions.wrong_mac("own-0001"));
    }

    #[test]
    fn there_is_always_another_creator() {
        let (sessions, _) = sessions();
        let others = ["own-0001", "own-0003", "?"].map(|handle| sessions.another(handle));
        assert_eq!(others, ["own-0002", "own-0001", "own-0001"]);
        assert_eq!(Sessions::default().another("ann"), "ann");
    }

    #[test]
    fn links_are_found_by_their_owners_and_only_as_whole_words() {
        let (sessions, plan) = sessions();
        let id =
            |handle: &str| plan.population.creator(plan.seed, handle).unwrap().links[1].id.clone();
        let check = |text: String, expected: &[&str]| {
            assert_eq!(sessions.owners_in(text.as_bytes()), expected, "{text}");
        };
        check(format!("[{{\"id\":\"{}\"}}]", id("own-0002")), &["own-0002"]);
        check(format!("{} {}", id("own-0003"), id("own-0001")), &["own-0001", "own-0003"]);
        check(format!("{}0", id("own-0002")), &[]);
        check(format!("x{}", id("own-0002")), &[]);
        check("own-0002".into(), &[]);
    }

    #[test]
    fn nonces_are_found_as_whole_words() {
        let nonces = |text: &str| nonces_in(text.as_bytes());
        let (one, other) = ("n-00112233445566aa", "n-ffeeddccbbaa9988");
        assert_eq!(nonces(&format!("{{\"nonce\":\"{other}\"}}{one} {one}")), [one, other]);
        for none in ["n-", "n-00112233445566", "xn-00112233445566aa", "n-00112233445566aab"] {
            assert_eq!(nonces(none), [""; 0], "{none}");
        }
    }
}
