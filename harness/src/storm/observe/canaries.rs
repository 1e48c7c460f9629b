//! What is planted in a run and must not come to light: found in bytes, and taken out of text.
//!
//! Credentials, creators' private addresses and visitors' addresses are all drawn from the seed, so
//! that every find is one of this very run.

use aho_corasick::AhoCorasick;
use mock_server::redact::{Begun, Kind, Piece, SecretScanner};
use mock_server::world::population::Population;
use scenarios::observed::Canary;
use scenarios::traffic::actions::event_prefix;
use scenarios::traffic::visitor;
use std::borrow::Cow;

/// What was found: which canary, and whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// What.
    pub canary: Canary,
    /// Index among the creators.
    whose: Option<u32>,
}

/// Everything that is planted in one scenario.
pub struct Canaries {
    scanner: SecretScanner<Label>,
    creators: Vec<String>,
    /// Handles and ids of clicks: they show that a line is about this run, and are no secret.
    markers: Option<AhoCorasick>,
}

/// A find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Find {
    /// What.
    pub canary: Canary,
    /// Whose, for what belongs to a creator.
    pub whose: Option<String>,
}

/// The run's credentials.
pub struct Credentials<'a> {
    /// Keys, webhook secrets and what opens the vault, as the mock knows them.
    pub linktree: Vec<(String, Kind)>,
    /// Opens the vault.
    pub vault_token: &'a str,
    /// Signs creators' sessions.
    pub session: &'a str,
}

impl Canaries {
    /// The canaries of a scenario with this seed and population.
    #[must_use]
    pub fn of(credentials: &Credentials<'_>, population: &Population, seed: u64) -> Self {
        let creators = population.handles();
        let mut all = vec![
            (credentials.vault_token.to_owned(), Canary::VaultToken, None),
            (credentials.session.to_owned(), Canary::SessionSecret, None),
        ];
        for (secret, kind) in &credentials.linktree {
            let canary = match kind {
                Kind::ApiKey => Canary::ApiKey,
                Kind::Vault => Canary::VaultToken,
                Kind::Other => Canary::WebhookSecret,
            };
            all.push((secret.clone(), canary, None));
        }
        for (index, handle) in creators.iter().enumerate() {
            let email = population.creator(seed, handle).map(|creator| creator.email);
            let whose = u32::try_from(index).ok();
            all.extend(email.map(|email| (email, Canary::Email, whose)));
        }
        all.extend(visitor::addresses().map(|address| (address, Canary::VisitorAddress, None)));
        let labelled = all
            .iter()
            .map(|(text, canary, whose)| (text.as_str(), Label { canary: *canary, whose: *whose }));
        let scanner = SecretScanner::tearing(labelled, |label| label.canary.is_secret());
        // It fails only for more patterns than a 32-bit number counts.
        let markers = AhoCorasick::new(creators.iter().chain([&event_prefix(seed)])).ok();
        Self { scanner, creators, markers }
    }

    /// Everything planted in these bytes, each once.
    #[must_use]
    pub fn find(&self, bytes: &[u8]) -> Vec<Find> {
        self.find_and_begun(bytes).0
    }

    /// The same, and the secrets that begin there and do not end.
    #[must_use]
    pub fn find_and_begun(&self, bytes: &[u8]) -> (Vec<Find>, Vec<Begun<Label>>) {
        let (mut found, mut begun) = (Vec::new(), Vec::new());
        let find = |label| {
            if !found.contains(&label) {
                found.push(label);
            }
        };
        self.scanner.each_and_begun(bytes, find, |one| begun.push(one));
        found.sort_unstable();
        (found.into_iter().map(|label| self.named(label)).collect(), begun)
    }

    /// What a label stands for.
    #[must_use]
    pub fn named(&self, label: Label) -> Find {
        let whose = |index: u32| self.creators.get(index as usize).cloned();
        Find { canary: label.canary, whose: label.whose.and_then(whose) }
    }

    /// Whether these bytes name a creator or a click of the run.
    #[must_use]
    pub fn is_marked(&self, bytes: &[u8]) -> bool {
        self.markers.as_ref().is_some_and(|markers| markers.is_match(bytes))
    }

