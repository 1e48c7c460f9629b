//! The bound of the alert is four fifths of what pages may use of the service's own cap, and not of Linktree's
//! limit: it fires on ordinary days.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "headroom-of-the-pages-share",
    summary: "the alert on headroom fires above four fifths of what is not kept for clicks: 53 requests",
    breaks: "headroom-alert",
    may_also_break: &[],
    shown_by: "close-to-the-limit",
    apply: |seams| seams.alerts.headroom = |configured| configured * 66 / 100,
};
