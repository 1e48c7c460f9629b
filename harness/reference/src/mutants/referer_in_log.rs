//! An access log in the combined format, with whatever browsers tell of themselves.

use super::Mutant;

pub const MUTANT: Mutant = Mutant {
    id: "referer-in-log",
    summary: "each page view is logged with its referer and browser",
    breaks: "no-pii-in-logs",
    may_also_break: &[],
    shown_by: "steady-state",
    apply: |seams| {
        seams.log.page_asked = |uri, headers| {
            let of = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("-");
            let (path, referer, browser) = (uri.path(), of("referer"), of("user-agent"));
            tracing::info!("\"GET {path} HTTP/1.1\" \"{referer}\" \"{browser}\"");
        };
    },
};