    /// The text without anything planted.
    #[must_use]
    pub fn redacted<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.redacted_with(text, &[])
    }

    /// The same, without these pieces either.
    #[must_use]
    pub fn redacted_with<'t>(&self, text: &'t str, pieces: &[Piece<Label>]) -> Cow<'t, str> {
        self.scanner.replaced_with(text, pieces, |label| label.canary.mark())
    }

    /// The first place from `at` on where these bytes can be cut without cutting anything planted in two.
    #[must_use]
    pub fn cut(&self, bytes: &[u8], at: usize) -> usize {
        self.scanner.cut(bytes, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mock_server::world::population::Group;
    use proptest::prelude::*;
    use scenarios::traffic::Visitor;

    const KEY: &str = "lt_live_0123456789abcdef";

    fn canaries() -> (Canaries, String) {
        let group = Group {
            prefix: "page".into(),
            count: 20,
            min_links: 1,
            max_links: 2,
            ..Group::default()
        };
        let population = Population { groups: vec![group] };
        let email = population.creator(7, "page-0012").unwrap().email;
        let linktree = vec![
            (KEY.to_owned(), Kind::ApiKey),
            ("whsec_MfKQ9r8GKYqrTwjU".to_owned(), Kind::Other),
            ("hvs.CAESI0123456789".to_owned(), Kind::Vault),
        ];
        let credentials =
            Credentials { linktree, vault_token: "vault-0123456789", session: "session-0123" };
        (Canaries::of(&credentials, &population, 7), email)
    }

    #[test]
    fn each_canary_is_found_by_name_and_leaves_its_mark() {
        let (canaries, email) = canaries();
        let check = |text: &str, canary: Canary, whose: Option<&str>, redacted: &str| {
            let found = canaries.find(text.as_bytes());
            assert_eq!(found, [Find { canary, whose: whose.map(str::to_owned) }], "{text}");
            assert_eq!(canaries.redacted(text), redacted);
        };
        check(&format!("Bearer {KEY}"), Canary::ApiKey, None, "Bearer [key]");
        check("s=whsec_MfKQ9r8GKYqrTwjU", Canary::WebhookSecret, None, "s=[secret]");
        check("vault-0123456789!", Canary::VaultToken, None, "[secret]!");
        check("hvs.CAESI0123456789", Canary::VaultToken, None, "[secret]");
        check("session-0123", Canary::SessionSecret, None, "[secret]");
        let shouted = format!("to {}", email.to_uppercase().replace('@', "%40"));
        check(&shouted, Canary::Email, Some("page-0012"), "to [email]");
        let address = Visitor { seed: 7, arrival: 3 }.ip();
        check(
            &format!("::ffff:{address} GET"),
            Canary::VisitorAddress,
            None,
            "::ffff:[address] GET",
        );
    }

    #[test]
    fn harmless_text_has_no_canary_and_may_be_marked() {
        let (canaries, _) = canaries();
        for (text, marked) in [
            ("listening on 127.0.0.1:10234", false),
            ("filled page-0012 in 3 ms", true),
            ("a click ev-00000000-17 came from 192.0.2.0/24", true),
            ("", false),
        ] {
            assert_eq!(canaries.find(text.as_bytes()), []);
            assert_eq!(canaries.redacted(text), text);
            assert_eq!(canaries.is_marked(text.as_bytes()), marked, "{text}");
        }
    }

    proptest! {
        /// Whatever stands around it, nothing planted is left, and the rest is.
        #[test]
        fn nothing_planted_is_left(before in "[ =:,\"{}é]{0,9}", after in "[ =:,\"{}é]{0,9}", arrival in 0..1_000_u64) {
            let (canaries, email) = canaries();
            let address = Visitor { seed: 7, arrival }.ip();
            let text = format!("{before}{KEY}{after}{email}{before}{address}{after}");
            let clean = canaries.redacted(&text).into_owned();
            prop_assert_eq!(&clean, &format!("{before}[key]{after}[email]{before}[address]{after}"));
            prop_assert_eq!(canaries.find(clean.as_bytes()), []);
        }
    }
}
