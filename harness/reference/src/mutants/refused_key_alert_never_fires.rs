//! Keys are rotated in time, so nobody asked for an alert on refused ones.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "refused-key-alert-never-fires",
    summary: "the alert on refused keys is never sent",
    breaks: "timeout-not-auth",
    may_also_break: &[],
    shown_by: "slow-silent-locked-out",
    apply: |seams| seams.alerts.sends = |name| name != "LinktreeKeyRefused",
};
