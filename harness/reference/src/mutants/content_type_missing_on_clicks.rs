//! The body is serialised by hand, and nobody says that it is JSON.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "content-type-missing-on-clicks",
    summary: "clicks are sent without `Content-Type`",
    breaks: "json-headers",
    may_also_break: &["clicks-delivered"],
    shown_by: "steady-state",
    apply: |seams| seams.upstream.shape.content_type = |_| false,
};
