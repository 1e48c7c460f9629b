//! Addresses are escaped by what was made for text between elements.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "quotes-left-in-addresses",
    summary: "quotes in an address are not escaped, and end the attribute",
    breaks: "html-sanitised",
    may_also_break: &[],
    shown_by: "hostile-content",
    apply: |seams| {
        seams.front.html.address =
            |url| url.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    },
};
