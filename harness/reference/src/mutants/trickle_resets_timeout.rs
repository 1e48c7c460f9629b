//! A read timeout that every byte starts again.

use super::Mutant;
use crate::{linktree::Lane, upstream::TimeoutKind};

pub const MUTANT: Mutant = Mutant {
    id: "trickle-resets-timeout",
    summary: "a page read that trickles is never given up",
    breaks: "profile-timeout",
    may_also_break: &["breaker-opens"],
    shown_by: "brownout",
    apply: |seams| {
        seams.upstream.timeout = |route| match route.lane() {
            Lane::Pages => TimeoutKind::Silence,
            Lane::Clicks => TimeoutKind::Total,
        };
    },
};
