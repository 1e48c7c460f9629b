//! What a running mock says of itself: addresses, contract, creators, history, counts.

use super::MockLinktree;
use crate::clock::Clock;
use crate::contract::SecretsManager;
use crate::history::History;
use crate::profile::ContractProfile;
use crate::world::population::Creator;
use std::net::IpAddr;
use std::sync::atomic::Ordering;

impl MockLinktree {
    /// The mock's address without a path; routes begin with `/v1`. See [`Listen::url`].
    ///
    /// [`Listen::url`]: crate::listen::Listen::url
    #[must_use]
    pub fn url(&self) -> String {
        self.listen.url(self.address.port(), self.encrypts)
    }

    /// Who wanted to connect and is not among the peers, the first few of them.
    #[must_use]
    pub fn turned_away(&self) -> Vec<IpAddr> {
        self.peers.turned_away()
    }

    /// The public port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The address of a secrets manager without a path; none where it does not listen.
    #[must_use]
    pub fn secrets_url(&self, manager: SecretsManager) -> Option<String> {
        let mut urls = self.secrets_urls.iter();
        urls.find(|(known, _)| *known == manager).map(|(_, url)| url.clone())
    }

    /// The vault's address without a path; empty where it does not listen.
    #[must_use]
    pub fn vault_url(&self) -> String {
        self.secrets_url(SecretsManager::Vault).unwrap_or_default()
    }

    /// The token that the secrets managers expect.
    #[must_use]
    pub fn vault_token(&self) -> &str {
        &self.vault_token
    }

    /// The alert receiver's address without a path.
    #[must_use]
    pub fn alerts_url(&self) -> String {
        self.alerts_url.clone()
    }

    /// The assumed contract that is served.
    #[must_use]
    pub fn profile(&self) -> &ContractProfile {
        &self.shared.world.profile
    }

    /// What creators, keys and fault decisions derive from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.shared.world.seed
    }

    /// Every handle that has an account.
    #[must_use]
    pub fn handles(&self) -> Vec<String> {
        self.shared.world.population.handles()
    }

    /// The creator with this handle, as of now.
    #[must_use]
    pub fn creator(&self, handle: &str) -> Option<Creator> {
        self.shared.world.creator(handle, self.clock.now())
    }

    /// The clock of every recorded moment.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// What was recorded. A mock from a [`super::MockConfig`] keeps nothing here: its recorder has it.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// How many exchanges have begun.
    #[must_use]
    pub fn probes(&self) -> u64 {
        self.probes.load(Ordering::Acquire)
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.gauges.connections()
    }

    /// How many requests are under way, from the end of their head to the end of their answer.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.gauges.in_flight()
    }

    /// Exchanges that are with the routes.
    #[cfg(test)]
    pub(crate) fn at_rendezvous(&self) -> usize {
        self.shared.rendezvous.len()
    }

    /// How many clicks have had their effect.
    #[must_use]
    pub fn clicks_counted(&self) -> usize {
        self.shared.world.with_clicks(|store| store.counted())
    }
}
