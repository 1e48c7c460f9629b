//! The edge under clients that are slow, greedy, broken or gone.

mod books;
mod caps;
pub(super) mod fuzz;
mod hop;
#[path = "../../../tests/mutations/mod.rs"]
mod mutations;
mod parsers;
mod time;

use super::Tuning;
use crate::clock::Moment;
use crate::rig::{Rig, Tape, config};
use crate::server::{MockConfig, MockLinktree};
use std::sync::Arc;

/// A rig with these limits, which refuses nobody for asking too often.
fn tuned(tuning: Tuning, adapt: impl FnOnce(&mut MockConfig)) -> Rig {
    let tape = Arc::new(Tape::default());
    let mut config = config(&tape);
    config.profile.limit.requests = 1_000_000;
    adapt(&mut config);
    let clock = config.clock;
    let mock = MockLinktree::start_tuned(config, tuning).unwrap();
    mock.arm(Moment::ZERO);
    Rig { mock, tape, clock }
}
