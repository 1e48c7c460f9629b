//! Random sequences of calls, against simple models of what must come of them.

mod clicks;
mod limiter;
mod links;
#[allow(dead_code)] // it has more abilities than the models need
#[path = "../mock/rig.rs"]
mod rig;

use mock_server::server::MockConfig;
use proptest::test_runner::Config;
use rig::{Answer, Client, Rig};

/// So many random sequences; each failure is shrunk to the shortest that still fails.
fn cases(cases: u32) -> Config {
    Config { cases, max_shrink_iters: 2_000, failure_persistence: None, ..Config::default() }
}

/// A mock with one client that stays connected, and no limit in its way.
struct Upstream {
    rig: Rig,
    client: Client,
}

impl Upstream {
    fn new(adapt: impl FnOnce(&mut MockConfig)) -> Self {
        let rig = Rig::new(|config| {
            config.profile.limit.requests = 1_000_000;
            config.profile.analytics.latency_ms = 0;
            let scopes =
                ["profile:read", "links:read", "links:write", "clicks:write", "analytics:read"];
            config.profile.keys.scopes = scopes.map(str::to_owned).to_vec();
            adapt(config);
        });
        let client = rig.client();
        Self { rig, client }
    }

    fn send(&mut self, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        self.client.write(&self.rig.request(method, target, headers, body));
        self.client.answer()
    }

    fn get(&mut self, target: &str) -> Answer {
        self.send("GET", target, "", "")
    }
}
