//! The profile is logged as it came, and it came with the creator's e-mail.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "email-in-log",
    summary: "the whole profile is logged at each fill, with the creator's e-mail",
    breaks: "no-pii-in-logs",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.log.page_filled = |handle, version, profile| {
            let profile = String::from_utf8_lossy(profile);
            tracing::info!(%handle, version, %profile, "page filled");
        };
    },
};
