//! An older client named its creator in the query, and the handler still reads that first.

use super::Mutant;
use std::borrow::Cow;

pub const MUTANT: Mutant = Mutant {
    id: "analytics-handle-from-query",
    summary: "figures are those of the handle in the query, which nobody compares with the session",
    breaks: "analytics-scope",
    may_also_break: &[],
    shown_by: "slow-analytics",
    apply: |seams| {
        seams.front.access.whose = |path, query| {
            let parameters = query.unwrap_or_default().split('&');
            let named = parameters.filter_map(|one| one.strip_prefix("handle=")).next();
            Cow::Borrowed(named.unwrap_or(path))
        };
    },
};
