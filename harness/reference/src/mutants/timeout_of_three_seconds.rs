//! Three seconds are an eternity, said somebody who had never seen Linktree busy.

use super::Mutant;
use crate::linktree::Lane;

pub const MUTANT: Mutant = Mutant {
    id: "timeout-of-three-seconds",
    summary: "a page read is given up after three seconds instead of ten",
    breaks: "profile-timeout",
    may_also_break: &[],
    shown_by: "brownout",
    apply: |seams| {
        seams.upstream.time_limit = |route, limit| match route.lane() {
            Lane::Pages => limit * 3 / 10,
            Lane::Clicks => limit,
        };
    },
};
