//! Serves the mock for a load tool: no limit on requests, records only counted, until it is killed.
//!
//! `cargo run --release -p mock-server --example serve -- 4100`

use mock_server::clock::{Clock, Moment};
use mock_server::population::{Group, Population};
use mock_server::profile::ContractProfile;
use mock_server::record::{Record, Recorder};
use mock_server::server::{MockConfig, MockLinktree};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Default)]
struct Count {
    exchanges: AtomicU64,
    overloads: AtomicU64,
}

impl Recorder for Count {
    fn record(&self, record: Record) {
        match record {
            Record::Exchange(_) => self.exchanges.fetch_add(1, Ordering::Relaxed),
            Record::Overload(_) => self.overloads.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_default().parse().unwrap_or(0);
    let count = Arc::new(Count::default());
    let mut profile = ContractProfile::linktree_v1();
    // A limiter that remembers its window must not remember a whole run.
    (profile.limit.requests, profile.limit.window_ms) = (u32::MAX, 1_000);
    let group = Group { prefix: "tail".into(), count: 100, min_links: 3, max_links: 3 };
    let mock = MockLinktree::start(MockConfig {
        profile,
        time_scale: 1,
        seed: 7,
        population: Population { groups: vec![group] },
        edits: vec![],
        rules: vec![],
        port,
        clock: Clock::start(),
        recorder: Arc::clone(&count) as Arc<dyn Recorder>,
        vault_token: String::new(),
    })?;
    mock.arm(Moment::ZERO);
    println!("{} {}", mock.url(), mock.api_key());
    // Each line on standard input is a question: how many of each so far?
    for _ in std::io::stdin().lines() {
        println!(
            "{} exchanges begun, {} recorded, {} overloads, {} connections",
            mock.probes(),
            count.exchanges.load(Ordering::Relaxed),
            count.overloads.load(Ordering::Relaxed),
            mock.connections()
        );
    }
    mock.stop();
    Ok(())
}
