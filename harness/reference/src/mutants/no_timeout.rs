//! The client's default, which is to wait for ever.

use super::Mutant;
use crate::{linktree::Lane, upstream::TimeoutKind};

pub const MUTANT: Mutant = Mutant {
    id: "no-timeout",
    summary: "a page read that stalls is never given up",
    breaks: "profile-timeout",
    may_also_break: &["breaker-opens"],
    shown_by: "brownout",
    apply: |seams| {
        seams.upstream.timeout = |route| match route.lane() {
            Lane::Pages => TimeoutKind::None,
            Lane::Clicks => TimeoutKind::Total,
        };
    },
};
