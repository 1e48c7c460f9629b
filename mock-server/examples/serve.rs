//! Serves the mock for a load tool: no limit on requests, and records are only counted.
//!
//! It prints its address and its key; each line on standard input asks how many there were so far,
//! and the end of standard input stops it. `cargo run --release -p mock-server --example serve`

#[path = "../benches/rivals/mod.rs"]
mod rivals;

use mock_server::history::record::{Record, Recorder};
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
    let count = Arc::new(Count::default());
    let mock = rivals::mock(Arc::clone(&count) as Arc<dyn Recorder>)?;
    println!("{} {}", mock.url(), mock.api_key());
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
