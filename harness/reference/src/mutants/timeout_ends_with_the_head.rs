//! The timer is stopped as soon as `fetch` has returned, which it does when the head is there: the body comes
//! when it likes.

use super::Mutant;
use crate::{linktree::Lane, upstream::TimeoutKind};

pub const MUTANT: Mutant = Mutant {
    id: "timeout-ends-with-the-head",
    summary: "a page read whose head has come is never given up, whatever its body does",
    breaks: "profile-timeout",
    may_also_break: &["breaker-opens"],
    shown_by: "gray-failure",
    apply: |seams| {
        seams.upstream.timeout = |route| match route.lane() {
            Lane::Pages => TimeoutKind::Head,
            Lane::Clicks => TimeoutKind::Total,
        };
    },
};
