//! Which route a request asks for.

use crate::api::{OPERATIONS, Operation};
use crate::contract::Route;

/// The path of a target without dot segments, be they plain or percent-encoded, since they say the same
/// as the path that they lead to (RFC 3986 sections 5.2.4 and 6.2.2). Some clients resolve them before
/// they send, others leave it to the server.
pub(crate) fn resolved(target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let Some(rest) = path.strip_prefix('/') else { return path.to_owned() };
    if !path.contains("/.") && !path.contains('%') {
        return path.to_owned();
    }
    let mut parts = Vec::new();
    let mut is_folder = false;
    for part in rest.split('/') {
        let plain = part.to_ascii_lowercase().replace("%2e", ".");
        is_folder = matches!(plain.as_str(), "." | "..");
        match plain.as_str() {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    if is_folder {
        parts.push("");
    }
    format!("/{}", parts.join("/"))
}

/// The route of the contract that method and path name, and the handle in the path. `HEAD` is answered
/// wherever `GET` is (RFC 9110 section 9.3.2).
pub(crate) fn classify(method: &str, path: &str) -> (Route, Option<String>) {
    let unknown = (Route::Unknown, None);
    let Some(rest) = path.strip_prefix("/v1/") else { return unknown };
    let parts: Vec<&str> = rest.split('/').collect();
    let method = if method == "HEAD" { "GET" } else { method };
    let asked = |known: &Operation| Some((known.route, known.matches(method, &parts)?));
    let Some((route, free)) = OPERATIONS.iter().find_map(asked) else { return unknown };
    let handle = free.into_iter().find(|(name, _)| *name == "handle");
    (route, handle.map(|(_, handle)| percent_decoded(handle)))
}

fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dot_segments_lead_where_they_say() {
        let check = |target, path: &str| assert_eq!(resolved(target), path, "{target}");
        check("/v1/me?a=/../b", "/v1/me");
        check("/v1/profiles/../me", "/v1/me");
        check("/v1/profiles/%2e%2E/links?x", "/v1/links");
        check("/v1/profiles/.%2e/./me", "/v1/me");
        check("/../../v1/me", "/v1/me");
        check("/v1/..", "/");
        check("/v1/profiles/.", "/v1/profiles/");
        check("/v1/profiles/ann/..", "/v1/profiles/");
        check("/v1//me/", "/v1//me/");
        check("/v1/profiles/...", "/v1/profiles/...");
        check("/v1/..me/.a", "/v1/..me/.a");
        check("/", "/");
        check("*", "*");
        check("host:80", "host:80");
    }

    #[test]
    fn method_and_path_name_the_route() {
        let check = |method, path, route, handle: Option<&str>| {
            assert_eq!(
                classify(method, path),
                (route, handle.map(str::to_owned)),
                "{method} {path}"
            );
        };
        check("GET", "/v1/health", Route::Health, None);
        check("GET", "/v1/me", Route::Me, None);
        check("GET", "/v1/profiles/a-0001", Route::Profile, Some("a-0001"));
        check("GET", "/v1/profiles/a%2D0001", Route::Profile, Some("a-0001"));
        check("GET", "/v1/profiles/a%zz", Route::Profile, Some("a%zz"));
        check("GET", "/v1/profiles/a-0001/links", Route::ProfileLinks, Some("a-0001"));
        check("POST", "/v1/clicks", Route::Clicks, None);
        check("POST", "/v1/clicks/batch", Route::ClicksBatch, None);
        check("GET", "/v1/links", Route::Links, None);
        check("PATCH", "/v1/links/lnk_1", Route::Link, None);
        check("POST", "/v1/links/batch", Route::LinksBatch, None);
        check("GET", "/v1/analytics/a%2D0001", Route::Analytics, Some("a-0001"));
        check("POST", "/v1/webhooks", Route::Webhooks, None);
        check("GET", "/v1/webhooks", Route::Webhooks, None);
        check("DELETE", "/v1/webhooks/wh_1", Route::Webhooks, None);
        check("HEAD", "/v1/health", Route::Health, None);
        check("HEAD", "/v1/me", Route::Me, None);
        check("HEAD", "/v1/profiles/a-0001", Route::Profile, Some("a-0001"));
        check("HEAD", "/v1/profiles/a-0001/links", Route::ProfileLinks, Some("a-0001"));
        check("HEAD", "/v1/links", Route::Links, None);
        check("HEAD", "/v1/analytics/a-0001", Route::Analytics, Some("a-0001"));
        check("HEAD", "/v1/webhooks", Route::Webhooks, None);
        for (method, path) in [
            ("HEAD", "/v1/clicks"),
            ("HEAD", "/v1/links/lnk_1"),
            ("HEAD", "/v1/webhooks/wh_1"),
            ("GET", "/"),
            ("GET", "/me"),
            ("POST", "/v1/me"),
            ("GET", "/v1/profiles/"),
            ("GET", "/v1/profiles/a/other"),
            ("GET", "/v1/clicks"),
            ("GET", "/v1/links/lnk_1"),
            ("PATCH", "/v1/links/"),
            ("PATCH", "/v1/links/lnk_1/title"),
            ("GET", "/v1/analytics/"),
            ("DELETE", "/v1/webhooks"),
            ("DELETE", "/v1/webhooks/"),
            ("GET", "*"),
        ] {
            check(method, path, Route::Unknown, None);
        }
    }
}
