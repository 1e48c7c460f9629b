//! The age is asked for once, since a key does not change.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "age-of-the-first-key",
    summary: "the exposed age is that of the key with which the service started",
    breaks: "key-rotation",
    may_also_break: &[],
    shown_by: "key-rotation-under-load",
    apply: |seams| seams.keys.forgets_age = false,
};
