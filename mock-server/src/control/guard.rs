//! Who may use the control API: whoever has the token, or without one whoever is on this machine
//! and not a web page.

use super::problem::Problem;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Checks every request before anything else is done.
pub(super) struct Guard {
    /// SHA-256 of the token: comparing hashes takes the same time for every length.
    token: Option<[u8; 32]>,
}

impl Guard {
    pub fn new(token: Option<&str>) -> Self {
        Self { token: token.map(|token| Sha256::digest(token).into()) }
    }

    fn admits(&self, headers: &HeaderMap, authority: Option<&str>) -> Result<(), Problem> {
        let forbidden = |code, message: String| {
            Err(Problem::new(StatusCode::FORBIDDEN, code, message)
                .help("call 127.0.0.1 from a program, or start the mock with a control token"))
        };
        let Some(token) = &self.token else {
            if headers.contains_key(ORIGIN) {
                return forbidden("web_page", "a web page may not steer the mock".to_owned());
            }
            let hosts = headers.get_all(HOST).iter().map(|host| host.to_str().unwrap_or("?"));
            for host in hosts.chain(authority) {
                if !is_loopback(host) {
                    let message = format!("the control API answers for loopback, not for {host}");
                    return forbidden("foreign_host", message);
                }
            }
            return Ok(());
        };
        let shown = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, shown)| Sha256::digest(shown.trim()));
        if shown.is_some_and(|shown| bool::from(shown.ct_eq(token))) {
            return Ok(());
        }
        Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "the control token is needed")
            .help("send it as Authorization: Bearer …")
            .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
    }
}

/// Whether `host`, with or without a port, names this machine to itself.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The layer in front of all endpoints.
pub(super) async fn check(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let authority = request.uri().authority().map(axum::http::uri::Authority::as_str);
    guard.admits(request.headers(), authority)?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(token: Option<&str>, headers: &[(&'static str, &str)], admitted: bool) {
        let pairs = headers.iter().map(|(name, value)| {
            (axum::http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        let map: HeaderMap = pairs.collect();
        assert_eq!(Guard::new(token).admits(&map, None).is_ok(), admitted, "{token:?} {headers:?}");
    }

    #[test]
    fn without_a_token_programs_on_this_machine_may_and_web_pages_may_not() {
        for host in ["127.0.0.1:4011", "localhost", "LOCALHOST:1", "[::1]:4011", "127.8.8.8"] {
            check(None, &[("host", host)], true);
        }
        check(None, &[], true); // HTTP/1.0; every browser names its host
        for host in ["evil.example", "127.0.0.1.evil.example:4011", "10.0.0.1", "", "localhost.x"] {
            check(None, &[("host", host)], false);
        }
        check(None, &[("host", "localhost"), ("host", "evil.example")], false);
        check(None, &[("host", "localhost"), ("origin", "null")], false);
    }

    #[test]
    fn with_a_token_only_the_token_counts() {
        let bearer = |token: &str| format!("Bearer {token}");
        check(Some("s3cret"), &[("authorization", &bearer("s3cret"))], true);
        check(Some("s3cret"), &[("authorization", "bearer s3cret"), ("origin", "x")], true);
        for wrong in ["Bearer s3cre", "Bearer s3cret!", "s3cret", "Basic s3cret", "Bearer "] {
            check(Some("s3cret"), &[("authorization", wrong)], false);
        }
        check(Some("s3cret"), &[("host", "localhost")], false);
    }
}
